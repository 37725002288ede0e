"""How long each step of an order took, and whose time it was: data for the page, the command line and the demo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from app.domain.orders import OrderStatus, OrderType
from app.models import Alert, OrderRow

_MILLISECOND = timedelta(milliseconds=1)

#: What the last step is called, by what the order became.
_ENDS = {
    OrderStatus.FILLED: "filled",
    OrderStatus.CANCELED: "cancelled",
    OrderStatus.EXPIRED: "expired",
    OrderStatus.REJECTED: "rejected",
    OrderStatus.DENIED: "denied",
}


class Owner(StrEnum):
    """Whose time a step was. The wait in the market's book is nobody's delay."""

    OURS = "ours"
    EXCHANGE = "exchange"
    MARKET = "market"


Step = tuple[str, datetime | None, Owner]


@dataclass(frozen=True, slots=True)
class Hop:
    """One step: ``at`` is when it was reached, ``ms`` how long it took since the one before.

    ``start_ms`` is when that one was reached, counted from the first.
    """

    name: str
    at: datetime
    start_ms: float
    ms: float
    owner: Owner


@dataclass(frozen=True, slots=True)
class Timeline:
    """An order's way as far as it has come. ``exchange_ms`` is None until the exchange has answered.

    ``total_ms`` is ours and the exchange's together, without the wait in the market. An order that was tried more than
    once is ``queued_again``: the waits in between are ours, and of the exchange's time only the last try's is told. One
    whose answer was lost was not acknowledged but ``found``: how long the exchange took for it nobody knows, and the
    time until the look-up that found it is ours.
    """

    hops: tuple[Hop, ...]
    total_ms: float
    ours_ms: float
    exchange_ms: float | None

    def as_json(self) -> dict[str, Any]:
        """The same for a program, times as ISO 8601 text."""
        hops = [
            {
                "name": hop.name,
                "at": hop.at.isoformat(),
                "start_ms": hop.start_ms,
                "ms": hop.ms,
                "owner": hop.owner.value,
            }
            for hop in self.hops
        ]
        return {
            "hops": hops,
            "total_ms": self.total_ms,
            "ours_ms": self.ours_ms,
            "exchange_ms": self.exchange_ms,
        }


def of(order: OrderRow) -> Timeline:
    """The timeline of an order, from whatever asked for it to the last thing known to have happened."""
    return _timeline(
        (
            ("received", order.received_at or order.created_at, Owner.OURS),
            ("stored", _stored_at(order), Owner.OURS),
            ("queued" if (order.attempts or 0) < 2 else "queued_again", order.queued_at, Owner.OURS),
            ("picked_up", _picked_up_at(order), Owner.OURS),
            ("sent", order.sent_at, Owner.OURS),
            ("acknowledged", order.acknowledged_at, Owner.EXCHANGE),
            ("found", order.found_at, Owner.OURS),
            _end(order),
        )
    )


def of_alert(alert: Alert) -> Timeline:
    """The timeline of an alert that led to no order."""
    return _timeline(
        (
            ("received", alert.received_at, Owner.OURS),
            ("picked_up", alert.picked_up_at, Owner.OURS),
            ("decided", alert.processed_at, Owner.OURS),
        )
    )


def _timeline(steps: Iterable[Step]) -> Timeline:
    hops: list[Hop] = []
    for name, at, owner in _reached(steps):
        previous = hops[-1].at if hops else at
        start = hops[0].at if hops else at
        took = max(at - previous, timedelta(0)) / _MILLISECOND
        hops.append(Hop(name, max(at, previous), (previous - start) / _MILLISECOND, took, owner))
    ours = sum(hop.ms for hop in hops if hop.owner is Owner.OURS)
    theirs = [hop.ms for hop in hops if hop.owner is Owner.EXCHANGE]
    exchange = sum(theirs) if theirs else None
    return Timeline(tuple(hops), ours + (exchange or 0.0), ours, exchange)


def _reached(steps: Iterable[Step]) -> Iterator[tuple[str, datetime, Owner]]:
    for name, at, owner in steps:
        if at is not None:
            yield name, at, owner


def _end(order: OrderRow) -> Step:
    """How it ended: in the market's time where it may rest there, in the exchange's when that said no."""
    if order.acknowledged_at is None and order.found_at is None:
        answered = order.sent_at is not None and order.status is OrderStatus.REJECTED
        owner = Owner.EXCHANGE if answered else Owner.OURS
    else:
        owner = Owner.OURS if order.type is OrderType.MARKET else Owner.MARKET
    return _ENDS.get(order.status, ""), order.closed_at, owner


def _stored_at(order: OrderRow) -> datetime:
    """When what asked for the order was safe: an alert is queued right after its commit, before its order exists."""
    return order.created_at if order.queued_at is None else min(order.created_at, order.queued_at)


def _picked_up_at(order: OrderRow) -> datetime | None:
    """When a worker took what was queued last: the alert that then led to the order, or the order itself."""
    deciding = order.alert.picked_up_at if order.alert is not None else None
    if deciding is not None and order.queued_at is not None and deciding >= order.queued_at:
        return deciding
    return order.picked_up_at
