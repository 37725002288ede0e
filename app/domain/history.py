"""How the worth of accounts is kept over time: densely for two days, hourly for a month, daily for good.

A point is kept for the longest stretch that it is the first of. Whoever looks at a year reads the daily points alone,
and what has become too old for its stretch is deleted; nothing is ever rewritten.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

_QUARTER_MINUTES = 15


class Grain(StrEnum):
    """The stretch of time that a point stands for, in UTC."""

    QUARTER = "QUARTER"
    """A quarter of an hour."""
    HOUR = "HOUR"
    DAY = "DAY"


#: How long the points of a stretch are kept; those of days stay.
KEPT: Mapping[Grain, timedelta] = {Grain.QUARTER: timedelta(days=2), Grain.HOUR: timedelta(days=32)}

#: How long each of them is.
LENGTHS: Mapping[Grain, timedelta] = {
    Grain.QUARTER: timedelta(minutes=15),
    Grain.HOUR: timedelta(hours=1),
    Grain.DAY: timedelta(days=1),
}


_ROWS = (
    (timedelta(days=1), timedelta(hours=1)),
    (timedelta(days=7), timedelta(hours=6)),
    (timedelta(days=31), timedelta(days=1)),
)


def grain_of(at: datetime, before: datetime | None) -> Grain | None:
    """The longest stretch that a moment begins when the last point was kept at ``before``.

    None when there is a point of the same quarter of an hour already.
    """
    if before is None or at.date() != before.date():
        return Grain.DAY
    if at.hour != before.hour:
        return Grain.HOUR
    same = at.minute // _QUARTER_MINUTES == before.minute // _QUARTER_MINUTES
    return None if same else Grain.QUARTER


def finest(period: timedelta) -> Grain:
    """The shortest stretch that a look at so long a time is made of: at most some 750 points, whatever the period."""
    if period <= timedelta(days=1):
        return Grain.QUARTER
    return Grain.HOUR if period <= timedelta(days=31) else Grain.DAY


def made_of(finest: Grain) -> tuple[Grain, ...]:
    """The grains of the points that begin a stretch of this length: a day's first is also that of its hour."""
    grains = tuple(Grain)
    return grains[grains.index(finest) :]


def row_length(period: timedelta) -> timedelta:
    """How long a row of a table stands for that tells of so long a time: some 24 to 54 rows, whatever the period."""
    return next((length for most, length in _ROWS if period <= most), timedelta(days=7))


def stretch(at: datetime, length: timedelta) -> int:
    """The number of the stretch that a moment lies in, counted from 1970."""
    return int(at.timestamp() // length.total_seconds())
