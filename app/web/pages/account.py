"""What a person logs in with, and where they are logged in."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.schemas.users import AccountSchema
from app.services import login_sessions, users
from app.services.refusal import Refused
from app.web import agents, forms, reproof, sessions
from app.web.access import member

blueprint = Blueprint("account", __name__, url_prefix="/settings")


@blueprint.route("/account", methods=["GET", "POST"])
@member
@reproof.limited
def index() -> ResponseReturnValue:
    """Another address or password; a new password ends every other session."""
    if request.method == "GET":
        return _page({"email": current_user.email}, {})
    form, errors = forms.load(AccountSchema())
    if errors:
        return _page(forms.typed(), errors), 422
    try:
        reproof.ask_again(form["password"])
        users.change_email(current_user, form["email"])
        if form["new_password"]:
            users.change_password(current_user, form["new_password"], keep=sessions.current())
    except Refused as refusal:
        return _page(forms.typed(), forms.errors_of(refusal)), 422
    flash(
        _("Saved.") if not form["new_password"] else _("Saved, and every other browser is logged out."),
        "success",
    )
    return redirect(url_for("account.index"))


@blueprint.get("/sessions")
@member
def devices() -> ResponseReturnValue:
    """Every browser in which this person is logged in."""
    return render_template(
        "settings/sessions.html",
        sessions=[
            {"row": row, "agent": agents.in_words(row.user_agent)} for row in login_sessions.of(current_user)
        ],
        this=sessions.current().id,
    )


@blueprint.post("/sessions/<int:session_id>/end")
@member
def end_session(session_id: int) -> ResponseReturnValue:
    """Log one other browser out."""
    found = login_sessions.find(current_user, session_id) or abort(404)
    if found.id == sessions.current().id:
        sessions.end()
        return redirect(url_for("auth.login"))
    login_sessions.end(found)
    flash(_("That browser is logged out."), "success")
    return redirect(url_for("account.devices"))


@blueprint.post("/sessions/end-others")
@member
def end_other_sessions() -> ResponseReturnValue:
    """Log every other browser out."""
    login_sessions.end_all(current_user, keep=sessions.current())
    flash(_("Every other browser is logged out."), "success")
    return redirect(url_for("account.devices"))


def _page(values: Mapping[str, object], errors: forms.Errors) -> str:
    return render_template(
        "settings/account.html", values=values, errors=errors, min_password=users.MIN_PASSWORD
    )
