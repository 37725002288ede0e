"""What a person does by hand on the exchange with what a position holds: noticed, booked as external, never fought."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from sqlalchemy import false, or_, select

from app.domain.orders import Fill, Side
from app.extensions import db
from app.models import BalanceRow, Broker, FillRow, OrderRow, Position, PositionStatus
from app.services import connections, counting, events, positions
from app.services.events import Topic

_ZERO = Decimal(0)

#: Balances read within this time of a position's opening may be older than that.
_SETTLED = timedelta(seconds=10)


def short(broker: Broker) -> list[int]:
    """Open positions of which the broker, as last synced, does not hold enough any more. Asks no exchange."""
    if broker.balances_synced_at is None:
        return []
    query = select(BalanceRow.asset, BalanceRow.total).where(BalanceRow.broker_id == broker.id)
    totals = {row.asset: row.total for row in db.session.execute(query)}
    is_open = (Position.broker_id == broker.id, Position.status == PositionStatus.OPEN)
    found = []
    for position in db.session.scalars(select(Position).where(*is_open)).all():
        base = position.symbol.partition("/")[0]
        settled = position.opened_at + _SETTLED < broker.balances_synced_at
        if settled and totals.get(base, _ZERO) < position.quantity:
            found.append(position.id)
    return found


def account_for(position_id: int) -> bool:
    """Ask the exchange what became of what a position holds, and book what was sold, or taken away, by hand.

    Returns whether there was anything to book.

    Two things tell: executions on its market that belong to no order of ours, and a balance smaller than what is
    held, of which nothing can be sold whoever took it. Its book is closed when nothing is left.

    The balance is read first: what an exit of ours sells after that is still in it, and what it has sold before is
    among the executions. When another worker books something meanwhile, the answers are about a position that is no
    more; nothing is booked then, and the next look asks anew.

    Raises:
        TradingError: the exchange could not be asked; nothing is booked.
    """
    options = list(positions.WITH_ALL)
    position = db.session.get_one(Position, position_id, options=options, populate_existing=True)
    base, before = position.symbol.partition("/")[0], _figures(position)
    with connections.calling(position.broker) as exchange:
        held = exchange.balances().get(base)
        fills = exchange.fills(position.symbol, since=position.opened_at)
    position = positions.locked(position_id)
    if _figures(position) != before:
        db.session.rollback()
        return False
    unbooked = [fill for fill in fills if _is_unbooked_sale(position, fill)]
    by_hand = sum((fill.quantity for fill in unbooked if not _is_ours(position, fill)), _ZERO)
    # What an exit of ours has sold is missing, too, and will be booked with that exit.
    by_exits = sum((fill.quantity for fill in unbooked if _is_ours(position, fill)), _ZERO)
    missing = position.quantity + position.external - by_exits - (_ZERO if held is None else held.total)
    external = max(position.external, by_hand, missing)
    is_news = external > position.external
    if is_news:
        position.external = external
        counting.recount(position)
    db.session.commit()
    if is_news:
        events.publish(position.user_id, Topic.POSITIONS, position.id)
    return is_news


def _figures(position: Position) -> tuple[Decimal, ...]:
    """What changes with everything that is booked of a position."""
    return position.quantity, position.external, position.bought


def _is_unbooked_sale(position: Position, fill: Fill) -> bool:
    """A sale since the position was opened that no order of ours has booked.

    A stop-loss may execute as an order with another id than it rested with: its executions are known as booked.
    """
    if fill.side is not Side.SELL or fill.at is None or fill.at < position.opened_at:
        return False
    booked = (
        select(FillRow.id)
        .join(OrderRow)
        .where(OrderRow.broker_id == position.broker_id, FillRow.trade_id == fill.trade_id)
    )
    return db.session.scalar(booked.limit(1)) is None


def _is_ours(position: Position, fill: Fill) -> bool:
    known = [
        column == value
        for column, value in (
            (OrderRow.exchange_order_id, fill.exchange_order_id),
            (OrderRow.client_order_id, fill.client_order_id),
        )
        if value is not None
    ]
    ours = select(OrderRow.id).where(OrderRow.broker_id == position.broker_id, or_(false(), *known))
    return db.session.scalar(ours.limit(1)) is not None
