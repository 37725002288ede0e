"""A person's own choices, and the tokens of their programs."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from app.models import utc_now
from app.schemas.tokens import TokenSchema
from app.services import tokens, users
from app.services.tokens import TokenRefused
from app.web import forms, sessions
from app.web.access import member

blueprint = Blueprint("settings", __name__, url_prefix="/settings")


@blueprint.post("/theme")
@member
def theme() -> ResponseReturnValue:
    """Keep the chosen look and go back to where it was chosen."""
    users.set_theme(current_user, request.form.get("theme", ""))
    came_from = urlsplit(request.referrer or "")
    here = sessions.safe_next(came_from.path) if came_from.netloc == request.host else None
    return redirect(here or url_for("dashboard.index"))


@blueprint.route("/tokens", methods=["GET", "POST"])
@member
def api_tokens() -> ResponseReturnValue:
    """The tokens of the API; a new one is shown in the answer that made it and never again."""
    if request.method == "GET":
        return _tokens_page({"read": True})
    form, errors = forms.load(TokenSchema())
    if errors:
        return _tokens_page(forms.typed(), errors=errors), 422
    try:
        _row, token = tokens.create(current_user, form.name, form.scopes, days=form.days)
    except TokenRefused as refusal:
        return _tokens_page(forms.typed(), errors=forms.errors_of(refusal)), 422
    return _tokens_page({"read": True}, new_token=token)


@blueprint.post("/tokens/<int:token_id>/revoke")
@member
def revoke_token(token_id: int) -> ResponseReturnValue:
    """Refuse a token from now on."""
    token = tokens.find(current_user, token_id) or abort(404)
    tokens.revoke(token)
    flash(_("%(name)s is revoked.", name=token.name), "success")
    return redirect(url_for("settings.api_tokens"))


def _tokens_page(
    values: Mapping[str, object], *, errors: forms.Errors | None = None, new_token: str | None = None
) -> str:
    return render_template(
        "settings/tokens.html",
        tokens=tokens.of(current_user),
        new_token=new_token,
        values=values,
        errors=errors or {},
        now=utc_now(),
    )
