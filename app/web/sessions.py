"""Who is asking: sessions begin at log-in with nothing from before, and end for good."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, abort, flash, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user

from app.extensions import login
from app.models import User
from app.services import acting, users
from app.services.acting import Actor


def init_app(app: Flask) -> None:
    """Teach Flask-Login whose session it is and where to log in, and the audit chain who asks."""
    login.user_loader(users.by_session_key)
    login.unauthorized_handler(_ask_to_log_in)
    app.before_request(lambda: acting.begin(_who))
    app.teardown_request(lambda _error: acting.end())


def begin(user: User) -> None:
    """Start a session of its own; nothing planted in the cookie before the log-in survives it."""
    session.clear()
    session.permanent = True
    login_user(user)


def end(user: User) -> None:
    """End this session and every other of the same person: a stolen cookie is worth nothing afterwards."""
    users.end_sessions(user)
    logout_user()
    session.clear()


def safe_next(target: str | None) -> str | None:
    """An address to go on to after the log-in, if it is a path on this server; nothing else is followed."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or any(ord(character) < 0x20 for character in target):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target


def _who() -> Actor:
    """Asked for only when something is written down: a page view need not look up the person for it."""
    if current_user.is_authenticated:
        return Actor(current_user.email, current_user.id, request.remote_addr)
    return Actor("anonymous", address=request.remote_addr)


def _ask_to_log_in() -> ResponseReturnValue:
    if request.method != "GET" or not _wants_page():
        abort(401)
    flash(_("Log in to go on."), "info")
    here = request.full_path.removesuffix("?")
    return redirect(url_for("auth.login", next=None if here == "/" else here))


def _wants_page() -> bool:
    """Whether a form would be of use: neither a script's request nor the stream of events can fill one in."""
    kinds = ("text/html", "application/json", "text/event-stream")
    best = request.accept_mimetypes.best_match(kinds, default="text/html")
    return best == "text/html" and "HX-Request" not in request.headers
