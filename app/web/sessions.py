"""Who is asking: sessions begin at log-in with nothing from before, and end for good."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, abort, flash, g, redirect, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user, login_user, logout_user
from sqlalchemy.exc import SQLAlchemyError

from app.extensions import db
from app.models import LoginSession, User, utc_now
from app.models.sqlite import reading
from app.services import acting, login_sessions, users
from app.services.acting import Actor
from app.web.guards import login

log = structlog.get_logger()

#: Whoever has given their password must show their second factor within this time.
_HALFWAY_FOR = timedelta(minutes=5)
_HALFWAY = "halfway"


def init_app(app: Flask) -> None:
    """Teach Flask-Login whose session it is and where to log in, and the audit chain who asks."""
    login.user_loader(_person)
    login.unauthorized_handler(_ask_to_log_in)
    app.before_request(lambda: acting.begin(_who))
    app.after_request(_note_use)
    app.teardown_request(lambda _error: acting.end())


def begin(user: User) -> None:
    """Start a session of its own; nothing planted in the cookie before the log-in survives it."""
    address, agent = request.remote_addr or "", request.user_agent.string
    user.session_key = login_sessions.begin(user, address=address, user_agent=agent)
    session.clear()
    session.permanent = True
    login_user(user)


def end() -> None:
    """End this session: its cookie, and every copy of it, is worth nothing afterwards."""
    login_sessions.end(current())
    logout_user()
    session.clear()


def current() -> LoginSession:
    """The session of the person who is logged in."""
    found: LoginSession = g.login_session
    return found


@dataclass(frozen=True, slots=True)
class Halfway:
    """Somebody who knew a password and has yet to show the second factor; ``next`` is where they want to go."""

    user: User
    next: str | None


def begin_halfway(user: User, target: str | None) -> None:
    """Remember for a few minutes that this browser knew the password; it is logged in nowhere by that."""
    session.clear()
    session[_HALFWAY] = {"user_id": user.id, "until": (utc_now() + _HALFWAY_FOR).isoformat(), "next": target}


def halfway() -> Halfway | None:
    """Who has yet to show the second factor in this browser, if anybody does and it is not too late."""
    kept = session.get(_HALFWAY)
    if kept is None or utc_now() > datetime.fromisoformat(kept["until"]):
        return None
    user = users.by_id(kept["user_id"])
    return None if user is None or user.closed_at is not None else Halfway(user, kept["next"])


def halfway_user_id() -> int | None:
    """The id of that person, without asking the database."""
    kept = session.get(_HALFWAY)
    return None if kept is None else int(kept["user_id"])


def safe_next(target: str | None) -> str | None:
    """An address to go on to after the log-in, if it is a path on this server; nothing else is followed."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    if "\\" in target or any(ord(character) < 0x20 for character in target):
        return None
    parts = urlsplit(target)
    return None if parts.scheme or parts.netloc else target


def _person(key: str) -> User | None:
    """Whose session the cookie names; the session itself is kept beside for the rest of the request."""
    found = login_sessions.by_key(key)
    if found is None:
        return None
    g.login_session = found
    if login_sessions.is_use_to_be_noted(found):
        g.use_to_be_noted = found.id
    return found.user


def _note_use(response: Response) -> Response:
    """Once a minute, and after all that the request did: a view that did not commit did not want to."""
    session_id = g.pop("use_to_be_noted", None)
    if session_id is not None:
        reading.set(False)
        try:
            db.session.rollback()
            login_sessions.note_use(session_id)
        except SQLAlchemyError as error:
            log.warning("session_use_not_noted", error=type(error).__name__)
    return response


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
