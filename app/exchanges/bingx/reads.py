"""What can be asked of BingX: markets and prices, the account, and orders."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from app.domain.accounts import Balance, Position
from app.domain.errors import OrderDenied, RateLimited
from app.domain.markets import Candle, Market, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport
from app.exchanges.bingx import parse, wire
from app.exchanges.bingx.parse import Row, parse_order
from app.exchanges.budget import Charge, Scope
from app.exchanges.history import pages
from app.exchanges.presets import typed
from app.exchanges.receipts import ReceiptExchange, given
from app.exchanges.rest import Endpoint, Fault, milliseconds, to_milliseconds
from app.exchanges.transport import Answer, WireRequest

Parsed = TypeVar("Parsed")
Params = dict[str, Any]

_DATED = datetime.min.replace(tzinfo=UTC)


class BingXReads(ReceiptExchange):
    """The questions to one BingX account."""

    name = "bingx"
    title = "BingX"
    capabilities = wire.CAPABILITIES
    credential_fields = wire.CREDENTIAL_FIELDS
    base_urls = wire.SPOT_URLS
    limits = wire.LIMITS
    client_id_pattern = wire.CLIENT_ID
    client_id_rule = wire.CLIENT_ID_RULE

    # -- the wire ----------------------------------------------------------------------------------------------

    def _sign(self, endpoint: Endpoint, params: Mapping[str, Any]) -> WireRequest:
        return wire.build(endpoint, params, self._credential, self._now_ms())

    def _fault(self, answer: Answer) -> Fault | None:
        return wire.fault_in(answer, self._now_ms())

    def _usage(self, headers: Mapping[str, str]) -> Iterable[tuple[str, int]]:
        """The header does not say which endpoint it counts; of these only the one that was called is looked at."""
        left = headers.get(wire.LEFT_HEADER, "")
        if left.isdigit():
            for limit in self.limits:
                if limit.scope is Scope.ACCOUNT:
                    yield limit.name, limit.capacity - int(left)

    def _limited_scope(self, error: RateLimited, charges: Sequence[Charge]) -> Scope:
        return Scope.ADDRESS if error.http_status == wire.BANNED else super()._limited_scope(error, charges)

    def _ask(
        self,
        endpoint: Endpoint,
        params: Mapping[str, Any] | None = None,
        read: Callable[[Any], Parsed] = lambda data: data,
    ) -> Parsed:
        """One call, read from what stands under ``data``."""
        return self._call(endpoint, params, lambda answer: read(answer["data"]))

    # -- markets and prices ------------------------------------------------------------------------------------

    def server_time(self) -> datetime:
        return self._ask(wire.TIME, read=lambda data: milliseconds(data["serverTime"]))

    def _fetch_markets(self) -> list[Market]:
        return self._ask(wire.SYMBOLS, read=lambda data: [parse.parse_market(row) for row in data["symbols"]])

    def ticker(self, symbol: str) -> Ticker:
        return self._ask(
            wire.TICKERS, {"symbol": theirs(symbol)}, lambda rows: parse.parse_ticker(rows[0], symbol)
        )

    def tickers(self, symbols: Iterable[str] | None = None) -> dict[str, Ticker]:
        wanted = None if symbols is None else set(symbols)
        if wanted is not None and len(wanted) < 2:
            return {symbol: self.ticker(symbol) for symbol in wanted}

        def read(rows: Iterable[Row]) -> dict[str, Ticker]:
            named = ((ours(row["symbol"]), row) for row in rows)
            return {
                symbol: parse.parse_ticker(row, symbol)
                for symbol, row in named
                if wanted is None or symbol in wanted
            }

        return self._ask(wire.TICKERS, read=read)

    def order_book(self, symbol: str, depth: int) -> OrderBook:
        levels = max(1, min(depth, wire.MAX_DEPTH))
        return self._ask(
            wire.DEPTH,
            {"symbol": theirs(symbol), "limit": levels},
            lambda data: parse.parse_order_book(data, symbol, levels),
        )

    def candles(
        self, symbol: str, interval: str, since: datetime | None = None, limit: int | None = None
    ) -> list[Candle]:
        """See `Exchange.candles`. Days begin at midnight UTC, which BingX has to be told."""
        if interval not in wire.INTERVALS:
            raise OrderDenied.because("interval", f"{self.name} has no candles of {interval}")
        most = limit or wire.USUAL_CANDLES

        def fetch(start: int | None, end: int | None, rows: int) -> list[Candle]:
            # The candle that opens at startTime itself is left out.
            times = {} if start is None else {"startTime": max(0, start - 1), "endTime": end}
            asked = {"symbol": theirs(symbol), "interval": interval, "limit": rows, "timeZone": 0, **times}
            return self._ask(wire.KLINES, asked, parse.parse_candles)

        return pages(
            fetch,
            lambda candle: candle.at,
            since,
            most,
            page=wire.MAX_CANDLES,
            window=wire.INTERVALS[interval] * min(most, wire.MAX_CANDLES),
        )

    # -- the account -------------------------------------------------------------------------------------------

    def balances(self) -> dict[str, Balance]:
        return self._ask(wire.BALANCES, read=parse.parse_balances)

    def positions(self) -> list[Position]:
        return self._ask(wire.POSITIONS, read=parse.parse_positions)

    def futures_balances(self) -> dict[str, Balance]:
        return self._ask(wire.FUTURES_BALANCES, read=parse.parse_futures_balances)

    # -- looking up --------------------------------------------------------------------------------------------

    def get_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """See `Exchange.get_order`. By its client id BingX finds an order for two hours only."""
        found = self._record(wire.ORDER, symbol, order_id(exchange_order_id, client_order_id))
        return self._typed([found])[0]

    def _placed(self, symbol: str, exchange_order_id: str) -> OrderReport:
        return self._record(wire.PLACED, symbol, order_id(exchange_order_id, None))

    def _record(self, endpoint: Endpoint, symbol: str, named: Mapping[str, str]) -> OrderReport:
        return self._ask(endpoint, {"symbol": theirs(symbol), **named}, lambda row: parse_order(row, symbol))

    def _born_since(self, entry: OrderReport) -> Iterable[Iterable[OrderReport]]:
        """See `ReceiptExchange._born_since`: no order carries exits here."""
        return ()

    def _typed(self, orders: list[OrderReport]) -> list[OrderReport]:
        """Orders, those that wait for a price told by the side of the market that they wait on."""
        waiting = {order.symbol for order in orders if _waits(order)}
        tickers = self.tickers(waiting)
        return [typed(order, tickers[order.symbol].last) if _waits(order) else order for order in orders]

    # -- lists -------------------------------------------------------------------------------------------------

    def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        params = {} if symbol is None else {"symbol": theirs(symbol)}
        return self._typed(self._ask(wire.OPEN_ORDERS, params, read_orders))

    def order_history(
        self, symbol: str, since: datetime | None = None, limit: int | None = None
    ) -> list[OrderReport]:
        most = limit or wire.ORDERS_PAGE
        found = [*self._past(symbol, since, most), *self.open_orders(symbol)]
        oldest_first = sorted(
            {order.exchange_order_id: order for order in found}.values(),
            key=lambda order: order.created_at or _DATED,
        )
        if since is None:
            return oldest_first[-most:]
        return [order for order in oldest_first if (order.created_at or _DATED) >= since][:limit]

    def _past(self, symbol: str, since: datetime | None, most: int) -> list[OrderReport]:
        """Orders that have ended: the latest so many, or all since a time; newest first, page after page."""
        params: Params = {"symbol": theirs(symbol), "pageSize": wire.ORDERS_PAGE}
        if since is not None:
            params["startTime"] = to_milliseconds(since)
        found: list[OrderReport] = []
        for index in range(1, wire.ORDERS_PAGES + 1):
            page = self._ask(wire.PAST_ORDERS, {**params, "pageIndex": index}, read_orders)
            found += page
            if len(page) < wire.ORDERS_PAGE or (since is None and len(found) >= most):
                break
        return found

    def fills(
        self,
        symbol: str,
        since: datetime | None = None,
        limit: int | None = None,
        *,
        exchange_order_id: str | None = None,
    ) -> list[Fill]:
        """See `Exchange.fills`. Without a time BingX tells of the last day, and never of more than a week."""
        params: Params = {"symbol": theirs(symbol)}
        endpoint, kept = wire.FILLS, milliseconds(self._now_ms()) - wire.FILLS_KEPT
        if exchange_order_id is not None:
            params["orderId"], endpoint, since = exchange_order_id, wire.FILLS_OF_ORDER, kept

        def fetch(start: int | None, end: int | None, rows: int) -> list[Fill]:
            times = {} if start is None else {"startTime": start}
            return self._ask(
                endpoint,
                {**params, **times, "limit": rows},
                lambda data: [parse.parse_fill(row, symbol) for row in data["fills"]],
            )

        if since is None:
            return fetch(None, None, wire.FILLS_PAGE)[-(limit or wire.FILLS_PAGE) :]
        return pages(fetch, lambda fill: fill.at, max(since, kept), limit, page=wire.FILLS_PAGE)


def read_orders(data: Row) -> list[OrderReport]:
    """The orders of a list or of a cancellation of all; none may be null."""
    return [parse_order(row, ours(row["symbol"])) for row in data["orders"] or ()]


def order_id(exchange_order_id: str | None, client_order_id: str | None) -> dict[str, str]:
    """How an order is named in look-ups and cancellations."""
    if exchange_order_id is not None:
        return {"orderId": exchange_order_id}
    return {"clientOrderID": given(client_order_id)}


def theirs(symbol: str) -> str:
    """BingX's name of a market."""
    return symbol.replace("/", "-")


def ours(exchange_symbol: str) -> str:
    """Our name of a market."""
    return exchange_symbol.replace("-", "/")


def _waits(order: OrderReport) -> bool:
    return order.trigger_price is not None and not order.status.is_final
