"""People: signing up, proving who they are, ending sessions."""

from __future__ import annotations

import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import func, select

from app.domain.errors import SwitchyardError
from app.extensions import db
from app.models import User, utc_now

MIN_PASSWORD = 10
_hasher = PasswordHasher()

#: Verified when nobody has the address, so that the answer takes as long as for one who exists.
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))


class SignUpRefused(SwitchyardError):
    """An account cannot be made from what was given."""

    remedy = "Correct the named field and try again."


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
        raise SignUpRefused("that is not an e-mail address")
    if len(password) < MIN_PASSWORD:
        raise SignUpRefused(f"the password must have at least {MIN_PASSWORD} characters")
    if db.session.scalar(select(User.id).where(User.email == address)):
        raise SignUpRefused("there is an account with this address already")
    user = User(
        email=address,
        password_hash=_hasher.hash(password),
        session_key=secrets.token_urlsafe(32),
        is_admin=count() == 0 if is_admin is None else is_admin,
    )
    db.session.add(user)
    db.session.commit()
    return user


def log_in(email: str, password: str) -> User:
    """The person with this address and password.

    Raises:
        LoginFailed: without saying which of the two is wrong, in the same time either way.
    """
    user = by_email(email)
    try:
        _hasher.verify(user.password_hash if user else _NOBODY, password)
    except (VerifyMismatchError, InvalidHashError):
        user = None
    if user is None:
        raise LoginFailed("address and password do not fit together")
    if _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = _hasher.hash(password)
    user.last_login_at = utc_now()
    db.session.commit()
    return user


def by_email(email: str) -> User | None:
    """The person with this address, if there is one."""
    return db.session.scalar(select(User).where(User.email == email.strip().lower()))


def by_session_key(session_key: str) -> User | None:
    """The person whose session this is, unless it was ended."""
    return db.session.scalar(select(User).where(User.session_key == session_key))


def everyone() -> list[User]:
    """All accounts, oldest first."""
    return list(db.session.scalars(select(User).order_by(User.id)))


def count() -> int:
    """How many accounts there are."""
    return db.session.scalar(select(func.count(User.id))) or 0


def set_theme(user: User, theme: str) -> None:
    """Keep a person's choice of look: ``auto``, ``dark`` or ``light``."""
    if theme in ("auto", "dark", "light"):
        user.theme = theme
        db.session.commit()
