"""The Bitget client: placing and cancelling, both answered with ids only, on top of what can be asked."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from app.domain.errors import OrderDenied, OrderNotFound, OrderRejected
from app.domain.markets import Market
from app.domain.orders import OcoRequest, OrderReport, OrderRequest, OrderStatus, Side
from app.exchanges.bitget import orders, wire
from app.exchanges.bitget.parse import PLAN_PREFIX, TPSL_PREFIX, Row
from app.exchanges.bitget.reads import BitgetReads, kind_of, theirs
from app.exchanges.passed import ensure_waits
from app.exchanges.presets import PRESET_PREFIX
from app.exchanges.receipts import given, received
from app.exchanges.sizing import in_quote


class Bitget(BitgetReads):
    """One classic Bitget account."""

    # -- placing -----------------------------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> OrderReport:
        """See `Exchange.place_order`; the report comes with its fills and with the exits it carries.

        A market buy takes an amount in quote only: see `in_quote` for one asked for in base.
        """
        market, request = self._prepare(request)
        if request.type.has_trigger:
            self._ensure_waits(request)
            return self._place_plan(request, market)
        request = in_quote(request, market, self, wire.MAX_DEPTH)
        receipt = self._ask(
            wire.PLACE, orders.single(request, market), lambda ids: _received(ids, request, "")
        )
        return self._with_asked_exits(self._looked_up(receipt), request)

    def _ensure_waits(self, request: OrderRequest) -> None:
        """Bitget's triggers have no direction: a stop on the wrong side of the market would turn into a take-profit."""
        if request.side is Side.BUY and not request.type.has_price:
            raise OrderDenied.because(
                "order_type",
                f"{self.name} sizes market buys in quote, also those that wait for a price",
                remedy="Give the order a limit price.",
            )
        ensure_waits(request, self)

    def _place_plan(self, request: OrderRequest, market: Market) -> OrderReport:
        return self._ask(
            wire.PLACE_PLAN,
            orders.plan(request, market),
            lambda ids: _received(ids, request, PLAN_PREFIX, OrderStatus.OPEN),
        )

    def place_oco(self, request: OcoRequest) -> OrderReport:
        """Refused: the API has no pairs of exits but those an entry carries."""
        raise OrderDenied.because("oco", f"{self.name} has no orders of which one cancels the other")

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
        if exchange_order_id is None:
            return self._cancel_by_client_id(symbol, given(client_order_id))
        if exchange_order_id.startswith(PRESET_PREFIX):
            exchange_order_id = self.get_order(symbol, exchange_order_id=exchange_order_id).exchange_order_id
        kind, number = kind_of(exchange_order_id or "")
        if kind == PRESET_PREFIX:
            raise OrderNotFound(
                self.name, "the exit does not rest yet", remedy="Cancel the entry it waits for."
            )
        if kind == PLAN_PREFIX:
            self._ask(wire.CANCEL_PLAN, {"orderId": number})
        else:
            where = {"tpslType": wire.TPSL} if kind == TPSL_PREFIX else {"symbol": theirs(symbol)}
            self._ask(wire.CANCEL, {**where, "orderId": number})
        return self._confirmed(symbol, exchange_order_id=exchange_order_id)

    def _cancel_by_client_id(self, symbol: str, client_order_id: str) -> OrderReport:
        try:
            self._ask(wire.CANCEL, {"symbol": theirs(symbol), "clientOid": client_order_id})
        except OrderNotFound as missing:
            try:
                self._ask(wire.CANCEL_PLAN, {"clientOid": client_order_id})
            except (OrderNotFound, OrderRejected):
                raise missing from None
        return self._confirmed(symbol, client_order_id=client_order_id)

    def cancel_all(self, symbol: str | None = None) -> list[OrderReport]:
        resting = self.open_orders(symbol)
        return [
            report
            for each in dict.fromkeys(order.symbol for order in resting)
            for report in self._cancel_every(each, [order for order in resting if order.symbol == each])
        ]

    def _cancel_every(self, symbol: str, resting: Sequence[OrderReport]) -> list[OrderReport]:
        """Cancels at once what can be, and tells each order as the exchange tells it afterwards."""
        kinds = {kind_of(order.exchange_order_id or "")[0] for order in resting}
        if "" in kinds:
            self._ask(wire.CANCEL_ALL, {"symbol": theirs(symbol)})
        if PLAN_PREFIX in kinds:
            self._ask(wire.CANCEL_ALL_PLANS, {"symbolList": [theirs(symbol)]})
        for order in resting:
            kind, number = kind_of(order.exchange_order_id or "")
            if kind == TPSL_PREFIX:
                self._ask(wire.CANCEL, {"orderId": number, "tpslType": wire.TPSL})
        now = {order.exchange_order_id: order for order in self.order_history(symbol)}
        return [now.get(order.exchange_order_id, order) for order in resting]


def _received(
    ids: Row, request: OrderRequest, prefix: str, status: OrderStatus = OrderStatus.PENDING
) -> OrderReport:
    return received(prefix + ids["orderId"], ids["clientOid"], request, dict(ids), status)
