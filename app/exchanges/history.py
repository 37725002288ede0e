"""Walking through rows that an exchange gives out a page, or a stretch of time, at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from app.exchanges.rest import to_milliseconds

Item = TypeVar("Item")

#: Fetches up to so many rows, oldest first, between two times in Unix milliseconds; None leaves an end open.
Fetch = Callable[[int | None, int | None, int], list[Item]]


def pages(
    fetch: Fetch[Item],
    at: Callable[[Item], datetime | None],
    since: datetime | None,
    limit: int | None,
    *,
    page: int,
    window: timedelta | None = None,
) -> list[Item]:
    """Every row since a time, or the latest page when no time is given; never more than ``limit``.

    ``page`` is the most rows an exchange gives at once, ``window`` the longest stretch it covers at once.
    """
    if since is None:
        return fetch(None, None, min(limit or page, page))
    size = page if limit is None else min(page, limit)
    found: list[Item] = []
    start, now = to_milliseconds(since), time.time_ns() // 1_000_000
    while start <= now and (limit is None or len(found) < limit):
        end = None if window is None else start + window // timedelta(milliseconds=1) - 1
        rows = fetch(start, end, size)
        found += _new(rows, found, at)
        if len(rows) < size:
            if end is None:
                break
            start = end + 1
        else:
            start = max(start + 1, to_milliseconds(at(rows[-1]) or since))
    return found[:limit]


def _new(rows: list[Item], found: list[Item], at: Callable[[Item], datetime | None]) -> list[Item]:
    """A page begins with the moment at which the one before ended: its rows of that moment are known."""
    if not found:
        return rows
    edge = [row for row in found if at(row) == at(found[-1])]
    return [row for row in rows if row not in edge]
