"""When candles open, latest first: by a grid of one length, or by the months of some clock; all in microseconds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from app.sandbox.engine.market import DAY

_SECOND = 1_000_000


def regular(end: int, length: int, first: int) -> Iterator[tuple[int, int]]:
    """Candles of one length, of which one opened at ``first`` (before the epoch, or after it)."""
    latest = (end - first) // length * length + first
    return ((at, length) for at in range(latest, 0, -length))


def months(end: int, ahead: int) -> Iterator[tuple[int, int]]:
    """Calendar months by a clock that is so far ahead of UTC."""
    at = _first_of_month(end, ahead)
    following = _first_of_month(at + 32 * DAY, ahead)
    while at > 0:
        yield at, following - at
        at, following = _first_of_month(at - 1, ahead), at


def _first_of_month(at: int, ahead: int) -> int:
    there = datetime.fromtimestamp((at + ahead) // _SECOND, UTC)
    first = there.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int(first.timestamp()) * _SECOND - ahead
