"""Questions that no trade depends on take only of what is plenty.

with sparing():
    exchange.order_book("BTC/USDT", 10)

They may fill half of what reads may fill of an allowance; then `RateLimited` is raised for them, while syncs, look-ups
and the watch over positions still find theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace

from app.exchanges.budget import Charge, Limit

_asked: ContextVar[bool] = ContextVar("sparing", default=False)


@contextmanager
def sparing() -> Iterator[None]:
    """Whatever is asked of an exchange in this block goes without when little is left."""
    token = _asked.set(True)
    try:
        yield
    finally:
        _asked.reset(token)


def spared(charges: Sequence[Charge]) -> Sequence[Charge]:
    """The charges as they are to be held against their allowances here."""
    if not _asked.get():
        return charges
    return [replace(charge, limit=_halved(charge.limit)) for charge in charges]


def _halved(limit: Limit) -> Limit:
    return replace(limit, reserved=limit.capacity - (limit.capacity - limit.reserved) // 2)
