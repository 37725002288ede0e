"""Bitget's rate limits: so many calls a second of each endpoint by account or address, so many a minute in all.

Source: https://www.bitget.com/api-doc/common/intro
"""

from __future__ import annotations

from app.sandbox.dialects.bitget.errors import too_many_requests
from app.sandbox.limits import Counters, Window

OVERALL = "ip_1m"
_RECOVERY = 5 * 60 * 1_000_000


class RateLimits:
    """Counts, refuses and reports; when ``enforce`` is off it counts only, for nobody has too little left then."""

    def __init__(self, values: dict[str, int], *, enforce: bool) -> None:
        self._values = values
        self._enforce = enforce
        self._counters = Counters()
        self._shut_out_until: dict[str, int] = {}

    def enter(self, address: str, now: int) -> None:
        """Count a request of an address.

        Raises:
            BitgetError: 429 beyond what an address may ask in a minute, and for five minutes after that.
        """
        window = Window(self._values[OVERALL], 60)
        used = self._counters.add(OVERALL, window, address, 1, now)
        if used > window.limit:
            self._shut_out_until[address] = now + _RECOVERY
        if self._enforce and self._shut_out_until.get(address, 0) > now:
            raise too_many_requests()

    def spend(self, name: str, client: str, now: int) -> None:
        """Count a call of one endpoint.

        Raises:
            BitgetError: 429 beyond what the client may ask in a second.
        """
        window = Window(self._values[name], 1)
        used = self._counters.add(name, window, client, 1, now)
        if self._enforce and used > window.limit:
            raise too_many_requests()

    def headers(self, name: str, client: str, now: int) -> dict[str, str]:
        """How many calls of the endpoint the client has left this second, where that matters."""
        if not self._enforce:
            return {}
        window = Window(self._values[name], 1)
        left = max(0, window.limit - self._counters.used(name, window, client, now))
        return {"x-mbx-used-remain-limit": str(left)}
