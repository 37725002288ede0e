"""Counting what a position holds, from its orders.

It is counted anew with all news, so that hearing a thing twice, or late, changes nothing. What can change no more is
carried: added up once into the position itself and not read again, so that a position of thousands of orders costs no
more than one of two.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import false, select, true, update
from sqlalchemy.orm import selectinload

from app.domain.money import EXACT, plain
from app.domain.orders import OrderStatus, Side
from app.domain.positions import Execution, Holding, holding
from app.extensions import db
from app.models import OrderRole, OrderRow, Position, PositionStatus, TargetStatus, utc_now
from app.services import catalog

_ZERO = Decimal(0)
_NOT_YET = datetime.max.replace(tzinfo=UTC)


def recount(position: Position, news: Sequence[OrderRow] = ()) -> Sequence[OrderRow]:
    """Count what a position holds, which of its targets are taken, and whether it is over.

    ``news`` are the orders that have just been heard of, which need not be stored yet. Returns the orders of which
    anything may still change, or be asked.
    """
    if any(order.carried for order in news):
        start_over(position)
    orders = uncarried(position) if _has_others(position, news) else news
    if _comes_too_late(position, orders):
        start_over(position)
        orders = uncarried(position)
    executed = _executed(orders)
    _carry(position, orders, executed)
    rest = [_execution(order) for order in executed if not order.carried]
    now_held = holding(rest, position.external, position.carried)
    position.quantity, position.bought = now_held.quantity, now_held.bought
    position.cost, position.realised, position.fees = now_held.cost, now_held.realised, now_held.fees
    _take_targets(position, executed)
    _end_or_reopen(position, orders)
    return [order for order in orders if not order.carried]


def start_over(position: Position) -> None:
    """Carry nothing: something that was carried has changed after all, or was preceded by what is heard only now."""
    carried = (OrderRow.position_id == position.id, OrderRow.carried == true())
    db.session.execute(update(OrderRow).where(*carried).values(carried=False))
    position.carried, position.carried_purchase_at, position.carried_sale_at = Holding(), None, None


def uncarried(position: Position) -> Sequence[OrderRow]:
    """The orders of a position of which anything may still change, or be asked, oldest first."""
    return uncarried_of_all([position])[position.id]


def uncarried_of_all(found: Iterable[Position]) -> Mapping[int, Sequence[OrderRow]]:
    """What `uncarried` says of several positions, by position; read anew, whatever was known of them."""
    orders: dict[int, list[OrderRow]] = {position.id: [] for position in found}
    query = select(OrderRow).where(OrderRow.position_id.in_(orders), OrderRow.carried == false())
    query = query.options(selectinload(OrderRow.fills), selectinload(OrderRow.children))
    query = query.order_by(OrderRow.id).execution_options(populate_existing=True)
    for order in db.session.scalars(query):
        if order.position_id is not None:
            orders[order.position_id].append(order)
    return orders


def end(position: Position, because: str) -> None:
    """Close a position's book; the exits that are left are cancelled by the next round of `execution.guard`."""
    position.status, position.closed_at, position.closed_because = PositionStatus.CLOSED, utc_now(), because
    position.close_quantity = position.close_alert_id = position.alarm = None


def _has_others(position: Position, news: Sequence[OrderRow]) -> bool:
    """Whether orders beside the news are uncarried; where none are, as for most purchases, nothing more is read."""
    known = [order.id for order in news if order.id is not None]
    others = select(OrderRow.id).where(OrderRow.position_id == position.id, OrderRow.carried == false())
    with db.session.no_autoflush:  # the news are stored later, once, with what becomes of the position
        return db.session.scalar(others.where(OrderRow.id.not_in(known)).limit(1)) is not None


def _executed(orders: Iterable[OrderRow]) -> list[OrderRow]:
    return sorted(
        (order for order in orders if order.filled_quantity and not order.is_pair), key=_executed_at
    )


def _executed_at(order: OrderRow) -> datetime:
    """A purchase counts from its beginning, a sale from its end: what was sold had been bought."""
    if order.side is Side.BUY:
        return order.acknowledged_at or order.created_at
    return order.closed_at or _NOT_YET


def _carry(position: Position, orders: Iterable[OrderRow], executed: Iterable[OrderRow]) -> None:
    """Add up what can change no more, as far as nothing that still can would have to be counted before it.

    Purchases may be added up in any order; a sale only after all that was bought before it.
    """
    for order in orders:
        order.carried = _is_over(order) and (order.is_pair or not order.filled_quantity)
    buying = False
    for order in executed:
        if order.side is Side.BUY and not _is_over(order):
            buying = True
        elif order.side is Side.SELL and (buying or not _is_over(order)):
            break
        else:
            _carry_one(position, order)


def _carry_one(position: Position, order: OrderRow) -> None:
    at = _executed_at(order)
    if order.side is Side.BUY:
        position.carried_purchase_at = max(at, position.carried_purchase_at or at)
    else:
        position.carried_sale_at = at
    position.carried = holding([_execution(order)], carried=position.carried)
    order.carried = True


def _comes_too_late(position: Position, orders: Iterable[OrderRow]) -> bool:
    """Whether an execution should have been counted before one that is carried."""
    bought, sold = position.carried_purchase_at, position.carried_sale_at
    for order in _executed(orders):
        at = _executed_at(order)
        if sold is not None and at <= sold:
            return True
        if order.side is Side.SELL and bought is not None and at <= bought:
            return True
    return False


def _is_over(order: OrderRow) -> bool:
    """Whether nothing of an order or of its legs can change any more."""
    whole = order.status.is_final and not order.fills_missing
    return whole and all(leg.status.is_final for leg in order.children)


def _execution(order: OrderRow) -> Execution:
    base, _, quote = order.symbol.partition("/")
    filled = order.filled_quantity or _ZERO
    fees = {asset: _fees(order, asset) for asset in (base, quote)}
    return Execution(order.side, filled, _cost(order, filled), fees[base], fees[quote])


def _fees(order: OrderRow, asset: str) -> Decimal:
    return sum((fill.fee or _ZERO for fill in order.fills if fill.fee_asset == asset), _ZERO)


def _cost(order: OrderRow, filled: Decimal) -> Decimal:
    if order.cost is not None:
        return order.cost
    price = order.average_price or order.price or order.trigger_price
    return _ZERO if price is None else EXACT.multiply(filled, price)


def _take_targets(position: Position, executed: Iterable[OrderRow]) -> None:
    """A target is taken once the exit that rested at its price has sold."""
    prices_sold = {
        order.acts_at
        for order in executed
        if order.side is Side.SELL
        and order.role is OrderRole.PROTECTION
        and not order.type.is_stop
        and order.status is OrderStatus.FILLED
    }
    for target in position.targets:
        if target.price in prices_sold:
            target.status = TargetStatus.TAKEN


def _end_or_reopen(position: Position, orders: Iterable[OrderRow]) -> None:
    market = catalog.known(position.broker, position.symbol)
    tradable = position.quantity if market is None else market.quantize_quantity(position.quantity)
    still_buying = any(order.side is Side.BUY and not order.status.is_final for order in orders)
    if tradable > 0 or still_buying:
        position.status, position.closed_at, position.closed_because = PositionStatus.OPEN, None, None
    elif position.status is PositionStatus.OPEN:
        end(position, _last_word(position))


def _last_word(position: Position) -> str:
    sales = db.session.scalars(
        select(OrderRow)
        .where(OrderRow.position_id == position.id, OrderRow.side == Side.SELL)
        .options(selectinload(OrderRow.children))
        .order_by(OrderRow.id)
    ).all()
    executed = _executed(sales)
    if (
        position.external
        and sum((sale.filled_quantity or _ZERO for sale in executed), _ZERO) < position.bought
    ):
        return "sold or taken away by hand on the exchange"
    if not executed:
        return "what came in is less than one lot"
    sale = executed[-1]
    words = {OrderRole.EXIT: "closed at the market", OrderRole.ENTRY: "sold by an order"}
    by = words.get(sale.role) or ("its stop-loss sold it" if sale.type.is_stop else "its take-profit sold it")
    if not position.quantity:
        return by
    base = position.symbol.partition("/")[0]
    return f"{by}; what is left, {plain(position.quantity)} {base}, is less than one lot"
