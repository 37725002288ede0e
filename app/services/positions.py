"""Positions: what is held because of orders of ours, kept true with every execution.

A position is never added up as news arrive; it is counted anew from its orders each time, so that hearing a thing
twice, or late, changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import joinedload, selectinload

from app.domain.markets import Market
from app.domain.money import EXACT, plain
from app.domain.orders import OrderStatus, PriceOrPercent, Side
from app.domain.positions import Execution, holding
from app.extensions import db
from app.models import (
    Broker,
    OrderOrigin,
    OrderRole,
    OrderRow,
    Position,
    PositionStatus,
    PositionTarget,
    TargetStatus,
    User,
    utc_now,
)
from app.services import catalog
from app.services.planning import protective_price

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)

#: What is read along with a position that somebody is about to look at.
WITH_ALL = (joinedload(Position.broker), selectinload(Position.targets))


def follow(order: OrderRow) -> Position | None:
    """Make the position of an order say what its orders say; opens one with the first purchase. Does not commit."""
    position = _of(order)
    if position is None:
        return None
    for row in (order, *order.children):
        row.position_id = position.id
    orders = orders_of(position)
    recount(position, orders)
    return position


def locked(position_id: int) -> Position:
    """A position for this transaction alone, as it now is."""
    query = select(Position).where(Position.id == position_id).with_for_update(of=Position)
    query = query.options(*WITH_ALL)
    return db.session.scalars(query.execution_options(populate_existing=True)).one()


def orders_of(position: Position) -> Sequence[OrderRow]:
    """Every order that belongs to a position, oldest first."""
    return orders_of_all([position])[position.id]


def orders_of_all(found: Iterable[Position]) -> Mapping[int, Sequence[OrderRow]]:
    """The orders of several positions, by position, oldest first."""
    orders: dict[int, list[OrderRow]] = {position.id: [] for position in found}
    query = select(OrderRow).where(OrderRow.position_id.in_(orders)).order_by(OrderRow.id)
    query = query.options(selectinload(OrderRow.fills), selectinload(OrderRow.children))
    for order in db.session.scalars(query):
        if order.position_id is not None:
            orders[order.position_id].append(order)
    return orders


def recount(position: Position, orders: Iterable[OrderRow]) -> None:
    """Count what a position holds, which of its targets are taken, and whether it is over."""
    executed = [order for order in orders if order.filled_quantity and not order.is_pair]
    executed.sort(key=_executed_at)
    now_held = holding((_execution(order) for order in executed), position.external)
    position.quantity, position.bought = now_held.quantity, now_held.bought
    position.cost, position.realised, position.fees = now_held.cost, now_held.realised, now_held.fees
    _take_targets(position, executed)
    _end_or_reopen(position, executed, list(orders))


def _executed_at(order: OrderRow) -> datetime:
    """A purchase counts from its beginning, a sale from its end: what was sold had been bought."""
    begun = order.acknowledged_at or order.created_at
    return begun if order.side is Side.BUY else order.closed_at or begun


def _of(order: OrderRow) -> Position | None:
    if order.position_id is not None:
        return locked(order.position_id)
    if not order.filled_quantity or order.role is not OrderRole.ENTRY:
        return None
    # One position a market: whoever comes second waits here and finds the one that was opened.
    db.session.execute(select(Broker.id).where(Broker.id == order.broker_id).with_for_update())
    open_id = db.session.scalar(
        select(Position.id).where(
            Position.broker_id == order.broker_id,
            Position.symbol == order.symbol,
            Position.status == PositionStatus.OPEN,
        )
    )
    if open_id is None and order.side is Side.SELL:
        return None  # a person sells what we know no purchase of
    position = _opened(order) if open_id is None else locked(open_id)
    if order.side is Side.BUY:
        _adopt_wish(position, order)
    return position


def _opened(order: OrderRow) -> Position:
    position = Position(
        user_id=order.user_id,
        broker_id=order.broker_id,
        broker=order.broker,
        symbol=order.symbol,
        status=PositionStatus.OPEN,
        quantity=_ZERO,
        bought=_ZERO,
        cost=_ZERO,
        realised=_ZERO,
        fees=_ZERO,
        external=_ZERO,
        stop_failures=0,
        targets=[],
    )
    db.session.add(position)
    db.session.flush()
    return position


def _adopt_wish(position: Position, entry: OrderRow) -> None:
    """The newest entry's wish holds for all that is held; what it does not mention stays as it was."""
    market = catalog.known(entry.broker, entry.symbol)
    bought_at = entry.average_price or entry.price
    if market is None or bought_at is None:
        return
    stop = _attached(entry, stop=True) or protective_price(
        market, wished(entry.stop_loss, entry.stop_loss_percent), bought_at, above=False
    )
    if stop is not None:
        position.stop_loss = stop
    if entry.trailing_percent is not None:
        position.trailing_percent, position.high = entry.trailing_percent, bought_at
    targets = _targets_of(entry, market, bought_at)
    if targets:
        position.targets = targets


def _targets_of(entry: OrderRow, market: Market, bought_at: Decimal) -> list[PositionTarget]:
    wishes = [
        (wished(_amount(each.get("price")), _amount(each.get("percent"))), Decimal(each["share"]))
        for each in entry.targets or ()
    ]
    single = wished(entry.take_profit, entry.take_profit_percent)
    if single is not None:
        wishes.append((single, _HUNDRED))
    attached = _attached(entry, stop=False)
    found = []
    for wish, share in wishes:
        price = attached or protective_price(market, wish, bought_at, above=True)
        if price is not None:
            found.append(PositionTarget(price=price, share=share, status=TargetStatus.WAITING))
    return found


def _attached(entry: OrderRow, *, stop: bool) -> Decimal | None:
    """The price at which an exit waits that went with an entry."""
    legs = [leg for leg in entry.children if leg.origin is OrderOrigin.EXCHANGE and leg.type.is_stop is stop]
    return next((leg.acts_at for leg in legs), None)


def _amount(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)


def wished(price: Decimal | None, percent: Decimal | None) -> PriceOrPercent | None:
    """A protective price as an order keeps it: percent wins, since it is measured from the price really got."""
    if percent is not None:
        return PriceOrPercent(percent=percent)
    return None if price is None else PriceOrPercent(price=price)


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


def _end_or_reopen(position: Position, executed: Sequence[OrderRow], orders: Sequence[OrderRow]) -> None:
    market = catalog.known(position.broker, position.symbol)
    tradable = position.quantity if market is None else market.quantize_quantity(position.quantity)
    still_buying = any(order.side is Side.BUY and not order.status.is_final for order in orders)
    if tradable > 0 or still_buying:
        position.status, position.closed_at, position.closed_because = PositionStatus.OPEN, None, None
    elif position.status is PositionStatus.OPEN:
        end(position, _last_word(position, executed))


def end(position: Position, because: str) -> None:
    """Close a position's book; the exits that are left are cancelled by the next round of `execution.guard`."""
    position.status, position.closed_at, position.closed_because = PositionStatus.CLOSED, utc_now(), because
    position.close_quantity = position.alarm = None


def _last_word(position: Position, executed: Sequence[OrderRow]) -> str:
    sales = [order for order in executed if order.side is Side.SELL]
    if position.external and sum((sale.filled_quantity or _ZERO for sale in sales), _ZERO) < position.bought:
        return "sold or taken away by hand on the exchange"
    if not sales:
        return "what came in is less than one lot"
    sale = sales[-1]
    words = {OrderRole.EXIT: "closed at the market", OrderRole.ENTRY: "sold by an order"}
    by = words.get(sale.role) or ("its stop-loss sold it" if sale.type.is_stop else "its take-profit sold it")
    if not position.quantity:
        return by
    base = position.symbol.partition("/")[0]
    return f"{by}; what is left, {plain(position.quantity)} {base}, is less than one lot"


def of(
    user: User,
    status: PositionStatus | None = None,
    *,
    broker_id: int | None = None,
    limit: int | None = 200,
) -> Sequence[Position]:
    """A person's positions, the open ones first, then the newest."""
    query = select(Position).where(*_conditions(user, status, broker_id)).options(*WITH_ALL)
    query = query.order_by(Position.status.desc(), Position.id.desc()).limit(limit)
    return db.session.scalars(query).all()


def listing(
    user: User,
    *,
    status: PositionStatus | None = None,
    broker_id: int | None = None,
    symbol: str | None = None,
    page: int = 1,
    per_page: int = 20,
) -> tuple[Sequence[Position], int]:
    """A page of a person's positions, newest first, and how many match."""
    conditions = _conditions(user, status, broker_id)
    if symbol is not None:
        conditions.append(Position.symbol == symbol.upper())
    total = db.session.scalar(select(func.count(Position.id)).where(*conditions)) or 0
    query = select(Position).where(*conditions).options(*WITH_ALL).order_by(Position.id.desc())
    return db.session.scalars(query.limit(per_page).offset((page - 1) * per_page)).all(), total


def find(user: User, position_id: int) -> Position | None:
    """A position of this person; another person's is as if it did not exist."""
    query = select(Position).where(Position.id == position_id, Position.user_id == user.id)
    return db.session.scalar(query.options(*WITH_ALL))


def _conditions(
    user: User, status: PositionStatus | None, broker_id: int | None
) -> list[ColumnElement[bool]]:
    conditions = [Position.user_id == user.id]
    if status is not None:
        conditions.append(Position.status == status)
    if broker_id is not None:
        conditions.append(Position.broker_id == broker_id)
    return conditions
