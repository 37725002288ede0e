"""The Binance client: the methods of the port, each a call of `wire` read by a function of `parse`."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

from app.domain.accounts import Balance, Environment, Grant, Permissions, Position
from app.domain.errors import ExchangeError, OrderDenied, OrderNotFound, OrderRejected, RateLimited
from app.domain.markets import Candle, Market, OrderBook, Ticker
from app.domain.money import plain
from app.domain.orders import Fill, OcoRequest, OrderReport, OrderRequest
from app.exchanges.binance import orders, parse, wire
from app.exchanges.binance.parse import LIST_PREFIX
from app.exchanges.budget import Charge, Scope
from app.exchanges.history import pages
from app.exchanges.rest import Endpoint, Fault, RestExchange, milliseconds
from app.exchanges.transport import Answer, WireRequest

Item = TypeVar("Item")


class Binance(RestExchange):
    """One Binance account."""

    name = "binance"
    title = "Binance"
    capabilities = wire.CAPABILITIES
    credential_fields = wire.CREDENTIAL_FIELDS
    base_urls = wire.SPOT_URLS
    other_urls = wire.OTHER_URLS
    limits = wire.LIMITS
    client_id_pattern = wire.CLIENT_ID
    client_id_rule = wire.CLIENT_ID_RULE

    #: The fraction of a purchase kept as fee: the standard one until the account's own came with its balances.
    _base_fee = wire.CAPABILITIES.standard_taker_fee

    # -- the wire ----------------------------------------------------------------------------------------------

    def _sign(self, endpoint: Endpoint, params: Mapping[str, Any]) -> WireRequest:
        return wire.build(endpoint, params, self._credential, self._now_ms())

    def _fault(self, answer: Answer) -> Fault | None:
        return wire.fault_in(answer, self._now_ms())

    def _usage(self, headers: Mapping[str, str]) -> Iterable[tuple[str, int]]:
        for header, limit in wire.USAGE_HEADERS.items():
            used = headers.get(header, "")
            if used.isdigit():
                yield limit, int(used)

    def _returned(self, found: object) -> Collection[str]:
        """Orders are counted until their first fill, which gives the credit back."""
        filled = isinstance(found, OrderReport) and found.filled_quantity and not found.children
        return wire.ORDER_COUNTS if filled else ()

    def _limited_scope(self, error: RateLimited, charges: Sequence[Charge]) -> Scope:
        return Scope.ACCOUNT if error.code == wire.TOO_MANY_ORDERS else Scope.ADDRESS

    # -- markets and prices ------------------------------------------------------------------------------------

    def server_time(self) -> datetime:
        return self._call(wire.TIME, parse=lambda data: milliseconds(data["serverTime"]))

    def _fetch_markets(self) -> list[Market]:
        found, capacities = self._call(
            wire.EXCHANGE_INFO, parse=lambda data: (parse.parse_markets(data), parse.parse_limits(data))
        )
        for name, capacity in capacities.items():
            self._limits[name] = self._limits[name].resized(capacity)
        return found

    def ticker(self, symbol: str) -> Ticker:
        return self._call(
            wire.TICKER_24H, {"symbol": _theirs(symbol)}, lambda row: parse.parse_ticker(row, symbol)
        )

    def tickers(self, symbols: Iterable[str] | None = None) -> dict[str, Ticker]:
        if symbols is None:
            every = wire.TICKER_24H.costing(weight=wire.ALL_TICKERS_WEIGHT)
            return self._call(every, parse=lambda rows: parse.parse_tickers(rows, self._symbol))
        ours = {_theirs(symbol): symbol for symbol in symbols}
        if not ours:
            return {}
        some = wire.TICKER_24H.costing(
            weight=_weight(len(ours), wire.TICKER_WEIGHTS, wire.ALL_TICKERS_WEIGHT)
        )
        names = json.dumps(list(ours), separators=(",", ":"), ensure_ascii=False)
        return self._call(some, {"symbols": names}, lambda rows: parse.parse_tickers(rows, ours.__getitem__))

    def order_book(self, symbol: str, depth: int) -> OrderBook:
        levels = max(1, min(depth, wire.MAX_DEPTH))
        return self._call(
            wire.DEPTH.costing(weight=_weight(levels, wire.DEPTH_WEIGHTS, wire.DEPTH_WEIGHTS[-1][1])),
            {"symbol": _theirs(symbol), "limit": levels},
            lambda data: parse.parse_order_book(data, symbol, levels),
        )

    def candles(
        self, symbol: str, interval: str, since: datetime | None = None, limit: int | None = None
    ) -> list[Candle]:
        if interval not in wire.INTERVALS:
            raise OrderDenied.because("interval", f"{self.name} has no candles of {interval}")
        params = {"symbol": _theirs(symbol), "interval": interval}
        fetch = self._pager(wire.KLINES, params, parse.parse_candle)
        return pages(fetch, lambda candle: candle.at, since, limit or wire.USUAL_CANDLES, page=wire.MAX_ROWS)

    # -- the account -------------------------------------------------------------------------------------------

    def balances(self) -> dict[str, Balance]:
        found, fee = self._call(
            wire.ACCOUNT,
            {"omitZeroBalances": "true"},
            lambda data: (parse.parse_balances(data), parse.parse_base_fee(data)),
        )
        if fee is not None:
            self._base_fee = fee
        return found

    def _permissions(self) -> tuple[Permissions, Grant]:
        """Asked of the wallet API, which the testnet does not have; there only reading is known to work."""
        unknown = Permissions(read=Grant.YES), Grant.UNKNOWN
        if self.environment is Environment.TESTNET:
            return unknown
        try:
            return self._call(wire.API_RESTRICTIONS, parse=parse.parse_permissions)
        except ExchangeError:  # the balances were read, so the key works; what else it may do stays unknown
            return unknown

    def positions(self) -> list[Position]:
        return self._call(wire.POSITIONS, parse=parse.parse_positions)

    def futures_balances(self) -> dict[str, Balance]:
        return self._call(wire.FUTURES_BALANCE, parse=parse.parse_futures_balances)

    # -- placing -----------------------------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> OrderReport:
        market, request = self._prepare(request)
        naming = _always(request.symbol)
        if request.stop_loss is None and request.take_profit is None:
            return self._call(
                wire.PLACE, orders.single(request, market), lambda row: parse.parse_order(row, naming)
            )
        exit_quantity = orders.exit_quantity(request, market, self._base_fee)
        if not exit_quantity:
            raise OrderDenied.because("quantity", "nothing would be left to protect once the fee is paid")
        both = request.stop_loss is not None and request.take_profit is not None
        return self._call(
            wire.PLACE_OTOCO if both else wire.PLACE_OTO,
            orders.entry_with_exits(request, market, exit_quantity),
            lambda data: parse.parse_list(data, naming),
        )

    def place_oco(self, request: OcoRequest) -> OrderReport:
        market, request = self._prepare_oco(request)
        naming = _always(request.symbol)
        return self._call(
            wire.PLACE_OCO, orders.pair(request, market), lambda data: parse.parse_list(data, naming)
        )

    def amend_order(
        self,
        symbol: str,
        *,
        exchange_order_id: str | None = None,
        client_order_id: str | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> OrderReport:
        """Lower the quantity, keeping the place in the queue. The client id is kept too: Binance would change it."""
        if price is not None:
            raise OrderDenied.because(
                "price", f"{self.name} changes no price in place: cancel and place anew"
            )
        if quantity is None:
            raise OrderDenied.because("quantity", "tell the new quantity")
        if client_order_id is None:
            resting = self.get_order(symbol, exchange_order_id=exchange_order_id)
            client_order_id = resting.client_order_id
        params = {
            **_order_id(symbol, exchange_order_id, client_order_id),
            "newQty": plain(self._market(symbol).quantize_quantity(quantity)),
            "newClientOrderId": client_order_id,
        }
        naming = _always(symbol)
        return self._call(wire.AMEND, params, lambda data: parse.parse_order(data["amendedOrder"], naming))

    # -- cancelling --------------------------------------------------------------------------------------------

    def cancel_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """Cancel an order or a pair of exits. An entry takes its waiting exits along, a leg its sibling."""
        params = _order_id(symbol, exchange_order_id, client_order_id)
        naming = _always(symbol)

        def read(row: Any) -> OrderReport:
            return _asked_for(parse.parse_canceled(row, naming), exchange_order_id, client_order_id)

        if "orderListId" in params:
            return self._call(wire.CANCEL_LIST, params, read)
        try:
            return self._call(wire.CANCEL, params, read)
        except OrderNotFound as missing:
            if client_order_id is None:
                raise
            pair = {"symbol": params["symbol"], "listClientOrderId": client_order_id}
            return _or(missing, lambda: self._call(wire.CANCEL_LIST, pair, read))

    def cancel_all(self, symbol: str | None = None) -> list[OrderReport]:
        if symbol is None:
            symbols = dict.fromkeys(order.symbol for order in self.open_orders())
            return [report for each in symbols for report in self.cancel_all(each)]
        naming = _always(symbol)
        try:
            return self._call(
                wire.CANCEL_ALL,
                {"symbol": _theirs(symbol)},
                lambda rows: [parse.parse_canceled(row, naming) for row in rows],
            )
        except OrderNotFound:  # how Binance says that nothing was open
            return []

    # -- looking up --------------------------------------------------------------------------------------------

    def get_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        params = _order_id(symbol, exchange_order_id, client_order_id)
        if "orderListId" in params:
            return self._get_list(symbol, {"orderListId": params["orderListId"]})
        try:
            return self._with_exits(self._order(symbol, params))
        except OrderNotFound as missing:
            if client_order_id is None:
                raise
            return _or(missing, lambda: self._get_list(symbol, {"origClientOrderId": client_order_id}))

    def _order(self, symbol: str, params: Mapping[str, Any]) -> OrderReport:
        naming = _always(symbol)
        return self._call(wire.GET_ORDER, params, lambda row: parse.parse_order(row, naming))

    def _with_exits(self, order: OrderReport) -> OrderReport:
        """An entry with the exits that were placed with it, of which its own record tells only the list's id."""
        list_id = order.raw.get("orderListId", wire.NO_LIST)
        is_exit = order.trigger_price is not None or order.trailing_percent is not None
        if list_id == wire.NO_LIST or is_exit:
            return order
        head = self._call(wire.GET_LIST, {"orderListId": list_id}, parse.parse_list_head)
        if not head.starts_with_entry:
            return order
        exits = [each for each in head.order_ids if each != order.exchange_order_id]
        return parse.assemble(head, [order, *self._orders(order.symbol, exits)], order.symbol)

    def _orders(self, symbol: str, order_ids: Sequence[str]) -> list[OrderReport]:
        return [self._order(symbol, _order_id(symbol, each, None)) for each in order_ids]

    def _get_list(self, symbol: str, params: Mapping[str, Any]) -> OrderReport:
        """A pair of exits; its own record names the legs without telling how they fare."""
        head = self._call(wire.GET_LIST, params, parse.parse_list_head)
        return parse.assemble(head, self._orders(symbol, head.order_ids), symbol)

    def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        def read(rows: Any) -> list[OrderReport]:
            return [
                parse.parse_order(row, self._symbol if symbol is None else _always(symbol)) for row in rows
            ]

        if symbol is None:
            return self._call(wire.OPEN_ORDERS.costing(weight=wire.ALL_OPEN_ORDERS_WEIGHT), None, read)
        return self._call(wire.OPEN_ORDERS, {"symbol": _theirs(symbol)}, read)

    def order_history(
        self, symbol: str, since: datetime | None = None, limit: int | None = None
    ) -> list[OrderReport]:
        naming = _always(symbol)
        fetch = self._pager(
            wire.ALL_ORDERS, {"symbol": _theirs(symbol)}, lambda row: parse.parse_order(row, naming)
        )
        return pages(
            fetch,
            lambda order: order.created_at,
            since,
            limit,
            page=wire.MAX_ROWS,
            window=wire.HISTORY_WINDOW,
        )

    def fills(
        self,
        symbol: str,
        since: datetime | None = None,
        limit: int | None = None,
        *,
        exchange_order_id: str | None = None,
    ) -> list[Fill]:
        params = {"symbol": _theirs(symbol)}
        endpoint, window = wire.MY_TRADES, wire.HISTORY_WINDOW
        if exchange_order_id is not None:  # Binance takes no times beside an order
            endpoint = endpoint.costing(weight=wire.TRADES_OF_ORDER_WEIGHT)
            params["orderId"], since = exchange_order_id, None
        fetch = self._pager(endpoint, params, lambda row: parse.parse_fill(row, symbol))
        return pages(fetch, lambda fill: fill.at, since, limit, page=wire.MAX_ROWS, window=window)

    def _pager(
        self, endpoint: Endpoint, params: Mapping[str, Any], parse_row: Callable[[Any], Item]
    ) -> Callable[[int | None, int | None, int], list[Item]]:
        """A function that fetches the rows between two times in milliseconds, either of them open."""

        def fetch(start: int | None, end: int | None, rows: int) -> list[Item]:
            times = {name: at for name, at in (("startTime", start), ("endTime", end)) if at is not None}
            return self._call(
                endpoint, {**params, **times, "limit": rows}, lambda data: [parse_row(row) for row in data]
            )

        return fetch


def _theirs(symbol: str) -> str:
    """Binance's name of a market: the two assets without anything between them."""
    return symbol.replace("/", "")


def _always(symbol: str) -> Callable[[str], str]:
    """The naming of answers that concern one known market.

    Never a look-up that may fetch: a failure to fetch, after an order was sent, would pass for a failure to send.
    """
    return lambda _: symbol


def _order_id(symbol: str, exchange_order_id: str | None, client_order_id: str | None) -> dict[str, Any]:
    params = {"symbol": _theirs(symbol)}
    if exchange_order_id is not None and exchange_order_id.startswith(LIST_PREFIX):
        return {**params, "orderListId": exchange_order_id.removeprefix(LIST_PREFIX)}
    if exchange_order_id is not None:
        params["orderId"] = exchange_order_id
    if client_order_id is not None:
        params["origClientOrderId"] = client_order_id
    if len(params) == 1:
        raise OrderDenied.because("order_id", "tell the exchange's order id or the client order id")
    return params


def _asked_for(
    report: OrderReport, exchange_order_id: str | None, client_order_id: str | None
) -> OrderReport:
    """The leg that was named, when a whole list is told in answer to one leg."""
    return next(
        (
            leg
            for leg in report.children
            if exchange_order_id in (leg.exchange_order_id, None)
            and client_order_id in (leg.client_order_id, None)
        ),
        report,
    )


def _or(missing: OrderNotFound, look_among_pairs: Callable[[], OrderReport]) -> OrderReport:
    """An order that was not found may be a pair of exits; if it is not, the first answer stands."""
    try:
        return look_among_pairs()
    except (OrderNotFound, OrderRejected):
        raise missing from None


def _weight(count: int, weights: Sequence[tuple[int, int]], above: int) -> int:
    return next((weight for most, weight in weights if count <= most), above)
