"""KuCoin's resource pools: weights per 30 seconds, counted from an account's or an address's first request.

Source: https://www.kucoin.com/docs-new/rate-limit
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

from app.sandbox.dialects.kucoin.errors import too_many_requests

SPOT, FUTURES, MANAGEMENT, PUBLIC, UNIFIED = "spot", "futures", "management", "public", "unified"

#: The quota of each pool for an account of the lowest rank.
QUOTAS = {SPOT: 4000, FUTURES: 2000, MANAGEMENT: 2000, PUBLIC: 2000, UNIFIED: 200}
_SECONDS = {SPOT: 30, FUTURES: 30, MANAGEMENT: 30, PUBLIC: 30, UNIFIED: 3}


@dataclass(slots=True)
class _Window:
    started_at: int
    used: int = 0


class Pools:
    """Counts, refuses and reports; when ``enforce`` is off it counts and reports only."""

    def __init__(self, quotas: dict[str, int], *, enforce: bool) -> None:
        self.quotas = quotas
        self._enforce = enforce
        self._windows: dict[tuple[str, str], _Window] = {}
        self._lock = Lock()

    def spend(self, pool: str, client: str, weight: int, now: int) -> None:
        """Charge a request to a client's pool.

        Raises:
            KuCoinError: 429000 when the pool has not enough left.
        """
        with self._lock:
            window = self._window(pool, client, now)
            if self._enforce and window.used + weight > self.quotas[pool]:
                raise too_many_requests()
            window.used += weight

    def headers(self, pool: str, client: str, now: int) -> dict[str, str]:
        """What is left and for how long, in milliseconds."""
        with self._lock:
            window = self._window(pool, client, now)
            left = window.started_at + _SECONDS[pool] * 1_000_000 - now
            return usage(self.quotas[pool], max(0, self.quotas[pool] - window.used), max(1, left // 1000))

    def _window(self, pool: str, client: str, now: int) -> _Window:
        window = self._windows.get((pool, client))
        if window is None or not 0 <= now - window.started_at < _SECONDS[pool] * 1_000_000:
            window = self._windows[pool, client] = _Window(now)
        return window


def usage(limit: int, remaining: int, reset: int) -> dict[str, str]:
    """The three headers of every answer; ``reset`` is in milliseconds."""
    return {
        "gw-ratelimit-limit": str(limit),
        "gw-ratelimit-remaining": str(remaining),
        "gw-ratelimit-reset": str(reset),
    }
