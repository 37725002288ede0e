"""The state the sandbox serves: its exchanges, the faults that wait, and what was asked of it lately."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from app.sandbox.dialects import DIALECTS
from app.sandbox.dialects.base import Dialect
from app.sandbox.engine.venue import Venue
from app.sandbox.faults import FaultBoard
from app.sandbox.http import Request
from app.sandbox.instruments import listed
from app.sandbox.walk import Walk

_REMEMBERED_REQUESTS = 1000


@dataclass(frozen=True, slots=True)
class Exchange:
    """A venue and the dialect it is spoken to in."""

    venue: Venue
    dialect: Dialect


@dataclass(frozen=True, slots=True)
class Seen:
    """A request that was answered (``status``), or not (None)."""

    exchange: str
    operation: str
    request: Request
    status: int | None


class World:
    """Everything a reset throws away, and the settings it is made anew from."""

    def __init__(self, *, seed: int, walk: bool, interval: float, enforce_limits: bool) -> None:
        self._seed = seed
        self._walks_at_start = walk
        self._enforce_limits = enforce_limits
        self.faults = FaultBoard()
        self.seen: deque[Seen] = deque(maxlen=_REMEMBERED_REQUESTS)
        self.exchanges: dict[str, Exchange] = {}
        self.walk = Walk(lambda: [exchange.venue for exchange in self.exchanges.values()], seed, interval)
        self.reset()

    def reset(self) -> None:
        """Begin anew: no accounts, no orders, no faults, first prices."""
        self.faults.clear()
        self.seen.clear()
        self.exchanges = {name: self._exchange(name) for name in DIALECTS}
        self.walk.restart()
        self.walk.walking = self._walks_at_start

    def _exchange(self, name: str) -> Exchange:
        dialect = DIALECTS[name]
        venue = Venue(name, dialect.RULES, listed(), self._seed)
        return Exchange(venue, dialect(venue, enforce_limits=self._enforce_limits))
