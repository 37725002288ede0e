"""Counting what a client has used up of an exchange's rate limits, in fixed windows of time or levels that sink."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from decimal import Decimal

_SECOND = 1_000_000


@dataclass(slots=True)
class Window:
    """At most ``limit`` units in each period of ``seconds``, aligned to the clock."""

    limit: int
    seconds: int


class Counters:
    """Usage per window and per client, where a client is an address or a key."""

    def __init__(self) -> None:
        self._used: dict[tuple[str, str], tuple[int, int]] = {}
        self._lock = threading.Lock()

    def add(self, name: str, window: Window, client: str, units: int, now: int) -> int:
        """Count units at a time in microseconds and return what the client has used in the current period."""
        period = now // (window.seconds * _SECOND)
        with self._lock:
            started, used = self._used.get((name, client), (period, 0))
            used = max(0, used + units) if started == period else max(0, units)
            self._used[name, client] = (period, used)
            return used

    def used(self, name: str, window: Window, client: str, now: int) -> int:
        """What the client has used in the current period."""
        return self.add(name, window, client, 0, now)


def seconds_left(window: Window, now: int) -> int:
    """Whole seconds until the current period ends, at least one."""
    length = window.seconds * _SECOND
    return -(-(length - now % length) // _SECOND)


class Levels:
    """Counters that requests raise and time lowers, per client; never below zero."""

    def __init__(self) -> None:
        self._levels: dict[tuple[str, str], tuple[Decimal, int]] = {}
        self._lock = threading.Lock()

    def raise_by(
        self, name: str, client: str, units: Decimal, *, most: Decimal, per_minute: int, now: int
    ) -> bool:
        """Raise a counter that sinks by ``per_minute``, at a time in microseconds, unless that is beyond ``most``."""
        with self._lock:
            level, since = self._levels.get((name, client), (Decimal(0), now))
            sunk = Decimal(max(0, now - since)) * per_minute / (60 * _SECOND)
            level = max(Decimal(0), level - sunk)
            fits = level + units <= most
            self._levels[name, client] = (level + units if fits else level, now)
            return fits
