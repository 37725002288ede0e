"""The OKX client: placing, changing and cancelling, all answered with ids only, on top of what can be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from app.domain.errors import OrderDenied, OrderNotFound, OrderRejected
from app.domain.markets import Market
from app.domain.money import plain
from app.domain.orders import OcoRequest, OrderReport, OrderRequest
from app.exchanges.okx import algos, orders, wire
from app.exchanges.okx.algos import AlgoId
from app.exchanges.okx.orders import Params
from app.exchanges.okx.parse import Row, theirs
from app.exchanges.okx.reads import OKXReads
from app.exchanges.receipts import given, received
from app.exchanges.rest import Endpoint, milliseconds


class OKX(OKXReads):
    """One OKX account."""

    #: How spot orders are named in the account's mode; asked for before the first order, and after one was refused.
    _trade_mode: str | None = None

    # -- placing -----------------------------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> OrderReport:
        """See `Exchange.place_order`; the report comes with its fills and with the exits it carries.

        Without a client id the order gets one of ours, after which the exits that it carries are named.
        """
        market, request = self._prepare(request)
        request = replace(request, client_order_id=request.client_order_id or _fresh_id())
        if request.type.has_trigger:
            return self._place_algo(orders.waiting(request, market, self._mode()), market)
        body = orders.single(request, market, self._mode())
        receipt = self._place(wire.PLACE, body, market, lambda ack: self._received({**body, **ack}, request))
        return self._looked_up(receipt)

    def place_oco(self, request: OcoRequest) -> OrderReport:
        market, request = self._prepare_oco(request)
        request = replace(request, client_order_id=request.client_order_id or _fresh_id())
        return self._place_algo(orders.pair(request, market, self._mode()), market)

    def _place_algo(self, body: Params, market: Market) -> OrderReport:
        return self._place(
            wire.PLACE_ALGO, body, market, lambda ack: algos.taken({**body, **ack}, self._now_ms())
        )

    def _place(
        self, endpoint: Endpoint, body: Params, market: Market, read: Callable[[Row], OrderReport]
    ) -> OrderReport:
        try:
            return self._ask(endpoint, body, lambda rows: read(rows[0]), market=market.symbol)
        except OrderRejected:
            self._trade_mode = None  # the account's mode may be another by now
            raise

    def _mode(self) -> str:
        if self._trade_mode is None:
            level = self._ask(wire.CONFIG, read=lambda rows: str(rows[0]["acctLv"]))
            self._trade_mode = wire.CROSS if level in wire.CROSS_MODES else wire.CASH
        return self._trade_mode

    def _received(self, raw: Row, request: OrderRequest) -> OrderReport:
        """An order of which nothing is known but that the exchange has it."""
        entry = received(str(raw["ordId"]), str(raw["clOrdId"]), request, dict(raw))
        now = milliseconds(self._now_ms())
        exits = [exit_ for row in algos.carried_by(entry) for exit_ in algos.unborn(row, entry, now)]
        return replace(entry, children=tuple(exits))

    # -- changing ----------------------------------------------------------------------------------------------

    def amend_order(
        self,
        symbol: str,
        *,
        exchange_order_id: str | None = None,
        client_order_id: str | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> OrderReport:
        """Change size or price of a resting order in place; one that waits for a price is cancelled and placed anew."""
        if quantity is None and price is None:
            raise OrderDenied.because("quantity", "tell the new quantity or the new price")
        if exchange_order_id is not None and AlgoId.read(exchange_order_id):
            raise OrderDenied.because("amend", "an order that waits for a price is cancelled and placed anew")
        market = self._market(symbol)
        body = {"instId": market.exchange_symbol, **_order_id(exchange_order_id, client_order_id)}
        if quantity is not None:
            body["newSz"] = plain(market.quantize_quantity(quantity))
        if price is not None:
            body["newPx"] = plain(market.quantize_price(price))
        self._ask(wire.AMEND, body, market=symbol)
        return self._confirmed(symbol, exchange_order_id=exchange_order_id, client_order_id=client_order_id)

    # -- cancelling --------------------------------------------------------------------------------------------

    def cancel_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """Cancel an order, or an algo order; a leg takes its sibling along, an entry the exits it carries."""
        if exchange_order_id is None:
            self._cancel_by_client_id(symbol, given(client_order_id))
        elif asked := AlgoId.read(exchange_order_id):
            self._cancel_algo(symbol, asked.query)
        else:
            self._cancel(symbol, _order_id(exchange_order_id, None))
        return self._confirmed(symbol, exchange_order_id=exchange_order_id, client_order_id=client_order_id)

    def _cancel(self, symbol: str, order_id: Mapping[str, str]) -> None:
        self._ask(wire.CANCEL, {"instId": theirs(symbol), **order_id}, market=symbol)

    def _cancel_algo(self, symbol: str, query: Mapping[str, str]) -> None:
        """Cancel an algo order; when it has executed, the order that it placed."""
        try:
            self._ask(wire.CANCEL_ALGOS, {wire.ROWS: [{"instId": theirs(symbol), **query}]}, market=symbol)
        except OrderNotFound:
            placed = algos.placed_orders(self._algo_record(query))
            if not placed:
                raise
            self._cancel(symbol, {"ordId": placed[-1]})

    def _cancel_by_client_id(self, symbol: str, client_order_id: str) -> None:
        try:
            self._cancel(symbol, _order_id(None, client_order_id))
        except OrderNotFound as missing:
            try:
                self._cancel_algo(symbol, {"algoClOrdId": client_order_id})
            except OrderNotFound:
                raise missing from None

    def cancel_all(self, symbol: str | None = None) -> list[OrderReport]:
        """Cancel orders some at a time and algo orders one by one; OKX has no call for all of a market."""
        resting = self.open_orders(symbol)
        return [
            report
            for each in dict.fromkeys(order.symbol for order in resting)
            for report in self._cancel_every(each, [order for order in resting if order.symbol == each])
        ]

    def _cancel_every(self, symbol: str, resting: Sequence[OrderReport]) -> list[OrderReport]:
        """Each order as the exchange tells it afterwards; those that have ended meanwhile were not to be cancelled."""
        ids = [order.exchange_order_id or "" for order in resting]
        proper = [{"instId": theirs(symbol), "ordId": each} for each in ids if AlgoId.read(each) is None]
        for start in range(0, len(proper), wire.MOST_CANCELS):
            some = proper[start : start + wire.MOST_CANCELS]
            with suppress(OrderNotFound):
                self._ask(wire.CANCEL_SOME, {wire.ROWS: some}, market=symbol)
        for number in dict.fromkeys(asked.number for each in ids if (asked := AlgoId.read(each))):
            with suppress(OrderNotFound):
                self._cancel_algo(symbol, {"algoId": number})
        now = {order.exchange_order_id: order for order in self.order_history(symbol)}
        return [now.get(order.exchange_order_id, order) for order in resting]


def _fresh_id() -> str:
    return uuid4().hex[:30]


def _order_id(exchange_order_id: str | None, client_order_id: str | None) -> dict[str, str]:
    if exchange_order_id is not None:
        return {"ordId": exchange_order_id}
    return {"clOrdId": given(client_order_id)}
