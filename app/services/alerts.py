"""Alerts: kept before they are understood, understood before they are acted on, and always answered for."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from app import dispatch
from app.domain.accounts import TradingMode
from app.domain.alert_format import AlertFault, parse_alert
from app.domain.alerts import AlertAction, AlertStatus, Signal
from app.domain.errors import ExchangeUnavailable, OrderDenied, OutcomeUnknown, RateLimited, TradingError
from app.domain.money import plain, to_decimal
from app.domain.orders import OrderDraft, OrderType, PriceOrPercent, Side
from app.extensions import db
from app.models import Alert, Broker, OrderOrigin, OrderRow, Source, User, utc_now
from app.services import catalog, connections, events, execution, orders
from app.services.events import Topic
from app.services.planning import plan, spent_asset

log = structlog.get_logger()

#: A larger body is refused; what is kept of it is its beginning.
MAX_BODY = 64 * 1024
_KEPT_OF_OVERSIZED = 1024

_SECRET = re.compile(r"""(?i)(["']?\bsecret["']?\s*[:=]\s*["']?)[^"'\s,;}]+""")

_SIDES = {
    AlertAction.BUY_MARKET: (Side.BUY, OrderType.MARKET),
    AlertAction.SELL_MARKET: (Side.SELL, OrderType.MARKET),
    AlertAction.BUY_LIMIT: (Side.BUY, OrderType.LIMIT),
    AlertAction.SELL_LIMIT: (Side.SELL, OrderType.LIMIT),
}


@dataclass(frozen=True, slots=True)
class Delivery:
    """One webhook request as it came."""

    body: bytes
    content_type: str
    sender: str
    received_at: datetime


def receive(source: Source, delivery: Delivery) -> Alert:
    """Store a delivery, committed, and hand it to its exchange's queue when it can be acted on.

    A body that cannot be understood, a repeated one and one for a source that is switched off are stored as well,
    with the reason; they only lead to no order.
    """
    alert = _stored_form(source, delivery)
    _judge(alert, source, delivery)
    db.session.add(alert)
    try:
        db.session.commit()
    except IntegrityError:
        # Another process stored the same id between our look and our commit: that one is the first.
        db.session.rollback()
        _mark_duplicate(alert, source)
        db.session.add(alert)
        db.session.commit()
    if alert.status is AlertStatus.RECEIVED:
        dispatch.process_alert(alert.id, source.broker.exchange)
    events.publish(alert.user_id, Topic.ALERTS, alert.id)
    return alert


def process(alert_id: int, *, queued_at: datetime | None = None) -> None:
    """Decide an alert and place the order it asks for; does nothing for one that was decided before.

    The decision and the order's intent are committed together, so that an alert delivered to two workers leads to
    one order.
    """
    alert = _load(alert_id)
    if alert is None or alert.status is not AlertStatus.RECEIVED or alert.signal is None:
        return
    picked_up_at = utc_now()
    signal = _signal_of(alert.signal)
    try:
        free = _fresh_balance(alert, signal)
    except (ExchangeUnavailable, RateLimited, OutcomeUnknown) as error:
        # Still RECEIVED: the sweep tries again until the alert expires.
        log.warning("balance_not_known", alert_id=alert_id, error=error.message)
        return
    except TradingError as error:
        _end(alert, AlertStatus.ERROR, f"{error.message}. {error.remedy}")
        db.session.commit()
        events.publish(alert.user_id, Topic.ALERTS, alert.id)
        return
    order = _decide(alert_id, signal, free, picked_up_at)
    events.publish(alert.user_id, Topic.ALERTS, alert.id)
    if order is not None:
        execution.submit(order.id, queued_at=queued_at)


def listing(
    user: User,
    *,
    page: int = 1,
    per_page: int = 20,
    broker_id: int | None = None,
    status: AlertStatus | None = None,
) -> tuple[Sequence[Alert], int]:
    """A page of a person's alerts, newest first, and how many match."""
    conditions = [Alert.user_id == user.id]
    if broker_id is not None:
        conditions.append(Alert.broker_id == broker_id)
    if status is not None:
        conditions.append(Alert.status == status)
    total = db.session.scalar(select(func.count(Alert.id)).where(*conditions)) or 0
    query = select(Alert).where(*conditions).options(joinedload(Alert.broker), joinedload(Alert.source))
    query = query.order_by(Alert.id.desc()).limit(per_page).offset((page - 1) * per_page)
    return db.session.scalars(query).all(), total


def find(user: User, alert_id: int) -> Alert | None:
    """An alert of this person; another person's is as if it did not exist."""
    return db.session.scalar(
        select(Alert)
        .where(Alert.id == alert_id, Alert.user_id == user.id)
        .options(joinedload(Alert.source), joinedload(Alert.broker))
    )


def orders_of(alert: Alert) -> Sequence[OrderRow]:
    """Every order an alert led to, protective ones included."""
    return db.session.scalars(
        select(OrderRow).where(OrderRow.alert_id == alert.id).order_by(OrderRow.id)
    ).all()


def _stored_form(source: Source, delivery: Delivery) -> Alert:
    kept = delivery.body if len(delivery.body) <= MAX_BODY else delivery.body[:_KEPT_OF_OVERSIZED]
    readable = kept.decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")
    return Alert(
        user_id=source.user_id,
        source_id=source.id,
        broker_id=source.broker_id,
        body=_SECRET.sub(r"\1•••", readable),
        content_type=delivery.content_type[:100],
        sender=delivery.sender[:64],
        fingerprint=hashlib.sha256(delivery.body).hexdigest(),
        received_at=delivery.received_at,
        expires_at=delivery.received_at + timedelta(seconds=source.expires_in),
    )


def _judge(alert: Alert, source: Source, delivery: Delivery) -> None:
    try:
        signal = _understand(delivery.body)
    except AlertFault as fault:
        _end(alert, AlertStatus.ERROR, fault.message)
        return
    alert.action = signal.action.value
    alert.symbol = signal.symbol
    alert.signal = _json_of(signal)
    alert.idempotency_key = signal.alert_id
    if signal.expires_in is not None:
        alert.expires_at = alert.received_at + timedelta(seconds=signal.expires_in)
    if not source.enabled:
        alert.idempotency_key = None
        _end(alert, AlertStatus.DENIED, f"the source {source.name} is switched off")
    elif signal.action is AlertAction.PING:
        alert.idempotency_key = None
        _end(alert, AlertStatus.PROCESSED, "the line is alive")
    else:
        alert.status = AlertStatus.RECEIVED
        _mark_duplicate(alert, source)


def _understand(body: bytes) -> Signal:
    if len(body) > MAX_BODY:
        raise AlertFault(f"the body has {len(body)} bytes; at most {MAX_BODY} are taken")
    try:
        readable = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AlertFault(f"the body is not UTF-8 text: byte {error.start + 1}") from None
    return parse_alert(readable)


def _mark_duplicate(alert: Alert, source: Source) -> None:
    first = _first_of(alert, source)
    if first is not None:
        alert.idempotency_key = None
        alert.duplicate_of_id = first
        _end(alert, AlertStatus.DUPLICATE, f"the same as alert {first}, which was acted on")


def _first_of(alert: Alert, source: Source) -> int | None:
    """The alert this one repeats: the same id at any time, or the same body within the source's window."""
    if alert.idempotency_key is not None:
        same_id = (Alert.source_id == source.id, Alert.idempotency_key == alert.idempotency_key)
        return db.session.scalar(select(Alert.id).where(*same_id))
    if db.engine.dialect.name == "postgresql":
        # Two deliveries of one body at the same instant must not both look before either is stored.
        lock = text("SELECT pg_advisory_xact_lock(:source, hashtext(:fingerprint))")
        db.session.execute(lock, {"source": source.id, "fingerprint": alert.fingerprint})
    return db.session.scalar(
        select(Alert.id)
        .where(
            Alert.source_id == source.id,
            Alert.fingerprint == alert.fingerprint,
            Alert.received_at > alert.received_at - timedelta(seconds=source.duplicate_window),
            Alert.duplicate_of_id.is_(None),
        )
        .order_by(Alert.id)
        .limit(1)
    )


def _fresh_balance(alert: Alert, signal: Signal) -> Decimal | None:
    """What is free right now of what the order spends, asked of the exchange when the size is a share of it."""
    if signal.percent is None or signal.symbol is None:
        return None
    try:
        market = catalog.resolve(alert.broker, signal.symbol)
    except OrderDenied:
        return None  # the decision meets it again and says so
    with connections.calling(alert.broker) as exchange:
        held = exchange.balances()
    balance = held.get(spent_asset(market, _SIDES[signal.action][0]))
    return Decimal(0) if balance is None else balance.free


def _decide(alert_id: int, signal: Signal, free: Decimal | None, picked_up_at: datetime) -> OrderRow | None:
    alert = _load(alert_id, locked=True)
    if alert is None or alert.status is not AlertStatus.RECEIVED:
        db.session.rollback()
        return None
    alert.picked_up_at = picked_up_at
    order = None
    refusal = _reason_not_to_act(alert, picked_up_at)
    if refusal is not None:
        _end(alert, *refusal)
    else:
        try:
            order = _intent(alert, signal, free)
        except OrderDenied as denied:
            unclear = any(
                violation.rule in ("symbol", "perpetual", "markets_missing")
                for violation in denied.violations
            )
            _end(alert, AlertStatus.ERROR if unclear else AlertStatus.DENIED, denied.message)
        else:
            _end(alert, AlertStatus.PROCESSED, _in_words(order))
    db.session.commit()
    return order


def _unclear(denied: OrderDenied) -> bool:
    """Whether the alert itself is at fault rather than a rule or a balance."""
    return any(violation.rule in catalog.UNRESOLVED for violation in denied.violations)


def _reason_not_to_act(alert: Alert, now: datetime) -> tuple[AlertStatus, str] | None:
    broker: Broker = alert.broker
    if now >= alert.expires_at:
        age = (now - alert.received_at).total_seconds()
        return (
            AlertStatus.EXPIRED,
            f"{age:.0f} s old when a worker came to it, past its expiry: not executed stale",
        )
    if not alert.source.enabled:
        return AlertStatus.DENIED, f"the source {alert.source.name} is switched off"
    if not broker.active:
        return AlertStatus.DENIED, f"{broker.name} is paused"
    if broker.mode is not TradingMode.WEBHOOKS:
        return (
            AlertStatus.DENIED,
            f"{broker.name} is in mode {broker.mode}; alerts trade only in mode WEBHOOKS",
        )
    return None


def _intent(alert: Alert, signal: Signal, free: Decimal | None) -> OrderRow:
    draft = draft_of(signal)
    planned = plan(alert.broker, draft, free=free)
    if planned.violations:
        raise OrderDenied(planned.violations)
    return orders.record(
        alert.broker,
        draft,
        planned,
        OrderOrigin.ALERT,
        received_at=alert.received_at,
        expires_at=alert.expires_at,
        alert=alert,
    )


def draft_of(signal: Signal) -> OrderDraft:
    """The order a signal asks for."""
    side, kind = _SIDES[signal.action]
    return OrderDraft(
        symbol=signal.symbol or "",
        side=side,
        type=kind,
        quantity=signal.quantity,
        quote_quantity=signal.quote_quantity,
        percent=signal.percent,
        price=signal.price,
        stop_loss=signal.stop_loss,
        take_profit=signal.take_profit,
    )


def _in_words(order: OrderRow) -> str:
    base, _, quote = order.symbol.partition("/")
    size = f"{plain(order.quantity)} {base}" if order.quantity is not None else ""
    if order.quote_quantity is not None:
        size = f"{plain(order.quote_quantity)} {quote} worth of {base}"
    at = f" at {plain(order.price)}" if order.price is not None else " at the market"
    return f"{order.side.lower()} {size}{at}"


def _end(alert: Alert, status: AlertStatus, reason: str) -> None:
    alert.status = status
    alert.reason = reason
    alert.processed_at = utc_now()


def _load(alert_id: int, *, locked: bool = False) -> Alert | None:
    query = select(Alert).where(Alert.id == alert_id)
    query = query.options(joinedload(Alert.source), joinedload(Alert.broker))
    if locked:
        query = query.with_for_update(of=Alert).execution_options(populate_existing=True)
    return db.session.scalar(query)


def _json_of(signal: Signal) -> dict[str, Any]:
    def exact(value: Any) -> Any:
        if isinstance(value, Decimal):
            return plain(value)
        if isinstance(value, dict):
            return {key: exact(item) for key, item in value.items() if item is not None}
        return value

    found: dict[str, Any] = exact(asdict(signal))
    return found


def _signal_of(stored: dict[str, Any]) -> Signal:
    def amount(name: str) -> Decimal | None:
        return to_decimal(stored[name]) if name in stored else None

    def guard(name: str) -> PriceOrPercent | None:
        if name not in stored:
            return None
        return PriceOrPercent(**{kind: to_decimal(value) for kind, value in stored[name].items()})

    return Signal(
        AlertAction(stored["action"]),
        symbol=stored.get("symbol"),
        price=amount("price"),
        percent=amount("percent"),
        quantity=amount("quantity"),
        quote_quantity=amount("quote_quantity"),
        stop_loss=guard("stop_loss"),
        take_profit=guard("take_profit"),
    )
