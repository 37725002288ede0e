"""Acting on stored alerts: deciding what each asks for and placing its order."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

import structlog
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.accounts import TradingMode
from app.domain.alerts import AlertAction, AlertStatus, Signal, signal_from_json
from app.domain.errors import ExchangeUnavailable, OrderDenied, OutcomeUnknown, RateLimited, SwitchyardError
from app.domain.money import plain
from app.domain.orders import OrderDraft, OrderType, Side
from app.extensions import db
from app.models import Alert, Broker, OrderOrigin, OrderRow, utc_now
from app.services import catalog, connections, events, execution, orders, risk
from app.services.events import Topic
from app.services.planning import plan, spent_asset

log = structlog.get_logger()

_SIDES = {
    AlertAction.BUY_MARKET: (Side.BUY, OrderType.MARKET),
    AlertAction.SELL_MARKET: (Side.SELL, OrderType.MARKET),
    AlertAction.BUY_LIMIT: (Side.BUY, OrderType.LIMIT),
    AlertAction.SELL_LIMIT: (Side.SELL, OrderType.LIMIT),
}


def process(alert_id: int, *, queued_at: datetime | None = None) -> None:
    """Decide an alert and place the order it asks for; does nothing for one that was decided before.

    The decision, the order's intent and this worker's claim of it are one commit, so that an alert delivered to two
    workers leads to one order.
    """
    picked_up_at = utc_now()
    alert = _undecided(alert_id)
    if alert is None or alert.signal is None:
        db.session.rollback()
        return
    signal = signal_from_json(alert.signal)
    free, unusable = None, None
    if signal.percent is not None:
        db.session.rollback()  # nothing may be held while an exchange is asked
        try:
            free = _fresh_balance(alert, signal)
        except (ExchangeUnavailable, RateLimited, OutcomeUnknown) as error:
            # Still RECEIVED: the sweep tries again until the alert expires.
            log.warning("balance_not_known", alert_id=alert_id, error=error.message)
            return
        except SwitchyardError as error:
            unusable = f"{error.message}. {error.remedy}"
        alert = _undecided(alert_id)
        if alert is None:
            db.session.rollback()
            return
    alert.picked_up_at = picked_up_at
    if unusable is not None:
        alert.end(AlertStatus.ERROR, unusable)
    order = _decide(alert, signal, free) if unusable is None else None
    claimed = order is not None and execution.take(order, queued_at=queued_at)
    db.session.commit()
    if order is not None and claimed:
        execution.send(order)
    events.publish(alert.user_id, Topic.ALERTS, alert.id)


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


def _decide(alert: Alert, signal: Signal, free: Decimal | None) -> OrderRow | None:
    """What becomes of an alert: the intent of an order, or a status with its reason."""
    refusal = _reason_not_to_act(alert, utc_now())
    if refusal is not None:
        alert.end(*refusal)
        return None
    try:
        order = _intent(alert, signal, free)
    except OrderDenied as denied:
        alert.end(AlertStatus.ERROR if _unclear(denied) else AlertStatus.DENIED, denied.message)
        return None
    alert.end(AlertStatus.PROCESSED, _in_words(order))
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
    violations = [*planned.violations, *risk.objections_to(alert.broker, planned.request)]
    if violations:
        raise OrderDenied(violations)
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


def _undecided(alert_id: int) -> Alert | None:
    """The alert if nobody has decided it, its row held until the transaction ends."""
    query = select(Alert).where(Alert.id == alert_id, Alert.status == AlertStatus.RECEIVED)
    query = query.options(joinedload(Alert.source), joinedload(Alert.broker))
    return db.session.scalar(query.with_for_update(of=Alert).execution_options(populate_existing=True))
