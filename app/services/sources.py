"""Webhook sources: the endpoints alerts come to."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload

from app.domain.alerts import AlertDefaults
from app.domain.audit import Action
from app.extensions import db
from app.models import Alert, Broker, Source, User
from app.services import audit, events
from app.services.events import Topic
from app.services.refusal import Refused


class SourceRefused(Refused):
    """A source cannot be made as asked."""


#: The longest time, in seconds, within which the same body counts as the same alert.
MAX_DUPLICATE_WINDOW = 3600


def create(
    user: User, broker: Broker, name: str, *, duplicate_window: int | None = None
) -> tuple[Source, str]:
    """A new source of a broker, and its token, which is shown this once. ``duplicate_window`` in seconds.

    Raises:
        SourceRefused: no name, one that is taken, or a window out of range.
    """
    name = name.strip()
    if not name or len(name) > 80:
        raise SourceRefused("a source needs a name of at most 80 characters", field="name")
    if db.session.scalar(select(Source.id).where(Source.user_id == user.id, Source.name == name)):
        raise SourceRefused(f"you have a source named {name} already", field="name")
    if duplicate_window is not None and not 0 <= duplicate_window <= MAX_DUPLICATE_WINDOW:
        raise SourceRefused(f"at most {MAX_DUPLICATE_WINDOW} seconds", field="duplicate_window")
    token = _new_token()
    source = Source(user_id=user.id, broker_id=broker.id, name=name, token_hash=fingerprint(token))
    if duplicate_window is not None:
        source.duplicate_window = duplicate_window
    db.session.add(source)
    db.session.flush()
    _record(Action.SOURCE_CREATED, source, broker_id=broker.id, duplicate_window=source.duplicate_window)
    db.session.commit()
    return source, token


def rotate(source: Source) -> str:
    """Give a source a new token; the old one is refused from now on."""
    token = _new_token()
    source.token_hash = fingerprint(token)
    _record(Action.SOURCE_TOKEN_CHANGED, source)
    db.session.commit()
    return token


def set_enabled(source: Source, enabled: bool) -> None:
    """Switch a source on or off; the very next alert feels it."""
    source.enabled = enabled
    _record(Action.SOURCE_SWITCHED_ON if enabled else Action.SOURCE_SWITCHED_OFF, source)
    db.session.commit()
    events.publish(source.user_id, Topic.ALERTS)


def defaults_of(source: Source) -> AlertDefaults:
    """What a source says where its alerts do not."""
    return AlertDefaults(expires_in=source.expires_in)


def by_token(token: str) -> Source | None:
    """The source a token belongs to, read from the database every time: a switched-off source is off at once."""
    return db.session.scalar(
        select(Source).where(Source.token_hash == fingerprint(token)).options(joinedload(Source.broker))
    )


def of(user: User) -> Sequence[Source]:
    """A person's sources by name."""
    query = select(Source).where(Source.user_id == user.id).options(joinedload(Source.broker))
    return db.session.scalars(query.order_by(Source.name)).all()


def find(user: User, source_id: int) -> Source | None:
    """A source of this person; another person's is as if it did not exist."""
    return db.session.scalar(select(Source).where(Source.id == source_id, Source.user_id == user.id))


def last_alerts(user: User) -> Mapping[int, Alert]:
    """The newest alert of each of a person's sources, by source id."""
    newest = select(func.max(Alert.id)).where(Alert.user_id == user.id).group_by(Alert.source_id)
    found = db.session.scalars(select(Alert).where(Alert.id.in_(newest)))
    return {alert.source_id: alert for alert in found}


def fingerprint(token: str) -> str:
    """What is stored of a token. A plain SHA-256 suffices for 256 random bits; looking it up by its hash takes
    the same time whether or not a part of it is right."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _record(action: Action, source: Source, **detail: object) -> None:
    audit.record(action, f"source {source.id}", user_id=source.user_id, name=source.name, **detail)


def _new_token() -> str:
    return secrets.token_urlsafe(32)
