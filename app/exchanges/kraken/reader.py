"""What is asked of Kraken: the wire, markets and prices, balances, and orders looked up."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from app.domain.accounts import Balance, Position
from app.domain.errors import (
    ExchangeUnavailable,
    InvalidOrder,
    InvalidTimestamp,
    OrderDenied,
    OrderNotFound,
    RateLimited,
)
from app.domain.markets import Candle, Market, OrderBook, Ticker
from app.domain.orders import Fill, OrderReport, OrderStatus
from app.exchanges.budget import Charge, Scope
from app.exchanges.kraken import parse, wire
from app.exchanges.kraken.parse import Naming
from app.exchanges.nonce import TurnNotCome
from app.exchanges.rest import Endpoint, Fault, RestExchange, to_milliseconds
from app.exchanges.transport import Answer, Transport, WireRequest, last_moment

Item = TypeVar("Item")

#: How long the exit that an entry carries may take to show after an execution.
EXIT_SHOWS_WITHIN = timedelta(seconds=10)


class KrakenReader(RestExchange):
    """Everything that changes nothing."""

    # -- the wire ----------------------------------------------------------------------------------------------

    def _send(self, transport: Transport, endpoint: Endpoint, params: Mapping[str, Any]) -> Answer:
        """Signed requests go out one after the other, each with a nonce above the one before."""
        if not endpoint.signed:
            return super()._send(transport, endpoint, params)
        try:
            with self._budget.nonces.turn(self._account) as nonce:
                return super()._send(transport, endpoint, {"nonce": str(nonce), **params})
        except TurnNotCome:
            message = "not sent: other requests with the same key took too long"
            raise ExchangeUnavailable(self.name, message) from None

    def _sign(self, endpoint: Endpoint, params: Mapping[str, Any]) -> WireRequest:
        if endpoint in wire.PLACING and (until := last_moment()) is not None:
            params = {**params, "deadline": self._deadline(until)}
        return wire.build(endpoint, params, self._credential)

    def _deadline(self, until: datetime) -> str:
        """Until when Kraken's engine may take an order that has to leave us by ``until``, on Kraken's clock.

        Requests have no timestamp: this is what keeps one that is held up on its way from being executed late.

        Raises:
            ExchangeUnavailable: too little time is left for Kraken to look at it; nothing was sent.
        """
        left = until - datetime.now(UTC)
        if left < wire.SHORTEST_DEADLINE:
            raise ExchangeUnavailable(self.name, "nothing was sent: it would have to be executed too soon")
        now = datetime.fromtimestamp(self._now_ms() / 1000, UTC)
        return (now + min(left, wire.LONGEST_DEADLINE)).isoformat(timespec="milliseconds")

    def _fault(self, answer: Answer) -> Fault | None:
        return wire.fault_in(answer, time.time())

    def _renew_timestamp(self, refused: InvalidTimestamp) -> None:
        """Set the clock for a deadline; the next request has a higher nonce than a refused one in any case."""
        if refused.exchange_message.startswith(wire.INVALID_DEADLINE):
            self._synchronise()

    def _limited_scope(self, error: RateLimited, charges: Sequence[Charge]) -> Scope:
        """The matching engine counts by market, the rest by key, and public calls by address."""
        if error.code == "EOrder":
            return Scope.ACCOUNT_MARKET
        signed = any(charge.limit.scope is not Scope.ADDRESS for charge in charges)
        return Scope.ACCOUNT if signed else Scope.ADDRESS

    # -- markets and prices ------------------------------------------------------------------------------------

    def server_time(self) -> datetime:
        """To the second: Kraken tells no finer."""
        return self._call(wire.TIME, parse=lambda data: parse.moment(data["result"]["unixtime"]))

    def _fetch_markets(self) -> list[Market]:
        return self._call(wire.ASSET_PAIRS, parse=parse.parse_markets)

    def _names(self, market: Market) -> Iterable[str]:
        return (market.exchange_symbol, *wire.pair_names(market.symbol))

    def _pair(self, symbol: str) -> str:
        """The id of a market whose rules are known, the altname of any other: both are understood."""
        market = self._markets.get(symbol)
        return wire.pair_names(symbol)[0] if market is None else market.exchange_symbol

    def ticker(self, symbol: str) -> Ticker:
        return self._call(
            wire.TICKER,
            {"pair": self._pair(symbol)},
            lambda data: parse.parse_ticker(parse.only(data), symbol),
        )

    def tickers(self, symbols: Iterable[str] | None = None) -> dict[str, Ticker]:
        if symbols is None:
            return self._call(wire.TICKER, parse=lambda data: parse.parse_tickers(data, self._symbol))
        pairs = ",".join(self._pair(symbol) for symbol in symbols)
        if not pairs:
            return {}
        return self._call(wire.TICKER, {"pair": pairs}, lambda data: parse.parse_tickers(data, self._symbol))

    def order_book(self, symbol: str, depth: int) -> OrderBook:
        levels = max(1, min(depth, wire.MAX_DEPTH))
        return self._call(
            wire.DEPTH,
            {"pair": self._pair(symbol), "count": levels},
            lambda data: parse.parse_order_book(data, symbol, levels),
        )

    def candles(
        self, symbol: str, interval: str, since: datetime | None = None, limit: int | None = None
    ) -> list[Candle]:
        """Of the last 720 intervals only: Kraken has no older ones, whatever is asked for."""
        if interval not in wire.INTERVALS:
            raise OrderDenied.because("interval", f"{self.name} has no candles of {interval}")
        params: dict[str, Any] = {"pair": self._pair(symbol), "interval": wire.INTERVALS[interval]}
        if since is not None:
            params["since"] = _just_before(since)
        found = self._call(
            wire.OHLC, params, lambda data: [parse.parse_candle(row) for row in parse.only(data)]
        )
        return _cut(found, _begun_at, since, limit)

    # -- the account -------------------------------------------------------------------------------------------

    def balances(self) -> dict[str, Balance]:
        return self._call(wire.BALANCES, parse=parse.parse_balances)

    def positions(self) -> list[Position]:
        raise _no_futures(self.name)

    def futures_balances(self) -> dict[str, Balance]:
        raise _no_futures(self.name)

    # -- looking up --------------------------------------------------------------------------------------------

    def get_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        return self._find(symbol, exchange_order_id, client_order_id)

    def _find(
        self,
        symbol: str,
        exchange_order_id: str | None,
        client_order_id: str | None,
        *,
        urgent: bool = False,
    ) -> OrderReport:
        params = order_id_params(exchange_order_id, client_order_id)
        if exchange_order_id is not None:
            report = self._order(exchange_order_id, symbol, urgent=urgent)
        else:
            report = self._by_client_id(symbol, params, urgent=urgent)
        if report.filled_quantity is None:
            report = parse.with_fills(report, self._fills_of(report))
        return self._with_exits(report) if parse.carries_exit(report) and report.filled_quantity else report

    def _order(self, order_id: str, symbol: str, *, urgent: bool = False) -> OrderReport:
        try:
            return self._orders([order_id], symbol, urgent=urgent)[order_id]
        except (KeyError, InvalidOrder):
            raise OrderNotFound(self.name, f"there is no order {order_id}") from None

    def _orders(self, ids: Sequence[str], symbol: str, *, urgent: bool = False) -> dict[str, OrderReport]:
        """Orders of one market, by their ids; what Kraken does not know is left out."""
        endpoint, found = replace(wire.QUERY_ORDERS, urgent=urgent), dict[str, OrderReport]()
        for some in batches(ids, wire.MAX_ORDER_IDS):
            asked = {"txid": ",".join(some), "trades": "true"}
            found |= self._call(
                endpoint, asked, lambda data: parse.parse_orders(data["result"], always(symbol))
            )
        return found

    def _by_client_id(self, symbol: str, params: Mapping[str, str], *, urgent: bool) -> OrderReport:
        """Among the open orders and then the closed ones, so that an order which closes meanwhile is not missed.

        Only open orders have ids that are unique: of closed ones it is the latest.
        """
        asked = {**params, "trades": "true"}
        for endpoint, key in ((wire.OPEN_ORDERS, "open"), (wire.CLOSED_ORDERS, "closed")):
            found = self._call(
                replace(endpoint, urgent=urgent),
                asked,
                lambda data, key=key: parse.parse_orders(data["result"][key], always(symbol)),  # type: ignore[misc]
            )
            if found:
                return max(found.values(), key=placed_at)
        raise OrderNotFound(self.name, f"there is no order {params['cl_ord_id']}")

    def _with_exits(self, entry: OrderReport) -> OrderReport:
        """An entry that has executed, and the exits that Kraken placed with its executions.

        Until one shows, the entry is not told to be filled: it is guarded, and would be guarded twice. If none comes,
        it is told after all, and gets a guard of its own.
        """
        naming = always(entry.symbol)
        found = self._open(naming) | self._closed(naming, entry.created_at)
        exits = [order for order in found.values() if order.raw.get("refid") == entry.exchange_order_id]
        if exits or entry.status is not OrderStatus.FILLED or entry.updated_at is None:
            return replace(entry, children=tuple(exits))
        late = self._now_ms() > to_milliseconds(entry.updated_at + EXIT_SHOWS_WITHIN)
        return entry if late else replace(entry, status=OrderStatus.PARTIALLY_FILLED)

    def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        return _of_market(self._open(self._symbol), symbol)

    def order_history(
        self, symbol: str, since: datetime | None = None, limit: int | None = None
    ) -> list[OrderReport]:
        """Among the open orders and the latest fifty closed ones of all markets, or all since a time."""
        every = self._open(self._symbol) | self._closed(self._symbol, since)
        return _cut(sorted(_of_market(every, symbol), key=placed_at), placed_at, since, limit)

    def _open(self, naming: Naming) -> dict[str, OrderReport]:
        return self._call(
            wire.OPEN_ORDERS, parse=lambda data: parse.parse_orders(data["result"]["open"], naming)
        )

    def _closed(self, naming: Naming, since: datetime | None) -> dict[str, OrderReport]:
        """Those placed since a time; without a time, the last fifty that closed."""

        def read(data: Any) -> dict[str, OrderReport]:
            return parse.parse_orders(data["result"]["closed"], naming)

        params = {} if since is None else {"closetime": "open"}
        return self._pages(wire.CLOSED_ORDERS, params, read, since)

    def fills(
        self,
        symbol: str,
        since: datetime | None = None,
        limit: int | None = None,
        *,
        exchange_order_id: str | None = None,
    ) -> list[Fill]:
        """Of one order; or among the latest fifty of all markets, or all since a time."""
        if exchange_order_id is not None:
            return self._fills_of(self._order(exchange_order_id, symbol, urgent=True))[:limit]

        def read(data: Any) -> dict[str, Fill]:
            return parse.parse_fills(data["result"]["trades"], self._symbol)

        found = self._pages(wire.TRADES_HISTORY, {}, read, since).values()
        of_market = sorted((fill for fill in found if fill.symbol == symbol), key=_executed_at)
        wanted = _cut(of_market, _executed_at, since, limit)
        placed = self._orders(list(dict.fromkeys(str(fill.exchange_order_id) for fill in wanted)), symbol)
        return [parse.with_order(fill, placed.get(str(fill.exchange_order_id))) for fill in wanted]

    def _fills_of(self, order: OrderReport) -> list[Fill]:
        """The executions that an order names, oldest first."""
        found = dict[str, Fill]()
        for some in batches(parse.trade_ids(order), wire.MAX_TRADE_IDS):
            found |= self._call(
                wire.QUERY_TRADES,
                {"txid": ",".join(some)},
                lambda data: parse.parse_fills(data["result"], always(order.symbol)),
            )
        return [parse.with_order(fill, order) for fill in sorted(found.values(), key=_executed_at)]

    def _pages(
        self,
        endpoint: Endpoint,
        params: Mapping[str, str],
        parse_page: Callable[[Any], dict[str, Item]],
        since: datetime | None,
    ) -> dict[str, Item]:
        """Rows by their ids: the latest page when no time is given, or every page since then."""
        if since is None:
            return self._call(endpoint, params, parse_page)
        found: dict[str, Item] = {}
        for offset in itertools.count(step=wire.PAGE):
            page = self._call(endpoint, {**params, "start": _just_before(since), "ofs": offset}, parse_page)
            found |= page
            if len(page) < wire.PAGE:
                break
        return found


def always(symbol: str) -> Naming:
    """The naming of answers that concern one known market: never a look-up that may fetch, after an order was sent."""
    return lambda _: symbol


def order_id_params(exchange_order_id: str | None, client_order_id: str | None) -> dict[str, str]:
    """The parameter that names an order; the exchange's own id goes first.

    Raises:
        OrderDenied: when neither is told.
    """
    if exchange_order_id is not None:
        return {"txid": exchange_order_id}
    if client_order_id is not None:
        return {"cl_ord_id": client_order_id}
    raise OrderDenied.because("order_id", "tell the exchange's order id or the client order id")


_NO_TIME = datetime.fromtimestamp(0, UTC)


def placed_at(order: OrderReport) -> datetime:
    """When an order was placed; before everything else when that is not told."""
    return order.created_at or _NO_TIME


def _executed_at(fill: Fill) -> datetime:
    return fill.at or _NO_TIME


def _begun_at(candle: Candle) -> datetime:
    return candle.at


def _of_market(found: Mapping[str, OrderReport], symbol: str | None) -> list[OrderReport]:
    return [order for order in found.values() if symbol in (None, order.symbol)]


def _cut(
    found: Sequence[Item], at: Callable[[Item], datetime], since: datetime | None, limit: int | None
) -> list[Item]:
    """Of what is sorted oldest first, the first since a time, or the latest when no time is given."""
    if since is None:
        return list(found if limit is None else found[-limit:])
    return [item for item in found if at(item) >= since][:limit]


def _just_before(at: datetime) -> int:
    """The second before: Kraken leaves out what happened at the very time it is asked from."""
    return math.floor(at.timestamp()) - 1


def batches(ids: Sequence[Item], size: int) -> Iterator[Sequence[Item]]:
    """The ids in pieces that one call takes."""
    return (ids[start : start + size] for start in range(0, len(ids), size))


def _no_futures(name: str) -> OrderDenied:
    return OrderDenied.because("futures", f"{name}'s futures are another exchange with keys of its own")
