"""How long alerts took until their orders were on the wire, as a histogram."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import case, func, select

from app.extensions import db
from app.models import OrderOrigin, OrderRole, OrderRow, User
from app.models.elapsed import milliseconds_between

#: Where one bar ends and the next begins, in milliseconds.
EDGES = (2, 5, 10, 20, 50, 100, 200, 500, 1000)


@dataclass(frozen=True, slots=True)
class Bar:
    """How many orders took from ``least`` up to, but not including, ``below`` milliseconds; None for no end."""

    least: int
    below: int | None
    orders: int


def to_the_wire(user: User, since: datetime) -> Sequence[Bar]:
    """The orders that a person's alerts led to since a moment, by the time from the alert's arrival to the sending.

    Counted by the database; empty when there are none.
    """
    took = milliseconds_between(OrderRow.received_at, OrderRow.sent_at)
    edge = case(*((took < below, below) for below in EDGES), else_=None).label("edge")
    sent = (
        select(edge)
        .where(
            OrderRow.user_id == user.id,
            OrderRow.created_at >= since,
            OrderRow.origin == OrderOrigin.ALERT,
            OrderRow.role == OrderRole.ENTRY,
            OrderRow.received_at.is_not(None),
            OrderRow.sent_at.is_not(None),
        )
        .subquery()
    )
    found = db.session.execute(select(sent.c.edge, func.count()).group_by(sent.c.edge))
    counts: dict[int | None, int] = dict(found.all())
    if not counts:
        return ()
    least = (0, *EDGES)
    below = (*EDGES, None)
    return [Bar(low, high, counts.get(high, 0)) for low, high in zip(least, below, strict=True)]
