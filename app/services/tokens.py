"""Tokens of the API: made, shown once, used within their scopes, revoked."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import timedelta
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.audit import Action
from app.extensions import db
from app.models import ApiToken, User, utc_now
from app.services import audit
from app.services.refusal import Refused
from app.services.sources import fingerprint

MAX_DAYS = 365
_MAX_NAME = 80

#: By how much the noted last use may be late: a busy program must not write with every question.
_USE_NOTED_EVERY = timedelta(minutes=1)


class Scope(StrEnum):
    """What a token may do: look, place and cancel orders, or change limits and work the kill switch."""

    READ = "read"
    TRADE = "trade"
    RISK = "risk"


class TokenRefused(Refused):
    """A token cannot be made as asked."""


def create(user: User, name: str, scopes: Iterable[Scope], *, days: int) -> tuple[ApiToken, str]:
    """A new token that expires after ``days``, and the token itself, which is shown this once.

    Raises:
        TokenRefused: without a name or a scope, or for too long a time.
    """
    name, wanted = name.strip(), sorted(set(scopes))
    if not name or len(name) > _MAX_NAME:
        raise TokenRefused(f"a token needs a name of at most {_MAX_NAME} characters", field="name")
    if not wanted:
        raise TokenRefused("a token needs at least one scope", field="scopes")
    if not 1 <= days <= MAX_DAYS:
        raise TokenRefused(f"a token lives for 1 to {MAX_DAYS} days", field="days")
    token = secrets.token_urlsafe(32)
    row = ApiToken(
        user_id=user.id,
        name=name,
        token_hash=fingerprint(token),
        scopes=[scope.value for scope in wanted],
        expires_at=utc_now() + timedelta(days=days),
    )
    db.session.add(row)
    db.session.flush()
    audit.record(Action.API_TOKEN_CREATED, f"token {row.id}", user_id=user.id, name=name, scopes=row.scopes)
    db.session.commit()
    return row, token


def use(token: str) -> ApiToken | None:
    """The token with its person, its use noted; None when nobody has it, it is revoked or expired, or they are out."""
    now = utc_now()
    row = db.session.scalar(
        select(ApiToken).where(ApiToken.token_hash == fingerprint(token)).options(joinedload(ApiToken.user))
    )
    if row is None or row.revoked_at is not None or row.expires_at <= now:
        return None
    if row.user.closed_at is not None:
        return None
    if row.last_used_at is None or now - row.last_used_at >= _USE_NOTED_EVERY:
        row.last_used_at = now
        db.session.commit()
    return row


def revoke(token: ApiToken) -> None:
    """Refuse a token from now on."""
    token.revoked_at = token.revoked_at or utc_now()
    audit.record(Action.API_TOKEN_REVOKED, f"token {token.id}", user_id=token.user_id, name=token.name)
    db.session.commit()


def of(user: User) -> Sequence[ApiToken]:
    """A person's tokens that are not revoked, newest first."""
    query = select(ApiToken).where(ApiToken.user_id == user.id, ApiToken.revoked_at.is_(None))
    return db.session.scalars(query.order_by(ApiToken.id.desc())).all()


def find(user: User, token_id: int) -> ApiToken | None:
    """A token of this person; another person's is as if it did not exist."""
    return db.session.scalar(select(ApiToken).where(ApiToken.id == token_id, ApiToken.user_id == user.id))
