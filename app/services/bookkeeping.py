"""Writing down what an exchange says of an order: ids, status, fills, legs, and what they make of its position.

Hearing the same thing twice changes nothing, and news that is older than what is known is passed over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

import structlog
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from app.domain.orders import TRANSITIONS, Fill, OrderReport, OrderStatus, Side
from app.exchanges import Exchange, capabilities
from app.extensions import db
from app.models import FillRow, OrderOrigin, OrderRole, OrderRow, Position, PositionStatus, utc_now
from app.services import counting, halts, ledger, positions, protection

log = structlog.get_logger()

_ZERO = Decimal(0)
_ENDED_SHORT = (OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED)

#: What others may have written of an order since it was read.
_MOVES_ON = ("status", "filled_quantity", "exchange_order_id", "cancel_requested")


def adopt(order: OrderRow, report: OrderReport, cause: str) -> bool:
    """Make a row, and its position, say what the exchange says.

    Returns whether the exits of its position are to be looked after. Does not commit: status, fills, ledger and
    position become true together or not at all.
    """
    position = _lock(order, executed=bool(report.filled_quantity))
    late = order.cancel_requested or order.exchange_order_id is not None
    executed_before = order.filled_quantity or _ZERO
    was_over = order.status.is_final
    order.exchange_order_id = report.exchange_order_id or order.exchange_order_id
    if report.filled_quantity is not None and report.filled_quantity >= (order.filled_quantity or _ZERO):
        order.filled_quantity = report.filled_quantity
        order.average_price = report.average_price
        order.cost = report.cost
    executions = [] if _is_pair(order, report) else _book_fills(order, report.fills)
    order.fills_missing = unbooked(order, report)
    _step(order, report.status, cause)
    for leg in report.children:
        if leg.client_order_id != order.client_order_id:
            executions += _adopt_leg(order, leg)
    if order.status.is_final and order.status is not OrderStatus.FILLED:
        _end_waiting_legs(order)
    bought_late = late and (order.filled_quantity or _ZERO) > executed_before
    to_guard = _follow(order, position, bought_late=bought_late)
    if executions:
        db.session.flush()
        ledger.book(executions)
    if order.status in _ENDED_SHORT and not was_over and not order.cancel_requested:
        protection.wish_again(order)
    return to_guard


def _book_fills(order: OrderRow, fills: Iterable[Fill]) -> list[FillRow]:
    """Add executions that are not booked yet, known by their trade id; returns those."""
    booked = {fill.trade_id for fill in order.fills}
    added = []
    for fill in fills:
        if fill.trade_id not in booked:
            booked.add(fill.trade_id)
            row = FillRow(
                trade_id=fill.trade_id,
                price=fill.price,
                quantity=fill.quantity,
                cost=fill.cost,
                fee=fill.fee,
                fee_asset=fill.fee_asset,
                maker=fill.maker,
                at=fill.at,
            )
            order.fills.append(row)
            added.append(row)
    return added


def _follow(order: OrderRow, held: Position | None, *, bought_late: bool) -> bool:
    """Count the position of an order anew, which the caller holds if it is there.

    A panic marks every entry under way. What one of them buys all the same is sold like the rest that was held.
    """
    position = positions.follow(order, held)
    if position is None:
        return False
    orders = counting.recount(position, (order, *order.children))
    is_purchase = order.role is OrderRole.ENTRY and order.side is Side.BUY
    if bought_late and is_purchase and position.status is PositionStatus.OPEN and halts.panics(order):
        position.wish_sale(position.quantity)
    return protection.concerns(position, orders)


def unbooked(order: OrderRow, report: OrderReport) -> bool:
    """Whether more has executed than the fills that we hold or that the report lists add up to.

    What was known of an order stays known when a later report tells less.
    """
    pair = _is_pair(order, report)
    holders, told = (order.children, report.children) if pair else ([order], (report,))
    booked = {fill.trade_id: fill.quantity for holder in holders for fill in holder.fills}
    booked |= {fill.trade_id: fill.quantity for each in told for fill in each.fills}
    executed = max(report.filled_quantity or _ZERO, order.filled_quantity or _ZERO)
    return executed > sum(booked.values(), _ZERO)


def with_fills(exchange: Exchange, order: OrderRow, report: OrderReport) -> OrderReport:
    """The report with the executions it tells of but does not list, asked of the exchange.

    A pair of exits executes through its legs.
    """
    if order.role is OrderRole.PROTECTION and report.children:
        legs = [_with_own_fills(exchange, leg) if leg.filled_quantity else leg for leg in report.children]
        return replace(report, children=tuple(legs))
    return _with_own_fills(exchange, report)


def _with_own_fills(exchange: Exchange, report: OrderReport) -> OrderReport:
    found = exchange.fills(report.symbol, exchange_order_id=report.exchange_order_id)
    return replace(report, fills=tuple(found))


def _is_pair(order: OrderRow, report: OrderReport) -> bool:
    """Whether the order is two exits in one, which execute, and are booked, as their legs."""
    return order.role is OrderRole.PROTECTION and bool(report.children)


def _end_waiting_legs(entry: OrderRow) -> None:
    """An entry that ended before it was filled takes the legs with it that waited for its fill whole."""
    if entry.role is not OrderRole.ENTRY or capabilities(entry.broker.exchange).attached_per_fill:
        return
    for leg in entry.children:
        waits = leg.origin is OrderOrigin.EXCHANGE and leg.status is OrderStatus.OPEN
        if waits and not leg.filled_quantity:
            leg.move_to(OrderStatus.EXPIRED, "its entry ended before it was filled")


def _lock(order: OrderRow, *, executed: bool) -> Position | None:
    """Hold an order and its position, which is returned.

    The position first, as whoever guards it does: two that lock in one order never wait in a ring. What the caller has
    changed already is written later, with all the rest.
    """
    with db.session.no_autoflush:
        position = positions.held_for(order, executed=executed)
        db.session.refresh(order, _MOVES_ON, with_for_update=True)
        if order.exchange_order_id is not None:
            _read_anew(order)
    return position


def _read_anew(order: OrderRow) -> None:
    """Read the fills and legs of an order of which something is booked already: by others, too, since it was read.

    What another has booked would be booked twice otherwise. Of an order that was only just placed there is nothing.
    """
    legs = select(OrderRow).where(OrderRow.parent_id == order.id).options(selectinload(OrderRow.fills))
    db.session.scalars(legs.execution_options(populate_existing=True)).all()
    db.session.refresh(order, ["fills", "children"])


def _step(order: OrderRow, reported: OrderStatus, cause: str) -> None:
    # A leg that waits for its entry rests on the exchange: to us, too, it is open.
    status = OrderStatus.OPEN if reported is OrderStatus.PENDING else reported
    # Some exchanges take an order and turn it down later, a triggered stop for lack of funds, say: it did rest.
    if status is OrderStatus.REJECTED and order.status.is_live:
        status, cause = OrderStatus.CANCELED, f"{cause}: the exchange turned it down after it had taken it"
    if order.status is OrderStatus.PENDING:  # whatever it was thought to be, it is not to be sent any more
        order.move_to(OrderStatus.SUBMITTED, "it is on the exchange after all")
    if status is order.status:
        return
    if status in TRANSITIONS[order.status]:
        order.move_to(status, cause)
    else:
        log.info("stale_report", order_id=order.id, known=order.status, reported=status)


def _adopt_leg(order: OrderRow, leg: OrderReport) -> list[FillRow]:
    """Returns the executions of the leg that were not booked yet."""
    known = next((child for child in order.children if _is_same(child, leg)), None)
    if known is None:
        known = _new_leg(order, leg)
        order.children.append(known)
    known.exchange_order_id = leg.exchange_order_id or known.exchange_order_id
    executions = _book_fills(known, leg.fills)
    known.fills_missing = unbooked(known, leg)
    known.filled_quantity = leg.filled_quantity or known.filled_quantity
    known.average_price = leg.average_price or known.average_price
    known.cost = leg.cost or known.cost
    _step(known, leg.status, "reported with its order")
    return executions


def _is_same(row: OrderRow, leg: OrderReport) -> bool:
    """By either id: some exchanges give a leg its own only when its entry is filled."""
    if leg.client_order_id is not None and row.client_order_id == leg.client_order_id:
        return True
    return leg.exchange_order_id is not None and row.exchange_order_id == leg.exchange_order_id


def _new_leg(order: OrderRow, leg: OrderReport) -> OrderRow:
    if leg.side is None or leg.type is None:
        raise ValueError(f"the exchange reported a leg of order {order.id} without side or type")
    now = utc_now()
    row = OrderRow(
        user_id=order.user_id,
        broker_id=order.broker_id,
        alert_id=order.alert_id,
        role=OrderRole.PROTECTION,
        origin=OrderOrigin.EXCHANGE,
        position_id=order.position_id,
        client_order_id=leg.client_order_id,
        exchange_order_id=leg.exchange_order_id,
        symbol=order.symbol,
        side=leg.side,
        type=leg.type,
        quantity=leg.quantity,
        price=leg.price,
        trigger_price=leg.trigger_price,
        trailing_percent=leg.trailing_percent,
        status=OrderStatus.OPEN,
        attempts=0,
        carried=False,
        created_at=now,
        acknowledged_at=now,
        fills=[],
        children=[],
    )
    row.note("placed by the exchange with its order", at=now)
    return row
