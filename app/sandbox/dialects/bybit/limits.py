"""Bybit's rate limits: so many calls a second of each signed endpoint by user, so many in five seconds by address.

Source: https://bybit-exchange.github.io/docs/v5/rate-limit
"""

from __future__ import annotations

from app.sandbox.dialects.bybit.errors import Barred, too_many_visits
from app.sandbox.limits import Counters, Window

OVERALL = "ip_5s"
_SECOND = 1_000_000
_RECOVERY = 10 * 60 * _SECOND


class RateLimits:
    """Counts, refuses and reports; when ``enforce`` is off it counts only, for nobody has too little left then."""

    def __init__(self, values: dict[str, int], *, enforce: bool) -> None:
        self._values = values
        self._enforce = enforce
        self._counters = Counters()
        self._barred_until: dict[str, int] = {}

    def enter(self, address: str, now: int) -> None:
        """Count a request of an address.

        Raises:
            Barred: beyond what an address may ask in five seconds, and for ten minutes after that.
        """
        window = Window(self._values[OVERALL], 5)
        if self._counters.add(OVERALL, window, address, 1, now) > window.limit:
            self._barred_until[address] = now + _RECOVERY
        if self._enforce and self._barred_until.get(address, 0) > now:
            raise Barred

    def spend(self, name: str, user: str, now: int) -> None:
        """Count a call of one endpoint, if it has a limit of its own.

        Raises:
            BybitError: 10006 beyond what the user may ask in a second.
        """
        window = self._window(name)
        if window is None:
            return
        if self._counters.add(name, window, user, 1, now) > window.limit and self._enforce:
            raise too_many_visits()

    def headers(self, name: str, user: str, now: int) -> dict[str, str]:
        """What the user may call in a second, what is left of it and when it is whole again, where that matters."""
        window = self._window(name)
        if window is None or not self._enforce:
            return {}
        left = window.limit - self._counters.used(name, window, user, now)
        return report(window.limit, max(0, left), now if left >= 0 else (now // _SECOND + 1) * _SECOND)

    def _window(self, name: str) -> Window | None:
        return Window(self._values[name], 1) if name in self._values else None


def report(limit: int, left: int, reset: int) -> dict[str, str]:
    """The three headers; ``reset`` is in microseconds."""
    return {
        "X-Bapi-Limit": str(limit),
        "X-Bapi-Limit-Status": str(left),
        "X-Bapi-Limit-Reset-Timestamp": str(reset // 1000),
    }
