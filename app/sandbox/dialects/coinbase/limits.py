"""Coinbase's rate limits: so many requests a second, of an address for public and of a key for private ones."""

from __future__ import annotations

from app.sandbox.dialects.coinbase.errors import CoinbaseError
from app.sandbox.limits import Counters, Window

PUBLIC, PRIVATE = "public", "private"


class RateLimits:
    """Counts, refuses and reports; when ``enforce`` is off it counts only."""

    def __init__(self, values: dict[str, int], *, enforce: bool) -> None:
        self._values = values
        self._enforce = enforce
        self._counters = Counters()

    def spend(self, name: str, client: str, now: int) -> dict[str, str]:
        """Count a request; the headers of its answer.

        Raises:
            CoinbaseError: 429 beyond what the client may ask in a second.
        """
        window = Window(self._values[name], 1)
        used = self._counters.add(name, window, client, 1, now)
        if self._enforce and used > window.limit:
            raise CoinbaseError("rate_limit_exceeded", "Too many requests", 429)
        left = max(0, window.limit - used) if self._enforce else window.limit
        return {"x-ratelimit-limit": str(window.limit), "x-ratelimit-remaining": str(left)}
