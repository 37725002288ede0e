"""Webhook sources: the endpoints alerts come to."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from sqlalchemy import func, select
from sqlalchemy.orm import joinedload, selectinload

from app.domain import senders
from app.domain.alerts import SIZES, AlertDefaults
from app.domain.audit import Action
from app.domain.orders import OrderType
from app.domain.senders import NotAnAddress
from app.extensions import db
from app.models import Alert, Broker, Source, SourceRoute, User
from app.services import audit, events, misses, vault
from app.services.events import Topic
from app.services.refusal import Refused

#: The longest time, in seconds, within which the same body counts as the same alert.
MAX_DUPLICATE_WINDOW = 3600
MAX_EXPIRY = 86_400
#: A heartbeat, in seconds: alerts are looked for every few seconds, and nobody waits longer than a month.
SHORTEST_HEARTBEAT, LONGEST_HEARTBEAT = 30, 31 * 86_400
#: A secret that is shorter can be guessed.
SHORTEST_SECRET, LONGEST_SECRET = 8, 200
_MOST_ROUTES = 20
_MOST_SENDERS = 100
_MOST_SYMBOLS = 500
_ZERO, _HUNDRED = Decimal(0), Decimal(100)


class SourceRefused(Refused):
    """A source cannot be made or changed as asked."""


@dataclass(frozen=True, slots=True)
class Route:
    """A further broker on which a source's alerts trade; at most one size, which takes the place of the alert's."""

    broker: Broker
    percent: Decimal | None = None
    quote_quantity: Decimal | None = None
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class SourceSettings:
    """What a person decides about a source, besides its name, its broker and its secrets.

    ``duplicate_window`` and ``heartbeat_seconds`` in seconds; ``senders`` are addresses and networks, none for any;
    ``numbered`` when its alerts carry a number that grows by one.
    """

    duplicate_window: int = 10
    defaults: AlertDefaults = field(default_factory=AlertDefaults)
    senders: Sequence[str] = ()
    heartbeat_seconds: int | None = None
    numbered: bool = False
    routes: Sequence[Route] = ()


def create(
    user: User,
    broker: Broker,
    name: str,
    wanted: SourceSettings | None = None,
    *,
    secret: str | None = None,
    signing_secret: str | None = None,
) -> tuple[Source, str]:
    """A new source of a broker, and its token, which is shown this once.

    Raises:
        SourceRefused: the name is missing or taken, or a setting or secret is out of range.
    """
    token = _new_token()
    source = Source(user_id=user.id, broker=broker, name=name, token_hash=fingerprint(token), routes=[])
    _apply(source, name, broker, wanted or SourceSettings())
    _check_secrets(secret, signing_secret)
    db.session.add(source)
    db.session.flush()
    _put_secrets(source, secret, signing_secret)
    _record(Action.SOURCE_CREATED, source, **_told(source))
    db.session.commit()
    return source, token


def edit(source: Source, name: str, broker: Broker, wanted: SourceSettings) -> None:
    """Make these its settings; the very next alert feels them.

    Raises:
        SourceRefused: as for `create`.
    """
    with db.session.no_autoflush:
        _apply(source, name, broker, wanted)
    _record(Action.SOURCE_EDITED, source, **_told(source))
    db.session.commit()
    events.publish(source.user_id, Topic.ALERTS)


def settings_of(source: Source) -> SourceSettings:
    """What was decided about a source."""
    return SourceSettings(
        duplicate_window=source.duplicate_window,
        defaults=source.defaults,
        senders=tuple(source.senders or ()),
        heartbeat_seconds=source.heartbeat_seconds,
        numbered=source.numbered,
        routes=tuple(
            Route(route.broker, route.percent, route.quote_quantity, route.enabled) for route in source.routes
        ),
    )


def set_secrets(source: Source, *, secret: str | None = None, signing_secret: str | None = None) -> None:
    """Ask for another secret in the body or another signature from the next alert on; None leaves one as it is.

    Raises:
        SourceRefused: it is too short or too long.
    """
    _check_secrets(secret, signing_secret)
    _put_secrets(source, secret, signing_secret)
    _tell_of_secrets(source)


def drop_secrets(source: Source, *, secret: bool = False, signing_secret: bool = False) -> None:
    """Ask for no secret in the body any more, or for no signature."""
    if secret:
        source.secret_hash = None
    if signing_secret:
        source.signing_secret = None
    _tell_of_secrets(source)


def rotate(source: Source) -> str:
    """Give a source a new token; the old one is refused from now on."""
    token = _new_token()
    source.token_hash = fingerprint(token)
    _record(Action.SOURCE_TOKEN_CHANGED, source)
    db.session.commit()
    return token


def set_enabled(source: Source, enabled: bool) -> None:
    """Switch a source on or off; the very next alert feels it. While it is off, nothing is missed."""
    source.enabled = enabled
    if enabled:
        misses.begin(source)
    _record(Action.SOURCE_SWITCHED_ON if enabled else Action.SOURCE_SWITCHED_OFF, source)
    db.session.commit()
    events.publish(source.user_id, Topic.ALERTS)


def by_token(token: str) -> Source | None:
    """The source a token belongs to, read from the database every time: a switched-off source is off at once."""
    return db.session.scalar(
        select(Source).where(Source.token_hash == fingerprint(token)).options(joinedload(Source.broker))
    )


def of(user: User) -> Sequence[Source]:
    """A person's sources by name."""
    query = select(Source).where(Source.user_id == user.id).options(joinedload(Source.broker), _ROUTES)
    return db.session.scalars(query.order_by(Source.name)).all()


def named(user: User) -> Sequence[tuple[int, str]]:
    """The ids and names of a person's sources, by name."""
    query = select(Source.id, Source.name).where(Source.user_id == user.id).order_by(Source.name)
    return [(source_id, name) for source_id, name in db.session.execute(query)]


def find(user: User, source_id: int) -> Source | None:
    """A source of this person; another person's is as if it did not exist."""
    query = select(Source).where(Source.id == source_id, Source.user_id == user.id)
    return db.session.scalar(query.options(joinedload(Source.broker), _ROUTES))


def by_name(user: User, name: str) -> Source | None:
    """A person's source of this name."""
    query = select(Source).where(Source.name == name, Source.user_id == user.id)
    return db.session.scalar(query.options(joinedload(Source.broker), _ROUTES))


def last_alerts(user: User) -> Mapping[int, Alert]:
    """The newest alert that came from the sender of each of a person's sources, by source id."""
    heard = (Alert.user_id == user.id, misses.HEARD)
    newest = select(func.max(Alert.id)).where(*heard).group_by(Alert.source_id)
    found = db.session.scalars(select(Alert).where(Alert.id.in_(newest)))
    return {alert.source_id: alert for alert in found}


def fingerprint(token: str) -> str:
    """What is stored of a token. A plain SHA-256 suffices for 256 random bits; looking it up by its hash takes
    the same time whether or not a part of it is right."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


_ROUTES = selectinload(Source.routes).joinedload(SourceRoute.broker)


def _apply(source: Source, name: str, broker: Broker, wanted: SourceSettings) -> None:
    source.name = _checked_name(source, name)
    source.broker = broker
    source.broker_id = broker.id
    _between(0, wanted.duplicate_window, MAX_DUPLICATE_WINDOW, "duplicate_window")
    source.duplicate_window = wanted.duplicate_window
    _check_defaults(wanted.defaults)
    source.defaults = wanted.defaults
    source.senders = _checked_senders(wanted.senders)
    if wanted.heartbeat_seconds is not None:
        _between(SHORTEST_HEARTBEAT, wanted.heartbeat_seconds, LONGEST_HEARTBEAT, "heartbeat_seconds")
    before = (source.heartbeat_seconds, source.numbered)
    source.heartbeat_seconds, source.numbered = wanted.heartbeat_seconds, wanted.numbered
    if (wanted.heartbeat_seconds, wanted.numbered) != before:
        misses.begin(source)
    _put_routes(source, wanted.routes)


def _checked_name(source: Source, name: str) -> str:
    name = name.strip()
    if not name or len(name) > 80:
        raise SourceRefused("a source needs a name of at most 80 characters", field="name")
    taken = db.session.scalar(select(Source.id).where(Source.user_id == source.user_id, Source.name == name))
    if taken is not None and taken != source.id:
        raise SourceRefused(f"you have a source named {name} already", field="name")
    return name


def _check_defaults(wanted: AlertDefaults) -> None:
    if wanted.order_type not in (OrderType.MARKET, OrderType.LIMIT):
        raise SourceRefused("market or limit", field="order_type")
    _check_size({name: getattr(wanted, name) for name in SIZES}, "percent")
    if wanted.stop_loss is not None and (wanted.stop_loss.percent or 0) >= _HUNDRED:
        raise SourceRefused("the stop-loss must be less than 100 % away", field="stop_loss")
    if wanted.trailing_percent is not None and not 0 < wanted.trailing_percent < _HUNDRED:
        raise SourceRefused("the trailing distance must be between 0 and 100 %", field="trailing_percent")
    for field_name, guard in (("stop_loss", wanted.stop_loss), ("take_profit", wanted.take_profit)):
        if guard is not None and max(guard.price or _ZERO, guard.percent or _ZERO) <= 0:
            raise SourceRefused("it must be greater than zero", field=field_name)
    _between(1, wanted.expires_in, MAX_EXPIRY, "expires_in")
    if len(wanted.symbol_map) > _MOST_SYMBOLS:
        raise SourceRefused(f"at most {_MOST_SYMBOLS} symbols", field="symbol_map")


def _check_size(sizes: Mapping[str, Decimal | None], field_name: str) -> None:
    given = {name.replace("_", " "): size for name, size in sizes.items() if size is not None}
    if len(given) > 1:
        raise SourceRefused(f"give one size: {' or '.join(given)}", field=field_name)
    for name, size in given.items():
        if "percent" in name and not 0 < size <= _HUNDRED:
            raise SourceRefused(f"{name} must be above 0 and at most 100", field=field_name)
        if size <= 0:
            raise SourceRefused(f"the {name} must be greater than zero", field=field_name)


def _checked_senders(written: Sequence[str]) -> list[str] | None:
    try:
        found = senders.networks(written)
    except NotAnAddress as error:
        raise SourceRefused(error.message, field="senders", remedy=error.remedy) from None
    if len(found) > _MOST_SENDERS:
        raise SourceRefused(f"at most {_MOST_SENDERS} addresses", field="senders")
    return list(found) or None


def _put_routes(source: Source, wanted: Sequence[Route]) -> None:
    ids = [source.broker_id, *(route.broker.id for route in wanted)]
    if len(set(ids)) != len(ids):
        raise SourceRefused("each broker can be named once", field="routes")
    if len(wanted) > _MOST_ROUTES:
        raise SourceRefused(f"at most {_MOST_ROUTES} further brokers", field="routes")
    for route in wanted:
        _check_size({"percent": route.percent, "quote_quantity": route.quote_quantity}, "routes")
    there = {row.broker_id: row for row in source.routes}
    rows = []
    for route in wanted:
        row = there.get(route.broker.id) or SourceRoute(broker_id=route.broker.id, broker=route.broker)
        row.percent, row.quote_quantity, row.enabled = route.percent, route.quote_quantity, route.enabled
        rows.append(row)
    source.routes = rows


def _check_secrets(*given: str | None) -> None:
    for field_name, secret in zip(("secret", "signing_secret"), given, strict=True):
        if secret is not None and not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET:
            raise SourceRefused(
                f"between {SHORTEST_SECRET} and {LONGEST_SECRET} characters", field=field_name
            )


def _put_secrets(source: Source, secret: str | None, signing_secret: str | None) -> None:
    if secret is not None:
        source.secret_hash = vault.secret_hash(source, secret)
    if signing_secret is not None:
        source.signing_secret = vault.seal_signing_secret(source, signing_secret)


def _tell_of_secrets(source: Source) -> None:
    asked = {"secret": source.secret_hash is not None, "signature": source.signing_secret is not None}
    _record(Action.SOURCE_SECRETS_CHANGED, source, **asked)
    db.session.commit()


def _between(least: int, value: int, most: int, field_name: str) -> None:
    if not least <= value <= most:
        raise SourceRefused(f"between {least} and {most} seconds", field=field_name)


def _told(source: Source) -> dict[str, object]:
    return {
        "broker_id": source.broker_id,
        "routes": [route.broker_id for route in source.routes if route.enabled],
        "duplicate_window": source.duplicate_window,
        "heartbeat_seconds": source.heartbeat_seconds,
        "numbered": source.numbered,
        "senders": source.senders,
        "order_type": source.default_order_type,
        "percent": source.default_percent,
        "quantity": source.default_quantity,
        "quote_quantity": source.default_quote_quantity,
        "risk_percent": source.default_risk_percent,
        "equity_percent": source.default_equity_percent,
        "stop_loss": source.default_stop_loss,
        "take_profit": source.default_take_profit,
        "trailing_percent": source.default_trailing_percent,
        "symbol_map": [f"{written}={meant}" for written, meant in (source.symbol_map or {}).items()],
        "out_of_step": source.out_of_step,
        "expires_in": source.expires_in,
    }


def _record(action: Action, source: Source, **detail: object) -> None:
    audit.record(action, f"source {source.id}", user_id=source.user_id, name=source.name, **detail)


def _new_token() -> str:
    return secrets.token_urlsafe(32)
