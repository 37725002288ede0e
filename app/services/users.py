"""People: signing up, proving who they are, changing how they do; and what administrators decide about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError
from sqlalchemy import func, select

from app.domain.audit import Action
from app.domain.errors import SwitchyardError
from app.extensions import db
from app.models import Broker, LoginSession, User, utc_now
from app.services import acting, audit, login_sessions
from app.services.refusal import Refused

MIN_PASSWORD = 12
_MAX_EMAIL = 254
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


class PasswordWrong(Refused):
    """What harms an account asks for its password, and this is not it."""

    def __init__(self) -> None:
        super().__init__("that is not your password", field="password")


class AccountRefused(Refused):
    """An administrator may not do this to an account."""


def sign_up(email: str, password: str, *, is_admin: bool | None = None) -> User:
    """Make an account; the first one is the administrator's.

    Raises:
        SignUpRefused: bad address, short password, or address taken.
    """
    address = _checked_address(email)
    password_hash = _hashed(password, field="password")
    _ensure_free(address)
    user = User(
        email=address,
        password_hash=password_hash,
        is_admin=count() == 0 if is_admin is None else is_admin,
    )
    db.session.add(user)
    db.session.flush()
    audit.record(
        Action.USER_CREATED, f"user {user.id}", user_id=user.id, email=address, is_admin=user.is_admin
    )
    db.session.commit()
    return user


def authenticate(email: str, password: str) -> User:
    """The person with this address and password, who may still have a second factor to show.

    Raises:
        LoginFailed: without saying which of the two is wrong, in the same time either way.
    """
    user = by_email(email)
    db.session.commit()  # hashing takes its time, and no transaction may be open meanwhile
    fits = _fits(user, password)
    if not fits or user is None or user.closed_at is not None:
        _record_failure(user, "the account is closed" if fits else "wrong password")
        raise LoginFailed("address and password do not fit together")
    if hasher.check_needs_rehash(user.password_hash):
        user.password_hash = hasher.hash(password)
        db.session.commit()
    return user


def note_log_in(user: User) -> None:
    """Write down that a person has proved who they are."""
    user.last_login_at = utc_now()
    with acting.acting(replace(acting.current(), name=user.email, user_id=user.id)):
        audit.record(Action.LOGIN_SUCCEEDED, f"user {user.id}")
    db.session.commit()


def confirm_password(user: User, password: str) -> None:
    """Let a person go on who knows their password; what they are asked it for is up to the caller.

    Raises:
        PasswordWrong: they do not; written down like a log-in that failed.
    """
    db.session.commit()
    if not _fits(user, password):
        _record_failure(user, "wrong password, asked for while logged in")
        raise PasswordWrong


def change_email(user: User, email: str) -> None:
    """Give a person another address to log in with.

    Raises:
        SignUpRefused: it is none, or somebody has it.
    """
    address = _checked_address(email)
    if address == user.email:
        return
    _ensure_free(address)
    audit.record(
        Action.USER_EMAIL_CHANGED, f"user {user.id}", user_id=user.id, before=user.email, email=address
    )
    user.email = address
    db.session.commit()


def change_password(user: User, password: str, *, keep: LoginSession | None = None) -> None:
    """Give a person another password and end their sessions, but the one to ``keep``.

    Raises:
        SignUpRefused: it is too short.
    """
    user.password_hash = _hashed(password, field="new_password")
    audit.record(Action.USER_PASSWORD_CHANGED, f"user {user.id}", user_id=user.id)
    login_sessions.end_all(user, keep=keep)


def set_admin(user: User, is_admin: bool) -> None:
    """Make a person an administrator, or no longer one.

    Raises:
        AccountRefused: nobody would be left to administer the server.
    """
    if user.is_admin and not is_admin:
        _ensure_another_admin(user)
    user.is_admin = is_admin
    audit.record(Action.USER_ROLE_SET, f"user {user.id}", user_id=user.id, is_admin=is_admin)
    db.session.commit()


def close_account(user: User) -> None:
    """Keep a person and their programs out. What they hold stays guarded, and their sources go on: halt those apart.

    Raises:
        AccountRefused: nobody would be left to administer the server.
    """
    if user.is_admin:
        _ensure_another_admin(user)
    user.closed_at = user.closed_at or utc_now()
    audit.record(Action.USER_CLOSED, f"user {user.id}", user_id=user.id)
    login_sessions.end_all(user)


def reopen_account(user: User) -> None:
    """Let a person in again."""
    user.closed_at = None
    audit.record(Action.USER_REOPENED, f"user {user.id}", user_id=user.id)
    db.session.commit()


def by_email(email: str) -> User | None:
    """The person with this address, if there is one."""
    return db.session.scalar(select(User).where(User.email == email.strip().lower()))


def by_id(user_id: int) -> User | None:
    """The person of this number, if there is one."""
    return db.session.get(User, user_id)


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


def _checked_address(email: str) -> str:
    address = email.strip().lower()
    if "@" not in address or len(address) > _MAX_EMAIL:
        raise SignUpRefused("that is not an e-mail address", field="email")
    return address


def _ensure_free(address: str) -> None:
    if db.session.scalar(select(User.id).where(User.email == address)):
        raise SignUpRefused("there is an account with this address already", field="email")


def _hashed(password: str, *, field: str) -> str:
    if len(password) < MIN_PASSWORD:
        raise SignUpRefused(f"the password must have at least {MIN_PASSWORD} characters", field=field)
    db.session.commit()  # hashing takes its time, and no transaction may be open meanwhile
    return hasher.hash(password)


def _ensure_another_admin(user: User) -> None:
    others = select(User.id).where(User.is_admin.is_(True), User.closed_at.is_(None), User.id != user.id)
    if db.session.scalar(others.limit(1)) is None:
        raise AccountRefused(
            f"{user.email} is the only administrator", remedy="Make another account an administrator first."
        )


def _record_failure(user: User | None, reason: str) -> None:
    """What was typed is not kept, not even an address: some people type their password there."""
    if user is None:
        audit.record(Action.LOGIN_FAILED, "nobody", reason="no account has this address")
    else:
        audit.record(Action.LOGIN_FAILED, f"user {user.id}", user_id=user.id, reason=reason)
    db.session.commit()
