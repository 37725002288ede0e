"""What belongs to a person on the chart of a market: lines at the prices that matter, marks where orders were filled."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import contains_eager

from app.domain.markets import Market
from app.domain.protection import Target, target_quantity
from app.extensions import db
from app.models import Broker, FillRow, OrderRole, OrderRow, Position, TargetStatus
from app.services import positions
from app.services.orders import TABS


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


def lines_of(broker: Broker, market: Market) -> list[Line]:
    """What a broker has at stake on a market, the highest price first: its resting orders, entry, stop and targets."""
    position = positions.open_at(broker, market.symbol)
    held = () if position is None else _of_position(position, market)
    lines = [*_of_orders(broker, market.symbol), *held]
    return sorted(lines, key=lambda line: line.price, reverse=True)


def fills_of(broker: Broker, symbol: str, limit: int) -> Sequence[FillRow]:
    """A broker's newest executions on a market, each with its order."""
    query = select(FillRow).join(FillRow.order).options(contains_eager(FillRow.order))
    query = query.where(OrderRow.broker_id == broker.id, OrderRow.symbol == symbol)
    return db.session.scalars(query.order_by(FillRow.id.desc()).limit(limit)).all()


def _of_orders(broker: Broker, symbol: str) -> Iterator[Line]:
    """The resting orders that are no exits: those are drawn by what the position wishes."""
    query = select(OrderRow).where(OrderRow.broker_id == broker.id, OrderRow.symbol == symbol)
    query = query.where(OrderRow.status.in_(TABS["open"]), OrderRow.role != OrderRole.PROTECTION)
    for order in db.session.scalars(query):
        if order.acts_at is not None:
            yield Line(LineKind(order.side.value), order.acts_at, order.quantity)


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
