"""What becomes of a claimed order that its exchange did not take, or did not answer for.

Surely not executed, it is given back for another try; perhaps executed, it is left for reconciliation to find out;
turned down, it ends. The claim must still hold, which `app.services.execution` sees to.
"""

from __future__ import annotations

import random
from datetime import timedelta

from app import dispatch
from app.domain.errors import (
    DuplicateOrder,
    ExchangeError,
    ExchangeUnavailable,
    InsufficientFunds,
    InvalidTimestamp,
    OrderRejected,
    OutcomeUnknown,
    RateLimited,
    SwitchyardError,
)
from app.domain.orders import OrderStatus
from app.extensions import db
from app.models import OrderRow, utc_now
from app.services import events, protection
from app.services.events import Topic

SURELY_NOT_EXECUTED = (ExchangeUnavailable, RateLimited, InvalidTimestamp)
_PERHAPS_EXECUTED = (OutcomeUnknown, DuplicateOrder)

#: Seconds until an order that was surely not executed is tried again, doubling from the first to the last. A longer
#: wait is left to the sweep rather than to a task that lies in a worker's memory.
_FIRST_RETRY, _LAST_RETRY = 0.5, 20.0
_MOST_DOUBLINGS = 6
_LONGEST_COUNTDOWN = 30.0


def book(order: OrderRow, error: SwitchyardError) -> None:
    """Write down that a claimed order was not answered, or was turned down, and what follows."""
    order.error_code = error.code if isinstance(error, ExchangeError) else None
    order.reason, order.remedy = error.message, error.remedy
    if isinstance(error, SURELY_NOT_EXECUTED):
        _release(order, error)
    elif isinstance(error, _PERHAPS_EXECUTED):
        _leave_for_reconciliation(order, error)
    else:
        refused = OrderStatus.REJECTED if isinstance(error, ExchangeError) else OrderStatus.DENIED
        order.move_to(refused, error.message)
        for_good = isinstance(error, OrderRejected) and not isinstance(error, InsufficientFunds)
        protection.wish_again(order, for_good=for_good)
        db.session.commit()
    events.publish(order.user_id, Topic.ORDERS, order.id)


def _release(order: OrderRow, error: SwitchyardError) -> None:
    order.move_to(OrderStatus.PENDING, f"surely not executed, to be tried again: {error.message}")
    now, delay = utc_now(), _delay(order.attempts, error)
    order.next_attempt_at = now + timedelta(seconds=delay)
    if order.expires_at is not None and order.expires_at < order.next_attempt_at:
        order.next_attempt_at = order.expires_at  # to be dropped aloud then, not when a ban has passed
        delay = max((order.expires_at - now).total_seconds(), 0)
    db.session.commit()
    if delay <= _LONGEST_COUNTDOWN:
        dispatch.submit_order(order.id, order.broker.exchange, countdown=delay)


def _delay(attempts: int, error: SwitchyardError) -> float:
    """Seconds until the next try: doubling, with jitter, and never before the exchange allows."""
    backoff: float = min(_FIRST_RETRY * 2 ** min(attempts - 1, _MOST_DOUBLINGS), _LAST_RETRY)
    allowed = (error.retry_after or 0) if isinstance(error, RateLimited) else 0
    return max(backoff * random.uniform(0.5, 1.0), allowed)  # noqa: S311 - jitter, not a secret


def _leave_for_reconciliation(order: OrderRow, error: SwitchyardError) -> None:
    order.note(f"outcome unknown, being looked up: {error.message}", before=order.status)
    db.session.commit()
    dispatch.reconcile_order(order.id, order.broker.exchange)
