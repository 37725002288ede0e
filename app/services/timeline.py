"""How long each step of an order took, and whose time it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.orders import OrderStatus
from app.models import OrderRow

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Hop:
    """One step: ``at`` is when it was reached, ``ms`` how long it took since the one before.

    ``owner`` is ``ours``, ``exchange``, or ``market`` for the wait in the book, which is nobody's delay.
    ``start_ms`` counts from the first hop.
    """

    name: str
    at: datetime
    start_ms: float
    ms: float
    owner: str


@dataclass(frozen=True, slots=True)
class Timeline:
    """An order's way as far as it has come. ``exchange_ms`` is None until the exchange has answered.

    ``total_ms`` is ours and the exchange's together, without the wait in the market.
    """

    hops: tuple[Hop, ...]
    total_ms: float
    ours_ms: float
    exchange_ms: float | None


def of(order: OrderRow) -> Timeline:
    """The timeline of an order, from whatever asked for it to the last thing known to have happened."""
    hops: list[Hop] = []
    start = previous = order.received_at or order.created_at
    for name, at, owner in _stamps(order):
        took = max(at - previous, timedelta(0)) / _MILLISECOND
        hops.append(Hop(name, at, (previous - start) / _MILLISECOND, took, owner))
        previous = max(at, previous)
    ours = sum(hop.ms for hop in hops if hop.owner == "ours")
    theirs = [hop.ms for hop in hops if hop.owner == "exchange"]
    exchange = sum(theirs) if theirs else None
    return Timeline(tuple(hops), ours + (exchange or 0.0), ours, exchange)


def _stamps(order: OrderRow) -> Iterator[tuple[str, datetime, str]]:
    """The steps an order has reached, in their order."""
    stamps = (
        ("received", order.received_at or order.created_at, "ours"),
        ("stored", _stored_at(order), "ours"),
        ("queued", order.queued_at, "ours"),
        ("picked_up", _picked_up_at(order), "ours"),
        ("sent", order.sent_at, "ours"),
        ("acknowledged", order.acknowledged_at, "exchange"),
        ("filled", order.closed_at if order.status is OrderStatus.FILLED else None, "market"),
    )
    for name, at, owner in stamps:
        if at is not None:
            yield name, at, owner


def _stored_at(order: OrderRow) -> datetime:
    """When what asked for the order was safe: an alert is queued right after its commit, before its order exists."""
    return order.created_at if order.queued_at is None else min(order.created_at, order.queued_at)


def _picked_up_at(order: OrderRow) -> datetime | None:
    """When a worker took what was queued last: the alert that then led to the order, or the order itself."""
    deciding = order.alert.picked_up_at if order.alert is not None else None
    if deciding is not None and order.queued_at is not None and deciding >= order.queued_at:
        return deciding
    return order.picked_up_at
