"""Positions: what is held because of orders of ours, and which wish guards it.

One opens with the first purchase of a market, and every order of that market belongs to it until it is closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import joinedload, selectinload

from app.domain.markets import Market
from app.domain.orders import PriceOrPercent, Side
from app.domain.positions import Holding
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
)
from app.services import catalog, portions
from app.services.planning import protective_price

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)

#: What is read along with a position that somebody is about to look at.
WITH_ALL = (joinedload(Position.broker), selectinload(Position.targets))


def follow(order: OrderRow, held: Position | None) -> Position | None:
    """Make an order and its legs belong to the position that was `held_for` it, or to one that it opens."""
    position = held
    if order.position_id is None:
        if not order.filled_quantity or order.role is not OrderRole.ENTRY:
            return None
        if position is None and order.side is Side.SELL:
            return None  # a person sells what we know no purchase of
        position = position or _opened(order)
        if order.side is Side.BUY:
            _adopt_wish(position, order)
    for row in (order, *order.children):
        row.position = position
    return position


def held_for(order: OrderRow, *, executed: bool) -> Position | None:
    """The position that an order belongs to, or will once it has ``executed``, for this transaction alone."""
    if order.position_id is not None:
        return locked(order.position_id)
    if not executed or order.role is not OrderRole.ENTRY:
        return None
    of_market = (Position.broker_id == order.broker_id, Position.symbol == order.symbol)
    query = _holding(*of_market, Position.status == PositionStatus.OPEN)
    found = db.session.scalar(query)
    if found is None and order.side is Side.BUY:
        # One position a market: whoever comes second waits here and finds the one that was opened.
        db.session.execute(select(Broker.id).where(Broker.id == order.broker_id).with_for_update())
        found = db.session.scalar(query)
    return found


def locked(position_id: int) -> Position:
    """A position for this transaction alone, as it now is."""
    return db.session.scalars(_holding(Position.id == position_id)).one()


def open_at(broker: Broker, symbol: str, *, hold: bool = False) -> Position | None:
    """The open position of a market, if there is one; with ``hold`` for this transaction alone, as it now is."""
    conditions = (
        Position.broker_id == broker.id,
        Position.symbol == symbol,
        Position.status == PositionStatus.OPEN,
    )
    query = _holding(*conditions) if hold else select(Position).where(*conditions).options(*WITH_ALL)
    return db.session.scalar(query)


def orders_of(position: Position) -> Sequence[OrderRow]:
    """Every order that ever belonged to a position, oldest first: for people to see."""
    query = select(OrderRow).where(OrderRow.position_id == position.id).order_by(OrderRow.id)
    query = query.options(selectinload(OrderRow.fills), selectinload(OrderRow.children))
    return db.session.scalars(query).all()


def _holding(*conditions: ColumnElement[bool]) -> Select[Position]:
    query = select(Position).where(*conditions).options(*WITH_ALL).with_for_update(of=Position)
    return query.execution_options(populate_existing=True)


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
        carried=Holding(),
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
    containing: str | None = None,
    page: int = 1,
    per_page: int = 20,
) -> tuple[Sequence[Position], int]:
    """A page of a person's positions, newest first, and how many match.

    ``symbol`` is a market's name, ``containing`` a part of one.
    """
    conditions = _conditions(user, status, broker_id, containing)
    if symbol is not None:
        conditions.append(Position.symbol == symbol.upper())
    total = db.session.scalar(select(func.count(Position.id)).where(*conditions)) or 0
    query = select(Position).where(*conditions).options(*WITH_ALL).order_by(Position.id.desc())
    return db.session.scalars(query.limit(per_page).offset((page - 1) * per_page)).all(), total


def every(user: User, *, broker_id: int | None, containing: str | None) -> Iterator[Position]:
    """All positions that match, newest first, read as they are taken."""
    query = select(Position).where(*_conditions(user, None, broker_id, containing)).options(*WITH_ALL)
    return (row[0] for row in portions.newest_first(query, Position.__table__.c.id))


def find(user: User, position_id: int) -> Position | None:
    """A position of this person; another person's is as if it did not exist."""
    query = select(Position).where(Position.id == position_id, Position.user_id == user.id)
    return db.session.scalar(query.options(*WITH_ALL))


def _conditions(
    user: User, status: PositionStatus | None, broker_id: int | None, containing: str | None = None
) -> list[ColumnElement[bool]]:
    conditions = [Position.user_id == user.id]
    if status is not None:
        conditions.append(Position.status == status)
    if broker_id is not None:
        conditions.append(Position.broker_id == broker_id)
    if containing:
        conditions.append(Position.symbol.contains(containing.upper(), autoescape=True))
    return conditions
