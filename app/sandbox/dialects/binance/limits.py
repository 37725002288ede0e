"""Binance's rate limits: request weight by address, new orders by account.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits
"""

from __future__ import annotations

from app.sandbox.dialects.binance.errors import BinanceError
from app.sandbox.engine.model import Order
from app.sandbox.limits import Counters, Window, seconds_left

_MINUTE = 60
_DAY = 24 * 60 * 60
_TOLERATED_BREACHES = 10
_FIRST_BAN_SECONDS = 120
_LONGEST_BAN_SECONDS = 3 * _DAY

WEIGHT, ORDERS_10S, ORDERS_1D = "request_weight_1m", "orders_10s", "orders_1d"


class RateLimits:
    """Counts, refuses and reports. When ``enforce`` is off nothing is used up: a client that heeds what is reported
    must not be held back by limits that are not there."""

    def __init__(self, values: dict[str, int], *, enforce: bool) -> None:
        self.values = values
        self._enforce = enforce
        self._counters = Counters()
        self._banned_until: dict[str, int] = {}
        self._bans: dict[str, int] = {}

    def check_weight(self, client: str, weight: int, now: int) -> None:
        """Refuse a request that the address has no weight left for.

        Raises:
            BinanceError: 429 with the seconds left, or 418 for an address that went on regardless.
        """
        if not self._enforce:
            return
        if (until := self._banned_until.get(client, 0)) > now:
            raise banned(-(-(until - now) // 1_000_000), until)
        window = self._window(WEIGHT)
        if self._counters.used(WEIGHT, window, client, now) + weight <= window.limit:
            return
        breaches = self._counters.add("breaches", Window(_TOLERATED_BREACHES, _MINUTE), client, 1, now)
        if breaches > _TOLERATED_BREACHES:
            self._ban(client, now)
        raise too_much_weight(window.limit, seconds_left(window, now))

    def add_weight(self, client: str, weight: int, now: int) -> None:
        if not self._enforce:
            return
        self._counters.add(WEIGHT, self._window(WEIGHT), client, weight, now)

    def check_orders(self, api_key: str, orders: int, now: int) -> None:
        """Refuse new orders beyond what an account may place.

        Raises:
            BinanceError: 429 with code -1015.
        """
        for name, words in ((ORDERS_10S, "10 SECOND"), (ORDERS_1D, "1 DAY")):
            window = self._window(name)
            if self._enforce and self._counters.used(name, window, api_key, now) + orders > window.limit:
                message = f"Too many new orders; current limit is {window.limit} orders per {words}."
                headers = {"Retry-After": str(seconds_left(window, now))}
                raise BinanceError(-1015, message, 429, headers=headers)

    def add_orders(self, api_key: str, orders: int, now: int) -> None:
        if not self._enforce:
            return
        for name in (ORDERS_10S, ORDERS_1D):
            self._counters.add(name, self._window(name), api_key, orders, now)

    def give_back(self, order: Order) -> None:
        """Return an order's credit at its first fill."""
        self.add_orders(order.api_key, -1, order.updated_at)

    def headers(self, client: str, api_key: str | None, now: int) -> dict[str, str]:
        """The usage headers of an answer; order counts only where orders were placed."""
        used = str(self._counters.used(WEIGHT, self._window(WEIGHT), client, now))
        headers = {"X-MBX-USED-WEIGHT": used, "X-MBX-USED-WEIGHT-1M": used}
        if api_key is not None:
            for name, suffix in ((ORDERS_10S, "10S"), (ORDERS_1D, "1D")):
                count = self._counters.used(name, self._window(name), api_key, now)
                headers[f"X-MBX-ORDER-COUNT-{suffix}"] = str(count)
        return headers

    def order_counts(self, api_key: str, now: int) -> list[dict[str, object]]:
        """What an account has used of its order limits."""
        rows = [row for row in self.describe() if row["rateLimitType"] == "ORDERS"]
        for row, name in zip(rows, (ORDERS_10S, ORDERS_1D), strict=True):
            row["count"] = self._counters.used(name, self._window(name), api_key, now)
        return rows

    def describe(self) -> list[dict[str, object]]:
        """The limits as exchangeInfo states them."""
        rows = (
            ("REQUEST_WEIGHT", "MINUTE", 1, self.values[WEIGHT]),
            ("ORDERS", "SECOND", 10, self.values[ORDERS_10S]),
            ("ORDERS", "DAY", 1, self.values[ORDERS_1D]),
            ("RAW_REQUESTS", "MINUTE", 5, 300_000),
        )
        keys = ("rateLimitType", "interval", "intervalNum", "limit")
        return [dict(zip(keys, row, strict=True)) for row in rows]

    def _window(self, name: str) -> Window:
        return Window(self.values[name], {WEIGHT: _MINUTE, ORDERS_10S: 10, ORDERS_1D: _DAY}[name])

    def _ban(self, client: str, now: int) -> None:
        bans = self._bans.get(client, 0)
        seconds = min(_FIRST_BAN_SECONDS * 2**bans, _LONGEST_BAN_SECONDS)
        self._bans[client] = bans + 1
        self._banned_until[client] = now + seconds * 1_000_000
        raise banned(seconds, self._banned_until[client])


def too_much_weight(limit: int, retry_after: int) -> BinanceError:
    message = (
        f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
        "Please use WebSocket Streams for live updates to avoid polling the API."
    )
    return BinanceError(-1003, message, 429, headers={"Retry-After": str(retry_after)})


def banned(retry_after: int, until: int) -> BinanceError:
    message = (
        f"Way too much request weight used; IP banned until {until // 1000}. "
        "Please use WebSocket Streams for live updates to avoid bans."
    )
    return BinanceError(-1003, message, 418, headers={"Retry-After": str(retry_after)})
