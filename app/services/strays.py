"""Orders of ours that rest on the exchange although their book is closed: they hold what a position wants to sell."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from app.domain.orders import OrderStatus
from app.extensions import db
from app.models import OrderRow, Position
from app.services import connections, positions

_ENDED = [status for status in OrderStatus if status.is_final]


def of(position_id: int) -> Sequence[OrderRow]:
    """The strays on the market of a position.

    An exchange that once denied to know an order has us believe that it ended.

    Raises:
        TradingError: the exchange could not be asked.
    """
    position = db.session.get_one(Position, position_id, options=list(positions.WITH_ALL))
    with connections.calling(position.broker) as exchange:
        resting = exchange.open_orders(position.symbol)
    ids = [report.exchange_order_id for report in resting if report.exchange_order_id is not None]
    query = select(OrderRow).where(
        OrderRow.broker_id == position.broker_id, OrderRow.exchange_order_id.in_(ids)
    )
    query = query.where(OrderRow.status.in_(_ENDED)).options(joinedload(OrderRow.broker))
    return db.session.scalars(query).all()
