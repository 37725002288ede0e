"""Signing up, logging in by password and second factor, logging out."""

from __future__ import annotations

import hashlib

import structlog
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_limiter.util import get_remote_address
from flask_login import current_user

from app.models import User
from app.schemas.users import LogInSchema, SignUpSchema
from app.services import registration, second_factor, users
from app.services.second_factor import CodeRefused
from app.services.users import LoginFailed, SignUpRefused
from app.web import forms, sessions
from app.web.access import member, public
from app.web.filters import sentence
from app.web.guards import limiter

log = structlog.get_logger()

blueprint = Blueprint("auth", __name__)

#: Failed log-ins, after which the door stays shut until the window has passed: quickly again, then for longer.
_FAILURES_PER_ACCOUNT = "5 per minute; 10 per 15 minutes; 50 per day"
_FAILURES_PER_ADDRESS = "20 per minute; 60 per 15 minutes"
_SIGN_UPS_PER_ADDRESS = "240 per hour"


def _account() -> str:
    address = request.form.get("email", "").strip().lower()
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()


def _half_known() -> str:
    return f"user {sessions.halfway_user_id()}"


def _failed(response: Response) -> bool:
    return response.status_code == 401


@blueprint.route("/login", methods=["GET", "POST"])
@public
@limiter.limit(_FAILURES_PER_ADDRESS, key_func=get_remote_address, methods=["POST"], deduct_when=_failed)
@limiter.limit(_FAILURES_PER_ACCOUNT, key_func=_account, methods=["POST"], deduct_when=_failed)
def login() -> ResponseReturnValue:
    """The log-in; a refused one answers 401 and never says which part was wrong."""
    if users.count() == 0:
        return redirect(url_for("auth.signup"))
    if current_user.is_authenticated:
        return redirect(_next())
    if request.method == "GET":
        return _login_page({})
    form, errors = forms.load(LogInSchema())
    if errors:
        return _login_page(errors), 422
    try:
        user = users.authenticate(form["email"], form["password"])
    except LoginFailed as error:
        log.warning("login_failed", sender=request.remote_addr)
        return _login_page({forms.WHOLE: [sentence(error.message)]}), 401
    if second_factor.is_on(user):
        sessions.begin_halfway(user, sessions.safe_next(request.values.get("next")))
        return redirect(url_for("auth.second_step"))
    return _enter(user, _next())


@blueprint.route("/login/code", methods=["GET", "POST"])
@public
@limiter.limit(_FAILURES_PER_ADDRESS, key_func=get_remote_address, methods=["POST"], deduct_when=_failed)
@limiter.limit(_FAILURES_PER_ACCOUNT, key_func=_half_known, methods=["POST"], deduct_when=_failed)
def second_step() -> ResponseReturnValue:
    """The second factor of whoever gave a right password a moment ago; a refused code answers 401."""
    waiting = sessions.halfway()
    if waiting is None:
        flash(_("That took too long: begin again with your password."), "info")
        return redirect(url_for("auth.login"))
    if request.method == "GET":
        return _second_step_page({})
    try:
        second_factor.check(waiting.user, request.form.get("code", ""))
    except CodeRefused as refusal:
        log.warning("second_factor_failed", sender=request.remote_addr, user_id=waiting.user.id)
        return _second_step_page(forms.errors_of(refusal)), 401
    return _enter(waiting.user, waiting.next or url_for("dashboard.index"))


@blueprint.route("/signup", methods=["GET", "POST"])
@public
@limiter.limit(_SIGN_UPS_PER_ADDRESS, key_func=get_remote_address, methods=["POST"])
def signup() -> ResponseReturnValue:
    """A new account, and logged in at once; the first becomes the administrator even where sign-up is closed."""
    if current_user.is_authenticated:
        return redirect(url_for("dashboard.index"))
    if not _open():
        return _signup_page({}), 200 if request.method == "GET" else 403
    if request.method == "GET":
        return _signup_page({})
    form, errors = forms.load(SignUpSchema())
    if errors:
        return _signup_page(errors), 422
    try:
        user = users.sign_up(form["email"], form["password"])
    except SignUpRefused as refusal:
        return _signup_page(forms.errors_of(refusal)), 422
    sessions.begin(user)
    log.info("signed_up", user_id=user.id, is_admin=user.is_admin)
    return redirect(url_for("start.index"))


@blueprint.post("/logout")
@member
def logout() -> ResponseReturnValue:
    """End this session; those in other browsers go on."""
    sessions.end()
    flash(_("You are logged out here."), "success")
    return redirect(url_for("auth.login"))


def _enter(user: User, target: str) -> ResponseReturnValue:
    """Log in who has proved to be this person, and go on."""
    users.note_log_in(user)
    sessions.begin(user)
    log.info("logged_in", user_id=user.id)
    return redirect(target)


def _open() -> bool:
    return registration.is_open() or users.count() == 0


def _next() -> str:
    return sessions.safe_next(request.values.get("next")) or url_for("dashboard.index")


def _login_page(errors: forms.Errors) -> str:
    return render_template(
        "auth/login.html",
        values=forms.typed(),
        errors=errors,
        next=sessions.safe_next(request.values.get("next")),
        registration_open=registration.is_open(),
    )


def _second_step_page(errors: forms.Errors) -> str:
    return render_template("auth/code.html", errors=errors)


def _signup_page(errors: forms.Errors) -> str:
    return render_template(
        "auth/signup.html",
        values=forms.typed(),
        errors=errors,
        first_user=users.count() == 0,
        registration_open=_open(),
        min_password=users.MIN_PASSWORD,
    )
