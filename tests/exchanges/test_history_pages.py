"""Rows come a page and a stretch of time at a time; we want each of them once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.exchanges.history import pages
from app.exchanges.rest import to_milliseconds


@dataclass(frozen=True)
class Row:
    number: int
    at: datetime


class Exchange:
    """Rows at the given minutes before now, given out as exchanges do."""

    def __init__(self, minutes_ago: list[int]) -> None:
        now = datetime.now(UTC).replace(microsecond=0)
        moments = sorted(now - timedelta(minutes=minutes) for minutes in minutes_ago)
        self.rows = [Row(number, at) for number, at in enumerate(moments)]
        self.calls: list[tuple[int | None, int | None, int]] = []

    def fetch(self, start: int | None, end: int | None, rows: int) -> list[Row]:
        self.calls.append((start, end, rows))
        if start is None:
            return self.rows[-rows:]
        found = [
            row
            for row in self.rows
            if start <= to_milliseconds(row.at) and (end is None or to_milliseconds(row.at) <= end)
        ]
        return found[:rows]


SINCE = timedelta(days=3)


@given(
    minutes=st.lists(st.integers(1, 4000), max_size=40, unique=True),
    page=st.integers(2, 10),
    limit=st.none() | st.integers(1, 50),
    windowed=st.booleans(),
)
def test_every_row_since_a_time_is_told_once_and_in_order(
    minutes: list[int], page: int, limit: int | None, windowed: bool
) -> None:
    exchange = Exchange(minutes)
    found = pages(
        exchange.fetch,
        lambda row: row.at,
        datetime.now(UTC) - SINCE,
        limit,
        page=page,
        window=timedelta(hours=24) if windowed else None,
    )
    assert found == exchange.rows[:limit]


def test_rows_of_the_same_moment_are_not_told_twice() -> None:
    exchange = Exchange([5, 5, 4, 4, 3])
    found = pages(exchange.fetch, lambda row: row.at, datetime.now(UTC) - SINCE, None, page=3)
    assert found == exchange.rows


def test_without_a_time_the_latest_page_is_asked_for_once() -> None:
    exchange = Exchange([3, 2, 1])
    assert pages(exchange.fetch, lambda row: row.at, None, 2, page=1000) == exchange.rows[-2:]
    assert exchange.calls == [(None, None, 2)]


def test_a_window_is_never_longer_than_the_exchange_covers() -> None:
    exchange = Exchange([])
    since = datetime.now(UTC) - SINCE - timedelta(minutes=1)
    pages(exchange.fetch, lambda row: row.at, since, None, page=10, window=timedelta(hours=24))
    assert len(exchange.calls) == 4
    for start, end, _ in exchange.calls:
        assert start is not None
        assert end is not None
        assert end - start < 24 * 3600 * 1000
