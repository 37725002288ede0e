"""The KuCoin client: the methods of the port, each a call of `wire` read by a function of `parse`."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4

from app.domain.accounts import Balance, Grant, Permissions, Position
from app.domain.errors import ExchangeError, InvalidOrder, OrderDenied, OrderNotFound, TradingError
from app.domain.money import plain
from app.domain.orders import Fill, OcoRequest, OrderReport, OrderRequest, OrderStatus
from app.exchanges.history import pages
from app.exchanges.kucoin import orders, parse, waiting, wire
from app.exchanges.kucoin.market_data import MarketData
from app.exchanges.kucoin.wire import Family, family
from app.exchanges.passed import explained
from app.exchanges.refusals import exits_of
from app.exchanges.rest import Endpoint, milliseconds

log = logging.getLogger(__name__)

Item = TypeVar("Item")


class KuCoin(MarketData):
    """One KuCoin account."""

    title = "KuCoin"
    capabilities = wire.CAPABILITIES
    credential_fields = wire.CREDENTIAL_FIELDS
    client_id_pattern = wire.CLIENT_ID
    client_id_rule = wire.CLIENT_ID_RULE

    # -- the account -------------------------------------------------------------------------------------------

    def balances(self) -> dict[str, Balance]:
        return self._call(wire.ACCOUNTS, parse=parse.parse_balances)

    def _permissions(self) -> tuple[Permissions, Grant]:
        try:
            return self._call(wire.KEY_INFO, parse=parse.parse_permissions)
        except ExchangeError:  # the balances were read, so the key works; what else it may do stays unknown
            return Permissions(read=Grant.YES), Grant.UNKNOWN

    def positions(self) -> list[Position]:
        rows = self._call(
            wire.POSITIONS, {"currency": "USDT"}, lambda rows: [row for row in rows if row["currentQty"]]
        )
        if not rows:
            return []
        return self._call(wire.CONTRACTS, parse=lambda contracts: parse.parse_positions(rows, contracts))

    def futures_balances(self) -> dict[str, Balance]:
        return self._call(wire.FUTURES_ACCOUNT, {"currency": "USDT"}, parse.parse_futures_balance)

    # -- placing -----------------------------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> OrderReport:
        """See `Exchange.place_order`. Without a client id the order gets one of ours, to be looked up by."""
        market, request = self._prepare(request)
        request = replace(request, client_order_id=request.client_order_id or uuid4().hex)
        if request.trigger_price is not None:
            body = orders.stop(request, market, request.trigger_price)
            return self._call(wire.PLACE_STOP, body, lambda data: waiting.parse_placed_stop(data, request))
        placed = self._call(
            wire.PLACE, orders.single(request, market), lambda data: parse.parse_placed(data, request)
        )
        return placed if placed.filled_quantity is not None else self._completed(placed)

    def place_oco(self, request: OcoRequest) -> OrderReport:
        """See `Exchange.place_oco`. A stop at the market goes out with a limit as far off as is surely taken."""
        market, request = self._prepare_oco(request)
        request = replace(request, client_order_id=request.client_order_id or uuid4().hex)
        body = orders.pair(request, market)
        try:
            placed = self._call(wire.PLACE_PAIR, body, lambda data: waiting.parse_placed_pair(data, request))
        except InvalidOrder as refused:
            # KuCoin's words do not tell whether the market has passed one of the prices.
            raise explained(refused, exits_of(request), self) from None
        return self._completed(placed)

    def amend_order(
        self,
        symbol: str,
        *,
        exchange_order_id: str | None = None,
        client_order_id: str | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> OrderReport:
        """Replace a resting order by another under the same client id: its id and its place in the queue change."""
        if quantity is None and price is None:
            raise OrderDenied.because("quantity", "tell the new quantity or the new price")
        market = self._market(symbol)
        body = {"symbol": market.exchange_symbol}
        if exchange_order_id is not None:
            body["orderId"] = exchange_order_id
        else:
            body["clientOid"] = _needed(client_order_id)
        if quantity is not None:
            body["newSize"] = plain(market.quantize_quantity(quantity))
        if price is not None:
            body["newPrice"] = plain(market.quantize_price(price))
        return self._completed(self._call(wire.ALTER, body, lambda data: parse.parse_altered(data, symbol)))

    def _completed(self, answered: OrderReport) -> OrderReport:
        """An order's own record and fills. It is placed or cancelled whatever the look-ups say: while they do not
        tell everything, what was answered stands, and how the order fares is learnt later, as of any that rests.
        """
        try:
            found = self._with_fills(
                self.get_order(
                    answered.symbol,
                    exchange_order_id=answered.exchange_order_id,
                    client_order_id=answered.client_order_id,
                )
            )
        except TradingError as error:
            log.info("%s: only the answer to an order is known: %s", self.name, error)
            return answered
        told = sum((fill.quantity for each in (found, *found.children) for fill in each.fills), parse.ZERO)
        return answered if told < (found.filled_quantity or 0) else found

    def _with_fills(self, report: OrderReport) -> OrderReport:
        if report.children:
            return replace(report, children=tuple(self._with_fills(leg) for leg in report.children))
        if not report.filled_quantity:
            return report
        fills = self.fills(report.symbol, exchange_order_id=report.exchange_order_id)
        return replace(report, fills=tuple(fills))

    # -- cancelling --------------------------------------------------------------------------------------------

    def cancel_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """Cancel an order, a stop or a pair of exits; a leg takes its sibling along."""
        if exchange_order_id is not None:
            return self._cancel(symbol, exchange_order_id)
        client_id = _needed(client_order_id)
        params = {"clientOid": client_id, "symbol": self._theirs(symbol)}
        try:
            canceled = self._call(
                wire.CANCEL_BY_CLIENT,
                params,
                lambda data: parse.parse_canceled(data, symbol, None, client_id),
            )
        except OrderNotFound as missing:
            found = self._waiting(symbol, client_id, missing)
            return self._cancel(symbol, _needed(found.exchange_order_id))
        return self._completed(canceled)

    def _cancel(self, symbol: str, order_id: str) -> OrderReport:
        kind = family(order_id)
        if kind is Family.ORDER:
            params, read = {"orderId": order_id, "symbol": self._theirs(symbol)}, parse.parse_canceled
        else:
            params, read = {"orderId": _pair_of(order_id)}, waiting.parse_canceled_waiting
        try:
            canceled = self._call(wire.CANCEL[kind], params, lambda data: read(data, symbol, order_id, None))
        except OrderNotFound:
            executing = self._executing(symbol, order_id)
            if executing == order_id:
                raise
            canceled = replace(self._cancel(symbol, executing), exchange_order_id=order_id)
        return self._completed(canceled)

    def cancel_all(self, symbol: str | None = None) -> list[OrderReport]:
        """Cancel family by family, market by market. KuCoin takes note of the first: what came of it is looked up."""
        resting: dict[tuple[str, Family], list[OrderReport]] = {}
        for order in self.open_orders(symbol):
            resting.setdefault((order.symbol, family(order.exchange_order_id or "")), []).append(order)
        reports = []
        for (each, kind), gone in resting.items():
            params = {"symbol": self._theirs(each)}
            if kind is Family.STOP:
                params["tradeType"] = wire.TRADE_TYPE
            with suppress(OrderNotFound):  # there is none left: the look-ups tell what came of them
                self._call(wire.CANCEL_ALL[kind], params)
            reports += [self._completed(waiting.canceled(order, kind)) for order in gone]
        return reports

    # -- looking up --------------------------------------------------------------------------------------------

    def get_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """See `Exchange.get_order`. A stop that has triggered is told as the order it became, under its id."""
        if exchange_order_id is not None:
            return self._get(symbol, exchange_order_id)
        client_id = _needed(client_order_id)
        try:
            return self._by_client(symbol, client_id)
        except OrderNotFound as missing:
            return self._waiting(symbol, client_id, missing)

    def _get(self, symbol: str, order_id: str) -> OrderReport:
        naming, kind = _always(symbol), family(order_id)
        if kind is Family.PAIR:
            pair = self._pair(symbol, _pair_of(order_id))
            return next((leg for leg in pair.children if leg.exchange_order_id == order_id), pair)
        if kind is Family.STOP:
            stop = self._call(
                wire.GET_STOP,
                {"orderId": order_id},
                lambda row: waiting.parse_stop(self._found(row), naming),
            )
            return self._followed(stop)
        return self._call(
            wire.GET_ORDER,
            {"orderId": order_id, "symbol": self._theirs(symbol)},
            lambda row: parse.parse_order(self._found(row), naming),
        )

    def _by_client(self, symbol: str, client_id: str) -> OrderReport:
        return self._call(
            wire.GET_BY_CLIENT,
            {"clientOid": client_id, "symbol": self._theirs(symbol)},
            lambda row: parse.parse_order(self._found(row), _always(symbol)),
        )

    def _waiting(self, symbol: str, client_id: str, missing: OrderNotFound) -> OrderReport:
        """The stop or the pair of that client id; if there is neither, the first answer stands.

        Any other refusal is passed on: that there is no such order must be said, not guessed.
        """
        for look_up in (self._stop_by_client, self._pair_by_client):
            with suppress(OrderNotFound):
                return look_up(symbol, client_id)
        raise missing

    def _stop_by_client(self, symbol: str, client_id: str) -> OrderReport:
        stop = self._call(
            wire.GET_STOP_BY_CLIENT,
            {"clientOid": client_id, "symbol": self._theirs(symbol)},
            lambda rows: waiting.parse_stop(self._found(rows)[0], _always(symbol)),
        )
        return self._followed(stop)

    def _pair_by_client(self, symbol: str, client_id: str) -> OrderReport:
        pair_id = self._call(
            wire.GET_PAIR_BY_CLIENT, {"clientOid": client_id}, lambda head: self._found(head)["orderId"]
        )
        return self._pair(symbol, pair_id)

    def _pair(self, symbol: str, pair_id: str) -> OrderReport:
        pair = self._call(
            wire.GET_PAIR,
            {"orderId": pair_id},
            lambda data: waiting.parse_pair(self._found(data), _always(symbol)),
        )
        if pair.status not in (OrderStatus.PENDING, OrderStatus.FILLED):
            return pair
        try:
            return waiting.executed(pair, self._by_client(symbol, pair.client_order_id or ""))
        except OrderNotFound:  # not to be seen yet, or not any more
            return pair

    def _followed(self, stop: OrderReport) -> OrderReport:
        """What became of a stop: once triggered, another order of its client id, unless the balance was lacking."""
        if stop.status is not OrderStatus.PENDING:
            return stop
        try:
            return waiting.followed(stop, self._by_client(stop.symbol, stop.client_order_id or ""))
        except OrderNotFound:
            ago = milliseconds(self._now_ms()) - (stop.updated_at or milliseconds(0))
            if ago < self.capabilities.visibility_delay:
                return stop
            if ago > wire.RETENTION:
                raise
            return replace(stop, status=OrderStatus.REJECTED)

    def open_orders(self, symbol: str | None = None) -> list[OrderReport]:
        """See `Exchange.open_orders`: those in the book, the stops, and the legs of pairs."""
        asked = {} if symbol is None else {"symbol": self._theirs(symbol)}
        naming = self._symbol if symbol is None else _always(symbol)
        symbols = (
            asked.values()
            if asked
            else self._call(wire.ACTIVE_SYMBOLS, parse=lambda data: data["symbols"] or ())
        )
        resting = [order for each in symbols for order in self._active(each, naming)]
        pairs = [
            self._pair(naming(row["symbol"]), row["orderId"])
            for row in self._listed(wire.PAIRS, asked)
            if row["status"] == wire.WAITING
        ]
        legs = {leg.raw["id"]: leg for pair in pairs for leg in pair.children}
        untriggered = {**asked, "tradeType": wire.TRADE_TYPE, "status": wire.WAITING}
        stops = [
            waiting.parse_stop(row, naming)
            for row in self._listed(wire.STOPS, untriggered)
            if row["id"] not in legs
        ]
        return [*resting, *stops, *legs.values()]

    def _active(self, exchange_symbol: str, naming: Callable[[str], str]) -> list[OrderReport]:
        return self._call(
            wire.ACTIVE,
            {"symbol": exchange_symbol},
            lambda rows: [parse.parse_order(row, naming) for row in rows or ()],
        )

    def _listed(self, endpoint: Endpoint, params: Mapping[str, Any]) -> list[parse.Row]:
        """Every row of a numbered list."""
        found: list[parse.Row] = []
        page = last = 1
        while page <= last:
            numbered = {**params, "currentPage": page, "pageSize": wire.PAGE_SIZE}
            rows, last = self._call(endpoint, numbered, lambda data: (data["items"], data["totalPage"]))
            found += rows
            page += 1
        return found

    def order_history(
        self, symbol: str, since: datetime | None = None, limit: int | None = None
    ) -> list[OrderReport]:
        """See `Exchange.order_history`: of stops and pairs only what came of them, which is all KuCoin keeps."""
        done = pages(
            self._pager(wire.DONE, symbol, lambda row: parse.parse_order(row, _always(symbol))),
            lambda order: order.created_at,
            since,
            limit,
            page=wire.MAX_ROWS,
            window=wire.HISTORY_WINDOW,
        )
        active = self._active(self._theirs(symbol), _always(symbol))
        started = milliseconds(0) if since is None else since
        recent = [order for order in active if (order.created_at or started) >= started]
        both = {order.exchange_order_id: order for order in (*recent, *done)}
        told = sorted(both.values(), key=lambda order: order.created_at or started)
        return told[: limit or None] if since is not None else told[-(limit or 0) :]

    def fills(
        self,
        symbol: str,
        since: datetime | None = None,
        limit: int | None = None,
        *,
        exchange_order_id: str | None = None,
    ) -> list[Fill]:
        """See `Exchange.fills`. Those of a stop or of a leg are those of the order that it became."""

        def read(row: parse.Row) -> Fill:
            return parse.parse_fill(row, symbol)

        if exchange_order_id is not None:
            order_id = self._executing(symbol, exchange_order_id)
            return self._rows(
                wire.FILLS_OF_ORDER, {"symbol": self._theirs(symbol), "orderId": order_id}, read
            )[:limit]
        fetch = self._pager(wire.FILLS, symbol, read)
        return pages(
            fetch, lambda fill: fill.at, since, limit, page=wire.MAX_ROWS, window=wire.HISTORY_WINDOW
        )

    def _executing(self, symbol: str, order_id: str) -> str:
        """The id under which an order executes, or would."""
        match family(order_id):
            case Family.PAIR:
                pair = self._pair(symbol, _pair_of(order_id))
                found = self._by_client(symbol, pair.client_order_id or "")
            case Family.STOP:
                found = self._get(symbol, order_id)
            case _:
                return order_id
        return found.exchange_order_id or order_id

    def _pager(
        self, endpoint: Endpoint, symbol: str, parse_row: Callable[[parse.Row], Item]
    ) -> Callable[[int | None, int | None, int], list[Item]]:
        """A function that fetches every row between two times in milliseconds, or the latest when none is told."""

        def fetch(start: int | None, end: int | None, rows: int) -> list[Item]:
            times = {name: at for name, at in (("startAt", start), ("endAt", end)) if at is not None}
            found = self._rows(
                endpoint,
                {"symbol": self._theirs(symbol), **times},
                parse_row,
                most=rows if start is None else None,
            )
            return found[-rows:] if start is None else found

        return fetch

    def _rows(
        self,
        endpoint: Endpoint,
        params: Mapping[str, Any],
        parse_row: Callable[[parse.Row], Item],
        most: int | None = None,
    ) -> list[Item]:
        """Rows oldest first, all or the latest so many: they come newest first, each page naming where it ends."""
        found: list[Item] = []
        last: dict[str, Any] = {}
        while most is None or len(found) < most:
            page = {**params, "limit": wire.MAX_ROWS, **last}
            last_id, rows = self._call(
                endpoint, page, lambda data: (data.get("lastId"), [parse_row(row) for row in data["items"]])
            )
            found += rows
            if len(rows) < wire.MAX_ROWS or last.get("lastId") == last_id:
                break
            last = {"lastId": last_id}
        return found[::-1]

    def _found(self, data: Any) -> Any:
        """What was asked for; nothing is how KuCoin says, with success, that there is no such order."""
        if not data:
            raise OrderNotFound(self.name, "there is no such order")
        return data


def _needed(order_id: str | None) -> str:
    if order_id is None:
        raise OrderDenied.because("order_id", "tell the exchange's order id or the client order id")
    return order_id


def _pair_of(order_id: str) -> str:
    """KuCoin's id of a pair, out of ours or a leg's."""
    return order_id.removeprefix(wire.PAIR_PREFIX).partition(wire.LEG_MARK)[0]


def _always(symbol: str) -> Callable[[str], str]:
    """The naming of answers that concern one known market: never a look-up, which may fail once an order is sent."""
    return lambda _: symbol
