"""Sending an order to its exchange, once.

A worker claims the intent by compare-and-set and commits before it sends; whoever comes second finds it claimed and
does nothing. What the exchange answers decides the rest: a definitive no ends the order, a surely-not-executed
releases the claim for another try, and anything else leaves it SUBMITTED for reconciliation to find out.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import structlog
from sqlalchemy import update
from sqlalchemy.orm import joinedload

from app import dispatch
from app.domain.errors import (
    ExchangeError,
    ExchangeUnavailable,
    InvalidTimestamp,
    OrderDenied,
    OrderNotFound,
    OutcomeUnknown,
    RateLimited,
    SwitchyardError,
    TradingError,
)
from app.domain.orders import Leg, OcoRequest, OrderReport, OrderRequest, OrderStatus
from app.exchanges import Exchange, capabilities
from app.extensions import db, settings
from app.models import Broker, OrderRole, OrderRow, utc_now
from app.services import bookkeeping, connections, events
from app.services.events import Topic

log = structlog.get_logger()

#: A claim not sent within this time is not sent any more: reconciliation may have judged it by then.
SEND_WITHIN = timedelta(seconds=5)
_FIRST_RETRY = 0.5
_LAST_RETRY = 20.0


def submit(order_id: int, *, queued_at: datetime | None = None) -> None:
    """Place a PENDING order on its exchange; does nothing for any other."""
    order = _claim(order_id, queued_at)
    if order is not None:
        send(order)


def take(order: OrderRow, *, queued_at: datetime | None = None) -> bool:
    """Claim an order that this transaction holds, or end it when it must not be sent; does not commit.

    The caller commits, and then sends what was claimed.
    """
    now = utc_now()
    order.queued_at = queued_at or order.queued_at
    refusal = _reason_not_to_send(order, now)
    if refusal is not None:
        status, order.reason = refusal
        order.move_to(status, order.reason, at=now)
        return False
    order.attempts += 1
    order.picked_up_at = now
    order.move_to(OrderStatus.SUBMITTED, "claimed by a worker", at=now)
    return True


def send(order: OrderRow) -> None:
    """Place a claimed order on its exchange and book what it answers; the claim must be committed."""
    try:
        with connections.calling(order.broker) as exchange:
            order.sent_at = utc_now()
            report = _send(exchange, order)
            order.acknowledged_at = utc_now()
            report = _with_fills(exchange, order, report)
    except (ExchangeUnavailable, RateLimited, InvalidTimestamp) as error:  # surely not executed
        _release(order, error)
    except OutcomeUnknown as error:
        _leave_for_reconciliation(order, error)
    except SwitchyardError as error:
        _refuse(order, error)
    else:
        follow_up = bookkeeping.adopt(order, report, "the exchange answered")
        db.session.commit()
        events.publish(order.user_id, Topic.ORDERS, order.id)
        for protection in follow_up:
            submit(protection.id)


def cancel(order_id: int) -> None:
    """Cancel a resting order on its exchange and book what had executed by then."""
    order = db.session.get_one(OrderRow, order_id, options=[joinedload(OrderRow.broker)])
    if not order.status.is_live:
        return
    try:
        with connections.calling(order.broker) as exchange:
            report = _with_fills(exchange, order, _cancel(exchange, order))
    except TradingError as error:
        log.warning("cancel_failed", order_id=order.id, error=error.message)
        order.cancel_requested = False
        order.note(f"cancel failed: {error.message}", before=order.status)
        db.session.commit()
    else:
        follow_up = bookkeeping.adopt(order, report, "cancelled on request")
        db.session.commit()
        for protection in follow_up:
            submit(protection.id)
    events.publish(order.user_id, Topic.ORDERS, order.id)


def _claim(order_id: int, queued_at: datetime | None) -> OrderRow | None:
    """The order if it was PENDING and is now ours, committed.

    The update both compares and locks the row: whoever comes second waits for our commit and then matches nothing.
    """
    held = db.session.execute(
        update(OrderRow)
        .where(OrderRow.id == order_id, OrderRow.status == OrderStatus.PENDING)
        .values(next_attempt_at=None)
    )
    if held.rowcount == 0:  # type: ignore[attr-defined]
        db.session.rollback()
        return None
    order = db.session.get_one(
        OrderRow, order_id, options=[joinedload(OrderRow.broker)], populate_existing=True
    )
    taken = take(order, queued_at=queued_at)
    db.session.commit()
    if taken:
        return order
    events.publish(order.user_id, Topic.ORDERS, order.id)
    return None


def _reason_not_to_send(order: OrderRow, now: datetime) -> tuple[OrderStatus, str] | None:
    broker: Broker = order.broker
    if order.expires_at is not None and now >= order.expires_at:
        waited = (now - order.created_at).total_seconds()
        return OrderStatus.EXPIRED, f"not sent: {waited:.0f} s old, past its expiry"
    if order.role is OrderRole.ENTRY and not broker.active:
        return OrderStatus.DENIED, f"not sent: {broker.name} is paused"
    if broker.dry_run or settings.dry_run:
        return OrderStatus.DENIED, "not sent: dry run"
    return None


def _send(exchange: Exchange, order: OrderRow) -> OrderReport:
    if (
        order.sent_at is None
        or order.picked_up_at is None
        or order.sent_at - order.picked_up_at > SEND_WITHIN
    ):
        raise ExchangeUnavailable(exchange.name, "the worker was held up before sending; nothing was sent")
    if order.role is OrderRole.PROTECTION and order.take_profit is not None:
        return exchange.place_oco(oco_request(order))
    return exchange.place_order(order_request(order))


def _with_fills(exchange: Exchange, order: OrderRow, report: OrderReport) -> OrderReport:
    """The answer with its fills, where the exchange lists them apart; the order stands without them, too."""
    if not bookkeeping.unbooked(order, report):
        return report
    db.session.commit()  # looking at what is booked began a transaction, and none may wait for an exchange
    try:
        return bookkeeping.with_fills(exchange, order, report)
    except TradingError as error:
        log.warning("fills_not_read", order_id=order.id, error=error.message)
        return report


def order_request(order: OrderRow) -> OrderRequest:
    """The request of an order; protective legs go with it where the exchange attaches them to this type."""
    attached = attaches_protection(order)
    return OrderRequest(
        symbol=order.symbol,
        side=order.side,
        type=order.type,
        quantity=order.quantity,
        quote_quantity=order.quote_quantity,
        price=order.price,
        trigger_price=order.trigger_price,
        time_in_force=order.time_in_force,
        post_only=order.post_only,
        client_order_id=order.client_order_id,
        stop_loss=Leg(order.stop_loss) if attached and order.stop_loss is not None else None,
        take_profit=Leg(order.take_profit) if attached and order.take_profit is not None else None,
    )


def oco_request(order: OrderRow) -> OcoRequest:
    """The request of a protection that has both exits; its own client id names the stop."""
    if order.quantity is None or order.trigger_price is None or order.take_profit is None:
        raise OrderDenied.because("oco", "a pair of exits needs a quantity and both prices")
    return OcoRequest(
        symbol=order.symbol,
        side=order.side,
        quantity=order.quantity,
        stop_loss=Leg(order.trigger_price),
        take_profit=Leg(order.take_profit),
        client_order_id=order.client_order_id,
    )


def attaches_protection(order: OrderRow) -> bool:
    """Whether the exchange itself guards this entry from the moment it is placed."""
    able = capabilities(order.broker.exchange)
    if order.role is not OrderRole.ENTRY:
        return False
    if order.stop_loss is not None and order.take_profit is not None:
        return order.type in able.attached_both
    if order.stop_loss is not None:
        return order.type in able.attached_stop_loss
    return order.take_profit is not None and order.type in able.attached_take_profit


def _cancel(exchange: Exchange, order: OrderRow) -> OrderReport:
    try:
        return exchange.cancel_order(order.symbol, exchange_order_id=order.exchange_order_id)
    except (OrderNotFound, OutcomeUnknown):
        # Not open any more, or nobody knows: only its own record tells whether it filled or was cancelled.
        return exchange.get_order(order.symbol, exchange_order_id=order.exchange_order_id)


def _release(order: OrderRow, error: ExchangeError) -> None:
    order.error_code, order.reason, order.remedy = error.code, error.message, error.remedy
    order.move_to(OrderStatus.PENDING, f"surely not executed, to be tried again: {error.message}")
    now = utc_now()
    delay = _delay(order.attempts, error)
    if (
        order.expires_at is not None
    ):  # then at the latest it ends, aloud, however long the exchange shuts us out
        delay = min(delay, max(0.0, (order.expires_at - now).total_seconds()))
    order.next_attempt_at = now + timedelta(seconds=delay)
    db.session.commit()
    dispatch.submit_order(order.id, order.broker.exchange, countdown=delay)
    events.publish(order.user_id, Topic.ORDERS, order.id)


def _delay(attempts: int, error: ExchangeError) -> float:
    """Seconds until the next try: doubling, with jitter, and never before the exchange allows."""
    backoff: float = min(_FIRST_RETRY * 2 ** (attempts - 1), _LAST_RETRY)
    allowed = (error.retry_after or 0) if isinstance(error, RateLimited) else 0
    return max(backoff * random.uniform(0.5, 1.0), allowed)  # noqa: S311 - jitter, not a secret


def _leave_for_reconciliation(order: OrderRow, error: OutcomeUnknown) -> None:
    order.error_code, order.reason, order.remedy = error.code, error.message, error.remedy
    order.note(f"outcome unknown, being looked up: {error.message}", before=order.status)
    db.session.commit()
    dispatch.reconcile_order(order.id, order.broker.exchange)
    events.publish(order.user_id, Topic.ORDERS, order.id)


def _refuse(order: OrderRow, error: SwitchyardError) -> None:
    code = error.code if isinstance(error, ExchangeError) else None
    order.error_code, order.reason, order.remedy = code, error.message, error.remedy
    status = OrderStatus.REJECTED if isinstance(error, ExchangeError) else OrderStatus.DENIED
    order.move_to(status, error.message)
    db.session.commit()
    events.publish(order.user_id, Topic.ORDERS, order.id)
