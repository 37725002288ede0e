"""What can be asked of OKX: markets and prices, the account, and orders wherever they are kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeVar

from app.domain.accounts import Balance, Environment, Grant, Permissions, Position
from app.domain.errors import AuthenticationFailed, OrderDenied, OrderNotFound
from app.domain.markets import Candle, Market, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport
from app.exchanges.history import pages
from app.exchanges.okx import algos, parse, wire
from app.exchanges.okx.algos import AlgoId
from app.exchanges.okx.orders import ATTACHED_SUFFIX, Params
from app.exchanges.okx.parse import Row, theirs
from app.exchanges.receipts import ReceiptExchange, given
from app.exchanges.rest import Endpoint, Fault, milliseconds, to_milliseconds
from app.exchanges.transport import Answer, WireRequest

Parsed = TypeVar("Parsed")

_DATED = datetime.min.replace(tzinfo=UTC)


class OKXReads(ReceiptExchange):
    """The questions to one OKX account."""

    name = "okx"
    title = "OKX"
    capabilities = wire.CAPABILITIES
    credential_fields = wire.CREDENTIAL_FIELDS
    base_urls = wire.URLS
    regions = wire.REGIONS
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

    def _ask(
        self,
        endpoint: Endpoint,
        params: Mapping[str, Any] | None = None,
        read: Callable[[Any], Parsed] = lambda data: data,
        *,
        market: str = "",
    ) -> Parsed:
        """One call, read from what stands under ``data``."""
        return self._call(endpoint, params, lambda answer: read(answer["data"]), market=market)

    # -- markets and prices ------------------------------------------------------------------------------------

    def server_time(self) -> datetime:
        return self._ask(wire.TIME, read=lambda rows: milliseconds(rows[0]["ts"]))

    def _fetch_markets(self) -> list[Market]:
        return self._ask(
            wire.INSTRUMENTS, {"instType": wire.SPOT}, lambda rows: [parse.parse_market(row) for row in rows]
        )

    def ticker(self, symbol: str) -> Ticker:
        return self._ask(wire.TICKER, {"instId": theirs(symbol)}, lambda rows: parse.parse_ticker(rows[0]))

    def tickers(self, symbols: Iterable[str] | None = None) -> dict[str, Ticker]:
        wanted = None if symbols is None else {theirs(symbol) for symbol in symbols}
        if wanted is not None and len(wanted) < 2:
            return {ticker.symbol: ticker for ticker in (self.ticker(parse.ours(each)) for each in wanted)}
        return self._ask(
            wire.TICKERS,
            {"instType": wire.SPOT},
            lambda rows: {
                parse.ours(row["instId"]): parse.parse_ticker(row)
                for row in rows
                if wanted is None or row["instId"] in wanted
            },
        )

    def order_book(self, symbol: str, depth: int) -> OrderBook:
        levels = max(1, min(depth, wire.MAX_DEPTH))
        return self._ask(
            wire.ORDER_BOOK,
            {"instId": theirs(symbol), "sz": levels},
            lambda rows: parse.parse_order_book(rows[0], symbol),
        )

    def candles(
        self, symbol: str, interval: str, since: datetime | None = None, limit: int | None = None
    ) -> list[Candle]:
        if interval not in wire.INTERVALS:
            raise OrderDenied.because("interval", f"{self.name} has no candles of {interval}")
        bar, span = wire.INTERVALS[interval]
        most = limit or wire.USUAL_CANDLES
        is_old = since is not None and since < datetime.now(UTC) - span * wire.RECENT_CANDLES

        def fetch(start: int | None, end: int | None, rows: int) -> list[Candle]:
            """``after`` and ``before`` are times between which the candles open."""
            edges = {
                "after": None if end is None else end + 1,
                "before": None if start is None else start - 1,
            }
            times = {name: at for name, at in edges.items() if at is not None}
            newest_first = self._ask(
                wire.OLD_CANDLES if is_old else wire.CANDLES,
                {"instId": theirs(symbol), "bar": bar, "limit": rows, **times},
                lambda found: [parse.parse_candle(row) for row in found],
            )
            return newest_first[::-1]

        window = span * min(most, wire.MAX_CANDLES)
        return pages(fetch, lambda candle: candle.at, since, most, page=wire.MAX_CANDLES, window=window)

    # -- the account -------------------------------------------------------------------------------------------

    def balances(self) -> dict[str, Balance]:
        return self._ask(wire.BALANCE, read=parse.parse_balances)

    def futures_balances(self) -> dict[str, Balance]:
        return self._ask(wire.BALANCE, read=parse.parse_futures_balances)

    def _permissions(self) -> tuple[Permissions, Grant]:
        return self._ask(wire.CONFIG, read=lambda rows: parse.parse_permissions(rows[0]))

    def positions(self) -> list[Position]:
        """See `Exchange.positions`: those of swaps margined in USDT."""
        rows: list[Row] = self._ask(
            wire.POSITIONS,
            {"instType": wire.SWAP},
            lambda found: [row for row in found if row["instId"].endswith(wire.USDT_SWAP)],
        )
        sizes = {
            instrument: self._ask(
                wire.INSTRUMENTS, {"instType": wire.SWAP, "instId": instrument}, parse.parse_contract_size
            )
            for instrument in dict.fromkeys(row["instId"] for row in rows)
        }
        return parse.parse_positions(rows, sizes)

    # -- looking up --------------------------------------------------------------------------------------------

    def get_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """See `Exchange.get_order`. Algo orders, their legs and exits not yet born have ids with a prefix."""
        if exchange_order_id is None:
            return self._by_client_id(symbol, given(client_order_id))
        asked = AlgoId.read(exchange_order_id)
        if asked is None:
            return self._told(self._order(symbol, {"ordId": exchange_order_id}))
        try:
            return algos.leg_of(self._algo(asked.query), asked)
        except OrderNotFound:
            if not asked.attached:
                raise
            return self._exit_of_entry(symbol, asked)

    def _by_client_id(self, symbol: str, client_order_id: str) -> OrderReport:
        try:
            return self._told(self._order(symbol, {"clOrdId": client_order_id}))
        except OrderNotFound as missing:
            try:
                return self._algo({"algoClOrdId": client_order_id})
            except OrderNotFound:
                raise missing from None

    def _order(self, symbol: str, order_id: Mapping[str, str]) -> OrderReport:
        """An order proper, as its own record tells it."""
        params = {"instId": theirs(symbol), **order_id}
        return self._ask(
            wire.GET_ORDER, params, lambda rows: parse.parse_order(self._first(rows)), market=symbol
        )

    def _algo(self, query: Mapping[str, str]) -> OrderReport:
        """An algo order, told by the order that it placed once it has."""
        return self._followed(self._algo_record(query))

    def _algo_record(self, query: Mapping[str, str]) -> OrderReport:
        return self._ask(wire.GET_ALGO, query, lambda rows: algos.parse_algo(self._first(rows)))

    def _first(self, rows: list[Row]) -> Row:
        if not rows:
            raise OrderNotFound(self.name, "no such order")
        return rows[0]

    def _followed(self, algo: OrderReport, seen: Mapping[str, OrderReport] | None = None) -> OrderReport:
        """An executed algo order told by its order, among those ``seen`` already or asked for."""
        placed = algos.placed_orders(algo) if algos.has_executed(algo) else []
        if not placed:
            return algo
        order_id = placed[-1]
        order = (seen or {}).get(order_id) or self._order(algo.symbol, {"ordId": order_id})
        return algos.followed(algo, order)

    def _told(self, order: OrderReport) -> OrderReport:
        """An order as what a person placed: with the exits it carries, or as the algo order that placed it."""
        if order.raw.get("algoId"):
            return algos.followed(self._algo_record({"algoId": str(order.raw["algoId"])}), order)
        return replace(order, children=self._exits(order))

    def _exits(self, entry: OrderReport) -> tuple[OrderReport, ...]:
        """The exits that an entry carries, each as it rests or, until it is born, as it was asked for."""
        return tuple(exit_ for row in algos.carried_by(entry) for exit_ in self._carried(row, entry))

    def _carried(self, row: Row, entry: OrderReport) -> tuple[OrderReport, ...]:
        if entry.filled_quantity:
            with suppress(OrderNotFound):
                return algos.exits_of(self._algo({"algoClOrdId": row["algoClOrdId"]}))
        return algos.unborn(row, entry, milliseconds(self._now_ms()))

    def _exit_of_entry(self, symbol: str, asked: AlgoId) -> OrderReport:
        """An exit that is not born, as the record of its entry tells it."""
        entry = self._told(self._order(symbol, {"clOrdId": asked.number.removesuffix(ATTACHED_SUFFIX)}))
        for exit_ in entry.children:
            if exit_.exchange_order_id == str(asked):
                return exit_
        raise OrderNotFound(self.name, "no such order")

    # -- lists -------------------------------------------------------------------------------------------------

    def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        where = _of(symbol)
        orders = [self._told(parse.parse_order(row)) for row in self._rows(wire.OPEN_ORDERS, where)]
        waiting = self._algos(wire.OPEN_ALGOS, where)
        return [
            exit_
            for order in [*orders, *waiting]
            for exit_ in (algos.exits_of(order) if AlgoId.read(order.exchange_order_id or "") else (order,))
            if not exit_.status.is_final
        ]

    def order_history(
        self, symbol: str, since: datetime | None = None, limit: int | None = None
    ) -> list[OrderReport]:
        """See `Exchange.order_history`. What an algo order has placed is told once, as that algo order."""
        orders = self._orders_since(symbol, since, limit)
        where, most = _of(symbol), _most(since, limit)
        waiting = self._algos(wire.OPEN_ALGOS, where)
        for state in wire.PAST_ALGO_STATES:
            waiting += self._algos(wire.PAST_ALGOS, {**where, "state": state}, since, most)
        told = {str(order.raw.get("algoId")) for order in waiting}
        found = [order for order in orders.values() if order.raw.get("algoId", "") not in told]
        for algo in waiting:
            with suppress(OrderNotFound):  # its order was cancelled unfilled, and is forgotten
                found += algos.exits_of(self._followed(algo, orders))
        oldest_first = sorted(found, key=lambda order: order.created_at or _DATED)
        if since is None:
            return oldest_first[-(limit or wire.PAGE) :]
        return [order for order in oldest_first if (order.created_at or _DATED) >= since][:limit]

    def _orders_since(self, symbol: str, since: datetime | None, limit: int | None) -> dict[str, OrderReport]:
        """Orders proper, resting and past, by id."""
        old = since is not None and since < datetime.now(UTC) - wire.RECENT_ORDERS
        past = wire.OLD_ORDERS if old else wire.PAST_ORDERS
        rows = [
            *self._rows(wire.OPEN_ORDERS, _of(symbol)),
            *self._rows(past, {**_of(symbol), **_beginning(since)}, _most(since, limit)),
        ]
        return {row["ordId"]: parse.parse_order(row) for row in rows}

    def _algos(
        self,
        endpoint: Endpoint,
        where: Params,
        since: datetime | None = None,
        most: int | None = None,
    ) -> list[OrderReport]:
        """Exits alone and in pairs, as their own records tell them."""
        params = {**where, "ordType": wire.ALGO_TYPES}
        rows = self._rows(endpoint, params, most, id_name="algoId", since=since)
        return [algos.parse_algo(row) for row in rows]

    def fills(
        self,
        symbol: str,
        since: datetime | None = None,
        limit: int | None = None,
        *,
        exchange_order_id: str | None = None,
    ) -> list[Fill]:
        """See `Exchange.fills`. Those of one order may be older than the quick list: then the slow one is asked."""
        where = {**_of(symbol), **_beginning(since)}
        old = since is not None and since < datetime.now(UTC) - wire.RECENT_FILLS
        if exchange_order_id is None:
            found = self._fills(wire.OLD_FILLS if old else wire.FILLS, where, _most(since, limit))
        else:
            found = []
            for order_id in self._executing(exchange_order_id):
                one = {**where, "ordId": order_id}
                found += self._fills(wire.FILLS, one) or self._fills(wire.OLD_FILLS, one)
        return found[:limit] if since is not None else found[-(limit or wire.PAGE) :]

    def _fills(self, endpoint: Endpoint, params: Params, most: int | None = None) -> list[Fill]:
        newest_first = self._rows(endpoint, params, most, id_name="billId")
        return [parse.parse_fill(row) for row in newest_first[::-1]]

    def _executing(self, exchange_order_id: str) -> list[str]:
        """The orders proper that one of our ids stands for."""
        asked = AlgoId.read(exchange_order_id)
        if asked is None:
            return [exchange_order_id]
        algo = self._algo_record(asked.query)
        if asked.leg and algo.raw.get("actualSide") != asked.leg:
            return []
        return algos.placed_orders(algo)

    def _rows(
        self,
        endpoint: Endpoint,
        params: Params,
        most: int | None = None,
        *,
        id_name: str = "ordId",
        since: datetime | None = None,
    ) -> list[Row]:
        """Rows newest first, page after page, until there are no more, enough, or none since a time."""
        found: list[Row] = []
        after: Params = {}
        while True:
            page = self._ask(endpoint, {**params, "limit": wire.PAGE, **after}, list[Row])
            found += page
            enough = most is not None and len(found) >= most
            if len(page) < wire.PAGE or enough or (since and milliseconds(page[-1]["cTime"]) < since):
                return found
            after = {"after": page[-1][id_name]}


def _of(symbol: str | None) -> Params:
    return {"instType": wire.SPOT} if symbol is None else {"instType": wire.SPOT, "instId": theirs(symbol)}


def _beginning(since: datetime | None) -> Params:
    if since is None:
        return {}
    return {"begin": to_milliseconds(max(since, datetime.now(UTC) - wire.ARCHIVE))}


def _most(since: datetime | None, limit: int | None) -> int | None:
    """How many rows are enough: the latest page when no time is given, else all, since the oldest come last."""
    return None if since is not None else limit or wire.PAGE
