"""What can be asked of Bitget: markets and prices, the account, and orders wherever they are kept.

Spot orders, plan orders and exits born of presets each have lists of their own; the prefix of an id says which.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from app.domain.accounts import Balance, Environment, Grant, Permissions, Position
from app.domain.errors import (
    AuthenticationFailed,
    ExchangeError,
    OrderDenied,
    OrderNotFound,
)
from app.domain.markets import Candle, Market, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport, OrderStatus
from app.exchanges.bitget import parse, presets, wire
from app.exchanges.bitget.parse import PLAN_PREFIX, TPSL_PREFIX, Row
from app.exchanges.bitget.presets import PRESET_PREFIX, Preset
from app.exchanges.history import pages
from app.exchanges.rest import Endpoint, Fault, RestExchange, milliseconds, to_milliseconds
from app.exchanges.transport import Answer, WireRequest

log = logging.getLogger(__name__)

Parsed = TypeVar("Parsed")

_DATED = datetime.min.replace(tzinfo=UTC)


class BitgetReads(RestExchange):
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

    # -- looking up --------------------------------------------------------------------------------------------

    def get_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """See `Exchange.get_order`. Plan orders, exits and exits not yet born are known by the prefix of their id."""
        if exchange_order_id is None:
            return self._by_client_id(symbol, given(client_order_id))
        kind, number = kind_of(exchange_order_id)
        if kind == PLAN_PREFIX:
            return self._plan_order(symbol, "orderId", number)
        if kind == TPSL_PREFIX:
            return self._exit(symbol, number)
        if kind == PRESET_PREFIX:
            return self._preset(symbol, Preset.named(exchange_order_id))
        return self._with_exits(self._spot_order(symbol, {"orderId": number}))

    def _by_client_id(self, symbol: str, client_order_id: str) -> OrderReport:
        try:
            return self._with_exits(self._spot_order(symbol, {"clientOid": client_order_id}))
        except OrderNotFound as missing:
            try:
                return self._plan_order(symbol, "clientOid", client_order_id)
            except OrderNotFound:
                raise missing from None

    def _spot_order(self, symbol: str, order_id: Mapping[str, Any]) -> OrderReport:
        found = self._ask(
            wire.GET_ORDER, order_id, lambda rows: [parse.parse_order(row, symbol) for row in rows]
        )
        if not found:
            raise OrderNotFound(self.name, "no such order")
        return found[0]

    def _with_exits(self, entry: OrderReport, asked: Sequence[Preset] | None = None) -> OrderReport:
        """An entry with the exits it carries: those asked for, or, when nobody knows, those born with its fill."""
        filled = entry.status is OrderStatus.FILLED
        if asked == [] or (asked is None and not filled):
            return entry
        try:
            rows = self._exit_rows(entry) if filled else []
        except ExchangeError as error:
            if asked is None:
                raise
            log.warning(
                "%s did not tell the exits of %s: %s", self.name, entry.exchange_order_id, error.message
            )
            rows = []
        if asked is None:
            return replace(entry, children=presets.born_with(entry, rows))
        return replace(entry, children=tuple(self._child(preset, entry, rows) for preset in asked))

    def _child(self, preset: Preset, entry: OrderReport, rows: Sequence[Row]) -> OrderReport:
        now = milliseconds(self._now_ms())
        return presets.born(preset, entry, rows) or presets.unborn(preset, entry, now)

    def _preset(self, symbol: str, preset: Preset) -> OrderReport:
        entry = self._spot_order(symbol, {"orderId": preset.entry_id})
        return self._child(preset, entry, self._exit_rows(entry) if entry.filled_quantity else [])

    def _exit_rows(self, entry: OrderReport) -> list[Row]:
        since = (entry.created_at or _DATED) - timedelta(seconds=1)
        params = {"symbol": theirs(entry.symbol), "tpslType": wire.TPSL, "startTime": to_milliseconds(since)}
        return [
            row for endpoint in (wire.OPEN_ORDERS, wire.PAST_ORDERS) for row in self._rows(endpoint, params)
        ]

    def _exit(self, symbol: str, number: str) -> OrderReport:
        params = {"symbol": theirs(symbol), "tpslType": wire.TPSL}
        for endpoint in (wire.OPEN_ORDERS, wire.PAST_ORDERS):
            for row in self._rows(endpoint, params):
                if row["orderId"] == number:
                    return parse.parse_order(row, symbol, self._reference(symbol, endpoint))
        raise OrderNotFound(self.name, "no such exit")

    def _plan_order(self, symbol: str, name: str, value: str) -> OrderReport:
        params = {"symbol": theirs(symbol)}
        for endpoint in (wire.OPEN_PLANS, wire.PAST_PLANS):
            for row in self._rows(endpoint, params):
                if row[name] == value:
                    return self._plan_report(row, symbol, self._reference(symbol, endpoint))
        raise OrderNotFound(self.name, "no such order")

    def _plan_report(self, row: Row, symbol: str, reference: Decimal | None) -> OrderReport:
        if row["status"] not in wire.PLAN_EXECUTED:
            return parse.parse_plan(row, symbol, reference)
        order = self._spot_order(symbol, {"orderId": self._order_of_plan(row["orderId"])})
        return replace(
            order,
            exchange_order_id=PLAN_PREFIX + row["orderId"],
            client_order_id=row["clientOid"] or None,
            type=None,
            trigger_price=Decimal(row["triggerPrice"]),
        )

    def _order_of_plan(self, plan_id: str) -> str:
        """The spot order that an executed plan order became."""
        found = self._ask(
            wire.SUB_ORDERS, {"planOrderId": plan_id}, lambda rows: [str(row["orderId"]) for row in rows]
        )
        if not found:
            raise OrderNotFound(self.name, "the plan order has placed nothing yet")
        return found[0]

    def _reference(self, symbol: str, endpoint: Endpoint) -> Decimal | None:
        """The price that tells what a waiting order waits for; nothing does once it waits no more."""
        return self.ticker(symbol).last if endpoint in (wire.OPEN_ORDERS, wire.OPEN_PLANS) else None

    # -- lists -------------------------------------------------------------------------------------------------

    def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        params = {} if symbol is None else {"symbol": theirs(symbol)}
        spot = self._rows(wire.OPEN_ORDERS, params)
        exits = self._rows(wire.OPEN_ORDERS, {**params, "tpslType": wire.TPSL})
        plans = self._rows(wire.OPEN_PLANS, params)
        named = {row["symbol"]: symbol or self._symbol(row["symbol"]) for row in (*spot, *exits, *plans)}
        waiting = {named[row["symbol"]] for row in (*exits, *plans)}
        last = {name: ticker.last for name, ticker in self.tickers(waiting).items()}

        def read(parse_row: Callable[..., OrderReport], row: Row) -> OrderReport:
            name = named[row["symbol"]]
            return parse_row(row, name, last.get(name))

        return [
            *(read(parse.parse_order, row) for row in (*spot, *exits)),
            *(read(parse.parse_plan, row) for row in plans),
        ]

    def order_history(
        self, symbol: str, since: datetime | None = None, limit: int | None = None
    ) -> list[OrderReport]:
        """See `Exchange.order_history`. A plan order that has executed is told as the spot order it became."""
        params, most = {"symbol": theirs(symbol), **_starting(since)}, _most(since, limit)
        exits = {**params, "tpslType": wire.TPSL}
        found = self.open_orders(symbol)
        past = [*self._rows(wire.PAST_ORDERS, params, most), *self._rows(wire.PAST_ORDERS, exits, most)]
        plans = self._rows(wire.PAST_PLANS, params, most)
        found += [parse.parse_order(row, symbol) for row in past]
        found += [parse.parse_plan(row, symbol) for row in plans if row["status"] not in wire.PLAN_EXECUTED]
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
        params = {"symbol": theirs(symbol), **_starting(since)}
        if exchange_order_id is not None:
            kind, number = kind_of(exchange_order_id)
            params["orderId"] = self._order_of_plan(number) if kind == PLAN_PREFIX else number
        rows = self._rows(wire.FILLS, params, _most(since, limit), "tradeId")
        found = [parse.parse_fill(row, symbol) for row in reversed(rows)]
        return found[:limit] if since is not None else found[-(limit or wire.PAGE) :]

    def _rows(
        self, endpoint: Endpoint, params: Mapping[str, Any], most: int | None = None, id_name: str = "orderId"
    ) -> list[Row]:
        """Rows newest first, page after page, until there are no more or there are enough."""
        found: list[Row] = []
        before: dict[str, str] = {}
        while True:
            page: list[Row] = self._ask(
                endpoint, {**params, "limit": wire.PAGE, **before}, lambda data: _listed(data, id_name)
            )
            found += page
            if len(page) < wire.PAGE or (most is not None and len(found) >= most):
                return found
            before = {"idLessThan": page[-1][id_name]}


def _listed(data: Any, id_name: str) -> list[Row]:
    """The rows of an answer; those of plan orders stand under ``orderList``."""
    rows: list[Row] = data["orderList"] if isinstance(data, dict) else list(data)
    if not all(isinstance(row[id_name], str) for row in rows):
        raise TypeError("an id that is not text")
    return rows


def theirs(symbol: str) -> str:
    """Bitget's name of a market: the two assets without anything between them."""
    return symbol.replace("/", "")


def given(client_order_id: str | None) -> str:
    if client_order_id is None:
        raise OrderDenied.because("order_id", "tell the exchange's order id or the client order id")
    return client_order_id


def kind_of(exchange_order_id: str) -> tuple[str, str]:
    """The prefix of an id and the exchange's own number."""
    for prefix in (PLAN_PREFIX, TPSL_PREFIX, PRESET_PREFIX):
        if exchange_order_id.startswith(prefix):
            return prefix, exchange_order_id.removeprefix(prefix)
    return "", exchange_order_id


def _starting(since: datetime | None) -> dict[str, int]:
    if since is None:
        return {}
    return {"startTime": to_milliseconds(max(since, datetime.now(UTC) - wire.HISTORY))}


def _most(since: datetime | None, limit: int | None) -> int | None:
    """How many rows are enough: the latest page when no time is given, else all, since the oldest come last."""
    return None if since is not None else limit or wire.PAGE
