"""When OKX's candles open: those of six hours and more by the clock of UTC+8 unless their name says UTC.

Source: https://www.okx.com/docs-v5/en/#order-book-trading-market-data-get-candlesticks
"""

from __future__ import annotations

from collections.abc import Iterator

from app.sandbox.dialects.openings import months, regular
from app.sandbox.engine.market import DAY, MINUTE

_HOUR = 60 * MINUTE
_EAST = 8 * _HOUR
_MONDAY = 4 * DAY

_LONG = {
    **{f"{n}H": (n * _HOUR, 0) for n in (6, 12)},
    **{f"{n}D": (n * DAY, 0) for n in (1, 2, 3)},
    "1W": (7 * DAY, _MONDAY),
}
#: length, and how far after the epoch (or before) the first one opens
_GRIDS = {
    **{f"{n}m": (n * MINUTE, 0) for n in (1, 3, 5, 15, 30)},
    **{f"{n}H": (n * _HOUR, 0) for n in (1, 2, 4)},
    **{name: (length, first - _EAST) for name, (length, first) in _LONG.items()},
    **{f"{name}utc": grid for name, grid in _LONG.items()},
}
_MONTHS = {"1M": _EAST, "1Mutc": 0}


def openings(bar: str, end: int) -> Iterator[tuple[int, int]] | None:
    """Opening time and length of the candles that have opened by ``end``, latest first, in microseconds.

    None when there is no such bar.
    """
    if bar in _MONTHS:
        return months(end, _MONTHS[bar])
    grid = _GRIDS.get(bar)
    return None if grid is None else regular(end, *grid)
