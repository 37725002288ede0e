"""What belongs to a person on the chart of a market: lines at the prices that matter, and where orders were filled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from app.domain.markets import Market
from app.domain.protection import Target, target_quantity
from app.extensions import db
from app.models import Broker, FillRow, OrderRole, OrderRow, Position, TargetStatus


class LineKind(StrEnum):
    """What waits, or stands, at a price."""

    BUY = "BUY"
    SELL = "SELL"
    ENTRY = "ENTRY"
    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"


@dataclass(frozen=True, slots=True)
class Line:
    """A price in quote and how much, in base, is concerned there; None where that was given in quote."""

    kind: LineKind
    price: Decimal
    quantity: Decimal | None


def lines(market: Market, open_orders: Iterable[OrderRow], position: Position | None) -> list[Line]:
    """What is at stake on a market, the highest price first: orders that rest, and a position's entry and exits.

    Exits that rest are drawn once, by what the position wishes.
    """
    found = [
        Line(LineKind(order.side.value), order.acts_at, order.quantity)
        for order in open_orders
        if order.symbol == market.symbol and order.role is not OrderRole.PROTECTION and order.acts_at
    ]
    if position is not None:
        found.extend(_of_position(position, market))
    return sorted(found, key=lambda line: line.price, reverse=True)


def fills(broker: Broker, symbol: str, limit: int) -> Sequence[FillRow]:
    """A broker's newest executions on a market, each with its order."""
    query = select(FillRow).join(FillRow.order).options(contains_eager(FillRow.order))
    query = query.where(OrderRow.broker_id == broker.id, OrderRow.symbol == symbol)
    return db.session.scalars(query.order_by(FillRow.id.desc()).limit(limit)).all()


def _of_position(position: Position, market: Market) -> Iterator[Line]:
    if position.entry_price is not None:
        yield Line(LineKind.ENTRY, market.quantize_price(position.entry_price), position.quantity)
    if position.stop_loss is not None:
        yield Line(LineKind.STOP_LOSS, position.stop_loss, position.quantity)
    for target in position.targets:
        if target.status is TargetStatus.WAITING:
            wished = Target(target.price, target.share)
            sells = target_quantity(wished, position.bought, position.quantity, market)
            yield Line(LineKind.TAKE_PROFIT, target.price, sells)
