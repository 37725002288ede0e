"""OKX's rate limits: so many calls in two seconds of each endpoint, by address, account, or account and instrument.

Source: https://www.okx.com/docs-v5/en/#overview-rate-limits
"""

from __future__ import annotations

from app.sandbox.dialects.okx.errors import too_many_requests
from app.sandbox.limits import Counters, Window

_SECONDS = 2


class RateLimits:
    """Counts and refuses; when ``enforce`` is off it counts only."""

    def __init__(self, values: dict[str, int], *, enforce: bool) -> None:
        self._values = values
        self._enforce = enforce
        self._counters = Counters()

    def spend(self, name: str, client: str, now: int) -> None:
        """Count a call of one endpoint.

        Raises:
            OKXError: 50011 beyond what the client may ask in two seconds.
        """
        window = Window(self._values[name], _SECONDS)
        used = self._counters.add(name, window, client, 1, now)
        if self._enforce and used > window.limit:
            raise too_many_requests()
