"""The Coinbase client: placing, changing and cancelling, on top of what can be asked.

All of these are answered with ids only, which say "received": what became of the order is looked up at once. When that
look-up fails, a placed order is told as received and nothing more, for it surely reached the exchange.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

from app.domain.errors import (
    DuplicateOrder,
    ExchangeError,
    InvalidOrder,
    OrderDenied,
    OrderNotFound,
    OutcomeUnknown,
)
from app.domain.money import plain
from app.domain.orders import OcoRequest, OrderReport, OrderRequest, OrderStatus, OrderType
from app.exchanges.coinbase import orders, parse, wire
from app.exchanges.coinbase.parse import ZERO
from app.exchanges.coinbase.reads import CoinbaseReads
from app.exchanges.passed import explained
from app.exchanges.refusals import exits_of
from app.exchanges.rest import milliseconds

log = logging.getLogger(__name__)


class Coinbase(CoinbaseReads):
    """One portfolio at Coinbase."""

    # -- placing -----------------------------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> OrderReport:
        """See `Exchange.place_order`. Under a client id that is in use the first order is told, and none is placed."""
        market, request = self._prepare(request)
        request = replace(request, client_order_id=request.client_order_id or str(uuid4()))
        return self._placed(orders.single(request, market))

    def place_oco(self, request: OcoRequest) -> OrderReport:
        """See `Exchange.place_oco`: a bracket, whose take-profit rests and whose stop takes its place."""
        market, request = self._prepare_oco(request)
        request = replace(request, client_order_id=request.client_order_id or str(uuid4()))
        try:
            return self._placed(orders.pair(request, market))
        except InvalidOrder as refused:
            # Coinbase's words do not always tell whether the market has passed one of the prices.
            raise explained(refused, exits_of(request), self) from None

    def _placed(self, body: orders.Params) -> OrderReport:
        """What became of an order, once all of its fills are told.

        Raises:
            DuplicateOrder: the client id was used before, and for another order.
        """
        order_id: str = self._call(wire.PLACE, body, lambda data: data["success_response"]["order_id"])
        try:
            found = self._with_fills(
                self.get_order(parse.ours(body["product_id"]), exchange_order_id=order_id)
            )
        except ExchangeError as error:
            log.warning("%s took order %s; %s", self.name, order_id, error.message)
            return self._received(order_id, body)
        if not orders.is_told_by(body, found.raw):
            raise DuplicateOrder(self.name, "another order goes by this client id")
        told = sum((fill.quantity for each in (found, *found.children) for fill in each.fills), ZERO)
        if told < (found.filled_quantity or ZERO):
            return self._received(order_id, body)
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

    def _with_fills(self, report: OrderReport) -> OrderReport:
        """An order with its executions; those of a pair belong to the leg that has executed."""
        if not report.filled_quantity:
            return report
        if report.type is None:
            return replace(report, children=tuple(self._with_fills(leg) for leg in report.children))
        fills = self.fills(report.symbol, exchange_order_id=report.exchange_order_id)
        return replace(report, fills=tuple(fills))

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
        return self._confirmed(symbol, "change", order.exchange_order_id)

    # -- cancelling --------------------------------------------------------------------------------------------

    def cancel_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """Cancel an order; a leg takes its sibling along, an entry the exits it carries."""
        if exchange_order_id is None:
            found = self._by_client_id(symbol, client_order_id)
            exchange_order_id = found.exchange_order_id
        self._cancel([parse.order_number(exchange_order_id or "")])
        return self._confirmed(symbol, "cancellation", exchange_order_id)

    def _cancel(self, numbers: Sequence[str]) -> None:
        self._call(wire.CANCEL, {"order_ids": list(numbers)}, lambda data: data["results"])

    def _confirmed(self, symbol: str, what: str, exchange_order_id: str | None) -> OrderReport:
        """An order after a change of it was taken, which is not yet to say that it was carried out."""
        try:
            return self._with_fills(self.get_order(symbol, exchange_order_id=exchange_order_id))
        except ExchangeError as error:
            message = f"the {what} was taken; what came of it is not known: {error.exchange_message}"
            raise OutcomeUnknown(self.name, message, code=error.code) from None

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
