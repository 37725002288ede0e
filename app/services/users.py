"""People: signing up, proving who they are, ending sessions."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import replace

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import func, select

from app.domain.audit import Action
from app.domain.errors import SwitchyardError
from app.extensions import db
from app.models import Broker, User, utc_now
from app.services import acting, audit
from app.services.refusal import Refused

MIN_PASSWORD = 12
THEMES = ("dark", "light", "system")
hasher = PasswordHasher()

#: Verified when nobody has the address, so that the answer takes as long as for one who exists: a hash of random
#: bytes that nobody knows. Made beforehand, because making it takes every process that starts as long as a log-in.
NOBODY = "$argon2id$v=19$m=65536,t=3,p=4$qKxMafnd8950FCo+o7afyA$1UQu0U8biSCJk/X6BCKsUcZfdoJYxv4P1NCMMDjlKLY"


class SignUpRefused(Refused):
    """An account cannot be made from what was given."""


class LoginFailed(SwitchyardError):
    """Address and password do not fit; which of the two is not said."""

    remedy = "Check the address and the password."


def sign_up(email: str, password: str, *, is_admin: bool | None = None) -> User:
    """Make an account; the first one is the administrator's.

    Raises:
        SignUpRefused: bad address, short password, or address taken.
    """
    address = email.strip().lower()
    if "@" not in address or len(address) > 254:
        raise SignUpRefused("that is not an e-mail address", field="email")
    if len(password) < MIN_PASSWORD:
        raise SignUpRefused(f"the password must have at least {MIN_PASSWORD} characters", field="password")
    password_hash = hasher.hash(password)
    if db.session.scalar(select(User.id).where(User.email == address)):
        raise SignUpRefused("there is an account with this address already", field="email")
    user = User(
        email=address,
        password_hash=password_hash,
        session_key=_new_session_key(),
        is_admin=count() == 0 if is_admin is None else is_admin,
    )
    db.session.add(user)
    db.session.flush()
    audit.record(
        Action.USER_CREATED, f"user {user.id}", user_id=user.id, email=address, is_admin=user.is_admin
    )
    db.session.commit()
    return user


def log_in(email: str, password: str) -> User:
    """The person with this address and password.

    Raises:
        LoginFailed: without saying which of the two is wrong, in the same time either way.
    """
    user = by_email(email)
    db.session.commit()  # hashing takes its time, and no transaction may be open meanwhile
    if not _fits(user, password) or user is None:
        _record_failure(user)
        raise LoginFailed("address and password do not fit together")
    if hasher.check_needs_rehash(user.password_hash):
        user.password_hash = hasher.hash(password)
    user.last_login_at = utc_now()
    with acting.acting(replace(acting.current(), name=user.email, user_id=user.id)):
        audit.record(Action.LOGIN_SUCCEEDED, f"user {user.id}")
    db.session.commit()
    return user


def by_email(email: str) -> User | None:
    """The person with this address, if there is one."""
    return db.session.scalar(select(User).where(User.email == email.strip().lower()))


def by_session_key(session_key: str) -> User | None:
    """The person whose session this is, unless it was ended."""
    return db.session.scalar(select(User).where(User.session_key == session_key))


def end_sessions(user: User) -> None:
    """Make every session of a person invalid, wherever it is open."""
    user.session_key = _new_session_key()
    audit.record(Action.LOGIN_ENDED, f"user {user.id}", user_id=user.id)
    db.session.commit()


def everyone() -> list[User]:
    """All accounts, oldest first."""
    return list(db.session.scalars(select(User).order_by(User.id)))


def broker_counts() -> Mapping[int, int]:
    """How many brokers each person has, by user id; who has none is left out."""
    rows = db.session.execute(select(Broker.user_id, func.count(Broker.id)).group_by(Broker.user_id))
    return dict(rows.all())


def count() -> int:
    """How many accounts there are."""
    return db.session.scalar(select(func.count(User.id))) or 0


def set_theme(user: User, theme: str) -> None:
    """Keep a person's choice of look: one of `THEMES`."""
    if theme in THEMES:
        user.theme = theme
        db.session.commit()


def set_look(user: User, *, theme: str, language: str | None, time_zone: str | None) -> None:
    """Keep how a person wants to see the pages; a language or zone of None follows their browser."""
    user.theme, user.language, user.time_zone = theme, language, time_zone
    db.session.commit()


def _fits(user: User | None, password: str) -> bool:
    try:
        return hasher.verify(user.password_hash if user else NOBODY, password)
    except (VerifyMismatchError, InvalidHashError):
        return False


def _record_failure(user: User | None) -> None:
    """What was typed is not kept, not even an address: some people type their password there."""
    if user is None:
        audit.record(Action.LOGIN_FAILED, "nobody", reason="no account has this address")
    else:
        audit.record(Action.LOGIN_FAILED, f"user {user.id}", user_id=user.id, reason="wrong password")
    db.session.commit()


def _new_session_key() -> str:
    return secrets.token_urlsafe(32)
