"""Candles that follow the calendar, weeks from Monday and months from the first, put together from days."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum, auto

from app.sandbox.engine.market import DAY, Candle, Market

_MONDAY = 4 * DAY
_WEEK = 7 * DAY
_LONGEST_MONTH = 31 * DAY


class Period(Enum):
    WEEK = auto()
    MONTH = auto()


def opening(period: Period, at: int) -> int:
    """When the week or month that a time lies in began; times are in microseconds."""
    if period is Period.WEEK:
        return (at - _MONDAY) // _WEEK * _WEEK + _MONDAY
    moment = datetime.fromtimestamp(at // 1_000_000, UTC)
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int(first.timestamp()) * 1_000_000


def closing(period: Period, opened: int) -> int:
    """The last microsecond of the week or month that began then."""
    if period is Period.WEEK:
        return opened + _WEEK - 1
    return opening(period, opened + _LONGEST_MONTH) - 1


def candles(
    market: Market, now: int, period: Period, start: int | None, end: int, limit: int
) -> list[Candle]:
    """At most ``limit`` candles that open from ``start`` to ``end``, the last of them, oldest first."""
    opens = [opening(period, end)]
    while len(opens) < limit and (start is None or opens[-1] > start):
        opens.append(opening(period, opens[-1] - 1))
    return [_candle(market, now, period, at) for at in sorted(opens) if start is None or at >= start]


def _candle(market: Market, now: int, period: Period, at: int) -> Candle:
    last = closing(period, at)
    days = [day for day in market.candles(now, DAY, at, 31) if day.at <= last]
    return Candle(
        at,
        days[0].open,
        max(day.high for day in days),
        min(day.low for day in days),
        days[-1].close,
        sum((day.volume for day in days), Decimal(0)),
        sum((day.turnover for day in days), Decimal(0)),
    )
