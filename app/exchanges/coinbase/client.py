"""The Coinbase client: placing, changing and cancelling, all answered with ids only, on top of what can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

from app.domain.errors import (
    DuplicateOrder,
    InvalidOrder,
    OrderDenied,
    OrderNotFound,
)
from app.domain.money import plain
from app.domain.orders import OcoRequest, OrderReport, OrderRequest, OrderStatus, OrderType
from app.exchanges.coinbase import orders, parse, wire
from app.exchanges.coinbase.reads import CoinbaseReads
from app.exchanges.passed import explained
from app.exchanges.receipts import given
from app.exchanges.refusals import exits_of
from app.exchanges.rest import milliseconds


class Coinbase(CoinbaseReads):
    """One portfolio at Coinbase."""

    # -- placing -----------------------------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> OrderReport:
        """See `Exchange.place_order`. Under a client id that is in use the first order is told, and none is placed."""
        market, request = self._prepare(request)
        request = replace(request, client_order_id=request.client_order_id or str(uuid4()))
        return self._place(orders.single(request, market))

    def place_oco(self, request: OcoRequest) -> OrderReport:
        """See `Exchange.place_oco`: a bracket, whose take-profit rests and whose stop takes its place."""
        market, request = self._prepare_oco(request)
        request = replace(request, client_order_id=request.client_order_id or str(uuid4()))
        try:
            return self._place(orders.pair(request, market))
        except InvalidOrder as refused:
            # Coinbase's words do not always tell whether the market has passed one of the prices.
            raise explained(refused, exits_of(request), self) from None

    def _place(self, body: orders.Params) -> OrderReport:
        """What became of an order, once all of its fills are told.

        Raises:
            DuplicateOrder: the client id was used before, and for another order.
        """
        order_id: str = self._call(wire.PLACE, body, lambda data: data["success_response"]["order_id"])
        found = self._looked_up(self._received(order_id, body))
        if not orders.is_told_by(body, found.raw):
            raise DuplicateOrder(self.name, "another order goes by this client id")
        return found

    def _received(self, order_id: str, body: orders.Params) -> OrderReport:
        """An order of which nothing is known but that the exchange has it."""
        now = self._now_ms()
        record = {
            **body,
            "order_id": order_id,
            "status": "PENDING",
            "created_time": milliseconds(now).isoformat().replace("+00:00", "Z"),
            **dict.fromkeys(("filled_size", "average_filled_price", "filled_value", "total_fees"), "0"),
        }
        received = replace(self._parsed(record), status=OrderStatus.PENDING)
        return received if received.children else replace(received, children=parse.unborn(received))

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
        """Change size or price of a resting limit order in place; Coinbase wants both, so the other is looked up."""
        if quantity is None and price is None:
            raise OrderDenied.because("quantity", "tell the new quantity or the new price")
        order = self.get_order(symbol, exchange_order_id=exchange_order_id, client_order_id=client_order_id)
        if order.type is not OrderType.LIMIT or order.quantity is None or order.price is None:
            raise OrderDenied.because("amend", "an order that waits for a price is cancelled and placed anew")
        market = self._market(symbol)
        body = {
            "order_id": order.exchange_order_id,
            "size": plain(market.quantize_quantity(quantity or order.quantity)),
            "price": plain(market.quantize_price(price or order.price)),
        }
        self._call(wire.EDIT, body, lambda data: data["success"])
        return self._confirmed(symbol, exchange_order_id=order.exchange_order_id)

    # -- cancelling --------------------------------------------------------------------------------------------

    def cancel_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """Cancel an order; a leg takes its sibling along, an entry the exits it carries."""
        if exchange_order_id is None:
            exchange_order_id = self._by_client_id(symbol, given(client_order_id)).exchange_order_id
        elif parse.is_unborn(exchange_order_id):
            exchange_order_id = self.get_order(symbol, exchange_order_id=exchange_order_id).exchange_order_id
        if exchange_order_id is None or parse.is_unborn(exchange_order_id):
            raise OrderNotFound(
                self.name, "the exit does not rest yet", remedy="Cancel the entry it waits for."
            )
        self._cancel([parse.order_number(exchange_order_id)])
        return self._confirmed(symbol, exchange_order_id=exchange_order_id)

    def _cancel(self, numbers: Sequence[str]) -> None:
        self._call(wire.CANCEL, {"order_ids": list(numbers)}, lambda data: data["results"])

    def cancel_all(self, symbol: str | None = None) -> list[OrderReport]:
        """Cancel some at a time; there is no call for all. Those that have ended meanwhile were not to be cancelled."""
        resting = self._open(symbol)
        numbers = [order.exchange_order_id or "" for order in resting]
        for start in range(0, len(numbers), wire.MOST_CANCELS):
            with suppress(OrderNotFound):
                self._cancel(numbers[start : start + wire.MOST_CANCELS])
        now: dict[Any, OrderReport] = {}
        for each in dict.fromkeys(order.symbol for order in resting):
            now |= {order.exchange_order_id: order for order in self._orders(each, None, wire.PAGE)}
        return parse.legs([now.get(order.exchange_order_id, order) for order in resting])
