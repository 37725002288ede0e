"""A month of results as the calendar that a page shows."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal

from flask_babel import format_date

from app.domain.money import EXACT
from app.services.results import Day
from app.web.figures import written

_LEVELS = 3
_MONTH_LENGTH = 7  # 2026-11

#: Nobody traded these before; the month before it is still a date.
_EARLIEST = date(2009, 1, 1)


@dataclass(frozen=True, slots=True)
class Cell:
    """One day; ``level`` says how strongly it is coloured: 0 for nothing, 1 for little, 3 for the most of the month."""

    on: date
    result: Day | None
    level: int


@dataclass(frozen=True, slots=True)
class Month:
    """A month, its weeks from Monday to Sunday with None for the days of other months, and what it came to."""

    first: date
    weeks: list[list[Cell | None]]
    days: list[Day]
    previous: str
    next: str | None

    @property
    def title(self) -> str:
        """Its name and year in the person's language."""
        return str(format_date(self.first, "LLLL yyyy"))

    @property
    def weekdays(self) -> list[str]:
        """The short names of the days of a week in the person's language."""
        monday = date(2024, 1, 1)
        return [str(format_date(monday + timedelta(days=number), "EEE")) for number in range(7)]

    @property
    def usd(self) -> Decimal:
        """What all of its days earned together."""
        return sum((day.usd for day in self.days), Decimal(0))

    @property
    def closed(self) -> int:
        """How many positions were closed."""
        return sum(day.closed for day in self.days)

    @property
    def won(self) -> int:
        """How many of them earned something."""
        return sum(day.won for day in self.days)

    @property
    def unpriced(self) -> list[str]:
        """The quote assets in which more was earned or lost than is told."""
        return sorted({asset for day in self.days for asset in day.unpriced})


def first_day(asked: str, today: date) -> date:
    """The first of the month that an address asks for as 2026-11; of this month when it asks for none that can be."""
    try:
        first = date.fromisoformat(f"{asked}-01") if len(asked) == _MONTH_LENGTH else today
    except ValueError:
        first = today
    return min(max(first, _EARLIEST), today).replace(day=1)


def last_day(first: date) -> date:
    """The last day of the month that begins with ``first``."""
    return first.replace(day=calendar.monthrange(first.year, first.month)[1])


def month_of(first: date, results: Mapping[date, Day], today: date) -> Month:
    """The calendar of a month."""
    most = max((abs(day.usd) for day in results.values()), default=Decimal(0))

    def cell(on: date) -> Cell | None:
        if on.month != first.month:
            return None
        result = results.get(on)
        return Cell(on, result, 0 if result is None else _level(result.usd, most))

    weeks = calendar.Calendar().monthdatescalendar(first.year, first.month)
    after = last_day(first) + timedelta(days=1)
    return Month(
        first=first,
        weeks=[[cell(on) for on in week] for week in weeks],
        days=[results[on] for on in sorted(results, reverse=True)],
        previous=f"{first - timedelta(days=1):%Y-%m}",
        next=f"{after:%Y-%m}" if after <= today else None,
    )


def short(amount: Decimal) -> str:
    """An amount in dollars as short as the cell of a calendar: +12.30, −1,234, +56.7k."""
    sign = "+" if amount > 0 else "−" if amount < 0 else ""
    size = abs(amount)
    for unit, name in ((Decimal(10) ** 6, "M"), (Decimal(10) ** 3, "k")):
        if size >= 10 * unit:
            return f"{sign}{written(f'{EXACT.divide(size, unit):.1f}')}{name}"
    return sign + written(f"{size:.0f}" if size >= 100 else f"{size:.2f}")


def _level(usd: Decimal, most: Decimal) -> int:
    if not usd or not most:
        return 0
    return min(_LEVELS, 1 + int(EXACT.divide(abs(usd) * _LEVELS, most)))
