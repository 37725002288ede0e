"""What can be asked of Coinbase: markets and prices, the account, and orders.

There is no look-up by client id: the orders of the market are gone through, as far back as is declared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

from app.domain.accounts import Balance, Grant, Permissions, Position
from app.domain.errors import AuthenticationFailed, OrderDenied, OrderNotFound
from app.domain.markets import Candle, Market, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport
from app.exchanges.coinbase import parse, wire
from app.exchanges.coinbase.parse import Row, theirs
from app.exchanges.coinbase.tokens import NotAKey, Signer
from app.exchanges.history import pages
from app.exchanges.receipts import ReceiptExchange, given
from app.exchanges.rest import Endpoint, Fault, milliseconds
from app.exchanges.transport import Answer, WireRequest

Parsed = TypeVar("Parsed")
Params = dict[str, Any]

_DATED = datetime.min.replace(tzinfo=UTC)


class CoinbaseReads(ReceiptExchange):
    """The questions to one portfolio: a key is bound to one."""

    name = "coinbase"
    title = "Coinbase"
    capabilities = wire.CAPABILITIES
    credential_fields = wire.CREDENTIAL_FIELDS
    base_urls = wire.URLS
    limits = wire.LIMITS
    client_id_pattern = wire.CLIENT_ID
    client_id_rule = wire.CLIENT_ID_RULE

    _signer: Signer | None = None

    # -- the wire ----------------------------------------------------------------------------------------------

    def _call(
        self,
        endpoint: Endpoint,
        params: Mapping[str, Any] | None = None,
        parse: Callable[[Any], Parsed] = lambda data: data,
        *,
        market: str = "",
    ) -> Parsed:
        """One answered question. A token is refused for its time in the words of a wrong key: then the clock is set."""
        try:
            return super()._call(endpoint, params, parse, market=market)
        except AuthenticationFailed as refused:
            if not endpoint.signed or refused.http_status is None:
                raise
            self._synchronise()
            return super()._call(endpoint, params, parse, market=market)

    def _sign(self, endpoint: Endpoint, params: Mapping[str, Any]) -> WireRequest:
        signer = self._signing() if endpoint.signed else None
        return wire.build(endpoint, params, signer, self._now_ms())

    def _signing(self) -> Signer | None:
        if self._signer is None and self._credential is not None:
            try:
                self._signer = Signer(self._credential.api_key, self._credential.api_secret)
            except NotAKey as reason:
                raise AuthenticationFailed(
                    self.name,
                    str(reason),
                    remedy="Copy the private key whole, with its first and last line where it has them.",
                ) from None
        return self._signer

    def _fault(self, answer: Answer) -> Fault | None:
        return wire.fault_in(answer)

    # -- markets and prices ------------------------------------------------------------------------------------

    def server_time(self) -> datetime:
        return self._call(wire.TIME, parse=lambda data: milliseconds(data["epochMillis"]))

    def _fetch_markets(self) -> list[Market]:
        return self._products(parse.parse_market)

    def _products(self, read: Callable[[Row], Parsed]) -> list[Parsed]:
        return self._call(
            wire.PRODUCTS,
            {"product_type": wire.SPOT},
            lambda data: [read(row) for row in data["products"] if _is_spot(row)],
        )

    def ticker(self, symbol: str) -> Ticker:
        """See `Exchange.ticker`: the last trade and the best of the book, without the figures of the day."""
        return self._call(
            _of(wire.TICKER, theirs(symbol)), {"limit": 1}, lambda data: parse.parse_ticker(data, symbol)
        )

    def tickers(self, symbols: Iterable[str] | None = None) -> dict[str, Ticker]:
        """See `Exchange.tickers`: last prices and volumes."""
        wanted = None if symbols is None else set(symbols)
        if wanted is not None and len(wanted) < 2:
            return {symbol: self.ticker(symbol) for symbol in wanted}
        now = datetime.now(UTC)
        found = self._products(lambda row: parse.parse_product_ticker(row, now))
        return {ticker.symbol: ticker for ticker in found if wanted is None or ticker.symbol in wanted}

    def order_book(self, symbol: str, depth: int) -> OrderBook:
        levels = max(1, min(depth, wire.MAX_DEPTH))
        return self._call(
            wire.BOOK,
            {"product_id": theirs(symbol), "limit": levels},
            lambda data: parse.parse_order_book(data, symbol),
        )

    def candles(
        self, symbol: str, interval: str, since: datetime | None = None, limit: int | None = None
    ) -> list[Candle]:
        if interval not in wire.INTERVALS:
            raise OrderDenied.because("interval", f"{self.name} has no candles of {interval}")
        granularity, span = wire.INTERVALS[interval]
        most = limit or wire.USUAL_CANDLES

        def fetch(start: int | None, end: int | None, rows: int) -> list[Candle]:
            """Both ends are required, in seconds."""
            until = datetime.now(UTC) if end is None else milliseconds(end)
            beginning = until - span * rows + timedelta(seconds=1) if start is None else milliseconds(start)
            times = {"start": int(beginning.timestamp()), "end": int(until.timestamp())}
            found = self._call(
                _of(wire.CANDLES, theirs(symbol)),
                {"granularity": granularity, "limit": rows, **times},
                lambda data: [parse.parse_candle(row) for row in data["candles"]],
            )
            return sorted(found, key=lambda candle: candle.at)[-rows:]

        window = span * min(most, wire.MAX_CANDLES)
        return pages(fetch, lambda candle: candle.at, since, most, page=wire.MAX_CANDLES, window=window)

    # -- the account -------------------------------------------------------------------------------------------

    def balances(self) -> dict[str, Balance]:
        return parse.summed(self._pages(wire.ACCOUNTS, {}, "accounts", parse.parse_wallet))

    def _permissions(self) -> tuple[Permissions, Grant]:
        return self._call(wire.KEY, parse=parse.parse_permissions)

    def positions(self) -> list[Position]:
        """Refused: there are no futures margined in USDT."""
        raise OrderDenied.because("futures", f"{self.name} has no futures margined in USDT")

    def futures_balances(self) -> dict[str, Balance]:
        """Refused: there are no futures margined in USDT."""
        raise OrderDenied.because("futures", f"{self.name} has no futures margined in USDT")

    # -- looking up --------------------------------------------------------------------------------------------

    def get_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """See `Exchange.get_order`. A bracket is told as a pair, and a leg of it by its own id."""
        if exchange_order_id is None:
            return self._with_exits(self._by_client_id(symbol, given(client_order_id)))
        order = self._order(parse.order_number(exchange_order_id))
        if order.exchange_order_id == exchange_order_id:
            return self._with_exits(order)
        leg = next((leg for leg in order.children if leg.exchange_order_id == exchange_order_id), None)
        return leg or self._exit_of_entry(order, exchange_order_id)

    def _order(self, number: str) -> OrderReport:
        return self._call(_of(wire.GET_ORDER, number), parse=lambda data: self._parsed(data["order"]))

    def _parsed(self, row: Row) -> OrderReport:
        return parse.parse_order(row, self._markets.get(parse.ours(row["product_id"])))

    def _by_client_id(self, symbol: str, client_order_id: str) -> OrderReport:
        since = datetime.now(UTC) - wire.LOOKED_BACK
        for order in [*self._orders(symbol, since), *self._open(symbol)]:
            if order.client_order_id == client_order_id:
                return order
        raise OrderNotFound(self.name, "no such order among the latest")

    def _with_exits(self, entry: OrderReport) -> OrderReport:
        """An entry with the bracket that it carries: as that rests, or as it was asked for while it has no id."""
        if entry.children:
            return entry
        number = entry.raw.get("attached_order_id")
        if not number:
            return replace(entry, children=parse.unborn(entry))
        try:
            return replace(entry, children=parse.exits_of(self._order(str(number)), entry))
        except OrderNotFound:
            return replace(entry, children=parse.unborn(entry))

    def _exit_of_entry(self, entry: OrderReport, exchange_order_id: str) -> OrderReport:
        """An exit that was named after its entry, while it had no id: told under its own by now, if it has any."""
        is_stop = exchange_order_id.startswith(parse.STOP_PREFIX)
        exits = self._with_exits(entry).children
        if not exits:
            raise OrderNotFound(self.name, "no such order")
        return exits[0 if is_stop else 1]

    # -- lists -------------------------------------------------------------------------------------------------

    def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        return [order for order in parse.legs(self._open(symbol)) if not order.status.is_final]

    def _open(self, symbol: str | None) -> list[OrderReport]:
        where = {} if symbol is None else {"product_ids": theirs(symbol)}
        return self._pages(wire.ORDERS, {"order_status": "OPEN", **where}, "orders", self._parsed)

    def _orders(self, symbol: str, since: datetime | None, most: int | None = None) -> list[OrderReport]:
        """Orders of one market in every state, brackets whole."""
        params = {"product_ids": theirs(symbol), **_beginning("start_date", since)}
        return self._pages(wire.ORDERS, params, "orders", self._parsed, most)

    def order_history(
        self, symbol: str, since: datetime | None = None, limit: int | None = None
    ) -> list[OrderReport]:
        most = None if since is not None else limit or wire.PAGE
        found = parse.legs(self._orders(symbol, since, most))
        oldest_first = sorted(found, key=lambda order: order.created_at or _DATED)
        return oldest_first[:limit] if since is not None else oldest_first[-(limit or wire.PAGE) :]

    def fills(
        self,
        symbol: str,
        since: datetime | None = None,
        limit: int | None = None,
        *,
        exchange_order_id: str | None = None,
    ) -> list[Fill]:
        params: Params = {"product_ids": theirs(symbol), **_beginning("start_sequence_timestamp", since)}
        if exchange_order_id is not None:
            params["order_ids"] = parse.order_number(exchange_order_id)
        most = None if since is not None else limit or wire.PAGE
        found = self._pages(wire.FILLS, params, "fills", parse.parse_fill, most)
        oldest_first = sorted(found, key=lambda fill: fill.at or _DATED)
        return oldest_first[:limit] if since is not None else oldest_first[-(limit or wire.PAGE) :]

    def _pages(
        self,
        endpoint: Endpoint,
        params: Params,
        name: str,
        read: Callable[[Row], Parsed],
        most: int | None = None,
    ) -> list[Parsed]:
        """Rows page after page, until there are no more or there are enough."""
        found: list[Parsed] = []
        cursor = ""
        while True:
            more = {"cursor": cursor} if cursor else {}
            rows, cursor = self._call(
                endpoint,
                {**params, "limit": wire.PAGE, **more},
                lambda data: ([read(row) for row in data[name]], str(data.get("cursor") or "")),
            )
            found += rows
            if not cursor or not rows or (most is not None and len(found) >= most):
                return found


def _of(endpoint: Endpoint, number: str) -> Endpoint:
    """An endpoint whose path names one thing."""
    return replace(endpoint, path=endpoint.path.format(quote(number, safe="")))


def _is_spot(row: Row) -> bool:
    return bool(row.get("product_type", wire.SPOT) == wire.SPOT)


def _beginning(name: str, since: datetime | None) -> Params:
    if since is None:
        return {}
    return {name: since.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")}
