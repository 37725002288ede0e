"""The BingX client: placing and cancelling, on top of what can be asked."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.domain.errors import OrderDenied, OrderNotFound
from app.domain.orders import (
    OcoRequest,
    OrderReport,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from app.exchanges.bingx import orders, wire
from app.exchanges.bingx.parse import parse_order
from app.exchanges.bingx.reads import BingXReads, order_id, read_orders, theirs
from app.exchanges.passed import ensure_waits
from app.exchanges.sizing import in_quote


class BingX(BingXReads):
    """One BingX account."""

    # -- placing -----------------------------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> OrderReport:
        """See `Exchange.place_order`. What may have executed is looked up: the answer tells neither fees nor fills.

        A market buy takes an amount in quote only: see `in_quote` for one asked for in base.
        """
        market, request = self._prepare(request)
        if request.type.has_trigger:
            self._ensure_waits(request)
        sized = in_quote(request, market, self, wire.MAX_DEPTH)
        placed = self._ask(
            wire.PLACE,
            orders.placing(sized, market),
            lambda row: replace(
                parse_order(row, request.symbol), type=request.type, client_order_id=request.client_order_id
            ),
        )
        may_rest = request.type is not OrderType.MARKET and request.time_in_force is TimeInForce.GTC
        return placed if may_rest and placed.status is OrderStatus.OPEN else self._looked_up(placed)

    def _ensure_waits(self, request: OrderRequest) -> None:
        """BingX's triggers have no direction: a stop on the wrong side of the market would turn into a take-profit."""
        if request.side is Side.BUY and not request.type.has_price:
            raise OrderDenied.because(
                "order_type",
                f"{self.name} sizes market buys in quote, also those that wait for a price",
                remedy="Give the order a limit price.",
            )
        ensure_waits(request, self)

    def place_oco(self, request: OcoRequest) -> OrderReport:
        """Refused: pairs cannot be found by our ids, and their stop may be left behind at its limit."""
        raise OrderDenied.because("oco", f"{self.name} has no pairs of exits that can be relied on")

    def amend_order(
        self,
        symbol: str,
        *,
        exchange_order_id: str | None = None,
        client_order_id: str | None = None,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
    ) -> OrderReport:
        """Refused: cancel-replace makes another order, and may cancel the old one without placing it."""
        raise OrderDenied.because("amend", f"{self.name} changes no order in place: cancel and place anew")

    # -- cancelling --------------------------------------------------------------------------------------------

    def cancel_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        named = {"symbol": theirs(symbol), **order_id(exchange_order_id, client_order_id)}
        cancelled = self._ask(wire.CANCEL, named, lambda row: parse_order(row, symbol))
        return self._completed(cancelled)

    def cancel_all(self, symbol: str | None = None) -> list[OrderReport]:
        params = {} if symbol is None else {"symbol": theirs(symbol)}
        try:
            cancelled = self._ask(wire.CANCEL_ALL, params, read_orders)
        except OrderNotFound:  # how it may be said that nothing was open
            return []
        return [self._completed(order) for order in cancelled]

    def _completed(self, cancelled: OrderReport) -> OrderReport:
        """A cancelled order as it ended: with the fees and fills that the answer lacks, when it had any."""
        if cancelled.status is OrderStatus.CANCELED and not cancelled.filled_quantity:
            return cancelled
        return self._looked_up(cancelled)
