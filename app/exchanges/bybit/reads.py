"""What can be asked of Bybit: markets and prices, the account, and orders, open ones apart from past ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from app.domain.accounts import Balance, Grant, Permissions, Position
from app.domain.errors import ExchangeError, OrderDenied, OrderNotFound, RateLimited
from app.domain.markets import Candle, Market, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport
from app.exchanges import presets
from app.exchanges.budget import Charge, Scope
from app.exchanges.bybit import parse, wire
from app.exchanges.bybit.parse import Row, parse_order
from app.exchanges.history import pages
from app.exchanges.presets import PRESET_PREFIX, Preset
from app.exchanges.receipts import PresetExchange, given
from app.exchanges.rest import Endpoint, Fault, milliseconds, to_milliseconds
from app.exchanges.transport import Answer, WireRequest

Parsed = TypeVar("Parsed")
Params = dict[str, Any]

_DATED = datetime.min.replace(tzinfo=UTC)


class BybitReads(PresetExchange):
    """The questions to one unified trading account."""

    name = "bybit"
    title = "Bybit"
    capabilities = wire.CAPABILITIES
    credential_fields = wire.CREDENTIAL_FIELDS
    base_urls = wire.SPOT_URLS
    regions = wire.REGIONS
    limits = wire.LIMITS
    client_id_pattern = wire.CLIENT_ID
    client_id_rule = wire.CLIENT_ID_RULE

    # -- the wire ----------------------------------------------------------------------------------------------

    def _sign(self, endpoint: Endpoint, params: Mapping[str, Any]) -> WireRequest:
        return wire.build(endpoint, params, self._credential, self._now_ms())

    def _fault(self, answer: Answer) -> Fault | None:
        return wire.bar_in(answer) or wire.fault_in(answer, self._now_ms())

    def _usage(self, headers: Mapping[str, str]) -> Iterable[tuple[str, int]]:
        """The headers do not say which endpoint they count; of these only the one that was called is looked at."""
        most, left = headers.get(wire.LIMIT_HEADER, ""), headers.get(wire.LEFT_HEADER, "")
        if most.isdigit() and left.isdigit():
            for limit in self.limits[1:]:
                yield limit.name, int(most) - int(left)

    def _limited_scope(self, error: RateLimited, charges: Sequence[Charge]) -> Scope:
        return Scope.ADDRESS if error.http_status == 403 else super()._limited_scope(error, charges)

    def _ask(
        self,
        endpoint: Endpoint,
        params: Mapping[str, Any] | None = None,
        read: Callable[[Any], Parsed] = lambda data: data,
    ) -> Parsed:
        """One call, read from what stands under ``result``."""
        return self._call(endpoint, params, lambda answer: read(answer["result"]))

    # -- markets and prices ------------------------------------------------------------------------------------

    def server_time(self) -> datetime:
        return self._call(wire.TIME, parse=lambda answer: milliseconds(answer["time"]))

    def _fetch_markets(self) -> list[Market]:
        return self._ask(
            wire.INSTRUMENTS, wire.SPOT, lambda data: [parse.parse_market(row) for row in data["list"]]
        )

    def ticker(self, symbol: str) -> Ticker:
        return self._tickers({"symbol": theirs(symbol)}, lambda _: symbol)[symbol]

    def tickers(self, symbols: Iterable[str] | None = None) -> dict[str, Ticker]:
        if symbols is None:
            return self._tickers({}, self._symbol)
        wanted = {theirs(symbol): symbol for symbol in symbols}
        if len(wanted) < 2:
            return {symbol: self.ticker(symbol) for symbol in wanted.values()}
        return self._tickers({}, wanted.get)

    def _tickers(self, params: Params, naming: Callable[[str], str | None]) -> dict[str, Ticker]:
        """The tickers of the markets that ``naming`` has a name for."""

        def read(answer: Any) -> dict[str, Ticker]:
            at = milliseconds(answer["time"])
            named = ((naming(row["symbol"]), row) for row in answer["result"]["list"])
            return {symbol: parse.parse_ticker(row, symbol, at) for symbol, row in named if symbol}

        return self._call(wire.TICKERS, wire.SPOT | params, read)

    def order_book(self, symbol: str, depth: int) -> OrderBook:
        levels = max(1, min(depth, wire.MAX_DEPTH))
        return self._ask(
            wire.ORDER_BOOK,
            {**wire.SPOT, "symbol": theirs(symbol), "limit": levels},
            lambda data: parse.parse_order_book(data, symbol),
        )

    def candles(
        self, symbol: str, interval: str, since: datetime | None = None, limit: int | None = None
    ) -> list[Candle]:
        if interval not in wire.INTERVALS:
            raise OrderDenied.because("interval", f"{self.name} has no candles of {interval}")
        word, span = wire.INTERVALS[interval]
        most = limit or wire.USUAL_CANDLES

        def fetch(start: int | None, end: int | None, rows: int) -> list[Candle]:
            times = {name: at for name, at in (("start", start), ("end", end)) if at is not None}
            return self._ask(
                wire.KLINE,
                {**wire.SPOT, "symbol": theirs(symbol), "interval": word, "limit": rows, **times},
                lambda data: [parse.parse_candle(row) for row in reversed(data["list"])],
            )

        return pages(
            fetch,
            lambda candle: candle.at,
            since,
            most,
            page=wire.MAX_CANDLES,
            window=span * min(most, wire.MAX_CANDLES),
        )

    # -- the account -------------------------------------------------------------------------------------------

    def balances(self) -> dict[str, Balance]:
        return self._ask(wire.WALLET, {"accountType": wire.ACCOUNT_TYPE}, parse.parse_balances)

    def _permissions(self) -> tuple[Permissions, Grant]:
        try:
            return self._ask(wire.KEY, read=parse.parse_permissions)
        except ExchangeError:  # the balances were read, so the key works; what else it may do stays unknown
            return Permissions(read=Grant.YES), Grant.UNKNOWN

    def positions(self) -> list[Position]:
        return self._ask(wire.POSITIONS, wire.LINEAR, parse.parse_positions)

    def futures_balances(self) -> dict[str, Balance]:
        """See `Exchange.futures_balances`. One wallet backs spot and futures: told is what futures tie up of it."""
        return self._ask(wire.WALLET, {"accountType": wire.ACCOUNT_TYPE}, parse.parse_futures_balances)

    # -- looking up --------------------------------------------------------------------------------------------

    def get_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        return self._with_exits(self._find(symbol, exchange_order_id, client_order_id))

    def _find(self, symbol: str, exchange_order_id: str | None, client_order_id: str | None) -> OrderReport:
        """An order by either id; an exit that is not born yet goes by the name of its preset."""
        if exchange_order_id is None:
            return self._record(symbol, {"orderLinkId": given(client_order_id)})
        if not exchange_order_id.startswith(PRESET_PREFIX):
            return self._placed(symbol, exchange_order_id)
        preset = Preset.named(exchange_order_id)
        return self._children(self._placed(symbol, preset.entry_id), [preset])[0]

    def _placed(self, symbol: str, exchange_order_id: str) -> OrderReport:
        return self._record(symbol, {"orderId": exchange_order_id})

    def _record(self, symbol: str, order_id: Mapping[str, str]) -> OrderReport:
        """One order: among the open and the latest ones, else in the history, which is late."""
        for endpoint in (wire.ORDER, wire.PAST_ORDERS):
            found = self._ask(
                endpoint,
                {**wire.SPOT, **order_id},
                lambda data: [parse_order(row, symbol) for row in data["list"]],
            )
            if found:
                return found[0]
        raise OrderNotFound(self.name, "no such order")

    def _with_exits(self, entry: OrderReport) -> OrderReport:
        """An entry with the exits that its record names."""
        asked = None if entry.trigger_price is not None else presets.told(entry, wire.PRESETS)
        return replace(entry, children=self._children(entry, asked)) if asked else entry

    def _children(self, entry: OrderReport, asked: Sequence[Preset]) -> tuple[OrderReport, ...]:
        return presets.children(entry, asked, milliseconds(self._now_ms()), self._born_since(entry))

    def _born_since(self, entry: OrderReport) -> Iterator[list[OrderReport]]:
        """See `PresetExchange._born_since`. They are made once the entry has executed, so none is there before."""
        if not entry.status.is_final:
            return
        yield _nobodys(self._open(entry.symbol))
        yield _nobodys(self._ended(entry.symbol))
        since = (entry.updated_at or _DATED) - timedelta(seconds=1)
        yield _nobodys(self._past(entry.symbol, since, until=since + presets.GIVEN_UP_AFTER))

    # -- lists -------------------------------------------------------------------------------------------------

    def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        return self._open(symbol)

    def order_history(
        self, symbol: str, since: datetime | None = None, limit: int | None = None
    ) -> list[OrderReport]:
        """See `Exchange.order_history`. The history is late, so the orders that have just ended are asked for, too."""
        most = limit or wire.ORDERS_PAGE if since is None else None
        found = [*self._past(symbol, since, most), *self._ended(symbol, most), *self._open(symbol)]
        oldest_first = sorted(
            {order.exchange_order_id: order for order in found}.values(),
            key=lambda order: order.created_at or _DATED,
        )
        if since is None:
            return oldest_first[-(limit or wire.ORDERS_PAGE) :]
        return [order for order in oldest_first if (order.created_at or _DATED) >= since][:limit]

    def fills(
        self,
        symbol: str,
        since: datetime | None = None,
        limit: int | None = None,
        *,
        exchange_order_id: str | None = None,
    ) -> list[Fill]:
        def read(row: Row) -> Fill:
            return parse.parse_fill(row, symbol)

        params: Params = {"symbol": theirs(symbol)}
        if exchange_order_id is not None:  # Bybit takes no times beside an order
            params["orderId"], since = exchange_order_id, None
        if since is None:
            found = self._rows(wire.FILLS, params, wire.FILLS_PAGE, read, limit or wire.FILLS_PAGE)[::-1]
            return found[-(limit or wire.FILLS_PAGE) :]
        return self._since(wire.FILLS, params, wire.FILLS_PAGE, read, since)[:limit]

    def _open(self, symbol: str | None = None) -> list[OrderReport]:
        """Open orders of all kinds, of one market or of all."""
        params = {} if symbol is None else {"symbol": theirs(symbol)}
        return self._rows(wire.ORDERS, params, wire.ORDERS_PAGE, self._reading(symbol))

    def _ended(self, symbol: str, most: int | None = None) -> list[OrderReport]:
        """The latest orders that have ended, of the five hundred that Bybit keeps at hand."""
        params = {"symbol": theirs(symbol), "openOnly": 1}
        return self._rows(wire.ORDERS, params, wire.ORDERS_PAGE, self._reading(symbol), most)

    def _past(
        self, symbol: str, since: datetime | None, most: int | None = None, until: datetime | None = None
    ) -> list[OrderReport]:
        """The history: the latest of it, or from one time to another, which is now unless given."""
        params, read = {"symbol": theirs(symbol)}, self._reading(symbol)
        if since is None:
            return self._rows(wire.PAST_ORDERS, params, wire.ORDERS_PAGE, read, most)
        return self._since(wire.PAST_ORDERS, params, wire.ORDERS_PAGE, read, since, until)

    def _reading(self, symbol: str | None) -> Callable[[Row], OrderReport]:
        """Never a look-up that may fetch when the market is known: its failure would pass for the order's."""
        naming = self._symbol if symbol is None else lambda _: symbol
        return lambda row: parse_order(row, naming(row["symbol"]))

    def _since(
        self,
        endpoint: Endpoint,
        params: Params,
        page: int,
        read: Callable[[Row], Parsed],
        since: datetime,
        until: datetime | None = None,
    ) -> list[Parsed]:
        """Rows oldest first, a stretch of time after another."""
        found: list[Parsed] = []
        now = datetime.now(UTC)
        start = max(since, now - wire.HISTORY)
        while start <= (until or now):
            end = start + wire.WINDOW
            times = {"startTime": to_milliseconds(start), "endTime": to_milliseconds(end) - 1}
            found += self._rows(endpoint, params | times, page, read)[::-1]
            start = end
        return found

    def _rows(
        self,
        endpoint: Endpoint,
        params: Params,
        page: int,
        read: Callable[[Row], Parsed],
        most: int | None = None,
    ) -> list[Parsed]:
        """Rows newest first, page after page, until there are no more or there are enough."""
        found: list[Parsed] = []
        further: Params = {}
        while True:
            rows, cursor = self._ask(
                endpoint,
                {**wire.SPOT, **params, "limit": page, **further},
                lambda data: ([read(row) for row in data["list"]], data.get("nextPageCursor")),
            )
            found += rows
            if not cursor or len(rows) < page or (most is not None and len(found) >= most):
                return found
            further = {"cursor": cursor}


def theirs(symbol: str) -> str:
    """Bybit's name of a market: the two assets without anything between them."""
    return symbol.replace("/", "")


def _nobodys(orders: Iterable[OrderReport]) -> list[OrderReport]:
    """The exits among some orders that Bybit made itself: nobody named them, and what nobody names it numbers."""
    return [
        order
        for order in orders
        if order.trigger_price is not None and (order.client_order_id or "0").isdigit()
    ]
