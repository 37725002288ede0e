"""Sending an order to its exchange, once.

A worker claims the intent by compare-and-set and commits before it sends; whoever comes second finds it claimed and
does nothing. What the exchange answers decides the rest: a definitive no ends the order, a surely-not-executed
releases the claim for another try, and anything else leaves it SUBMITTED for reconciliation to find out. That goes
for "this client id is taken" as well: most likely by an earlier try of ours.

A claim is an order's state and its number of attempts. Who held it may have been stopped so long that the order was
given to another: what is booked without a report of the exchange is booked only while the claim holds.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import or_, update
from sqlalchemy.orm import joinedload

from app import dispatch
from app.domain.errors import (
    ExchangeError,
    OrderNotFound,
    OutcomeUnknown,
    SwitchyardError,
    TradingError,
)
from app.domain.orders import OrderReport, OrderStatus
from app.exchanges import Exchange, capabilities
from app.exchanges.transport import sending_until
from app.extensions import db, settings
from app.models import Broker, OrderRole, OrderRow, Position, utc_now
from app.services import (
    bookkeeping,
    connections,
    dry_run,
    events,
    failures,
    hand_trades,
    order_requests,
    prices,
    protection,
    risk,
    strays,
)
from app.services.events import Topic
from app.services.failures import SURELY_NOT_EXECUTED

log = structlog.get_logger()

#: What a claim does not write to the exchange within this time it does not write at all: the search for an order that
#: nobody answered for counts from here.
SEND_WITHIN = timedelta(seconds=5)

#: Seconds until an exit that was turned down is tried again.
_LATER_TRY = 1.0

#: More rounds than any change of protection takes: cancel, sell, guard the rest.
_ROUNDS = 8

_REFUSED = (OrderStatus.REJECTED, OrderStatus.DENIED)


def submit(order_id: int, *, queued_at: datetime | None = None) -> None:
    """Place a PENDING order on its exchange, and guard what it bought; does nothing for any other order."""
    order = _claim(order_id, queued_at)
    if order is not None:
        send(order)


def take(order: OrderRow, *, queued_at: datetime | None = None) -> bool:
    """Claim an order that this transaction holds, or end it when it must not be sent; does not commit.

    The caller has asked the risk gate in this same transaction; it commits, and then sends what was claimed.
    """
    now = utc_now()
    return _taken(order, _reason_not_to_send(order, now), now, queued_at)


def _taken(
    order: OrderRow, refusal: tuple[OrderStatus, str] | None, now: datetime, queued_at: datetime | None
) -> bool:
    order.queued_at = queued_at or order.queued_at
    if refusal is not None:
        status, order.reason = refusal
        order.move_to(status, order.reason, at=now)
        return False
    order.attempts += 1
    order.ruled_out = 0
    order.next_attempt_at = None
    order.picked_up_at = now
    order.move_to(OrderStatus.SUBMITTED, "claimed by a worker", at=now)
    return True


def send(order: OrderRow) -> None:
    """Place a claimed order on its exchange, book what it answers, and guard what it bought.

    The claim must be committed.
    """
    to_guard = _send_and_book(order)
    if to_guard and order.position_id is not None:
        guard(order.position_id)


def guard(position_id: int) -> None:
    """Bring the exits of a position to what is wished: cancel what is in the way, place what is missing.

    Every round is decided anew from the database, under the position's lock, and ends when nothing is left to do or
    something is on its way. Whatever interrupts it, the sweep begins it again.
    """
    if settings.dry_run:
        dry_run.leave(position_id)
    else:
        _bring_about(position_id)
    position = db.session.get_one(Position, position_id)
    db.session.commit()
    events.publish(position.user_id, Topic.POSITIONS, position_id)


def _bring_about(position_id: int) -> None:
    for _ in range(_ROUNDS):
        if not _next_round(position_id):
            break


def _next_round(position_id: int) -> bool:
    """Do what is to be done next; False when that was nothing, or must be waited for.

    Nothing follows an exit that could not be claimed: it is another worker's, or was denied and would be made anew.
    """
    todo = protection.next_orders(position_id)
    if not all(_cancel_and_book(_loaded(order_id)) for order_id in todo.cancel):
        return False
    all_claimed = True
    for order_id in todo.submit:
        order = _claim(order_id, None)
        if order is None:
            all_claimed = False
            continue
        _send_and_book(order)
        if order.status in _REFUSED and not _goes_on(order):
            return False
    return bool(todo) and all_claimed


def _send_and_book(order: OrderRow) -> bool:
    """Whether the exits of its position, if it has one, are to be looked after."""
    attempt, sent_at = order.attempts, utc_now()
    try:
        with connections.calling(order.broker) as exchange:
            with sending_until(_latest_sending(order)):
                report = _place(exchange, order)
            acknowledged_at = utc_now()
            report = with_fills(exchange, order, report)
    except SwitchyardError as error:
        if not holds_claim(order, attempt):
            log.warning("claim_lost", order_id=order.id, attempt=attempt, error=error.message)
            db.session.rollback()
            return False
        left = isinstance(error, ExchangeError) and not isinstance(error, SURELY_NOT_EXECUTED)
        order.sent_at = sent_at if left else None
        failures.book(order, error)
        return True
    order.sent_at, order.acknowledged_at = sent_at, acknowledged_at
    return book(order, report, "the exchange answered")


def holds_claim(order: OrderRow, attempt: int) -> bool:
    """Whether an order still waits for what an attempt finds out; its row is held until the transaction ends."""
    db.session.refresh(order, ["status", "attempts"], with_for_update=True)
    return order.status is OrderStatus.SUBMITTED and order.attempts == attempt


def cancel(order_id: int) -> None:
    """Cancel a resting order on its exchange, book what had executed by then, and guard what it had bought."""
    order = _loaded(order_id)
    _cancel_and_book(order)
    if order.position_id is not None:
        guard(order.position_id)


def _cancel_and_book(order: OrderRow) -> bool:
    """Whether the order is known to rest no more."""
    if not order.status.is_live:
        # Not sent or in doubt: whoever settles it meets the wish, and the sweep comes back to it.
        return order.status.is_final
    if settings.dry_run:
        _rests_on(order, "not cancelled: dry run")
        return False
    try:
        with connections.calling(order.broker) as exchange:
            report = with_fills(exchange, order, _cancel(exchange, order))
    except (*SURELY_NOT_EXECUTED, OutcomeUnknown, OrderNotFound) as error:
        log.warning("cancel_not_confirmed", order_id=order.id, error=error.message)  # the sweep tries again
    except TradingError as error:
        log.warning("cancel_failed", order_id=order.id, error=error.message)
        _rests_on(order, f"cancel failed: {error.message}")
    else:
        book(order, report, "cancelled on request")
    return order.status.is_final


def _rests_on(order: OrderRow, why: str) -> None:
    """Say why an order is not cancelled after all; nobody tries it again."""
    order.cancel_requested = False
    order.note(why, before=order.status)
    db.session.commit()
    events.publish(order.user_id, Topic.ORDERS, order.id)


def book(order: OrderRow, report: OrderReport, cause: str) -> bool:
    """Write down what the exchange says of an order, and tell open pages.

    Returns whether the exits of its position are to be looked after, which most have none of and wish for none. What
    went wrong before is over with it. Of an order that was in doubt and is merely said to be on the exchange the rest
    is asked at once, and later when beat looks: were it asked each time, a look for which the allowance does not
    suffice would begin the next, and leave nothing to any other.
    """
    was_in_doubt = order.status is OrderStatus.SUBMITTED
    order.error_code = order.reason = order.remedy = None
    to_guard = bookkeeping.adopt(order, report, cause)
    db.session.commit()
    events.publish(order.user_id, Topic.ORDERS, order.id)
    if order.position_id is not None:
        events.publish(order.user_id, Topic.POSITIONS, order.position_id)
    if was_in_doubt and report.status is OrderStatus.PENDING:
        dispatch.sync_open_orders(order.broker_id, order.broker.exchange)
    return to_guard


def _loaded(order_id: int) -> OrderRow:
    options = [joinedload(OrderRow.broker)]
    return db.session.get_one(OrderRow, order_id, options=options, populate_existing=True)


def _goes_on(order: OrderRow) -> bool:
    """After an exit was turned down: whether there is another thing to do at once. If not, it is tried again soon.

    It may have been turned down because what it sells was sold by hand: what is left is then guarded, nothing forced.
    Or because an order holds it that was thought to have ended.
    """
    if order.position_id is None:
        return False
    if protection.gives_way(order):
        return True
    last = None
    try:
        if hand_trades.account_for(order.position_id) or _cancelled_strays(order.position_id):
            return True
        with connections.calling(order.broker) as exchange:
            ticker = exchange.ticker(order.symbol)
        prices.remember(order.broker.exchange, order.broker.environment, [ticker])
        last = ticker.last
    except TradingError as error:
        log.warning("refusal_not_explained", order_id=order.id, error=error.message)
    if protection.refused(order, last):
        return True
    if protection.tries_soon(order.position_id):
        dispatch.manage_position(order.position_id, order.broker.exchange, countdown=_LATER_TRY)
    return False


def _cancelled_strays(position_id: int) -> bool:
    """Cancel what rests although it was thought to have ended; returns whether there was any."""
    found = strays.of(position_id)
    for order in found:
        log.warning("stray_cancelled", order_id=order.id, exchange_order_id=order.exchange_order_id)
        with connections.calling(order.broker) as exchange:
            report = with_fills(exchange, order, _cancel(exchange, order))
        order.note("it rested on the exchange after all, and is cancelled there")
        book(order, report, "cancelled as a stray")
    return bool(found)


def _claim(order_id: int, queued_at: datetime | None) -> OrderRow | None:
    """The order if it was PENDING and due and is now ours, committed.

    The update both compares and locks the row: whoever comes second waits for our commit and then matches nothing. Were
    an order taken before it is due, each delivery of it would end in a retry of its own.
    """
    held = db.session.execute(
        update(OrderRow)
        .where(
            OrderRow.id == order_id,
            OrderRow.status == OrderStatus.PENDING,
            or_(OrderRow.next_attempt_at.is_(None), OrderRow.next_attempt_at <= utc_now()),
        )
        .values(next_attempt_at=None)
    )
    if held.rowcount == 0:  # type: ignore[attr-defined]
        db.session.rollback()
        return None
    order = db.session.get_one(
        OrderRow, order_id, options=[joinedload(OrderRow.broker)], populate_existing=True
    )
    now = utc_now()
    refusal = _reason_not_to_send(order, now) or _stopped_by_the_gate(order, now)
    taken = _taken(order, refusal, now, queued_at)
    if order.status is OrderStatus.DENIED:
        protection.wish_again(order)
    db.session.commit()
    if taken:
        return order
    events.publish(order.user_id, Topic.ORDERS, order.id)
    if settings.dry_run and order.position_id is not None:
        dry_run.leave(order.position_id)
    return None


def _reason_not_to_send(order: OrderRow, now: datetime) -> tuple[OrderStatus, str] | None:
    """The dry run of one broker is about its entries: what it holds was bought in earnest, and stays guarded."""
    broker: Broker = order.broker
    if order.cancel_requested:
        return OrderStatus.CANCELED, "cancelled before it was sent"
    if order.expires_at is not None and now >= order.expires_at:
        waited = (now - order.created_at).total_seconds()
        return OrderStatus.EXPIRED, f"not sent: {waited:.0f} s old, past its expiry"
    is_entry = order.role is OrderRole.ENTRY
    if is_entry and not broker.active:
        return OrderStatus.DENIED, f"not sent: {broker.name} is paused"
    if settings.dry_run or (is_entry and broker.dry_run):
        return OrderStatus.DENIED, "not sent: dry run"
    return None


def _stopped_by_the_gate(order: OrderRow, now: datetime) -> tuple[OrderStatus, str] | None:
    objections = risk.objections(order, now)
    if not objections:
        return None
    return OrderStatus.DENIED, f"not sent: {'; '.join(found.message for found in objections)}"


def _latest_sending(order: OrderRow) -> datetime:
    """Until when a claim may be written to the exchange: soon after it was made, and never past the expiry."""
    latest = (order.picked_up_at or order.created_at) + SEND_WITHIN
    return latest if order.expires_at is None else min(latest, order.expires_at)


def _place(exchange: Exchange, order: OrderRow) -> OrderReport:
    if order.role is OrderRole.PROTECTION and order.take_profit is not None:
        return exchange.place_oco(order_requests.of_pair(order))
    return exchange.place_order(order_requests.of(order))


def with_fills(exchange: Exchange, order: OrderRow, report: OrderReport) -> OrderReport:
    """The answer with its fills, where the exchange lists them apart.

    While they are not told whole the order rests, as far as we know: it would end without them otherwise, and nobody
    would look at it again. Only what the exchange need not tell any more is not waited for.
    """
    if not bookkeeping.unbooked(order, report):
        return report
    db.session.commit()  # looking at what is booked began a transaction, and none may wait for an exchange
    try:
        whole = bookkeeping.with_fills(exchange, order, report)
    except TradingError as error:
        log.warning("fills_not_read", order_id=order.id, error=error.message)
        whole = report
    told = not bookkeeping.unbooked(order, whole)
    db.session.commit()
    able = capabilities(exchange.name)
    if told or utc_now() - order.created_at > (able.fills_kept or able.history_kept):
        return whole
    return replace(report, status=OrderStatus.PENDING, filled_quantity=None)


def _cancel(exchange: Exchange, order: OrderRow) -> OrderReport:
    known_as = order_requests.named(order)
    try:
        return exchange.cancel_order(order.symbol, **known_as)
    except (OrderNotFound, OutcomeUnknown):
        # Not open any more, or nobody knows: only its own record tells whether it filled or was cancelled.
        return exchange.get_order(order.symbol, **known_as)
