"""How the alerts of a time fared: how many came, how many were carried out, and how fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.domain.alerts import AlertStatus
from app.extensions import db
from app.models import Alert, OrderOrigin, OrderRole, OrderRow, User
from app.models.elapsed import milliseconds_between

#: The times that figures are given for.
SPANS: Mapping[str, timedelta] = {
    "24h": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}

_PERCENTS = (50, 95, 99)


@dataclass(frozen=True, slots=True)
class Latency:
    """Milliseconds from an alert's arrival until the exchange had acknowledged its order, over ``orders`` of them.

    A percentile is the smallest value that so many percent do not exceed; None when no order was placed.
    """

    orders: int
    p50: int | None
    p95: int | None
    p99: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """How many alerts became what, and how long their orders took."""

    by_status: Mapping[AlertStatus, int]
    latency: Latency

    @property
    def total(self) -> int:
        """How many came."""
        return sum(self.by_status.values())

    @property
    def errors(self) -> int:
        """How many could not be understood or carried out."""
        return self.by_status.get(AlertStatus.ERROR, 0)

    @property
    def success_rate(self) -> float | None:
        """The percentage carried out of those that were decided; a repeated delivery is not decided again."""
        decided = sum(
            number
            for status, number in self.by_status.items()
            if status.is_final and status is not AlertStatus.DUPLICATE
        )
        return round(100 * self.by_status.get(AlertStatus.PROCESSED, 0) / decided, 2) if decided else None


def since(user: User, moment: datetime, *, broker_id: int | None = None) -> Figures:
    """The figures of a person's alerts, or those of one broker, from a moment on."""
    query = select(Alert.status, func.count(Alert.id)).group_by(Alert.status)
    query = query.where(Alert.user_id == user.id, Alert.received_at >= moment)
    if broker_id is not None:
        query = query.where(Alert.broker_id == broker_id)
    return Figures(dict(db.session.execute(query).all()), _latency(user, moment, broker_id))


def _latency(user: User, moment: datetime, broker_id: int | None) -> Latency:
    """Counted and ranked by the database, which hands over the few values that are asked for."""
    took = milliseconds_between(OrderRow.received_at, OrderRow.acknowledged_at)
    query = select(
        took.label("ms"),
        func.row_number().over(order_by=took).label("rank"),
        func.count().over().label("orders"),
    ).where(
        OrderRow.user_id == user.id,
        OrderRow.origin == OrderOrigin.ALERT,
        OrderRow.role == OrderRole.ENTRY,
        OrderRow.received_at >= moment,
        OrderRow.acknowledged_at.is_not(None),
    )
    if broker_id is not None:
        query = query.where(OrderRow.broker_id == broker_id)
    ranked = query.subquery()
    wanted = [(ranked.c.orders * percent + 99) // 100 for percent in _PERCENTS]
    rows = {row.rank: row for row in db.session.execute(select(ranked).where(ranked.c.rank.in_(wanted)))}
    if not rows:
        return Latency(0, None, None, None)
    orders = next(iter(rows.values())).orders
    return Latency(orders, *(rows[-(-orders * percent // 100)].ms for percent in _PERCENTS))
