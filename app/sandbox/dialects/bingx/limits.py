"""BingX's rate limits: so many calls of each signed endpoint by account, and of each group of them by address.

Those by account are documented by the second, and counted in windows whose length is not: ten seconds are assumed, as
groups have.
Source: https://bingx-api.github.io/docs-v3/#/en/Spot/Introduction
"""

from __future__ import annotations

from app.sandbox.dialects.bingx.errors import too_often
from app.sandbox.limits import Counters, Window

WINDOW_SECONDS = 10

#: Groups of endpoints that an address shares, and how much of them in a window.
MARKET_DATA, READS, WRITES = "market-data", "reads", "writes"
GROUPS = {MARKET_DATA: 500, READS: 2000, WRITES: 2000}

_LENGTH = WINDOW_SECONDS * 1_000_000


class RateLimits:
    """Counts, refuses and reports; when ``enforce`` is off it counts only, for nobody has too little left then."""

    def __init__(self, values: dict[str, int], *, enforce: bool) -> None:
        self._values = values
        self._enforce = enforce
        self._counters = Counters()

    def spend(self, group: str, address: str, name: str, user: str, now: int) -> None:
        """Count a call, by its address and, if its endpoint has a limit of its own, by its account.

        Raises:
            BingXError: 100410 beyond either.
        """
        by_address = Window(self._values[group], WINDOW_SECONDS)
        beyond = self._counters.add(group, by_address, address, 1, now) > by_address.limit
        window = self._window(name)
        if window is not None:
            beyond |= self._counters.add(name, window, user, 1, now) > window.limit
        if beyond and self._enforce:
            raise too_often()

    def headers(self, name: str, user: str, now: int) -> dict[str, str]:
        """What of the endpoint's limit is left, and when it is whole again, where that matters."""
        window = self._window(name)
        if window is None or not self._enforce:
            return {}
        left = window.limit - self._counters.used(name, window, user, now)
        return report(max(0, left), (now // _LENGTH + 1) * _LENGTH)

    def _window(self, name: str) -> Window | None:
        return Window(self._values[name], WINDOW_SECONDS) if name in self._values else None


def report(left: int, reset: int) -> dict[str, str]:
    """The two headers; ``reset`` is in microseconds."""
    return {"X-RateLimit-Requests-Remain": str(left), "X-RateLimit-Requests-Expire": str(reset // 1000)}
