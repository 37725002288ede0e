"""Signing up, logging in and out."""

from __future__ import annotations

import hashlib

import structlog
from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_limiter.util import get_remote_address
from flask_login import current_user

from app.extensions import limiter, settings
from app.schemas.users import LogInSchema, SignUpSchema
from app.services import users
from app.services.users import LoginFailed, SignUpRefused
from app.web import forms, sessions
from app.web.access import member, public
from app.web.filters import sentence

log = structlog.get_logger()

blueprint = Blueprint("auth", __name__)

#: Failed log-ins, after which the door stays shut until the window has passed: quickly again, then for longer.
_FAILURES_PER_ACCOUNT = "5 per minute; 10 per 15 minutes; 50 per day"
_FAILURES_PER_ADDRESS = "20 per minute; 60 per 15 minutes"
_SIGN_UPS_PER_ADDRESS = "240 per hour"


def _account() -> str:
    address = request.form.get("email", "").strip().lower()
    return hashlib.sha256(address.encode("utf-8", "surrogatepass")).hexdigest()


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
        user = users.log_in(form["email"], form["password"])
    except LoginFailed as error:
        log.warning("login_failed", sender=request.remote_addr)
        return _login_page({forms.WHOLE: [sentence(error.message)]}), 401
    sessions.begin(user)
    log.info("logged_in", user_id=user.id)
    return redirect(_next())


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
    """End every session of this account."""
    sessions.end(current_user._get_current_object())
    flash("You are logged out, on every device.", "success")
    return redirect(url_for("auth.login"))


def _open() -> bool:
    return settings.registration_open or users.count() == 0


def _next() -> str:
    return sessions.safe_next(request.values.get("next")) or url_for("dashboard.index")


def _login_page(errors: forms.Errors) -> str:
    return render_template(
        "auth/login.html",
        values=forms.typed(),
        errors=errors,
        next=sessions.safe_next(request.values.get("next")),
        registration_open=settings.registration_open,
    )


def _signup_page(errors: forms.Errors) -> str:
    return render_template(
        "auth/signup.html",
        values=forms.typed(),
        errors=errors,
        first_user=users.count() == 0,
        registration_open=_open(),
        min_password=users.MIN_PASSWORD,
    )
