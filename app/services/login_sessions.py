"""Where people are logged in: one row a browser, found by the hash of the key that its cookie holds."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import joinedload

from app.domain.audit import Action
from app.extensions import db
from app.models import LoginSession, User, utc_now
from app.services import audit
from app.services.sources import fingerprint

#: A session that is not used for so long has ended.
LIFETIME = timedelta(days=14)

#: By how much the noted last use may be late: a page view must not cost a write.
_USE_NOTED_EVERY = timedelta(minutes=1)

_MAX_ADDRESS, _MAX_AGENT = 64, 256


def begin(user: User, *, address: str, user_agent: str) -> str:
    """Log a person in; returns the key for their cookie, which is kept nowhere else. Forgets what has expired."""
    expired = LoginSession.seen_at < utc_now() - LIFETIME
    db.session.execute(delete(LoginSession).where(LoginSession.user_id == user.id, expired))
    key = secrets.token_urlsafe(32)
    row = LoginSession(
        user_id=user.id,
        key_hash=fingerprint(key),
        address=address[:_MAX_ADDRESS],
        user_agent=user_agent[:_MAX_AGENT],
    )
    db.session.add(row)
    db.session.commit()
    return key


def by_key(key: str) -> LoginSession | None:
    """The session of a cookie with its person, unless it has ended or the account is closed."""
    query = select(LoginSession).where(
        LoginSession.key_hash == fingerprint(key), LoginSession.seen_at > utc_now() - LIFETIME
    )
    found = db.session.scalar(query.options(joinedload(LoginSession.user)))
    return None if found is None or found.user.closed_at is not None else found


def is_use_to_be_noted(session: LoginSession) -> bool:
    """Whether the last use is noted so long ago that it should be noted anew."""
    return utc_now() - session.seen_at >= _USE_NOTED_EVERY


def note_use(session_id: int) -> None:
    """Note that a session is used now, if it has not ended meanwhile."""
    db.session.execute(update(LoginSession).where(LoginSession.id == session_id).values(seen_at=utc_now()))
    db.session.commit()


def of(user: User) -> Sequence[LoginSession]:
    """A person's sessions, the one that was used last first."""
    alive = LoginSession.seen_at > utc_now() - LIFETIME
    query = select(LoginSession).where(LoginSession.user_id == user.id, alive)
    return db.session.scalars(query.order_by(LoginSession.seen_at.desc(), LoginSession.id.desc())).all()


def find(user: User, session_id: int) -> LoginSession | None:
    """A session of this person; another person's is as if it did not exist."""
    query = select(LoginSession).where(LoginSession.id == session_id, LoginSession.user_id == user.id)
    return db.session.scalar(query)


def end(session: LoginSession) -> None:
    """Log one browser out: its cookie, and every copy of it, is worth nothing from now on."""
    subject = f"user {session.user_id}"
    audit.record(Action.LOGIN_ENDED, subject, user_id=session.user_id, session_id=session.id)
    db.session.delete(session)
    db.session.commit()


def end_all(user: User, *, keep: LoginSession | None = None) -> int:
    """Log a person out everywhere, but in the session to ``keep``; returns of how many browsers."""
    query = delete(LoginSession).where(LoginSession.user_id == user.id)
    if keep is not None:
        query = query.where(LoginSession.id != keep.id)
    ended = db.session.execute(query.returning(LoginSession.id)).all()
    if ended:
        audit.record(Action.LOGIN_ENDED, f"user {user.id}", user_id=user.id, sessions=len(ended))
    db.session.commit()
    return len(ended)
