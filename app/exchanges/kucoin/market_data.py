"""The public half of the KuCoin client: markets and prices, and the flow of its requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar

from app.domain.errors import AuthenticationFailed, ExchangeError, OrderDenied, RateLimited
from app.domain.markets import Candle, Market, OrderBook, Ticker
from app.exchanges.budget import Charge, Scope
from app.exchanges.history import pages
from app.exchanges.kucoin import wire
from app.exchanges.kucoin.parse import parse_candle, parse_market, parse_order_book, parse_ticker
from app.exchanges.rest import Endpoint, Fault, RestExchange, milliseconds
from app.exchanges.transport import Answer, WireRequest

Parsed = TypeVar("Parsed")

_SECOND = 1000


class MarketData(RestExchange):
    """What can be asked of KuCoin without an account, and how anything is asked."""

    name = "kucoin"
    base_urls = wire.SPOT_URLS
    other_urls = wire.OTHER_URLS
    limits = wire.LIMITS

    #: Nothing but an answer tells of which version a key is: the newest is tried first.
    _key_version = wire.KEY_VERSION

    # -- the wire ----------------------------------------------------------------------------------------------

    def _sign(self, endpoint: Endpoint, params: Mapping[str, Any]) -> WireRequest:
        return wire.build(endpoint, params, self._credential, self._now_ms(), self._key_version)

    def _once(
        self, endpoint: Endpoint, params: Mapping[str, Any], parse: Callable[[Any], Parsed], market: str
    ) -> Parsed:
        """A refused key version proves that nothing was done: the older one is tried, and kept when it is right."""
        version = self._key_version
        try:
            return super()._once(endpoint, params, parse, market)
        except AuthenticationFailed as refused:
            if refused.code != wire.WRONG_KEY_VERSION or version == wire.OLDER_KEY_VERSION:
                raise
            self._key_version = wire.OLDER_KEY_VERSION
            return super()._once(endpoint, params, parse, market)

    def _read(self, answer: Answer, parse: Callable[[Any], Parsed], writes: bool) -> Parsed:
        return super()._read(answer, lambda envelope: parse(envelope["data"]), writes)

    def _fault(self, answer: Answer) -> Fault | None:
        return wire.fault_in(answer)

    def _error_in(self, answer: Answer, writes: bool) -> ExchangeError | None:
        if wire.shut_out(answer):
            return self._raised(wire.SHUT_OUT, answer, writes)
        return super()._error_in(answer, writes)

    def _usage(self, headers: Mapping[str, str]) -> Iterable[tuple[str, int]]:
        """The headers tell of the pool of their call without naming it; only that one is looked at."""
        left = wire.left(headers)
        return () if left is None else [(limit.name, limit.capacity - left) for limit in wire.POOLS]

    def _limited_scope(self, error: RateLimited, charges: Sequence[Charge]) -> Scope:
        return Scope.ADDRESS if error.code == wire.SHUT_OUT.code else super()._limited_scope(error, charges)

    # -- markets and prices ------------------------------------------------------------------------------------

    def server_time(self) -> datetime:
        return self._call(wire.TIME, parse=milliseconds)

    def _fetch_markets(self) -> list[Market]:
        return self._call(wire.SYMBOLS, parse=lambda rows: [parse_market(row) for row in rows])

    def ticker(self, symbol: str) -> Ticker:
        return self._call(
            wire.STATS,
            {"symbol": self._theirs(symbol)},
            lambda row: parse_ticker(row, symbol, row["time"]),
        )

    def tickers(self, symbols: Iterable[str] | None = None) -> dict[str, Ticker]:
        """Of all markets in one call, which costs what a single one does."""
        ours = None if symbols is None else {self._theirs(symbol): symbol for symbol in symbols}
        if ours == {}:
            return {}

        def read(data: Any) -> dict[str, Ticker]:
            found = {}
            for row in data["ticker"]:
                symbol = self._symbol(row["symbol"]) if ours is None else ours.get(row["symbol"])
                if symbol is not None:
                    found[symbol] = parse_ticker(row, symbol, data["time"])
            return found

        return self._call(wire.ALL_TICKERS, parse=read)

    def order_book(self, symbol: str, depth: int) -> OrderBook:
        levels = max(1, min(depth, wire.MAX_DEPTH))
        return self._call(
            wire.BOOK_20 if levels <= 20 else wire.BOOK_100,
            {"symbol": self._theirs(symbol)},
            lambda data: parse_order_book(data, symbol, levels),
        )

    def candles(
        self, symbol: str, interval: str, since: datetime | None = None, limit: int | None = None
    ) -> list[Candle]:
        if interval not in wire.INTERVALS:
            raise OrderDenied.because("interval", f"{self.name} has no candles of {interval}")
        word, length = wire.INTERVALS[interval]
        wanted = min(limit or wire.USUAL_CANDLES, wire.MAX_CANDLES)

        def fetch(start: int | None, end: int | None, rows: int) -> list[Candle]:
            """What ends now when no start is told; KuCoin tells the newest first."""
            end = self._now_ms() if end is None else end
            first = end - rows * _ms(length) if start is None else start
            params = {
                "symbol": self._theirs(symbol),
                "type": word,
                "startAt": first // _SECOND,
                "endAt": end // _SECOND + 1,
            }
            found = self._call(
                wire.CANDLES, params, lambda data: [parse_candle(row) for row in reversed(data)]
            )
            return found[-rows:] if start is None else found[:rows]

        return pages(
            fetch,
            lambda candle: candle.at,
            since,
            limit or wire.USUAL_CANDLES,
            page=wire.MAX_CANDLES,
            window=wanted * length,
        )

    def _theirs(self, symbol: str) -> str:
        """KuCoin's name of a market, without asking for the markets when they are not known."""
        market = self._markets.get(symbol)
        return symbol.replace("/", "-") if market is None else market.exchange_symbol


def _ms(span: timedelta) -> int:
    return span // timedelta(milliseconds=1)
