"""What can be asked of Gate.io: markets and prices, the account, and orders, triggers apart from what they place."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeVar

from app.domain.accounts import Balance, Grant, Permissions, Position
from app.domain.errors import ExchangeError, OrderDenied, OrderNotFound, PermissionDenied
from app.domain.markets import Candle, Market, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport
from app.exchanges.gateio import parse, wire
from app.exchanges.gateio.parse import TRIGGER_PREFIX, Row, parse_order, parse_trigger
from app.exchanges.history import pages
from app.exchanges.rest import Endpoint, Fault, RestExchange, milliseconds
from app.exchanges.transport import Answer, WireRequest

Parsed = TypeVar("Parsed")
Params = dict[str, Any]

_DATED = datetime.min.replace(tzinfo=UTC)


class GateReads(RestExchange):
    """The questions to one classic Gate.io account."""

    name = "gateio"
    title = "Gate.io"
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
        """The headers do not say which endpoint they count; of these only the one that was called is looked at."""
        most, left = headers.get(wire.LIMIT_HEADER, ""), headers.get(wire.LEFT_HEADER, "")
        if most.isdigit() and left.isdigit():
            for limit in self.limits:
                yield limit.name, int(most) - int(left)

    # -- markets and prices ------------------------------------------------------------------------------------

    def server_time(self) -> datetime:
        return self._call(wire.TIME, parse=lambda data: milliseconds(data["server_time"]))

    def _fetch_markets(self) -> list[Market]:
        return self._call(wire.PAIRS, parse=lambda rows: [parse.parse_market(row) for row in rows])

    def ticker(self, symbol: str) -> Ticker:
        params = {"currency_pair": theirs(symbol)}
        return self._call(wire.TICKERS, params, lambda rows: parse.parse_ticker(rows[0], symbol))

    def tickers(self, symbols: Iterable[str] | None = None) -> dict[str, Ticker]:
        wanted = None if symbols is None else {theirs(symbol): symbol for symbol in symbols}
        if wanted is not None and len(wanted) < 2:
            return {symbol: self.ticker(symbol) for symbol in wanted.values()}
        naming = self._symbol if wanted is None else wanted.get

        def read(rows: Any) -> dict[str, Ticker]:
            named = ((naming(row["currency_pair"]), row) for row in rows)
            return {symbol: parse.parse_ticker(row, symbol) for symbol, row in named if symbol}

        return self._call(wire.TICKERS, parse=read)

    def order_book(self, symbol: str, depth: int) -> OrderBook:
        levels = max(1, min(depth, wire.MAX_DEPTH))
        return self._call(
            wire.ORDER_BOOK,
            {"currency_pair": theirs(symbol), "limit": levels},
            lambda data: parse.parse_order_book(data, symbol, levels),
        )

    def candles(
        self, symbol: str, interval: str, since: datetime | None = None, limit: int | None = None
    ) -> list[Candle]:
        if interval not in wire.INTERVALS:
            raise OrderDenied.because("interval", f"{self.name} has no candles of {interval}")
        word, span = wire.INTERVALS[interval]
        most = limit or wire.USUAL_CANDLES
        params = {"currency_pair": theirs(symbol), "interval": word}

        def fetch(start: int | None, end: int | None, rows: int) -> list[Candle]:
            """Either a number of candles or two times: Gate.io takes no number beside times."""
            which: Params = {"limit": rows}
            if start is not None and end is not None:
                which = {"from": start // 1000, "to": end // 1000}
            return self._call(
                wire.CANDLES, params | which, lambda found: [parse.parse_candle(row) for row in found]
            )

        window = span * min(most, wire.MAX_CANDLES)
        return pages(fetch, lambda candle: candle.at, since, most, page=wire.MAX_CANDLES, window=window)

    # -- the account -------------------------------------------------------------------------------------------

    def balances(self) -> dict[str, Balance]:
        return self._call(wire.ACCOUNTS, parse=parse.parse_balances)

    def _permissions(self) -> tuple[Permissions, Grant]:
        """What the key may do is told nowhere; where the account's money lies, and its addresses, are.

        Raises:
            PermissionDenied: it lies in the unified account, which these calls do not see.
        """
        try:
            detail = self._call(wire.DETAIL, parse=lambda data: (data["key"]["mode"], data["ip_whitelist"]))
        except ExchangeError:  # the balances were read, so the key works; what else it may do stays unknown
            return Permissions(read=Grant.YES), Grant.UNKNOWN
        mode, addresses = detail
        if mode == wire.UNIFIED_MODE:
            raise PermissionDenied(
                self.name,
                "the key is of a unified account",
                remedy="Use a key of a classic account (a sub-account can be one).",
            )
        return Permissions(read=Grant.YES), Grant.YES if addresses else Grant.NO

    def positions(self) -> list[Position]:
        found = self._futures(
            wire.POSITIONS, {"holding": "true"}, lambda rows: [parse.parse_position(row) for row in rows]
        )
        return [
            replace(position, quantity=position.quantity * self._contract_size(position.symbol))
            for position in found or []
        ]

    def _contract_size(self, symbol: str) -> Decimal:
        """How much of the base one contract stands for."""
        return self._call(
            wire.CONTRACT, {"id": theirs(symbol)}, lambda data: Decimal(data["quanto_multiplier"])
        )

    def futures_balances(self) -> dict[str, Balance]:
        return self._futures(wire.FUTURES_ACCOUNT, {}, parse.parse_futures_balances) or {}

    def _futures(self, endpoint: Endpoint, params: Params, read: Callable[[Any], Parsed]) -> Parsed | None:
        """An answer about futures; None where nothing was ever moved there."""
        try:
            return self._call(endpoint, params, read)
        except ExchangeError as error:
            if error.code == wire.NO_FUTURES:
                return None
            raise

    # -- looking up --------------------------------------------------------------------------------------------

    def get_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """See `Exchange.get_order`. A client id names an order while it is open; then the history is searched."""
        if exchange_order_id is None:
            return self._by_client_id(symbol, client_order_id)
        if exchange_order_id.startswith(TRIGGER_PREFIX):
            return self._trigger(symbol, exchange_order_id)
        return self._spot_order(symbol, exchange_order_id)

    def _spot_order(self, symbol: str, order_id: str) -> OrderReport:
        params = {"id": order_id, "currency_pair": theirs(symbol)}
        return self._call(wire.GET_ORDER, params, lambda row: parse_order(row, symbol))

    def _by_client_id(self, symbol: str, client_order_id: str | None) -> OrderReport:
        if client_order_id is None:
            raise OrderDenied.because("order_id", "tell the exchange's order id or the client order id")
        try:
            return self._spot_order(symbol, wire.TEXT_PREFIX + client_order_id)
        except OrderNotFound as missing:
            since = datetime.now(UTC) - (wire.CAPABILITIES.client_id_lookup or timedelta(0))
            ended = self._ended(symbol, since)
            found = [order for order in ended if order.client_order_id == client_order_id]
            if not found:
                raise missing from None
            return found[0]

    def _trigger(self, symbol: str, exchange_order_id: str) -> OrderReport:
        """A trigger, told by the order it placed once it has fired."""
        params = {"id": exchange_order_id.removeprefix(TRIGGER_PREFIX)}
        trigger = self._call(wire.GET_TRIGGER, params, lambda row: parse_trigger(row, symbol))
        fired = fired_order(trigger)
        return trigger if fired is None else as_fired(trigger, self._spot_order(symbol, fired))

    # -- lists -------------------------------------------------------------------------------------------------

    def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        return [*self._open(symbol), *self._triggers("open", symbol)]

    def order_history(
        self, symbol: str, since: datetime | None = None, limit: int | None = None
    ) -> list[OrderReport]:
        """See `Exchange.order_history`. What a trigger has placed is told as that trigger."""
        most = limit or wire.PAGE if since is None else None
        triggers = self._triggers("finished", symbol, most)
        fired = {fired_order(trigger): trigger for trigger in triggers if fired_order(trigger)}
        found = [
            *self.open_orders(symbol),
            *(
                as_fired(fired[order.exchange_order_id], order) if order.exchange_order_id in fired else order
                for order in self._ended(symbol, since, most)
            ),
            *(trigger for trigger in triggers if fired_order(trigger) is None),
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
        params: Params = {"currency_pair": theirs(symbol)}
        if exchange_order_id is not None:
            params["order_id"] = self._placed_by(symbol, exchange_order_id)

        def rows(times: Params, most: int | None) -> list[Fill]:
            read = self._each(lambda row: parse.parse_fill(row, symbol))
            return self._pages(wire.FILLS, params | times, read, wire.FILLS_PAGE, most)[::-1]

        if since is None or exchange_order_id is not None:
            return rows({}, limit or wire.FILLS_PAGE)[-(limit or wire.FILLS_PAGE) :]
        return [fill for times in _stretches(since) for fill in rows(times, None)][:limit]

    def _placed_by(self, symbol: str, exchange_order_id: str) -> str:
        """The order that trades: the one a trigger has placed, or the one that is named."""
        if not exchange_order_id.startswith(TRIGGER_PREFIX):
            return exchange_order_id
        params = {"id": exchange_order_id.removeprefix(TRIGGER_PREFIX)}
        fired = fired_order(self._call(wire.GET_TRIGGER, params, lambda row: parse_trigger(row, symbol)))
        if fired is None:
            raise OrderNotFound(self.name, "the trigger has placed nothing yet")
        return fired

    def _open(self, symbol: str | None) -> list[OrderReport]:
        if symbol is not None:
            params = {"currency_pair": theirs(symbol), "status": "open"}
            return self._pages(
                wire.LIST_ORDERS, params, self._each(lambda row: parse_order(row, symbol)), wire.PAGE
            )

        def read(groups: Any) -> list[list[OrderReport]]:
            return [
                [parse_order(row, self._symbol(row["currency_pair"])) for row in group["orders"]]
                for group in groups
            ]

        groups = self._call(wire.OPEN_ORDERS, {"limit": wire.PAGE}, read)
        return [
            order
            for group in groups
            for order in (group if len(group) < wire.PAGE else self._open(group[0].symbol))
        ]

    def _ended(self, symbol: str, since: datetime | None, most: int | None = None) -> list[OrderReport]:
        """Orders that have ended, the latest first; ``since`` they ended."""
        params: Params = {"currency_pair": theirs(symbol), "status": "finished"}
        if since is not None:
            params["from"] = int(since.timestamp())
        read = self._each(lambda row: parse_order(row, symbol))
        return self._pages(wire.LIST_ORDERS, params, read, wire.PAGE, most)

    def _triggers(self, status: str, symbol: str | None, most: int | None = None) -> list[OrderReport]:
        params: Params = {"status": status}
        if symbol is not None:
            params["market"] = theirs(symbol)
        found: list[OrderReport] = []
        while True:
            read = self._each(lambda row: parse_trigger(row, symbol or self._symbol(row["market"])))
            rows = self._call(wire.LIST_TRIGGERS, {**params, "limit": wire.PAGE, "offset": len(found)}, read)
            found += rows
            if len(rows) < wire.PAGE or (most is not None and len(found) >= most):
                return found

    def _each(self, read: Callable[[Row], Parsed]) -> Callable[[Any], list[Parsed]]:
        return lambda rows: [read(row) for row in rows]

    def _pages(
        self,
        endpoint: Endpoint,
        params: Params,
        read: Callable[[Any], list[Parsed]],
        size: int,
        most: int | None = None,
    ) -> list[Parsed]:
        """Rows newest first, page after page, until there are no more or there are enough."""
        found: list[Parsed] = []
        page = 1
        while True:
            rows = self._call(endpoint, {**params, "page": page, "limit": size}, read)
            found += rows
            if len(rows) < size or (most is not None and len(found) >= most):
                return found
            page += 1


def theirs(symbol: str) -> str:
    """Gate.io's name of a market."""
    return symbol.replace("/", "_")


def fired_order(trigger: OrderReport) -> str | None:
    """The id of the order that a trigger has placed, once it has."""
    number = trigger.raw.get("fired_order_id")
    return str(number) if number and trigger.raw["status"] == "finish" else None


def as_fired(trigger: OrderReport, order: OrderReport) -> OrderReport:
    """A trigger, told by the order it has placed."""
    return replace(
        order,
        exchange_order_id=trigger.exchange_order_id,
        client_order_id=None,
        type=trigger.type,
        price=trigger.price,
        trigger_price=trigger.trigger_price,
    )


def _stretches(since: datetime) -> Iterator[Params]:
    """The times from then until now, as far apart as one question may span."""
    now = datetime.now(UTC)
    while since <= now:
        end = since + wire.WINDOW
        yield {"from": int(since.timestamp()), "to": int(end.timestamp()) - 1}
        since = end
