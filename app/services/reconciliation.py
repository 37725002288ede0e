"""Finding out: what became of orders whose outcome is unknown, what filled meanwhile, what was never picked up.

The database is the truth and this module is what keeps it so, whatever Redis lost and whichever worker died.
"""

from __future__ import annotations

import random
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.orm import joinedload, selectinload

from app import dispatch
from app.dispatch import TaskName
from app.domain.alerts import AlertStatus
from app.domain.errors import RateLimited, TradingError
from app.domain.orders import OrderReport, OrderStatus
from app.exchanges import Exchange, capabilities
from app.extensions import db
from app.models import Alert, Broker, OrderEvent, OrderRole, OrderRow, utc_now
from app.services import (
    amending,
    bookkeeping,
    connections,
    copies,
    events,
    execution,
    hand_trades,
    protection,
    whereabouts,
)
from app.services.events import Topic
from app.services.whereabouts import Finding, Verdict

log = structlog.get_logger()

#: The sweep leaves younger rows to the task that was dispatched for them.
PICKED_UP_WITHIN = timedelta(seconds=5)

_LIVE = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
#: What `sync_open` looks at: orders that rest, and orders of which the exchange has not listed every fill.
TO_BE_SEEN = or_(OrderRow.status.in_(_LIVE), OrderRow.fills_missing.is_(True))
_ENDED_UNASKED = (OrderStatus.CANCELED, OrderStatus.EXPIRED)
_BATCH = 500

#: By which share of the time it is in doubt a look-up is put off for which the allowance did not suffice.
_PUT_OFF = (0.5, 1.0)
_LONGEST_PUT_OFF = timedelta(minutes=1)

#: What the sweep asks for by an order's state; of one that rests it is the cancellation that was wished for.
_WANTED = {OrderStatus.PENDING: TaskName.SUBMIT_ORDER, OrderStatus.SUBMITTED: TaskName.RECONCILE_ORDER}

_CHECK = "Look in the exchange's order history whether it was executed: Switchyard does not send it again."
_MISSED = "open as far as we know, but not on the exchange"
_GONE = "the exchange knows it no more"


def reconcile(order_id: int) -> None:
    """Settle one SUBMITTED order by looking for it everywhere it could be."""
    order = _load(order_id)
    if order.status is not OrderStatus.SUBMITTED:
        return
    attempt = order.attempts
    try:
        with connections.calling(order.broker) as exchange:
            finding = whereabouts.search(exchange, order)
    except TradingError as error:
        _tell(order, f"in doubt, and it could not be looked up: {error.message}", error.remedy)
        if isinstance(error, RateLimited):
            _put_off(order, attempt)
        return
    if finding.verdict is Verdict.FOUND and finding.report is not None:
        if execution.holds_claim(order, attempt):
            order.found_at = utc_now()
        _adopt(order, finding.report, "found on the exchange")
    elif finding.verdict is not Verdict.UNKNOWN and execution.holds_claim(order, attempt):
        _conclude(order, finding.verdict)
    else:
        db.session.rollback()


def sync_open(broker_id: int) -> None:
    """Learn what became of a broker's resting orders since the last look, and of those that lack fills."""
    broker, began = db.session.get_one(Broker, broker_id), utc_now()
    query = select(OrderRow).where(OrderRow.broker_id == broker_id, TO_BE_SEEN)
    query = query.options(
        joinedload(OrderRow.broker), selectinload(OrderRow.fills), selectinload(OrderRow.children)
    )
    orders = db.session.scalars(query).all()
    if orders:
        if not _look_at(broker, orders):
            return  # an exit that was not seen may have sold what would look taken away
        broker.orders_seen_at = began
        db.session.commit()
    for position_id in hand_trades.short(broker):
        _account_for_hand_trades(position_id)


def _look_at(broker: Broker, orders: Sequence[OrderRow]) -> bool:
    """Book what became of these orders; returns whether nothing was missed."""
    try:
        with connections.calling(broker) as exchange:
            resting = _resting(exchange, {order.symbol for order in orders})
    except TradingError as error:
        log.warning("open_orders_not_read", broker_id=broker.id, error=error.message)
        return False
    seen = True
    for order in random.sample(orders, len(orders)):  # an allowance too small for all shall starve none
        if not _undisturbed(order, resting):
            seen = _refresh(order) and seen
        elif order.reason == _MISSED:
            order.reason = order.remedy = None
            db.session.commit()
    return seen


def _resting(exchange: Exchange, symbols: Collection[str]) -> dict[str | None, OrderReport]:
    """What rests on these markets, by the exchange's id: asked one by one, or all at once where that is cheaper."""
    at_once = len(symbols) >= exchange.capabilities.all_open_orders_from
    asked = (None,) if at_once else sorted(symbols)
    return {report.exchange_order_id: report for symbol in asked for report in exchange.open_orders(symbol)}


def sweep() -> int:
    """Send again what no worker has picked up, look up what is still in doubt, and cancel or change what has not been.

    Returns how many rows wanted something. Of very many, chance picks those of this time, so that none waits for ever
    behind others that cannot be settled.
    """
    settled = utc_now() - PICKED_UP_WITHIN
    alerts = db.session.execute(
        select(Alert.id, Broker.exchange)
        .join(Broker, Broker.id == Alert.broker_id)
        .where(Alert.status == AlertStatus.RECEIVED, Alert.received_at < settled)
        .order_by(func.random())
        .limit(_BATCH)
    ).all()
    due = or_(OrderRow.next_attempt_at.is_(None), OrderRow.next_attempt_at < settled)
    orders = db.session.execute(
        select(OrderRow.id, Broker.exchange, OrderRow.status)
        .join(Broker, Broker.id == OrderRow.broker_id)
        .where(
            or_(
                (OrderRow.status == OrderStatus.PENDING) & due,
                (OrderRow.status == OrderStatus.SUBMITTED)
                & or_(OrderRow.picked_up_at.is_(None), OrderRow.picked_up_at < settled)
                & due,
                OrderRow.status.in_(_LIVE) & OrderRow.cancel_requested,
            ),
            OrderRow.created_at < settled,
        )
        .order_by(func.random())
        .limit(_BATCH)
    ).all()
    unchanged = db.session.execute(amending.UNANSWERED.order_by(func.random()).limit(_BATCH)).all()
    db.session.rollback()
    for alert_id, exchange in alerts:
        copies.send(TaskName.PROCESS_ALERT, alert_id, exchange)
    for order_id, exchange, status in orders:
        copies.send(_WANTED.get(status, TaskName.CANCEL_ORDER), order_id, exchange)
    for order_id, exchange in unchanged:
        copies.send(TaskName.AMEND_ORDER, order_id, exchange)
    unattended = protection.unattended(_BATCH)
    for position_id, exchange in unattended:
        copies.send(TaskName.MANAGE_POSITION, position_id, exchange)
    return len(alerts) + len(orders) + len(unchanged) + len(unattended)


def _undisturbed(order: OrderRow, resting: Mapping[str | None, OrderReport]) -> bool:
    """Whether nothing happened to an order: it rests as booked or, a pair of exits, both its legs do."""
    if order.role is OrderRole.PROTECTION and order.children:
        return all(_undisturbed(leg, resting) for leg in order.children)
    report = resting.get(order.exchange_order_id)
    return report is not None and not bookkeeping.unbooked(order, report)


def _refresh(order: OrderRow) -> bool:
    """Book what the exchange says of one order; returns whether it said it all."""
    try:
        with connections.calling(order.broker) as exchange:
            report = whereabouts.look_up(exchange, order)
        if report is not None:
            return _adopt(order, report, "seen on the exchange")
        if not order.status.is_final:
            return _vanished(order)
        _give_up_fills(order)
    except TradingError as error:
        log.warning("order_not_refreshed", order_id=order.id, error=error.message)
        return False
    return True


def _give_up_fills(order: OrderRow) -> None:
    """An order at its end that the exchange has forgotten, before it listed every fill."""
    order.fills_missing = False
    order.note("the exchange does not know it any more: the fills that were missing stay unknown")
    db.session.commit()


def _vanished(order: OrderRow) -> bool:
    """An order that rested and that two lists know no more; returns whether it was settled what became of it.

    It is looked for in every other place before it counts as gone: what an exit that still rests holds a new one
    would sell, and what an entry has bought must not go unguarded.
    """
    missed_at = _missed_at(order) if order.role is OrderRole.ENTRY else order.acknowledged_at
    finding = _sought(order, missed_at or order.created_at)
    if finding.report is not None:
        return _adopt(order, finding.report, "found on the exchange again")
    if finding.verdict is Verdict.UNKNOWN:
        db.session.rollback()
        return False
    if order.role is OrderRole.ENTRY:
        _end_entry(order)
    else:
        _end_exit(order)
    events.publish(order.user_id, Topic.ORDERS, order.id)
    _guard_again(order)
    return True


def _missed_at(entry: OrderRow) -> datetime:
    """When an entry was first missed, which the first time writes down: until then it may have executed."""
    if entry.reason != _MISSED:
        entry.note(_MISSED)
        _tell(entry, _MISSED, _CHECK)
    missed = select(OrderEvent.at).where(OrderEvent.order_id == entry.id, OrderEvent.cause == _MISSED)
    return db.session.scalars(missed.order_by(OrderEvent.id.desc()).limit(1)).one()


def _sought(order: OrderRow, since: datetime) -> Finding:
    """What every list says of an order, once all shows in them that may have become of it by then."""
    if utc_now() - since < capabilities(order.broker.exchange).visibility_delay:
        return Finding(Verdict.UNKNOWN)
    with connections.calling(order.broker) as exchange:
        return whereabouts.in_lists(exchange, order)


def _end_entry(order: OrderRow) -> None:
    """An entry that is gone; what it is known to have bought stays with its position."""
    status = OrderStatus.CANCELED if order.cancel_requested else OrderStatus.EXPIRED
    gone = OrderReport(None, None, order.symbol, order.side, order.type, status)
    bookkeeping.adopt(order, gone, _GONE)
    if order.status is status:
        order.reason, order.remedy = _GONE, _CHECK
    db.session.commit()


def _end_exit(order: OrderRow) -> None:
    db.session.refresh(order, ["status"], with_for_update=True)
    if order.status.is_live:
        order.move_to(OrderStatus.CANCELED, _GONE)
    db.session.commit()


def _guard_again(order: OrderRow) -> None:
    """An exit that ended without our asking may have been ended by hand, what it guarded sold: that is looked at
    first, or it would be placed again after a close by hand."""
    if order.position_id is None:
        return
    unasked = order.status in _ENDED_UNASKED and not order.cancel_requested
    if order.role is OrderRole.ENTRY or not unasked:
        execution.guard(order.position_id)
    elif not _another_exit_rests(order):  # which may have sold, and so ended this one
        _account_for_hand_trades(order.position_id)


def _another_exit_rests(order: OrderRow) -> bool:
    """As far as is known: it is looked at in its turn, and decides what this one's end means."""
    others = select(OrderRow.id).where(
        OrderRow.position_id == order.position_id,
        OrderRow.role == OrderRole.PROTECTION,
        OrderRow.status.in_(_LIVE),
        OrderRow.id != order.id,
    )
    return db.session.scalar(others.limit(1)) is not None


def _account_for_hand_trades(position_id: int) -> None:
    try:
        hand_trades.account_for(position_id)
    except TradingError as error:
        log.warning("hand_trades_not_read", position_id=position_id, error=error.message)
    else:
        execution.guard(position_id)


def _adopt(order: OrderRow, report: OrderReport, cause: str) -> bool:
    """Book what was reported and look after the position; returns whether all that had executed is booked."""
    told = report
    if bookkeeping.unbooked(order, report):
        with connections.calling(order.broker) as exchange:
            told = execution.with_fills(exchange, order, report)
    execution.book(order, told, cause)
    missing = bookkeeping.unbooked(order, report)
    _guard_again(order)
    return not missing


def _conclude(order: OrderRow, verdict: Verdict) -> None:
    """End an order that is not on the exchange, or have it sent again; its row is held."""
    now = utc_now()
    if verdict is Verdict.TAKEN:
        protection.wish_again(order)
        _end(order, OrderStatus.REJECTED, "another order on the exchange goes by its client id", _CHECK)
    elif verdict is Verdict.FORGOTTEN:
        log.error("order_never_accounted_for", order_id=order.id, client_order_id=order.client_order_id)
        _end(
            order, OrderStatus.EXPIRED, "not found, and too old for the exchange to tell of it surely", _CHECK
        )
    elif order.expires_at is not None and now >= order.expires_at:
        _end(order, OrderStatus.EXPIRED, "never reached the exchange and is too old to be sent now")
    else:
        order.next_attempt_at = None
        order.move_to(OrderStatus.PENDING, "proven absent on the exchange: to be sent", at=now)
        db.session.commit()
        dispatch.submit_order(order.id, order.broker.exchange)
    events.publish(order.user_id, Topic.ORDERS, order.id)


def _put_off(order: OrderRow, attempt: int) -> None:
    """Look for an order again the later the longer it is in doubt.

    A search takes several questions in a row. Were every order searched for at every sweep, each would spend on its
    first question what a small allowance gains in between, and none would come to its last.
    """
    now = utc_now()
    if execution.holds_claim(order, attempt):
        in_doubt = now - (order.picked_up_at or order.created_at)
        share = random.uniform(*_PUT_OFF)  # noqa: S311 - jitter, not a secret
        order.next_attempt_at = now + min(in_doubt, _LONGEST_PUT_OFF) * share
    db.session.commit()


def _end(order: OrderRow, status: OrderStatus, reason: str, remedy: str | None = None) -> None:
    order.reason, order.remedy = reason, remedy
    order.move_to(status, reason)
    db.session.commit()


def _tell(order: OrderRow, reason: str, remedy: str) -> None:
    """Say on the order why it is not settled yet; once, however often it is tried."""
    log.warning("order_in_doubt", order_id=order.id, reason=reason)
    if order.reason != reason:
        order.reason, order.remedy = reason, remedy
        db.session.commit()
        events.publish(order.user_id, Topic.ORDERS, order.id)


def _load(order_id: int) -> OrderRow:
    options = [joinedload(OrderRow.broker), selectinload(OrderRow.fills)]
    return db.session.get_one(OrderRow, order_id, options=options, populate_existing=True)
