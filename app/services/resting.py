"""Which exits rest on the exchange, as far as our orders tell, and what each of them holds."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from app.domain.orders import Side
from app.domain.protection import Exit
from app.exchanges import capabilities
from app.models import OrderOrigin, OrderRole, OrderRow

_ZERO = Decimal(0)


def exits(orders: Sequence[OrderRow]) -> list[Exit]:
    """The exits on the exchange: single ones, pairs, and what came with entries that have filled."""
    found = []
    for order in orders:
        if order.role is OrderRole.ENTRY:
            if order.side is Side.BUY and (order.status.is_final or _per_fill(order)):
                found += _attached(order)
        elif order.origin is not OrderOrigin.EXCHANGE:
            found += _own(order)
    return found


def _per_fill(entry: OrderRow) -> bool:
    return capabilities(entry.broker.exchange).attached_per_fill


def _attached(entry: OrderRow) -> list[Exit]:
    """Legs of one entry share a hold, unless each fill got its own."""
    legs = [leg for leg in entry.children if leg.origin is OrderOrigin.EXCHANGE and leg.status.is_live]
    groups = [[leg] for leg in legs] if _per_fill(entry) else [legs]
    received = sum((fill.quantity for fill in entry.fills), _ZERO) or entry.filled_quantity or _ZERO
    return [_exit(group, received, by_exchange=True) for group in groups if group]


def _own(order: OrderRow) -> list[Exit]:
    legs = [leg for leg in order.children if leg.status.is_live]
    if legs:
        return [_exit(legs, order.quantity or _ZERO)]
    if order.status.is_live and not order.children:
        return [_exit([order], order.quantity or _ZERO)]
    return []


def _exit(legs: Sequence[OrderRow], whole: Decimal, *, by_exchange: bool = False) -> Exit:
    stop = next((leg for leg in legs if leg.type.is_stop), None)
    target = next((leg.acts_at for leg in legs if not leg.type.is_stop), None)
    left = max((leg.quantity or whole) - (leg.filled_quantity or _ZERO) for leg in legs)
    if len(legs) == 1 and legs[0].take_profit is not None:
        target = legs[0].take_profit  # a pair whose legs have not been told yet
    trailing = None if stop is None else stop.trailing_percent
    level = None if stop is None or trailing is not None else stop.acts_at
    return Exit(tuple(leg.id for leg in legs), left, level, target, by_exchange, trailing)
