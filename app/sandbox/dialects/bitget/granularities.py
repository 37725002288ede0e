"""When Bitget's candles open: the long ones by the clock of UTC+8 unless their name says UTC.

Source: https://www.bitget.com/api-doc/spot/market/Get-Candle-Data
"""

from __future__ import annotations

from collections.abc import Iterator

from app.sandbox.dialects.openings import months, regular
from app.sandbox.engine.market import DAY, MINUTE

_HOUR = 60 * MINUTE
_EAST = 8 * _HOUR
_MONDAY = 4 * DAY

#: length, and how far after the epoch (or before) the first one opens
_GRIDS = {
    **{f"{n}min": (n * MINUTE, 0) for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": (n * _HOUR, 0) for n in (1, 4)},
    **{f"{n}h": (n * _HOUR, -_EAST) for n in (6, 12)},
    **{f"{n}day": (n * DAY, -_EAST) for n in (1, 3)},
    "1week": (7 * DAY, _MONDAY - _EAST),
    **{f"{n}hutc": (n * _HOUR, 0) for n in (6, 12)},
    **{f"{n}dutc": (n * DAY, 0) for n in (1, 3)},
    "1wutc": (7 * DAY, _MONDAY),
}
_MONTHS = {"1M": _EAST, "1Mutc": 0}


def openings(granularity: str, end: int) -> Iterator[tuple[int, int]] | None:
    """Opening time and length of the candles that have opened by ``end``, latest first, in microseconds.

    None when there is no such granularity.
    """
    if granularity in _MONTHS:
        return months(end, _MONTHS[granularity])
    grid = _GRIDS.get(granularity.lower())
    return None if grid is None else regular(end, *grid)
