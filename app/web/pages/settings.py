"""A person's own choices."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app.services import users
from app.web import sessions
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
