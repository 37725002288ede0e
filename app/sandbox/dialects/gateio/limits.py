"""Gate.io's rate limits: 200 in ten seconds of each endpoint by address or user, orders by user and market.

Source: https://www.gate.com/docs/developers/apiv4/#frequency-limit-rule
"""

from __future__ import annotations

from app.sandbox.dialects.gateio.errors import too_many_requests
from app.sandbox.limits import Counters, Window

#: Placing and changing orders, for each market by itself; cancelling; and everything else, each endpoint by itself.
ORDERS, CANCELS, OTHERS = "orders", "cancels", "others"
SECONDS = {ORDERS: 1, CANCELS: 1, OTHERS: 10}
VALUES = {ORDERS: 10, CANCELS: 200, OTHERS: 200}

_SECOND = 1_000_000


class RateLimits:
    """Counts, refuses and reports; when ``enforce`` is off it counts only, for nobody has too little left then."""

    def __init__(self, values: dict[str, int], *, enforce: bool) -> None:
        self._values = values
        self._enforce = enforce
        self._counters = Counters()

    def spend(self, bucket: str, client: str, now: int) -> dict[str, str]:
        """Count a call, and tell what is left.

        Raises:
            GateError: 429 beyond what the client may ask.
        """
        window = Window(self._values[bucket], SECONDS[bucket])
        used = self._counters.add(bucket, window, client, 1, now)
        if not self._enforce:
            return {}
        if used > window.limit:
            raise too_many_requests()
        return report(window.limit, window.limit - used, now)

    def spent(self, bucket: str, now: int) -> dict[str, str]:
        """The headers of a refusal for too many requests."""
        length = SECONDS[bucket] * _SECOND
        return report(self._values[bucket], 0, (now // length + 1) * length)


def report(limit: int, left: int, reset: int) -> dict[str, str]:
    """The three headers; ``reset`` is in microseconds."""
    return {
        "X-Gate-RateLimit-Limit": str(limit),
        "X-Gate-RateLimit-Requests-Remain": str(left),
        "X-Gate-RateLimit-Reset-Timestamp": str(-(-reset // _SECOND)),
    }
