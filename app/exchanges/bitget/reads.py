"""What can be asked of Bitget: markets and prices, the account, and orders wherever they are kept.

Spot orders, plan orders and exits born of presets each have lists of their own; the prefix of an id says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from app.domain.accounts import Balance, Environment, Grant, Permissions, Position
from app.domain.errors import AuthenticationFailed, ExchangeError, OrderDenied, OrderNotFound
from app.domain.markets import Candle, Market, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport, OrderStatus
from app.exchanges import presets
from app.exchanges.bitget import parse, wire
from app.exchanges.bitget.parse import PLAN_PREFIX, TPSL_PREFIX, Row, parse_order
from app.exchanges.history import pages
from app.exchanges.presets import PRESET_PREFIX, Preset, typed
from app.exchanges.receipts import PresetExchange, given
from app.exchanges.rest import Endpoint, Fault, milliseconds, to_milliseconds
from app.exchanges.transport import Answer, WireRequest

Parsed = TypeVar("Parsed")
Params = dict[str, Any]

_NONE: Params = {}
_DATED = datetime.min.replace(tzinfo=UTC)


class BitgetReads(PresetExchange):
    """The questions to one classic Bitget account."""

    name = "bitget"
    title = "Bitget"
    capabilities = wire.CAPABILITIES
    credential_fields = wire.CREDENTIAL_FIELDS
    base_urls = wire.SPOT_URLS
    limits = wire.LIMITS
    client_id_pattern = wire.CLIENT_ID
    client_id_rule = wire.CLIENT_ID_RULE

    # -- the wire ----------------------------------------------------------------------------------------------

    def _sign(self, endpoint: Endpoint, params: Mapping[str, Any]) -> WireRequest:
        if endpoint.signed and self._credential is not None and not self._credential.passphrase:
            raise AuthenticationFailed(
                self.name,
                "the passphrase is missing",
                remedy="Add the passphrase chosen when the key was made.",
            )
        demo = self.environment is Environment.TESTNET
        return wire.build(endpoint, params, self._credential, self._now_ms(), demo=demo)

    def _fault(self, answer: Answer) -> Fault | None:
        return wire.fault_in(answer)

    def _usage(self, headers: Mapping[str, str]) -> Iterable[tuple[str, int]]:
        """The header does not say which endpoint it counts; of these only the one that was called is looked at."""
        left = headers.get(wire.REMAINING_HEADER, "")
        if left.isdigit():
            for limit in self.limits[1:]:
                yield limit.name, limit.capacity - int(left)

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
        return self._ask(wire.SYMBOLS, read=lambda rows: [parse.parse_market(row) for row in rows])

    def ticker(self, symbol: str) -> Ticker:
        return self._ask(
            wire.TICKERS, {"symbol": theirs(symbol)}, lambda rows: parse.parse_ticker(rows[0], symbol)
        )

    def tickers(self, symbols: Iterable[str] | None = None) -> dict[str, Ticker]:
        wanted = None if symbols is None else {theirs(symbol): symbol for symbol in symbols}
        if wanted is not None and len(wanted) < 2:
            return {symbol: self.ticker(symbol) for symbol in wanted.values()}
        naming = self._symbol if wanted is None else wanted.__getitem__
        return self._ask(
            wire.TICKERS,
            read=lambda rows: {
                ticker.symbol: ticker
                for ticker in (
                    parse.parse_ticker(row, naming(row["symbol"]))
                    for row in rows
                    if wanted is None or row["symbol"] in wanted
                )
            },
        )

    def order_book(self, symbol: str, depth: int) -> OrderBook:
        levels = max(1, min(depth, wire.MAX_DEPTH))
        return self._ask(
            wire.ORDER_BOOK,
            {"symbol": theirs(symbol), "type": "step0", "limit": levels},
            lambda data: parse.parse_order_book(data, symbol, levels),
        )

    def candles(
        self, symbol: str, interval: str, since: datetime | None = None, limit: int | None = None
    ) -> list[Candle]:
        if interval not in wire.INTERVALS:
            raise OrderDenied.because("interval", f"{self.name} has no candles of {interval}")
        granularity, span = wire.INTERVALS[interval]
        most = limit or wire.USUAL_CANDLES

        def fetch(start: int | None, end: int | None, rows: int) -> list[Candle]:
            times = {name: at for name, at in (("startTime", start), ("endTime", end)) if at is not None}
            return self._ask(
                wire.CANDLES,
                {"symbol": theirs(symbol), "granularity": granularity, "limit": rows, **times},
                lambda found: [parse.parse_candle(row) for row in found],
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
        return self._ask(wire.ASSETS, read=parse.parse_balances)

    def _permissions(self) -> tuple[Permissions, Grant]:
        try:
            return self._ask(wire.ACCOUNT_INFO, read=parse.parse_permissions)
        except ExchangeError:  # the balances were read, so the key works; demo keys may not ask for more
            return Permissions(read=Grant.YES), Grant.UNKNOWN

    def positions(self) -> list[Position]:
        params = {"productType": wire.PRODUCT_TYPE, "marginCoin": wire.MARGIN_COIN}
        return self._ask(wire.POSITIONS, params, parse.parse_positions)

    def futures_balances(self) -> dict[str, Balance]:
        return self._ask(
            wire.FUTURES_ACCOUNTS, {"productType": wire.PRODUCT_TYPE}, parse.parse_futures_balances
        )

    # -- looking up --------------------------------------------------------------------------------------------

    def get_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """See `Exchange.get_order`. Plan orders, exits and exits not yet born are known by the prefix of their id."""
        if exchange_order_id is None:
            return self._by_client_id(symbol, given(client_order_id))
        kind, number = kind_of(exchange_order_id)
        if kind == PLAN_PREFIX:
            return self._plan_order(symbol, exchange_order_id)
        if kind == TPSL_PREFIX:
            return self._exit(symbol, number)
        if kind == PRESET_PREFIX:
            return self._preset(symbol, Preset.named(exchange_order_id))
        return self._with_exits(self._placed(symbol, number))

    def _by_client_id(self, symbol: str, client_order_id: str) -> OrderReport:
        try:
            return self._with_exits(self._spot_order(symbol, {"clientOid": client_order_id}))
        except OrderNotFound as missing:
            try:
                return self._plan_order(symbol, client_order_id)
            except OrderNotFound:
                raise missing from None

    def _spot_order(self, symbol: str, order_id: Mapping[str, Any]) -> OrderReport:
        found = self._ask(wire.GET_ORDER, order_id, lambda rows: [parse_order(row, symbol) for row in rows])
        if not found:
            raise OrderNotFound(self.name, "no such order")
        return found[0]

    def _placed(self, symbol: str, exchange_order_id: str) -> OrderReport:
        return self._spot_order(symbol, {"orderId": exchange_order_id})

    def _with_exits(self, entry: OrderReport) -> OrderReport:
        """An entry with the exits it carries: those its record names, else those born with its fill."""
        asked = presets.told(entry, wire.PRESETS)
        if asked is not None:
            return replace(entry, children=self._children(entry, asked))
        if entry.status is not OrderStatus.FILLED:
            return entry
        born = [exit_ for exits in self._born_since(entry) for exit_ in exits]
        return replace(entry, children=presets.born_with(entry, born))

    def _children(self, entry: OrderReport, asked: list[Preset]) -> tuple[OrderReport, ...]:
        return presets.children(entry, asked, milliseconds(self._now_ms()), self._born_since(entry))

    def _born_since(self, entry: OrderReport) -> Iterator[list[OrderReport]]:
        """The exits born since an entry was made, from each list that may have them.

        The documentation does not say whether one that has executed is past as an exit or as a spot order.
        """
        since = {"startTime": to_milliseconds((entry.created_at or _DATED) - timedelta(seconds=1))}
        yield self._exits(wire.OPEN_ORDERS, entry.symbol, since)
        yield self._exits(wire.PAST_ORDERS, entry.symbol, since)
        past = self._orders(wire.PAST_ORDERS, entry.symbol, since)
        yield [order for order in past if order.trigger_price is not None]

    def _preset(self, symbol: str, preset: Preset) -> OrderReport:
        entry = self._placed(symbol, preset.entry_id)
        return self._children(entry, [preset])[0]

    def _exit(self, symbol: str, number: str) -> OrderReport:
        """An exit that waits, or has ended without executing, or has executed and so become a spot order."""
        name = TPSL_PREFIX + number
        for endpoint in (wire.OPEN_ORDERS, wire.PAST_ORDERS):
            for exit_ in self._exits(endpoint, symbol):
                if exit_.exchange_order_id == name:
                    return typed(exit_, self._reference(symbol, endpoint))
        return replace(self._placed(symbol, number), exchange_order_id=name)

    def _plan_order(self, symbol: str, order_id: str) -> OrderReport:
        """A plan order by either id."""
        for endpoint in (wire.OPEN_PLANS, wire.PAST_PLANS):
            for plan in self._plans(endpoint, symbol):
                if order_id in (plan.exchange_order_id, plan.client_order_id):
                    return self._followed(typed(plan, self._reference(symbol, endpoint)))
        raise OrderNotFound(self.name, "no such order")

    def _followed(self, plan: OrderReport) -> OrderReport:
        """A plan order, told by the spot order it became once it has executed."""
        if plan.raw["status"] not in wire.PLAN_EXECUTED:
            return plan
        order = self._placed(plan.symbol, self._order_of_plan(plan.exchange_order_id or ""))
        return replace(
            order,
            exchange_order_id=plan.exchange_order_id,
            client_order_id=plan.client_order_id,
            type=None,
            trigger_price=plan.trigger_price,
        )

    def _order_of_plan(self, exchange_order_id: str) -> str:
        """The id of the spot order that an executed plan order became."""
        found = self._ask(
            wire.SUB_ORDERS,
            {"planOrderId": exchange_order_id.removeprefix(PLAN_PREFIX)},
            lambda rows: [str(row["orderId"]) for row in rows],
        )
        if not found:
            raise OrderNotFound(self.name, "the plan order has placed nothing yet")
        return found[0]

    def _reference(self, symbol: str, endpoint: Endpoint) -> Decimal | None:
        """The price that tells what a waiting order waits for; nothing does once it waits no more."""
        return self.ticker(symbol).last if endpoint in (wire.OPEN_ORDERS, wire.OPEN_PLANS) else None

    # -- lists -------------------------------------------------------------------------------------------------

    def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        spot = self._orders(wire.OPEN_ORDERS, symbol)
        waiting = [*self._exits(wire.OPEN_ORDERS, symbol), *self._plans(wire.OPEN_PLANS, symbol)]
        tickers = self.tickers(order.symbol for order in waiting)
        return [*spot, *(typed(order, tickers[order.symbol].last) for order in waiting)]

    def order_history(
        self, symbol: str, since: datetime | None = None, limit: int | None = None
    ) -> list[OrderReport]:
        """See `Exchange.order_history`. A plan order that has executed is told as the spot order it became."""
        times, most = _starting(since), _most(since, limit)
        plans = self._plans(wire.PAST_PLANS, symbol, times, most)
        found = [
            *self.open_orders(symbol),
            *self._orders(wire.PAST_ORDERS, symbol, times, most),
            *self._exits(wire.PAST_ORDERS, symbol, times, most),
            *(plan for plan in plans if plan.raw["status"] not in wire.PLAN_EXECUTED),
        ]
        oldest_first = sorted(
            {order.exchange_order_id: order for order in found}.values(),
            key=lambda order: order.created_at or _DATED,
        )
        if since is None:
            return oldest_first[-(limit or wire.PAGE) :]
        return [order for order in oldest_first if (order.created_at or _DATED) >= since][:limit]

    def fills(
        self,
        symbol: str,
        since: datetime | None = None,
        limit: int | None = None,
        *,
        exchange_order_id: str | None = None,
    ) -> list[Fill]:
        params: Params = {"symbol": theirs(symbol), **_starting(since)}
        if exchange_order_id is not None:
            kind, number = kind_of(exchange_order_id)
            params["orderId"] = self._order_of_plan(number) if kind == PLAN_PREFIX else number
        newest_first = self._rows(
            wire.FILLS, params, lambda row: parse.parse_fill(row, symbol), _most(since, limit), "tradeId"
        )
        found = newest_first[::-1]
        return found[:limit] if since is not None else found[-(limit or wire.PAGE) :]

    def _orders(
        self, endpoint: Endpoint, symbol: str | None, more: Params = _NONE, most: int | None = None
    ) -> list[OrderReport]:
        """Spot orders of one market or of all."""
        params = more if symbol is None else {**more, "symbol": theirs(symbol)}
        naming = self._naming(symbol)
        return self._rows(endpoint, params, lambda row: parse_order(row, naming(row["symbol"])), most)

    def _exits(
        self, endpoint: Endpoint, symbol: str | None, more: Params = _NONE, most: int | None = None
    ) -> list[OrderReport]:
        """Exits born of presets; they are kept with the spot orders and listed apart."""
        return self._orders(endpoint, symbol, {**more, "tpslType": wire.TPSL}, most)

    def _plans(
        self, endpoint: Endpoint, symbol: str | None, more: Params = _NONE, most: int | None = None
    ) -> list[OrderReport]:
        """Plan orders of one market or of all."""
        params = more if symbol is None else {**more, "symbol": theirs(symbol)}
        naming = self._naming(symbol)
        return self._rows(endpoint, params, lambda row: parse.parse_plan(row, naming(row["symbol"])), most)

    def _naming(self, symbol: str | None) -> Callable[[str], str]:
        """Never a look-up that may fetch when the market is known: its failure would pass for the order's."""
        return self._symbol if symbol is None else lambda _: symbol

    def _rows(
        self,
        endpoint: Endpoint,
        params: Params,
        read: Callable[[Row], Parsed],
        most: int | None = None,
        id_name: str = "orderId",
    ) -> list[Parsed]:
        """Rows newest first, page after page, until there are no more or there are enough."""
        found: list[Parsed] = []
        before: Params = {}
        while True:
            ids, page = self._ask(
                endpoint, {**params, "limit": wire.PAGE, **before}, lambda data: _page(data, read, id_name)
            )
            found += page
            if len(page) < wire.PAGE or (most is not None and len(found) >= most):
                return found
            before = {"idLessThan": ids[-1]}


def _page(data: Any, read: Callable[[Row], Parsed], id_name: str) -> tuple[list[str], list[Parsed]]:
    """The ids and the rows of an answer; those of plan orders stand under ``orderList``."""
    rows: list[Row] = data["orderList"] if isinstance(data, dict) else list(data)
    return [row[id_name] for row in rows], [read(row) for row in rows]


def theirs(symbol: str) -> str:
    """Bitget's name of a market: the two assets without anything between them."""
    return symbol.replace("/", "")


def kind_of(exchange_order_id: str) -> tuple[str, str]:
    """The prefix of an id and the exchange's own number."""
    for prefix in (PLAN_PREFIX, TPSL_PREFIX, PRESET_PREFIX):
        if exchange_order_id.startswith(prefix):
            return prefix, exchange_order_id.removeprefix(prefix)
    return "", exchange_order_id


def _starting(since: datetime | None) -> Params:
    if since is None:
        return {}
    return {"startTime": to_milliseconds(max(since, datetime.now(UTC) - wire.HISTORY))}


def _most(since: datetime | None, limit: int | None) -> int | None:
    """How many rows are enough: the latest page when no time is given, else all, since the oldest come last."""
    return None if since is not None else limit or wire.PAGE
