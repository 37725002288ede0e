"""The Bybit client: placing, changing and cancelling, all answered with ids only, on top of what can be asked."""

from __future__ import annotations

from decimal import Decimal

from app.domain.errors import OrderDenied, OrderNotFound
from app.domain.orders import OcoRequest, OrderReport, OrderRequest, OrderStatus
from app.exchanges.bybit import orders, wire
from app.exchanges.bybit.parse import filter_of, filter_of_all
from app.exchanges.bybit.reads import BybitReads, theirs
from app.exchanges.passed import ensure_waits
from app.exchanges.presets import is_unborn
from app.exchanges.receipts import received


class Bybit(BybitReads):
    """One unified trading account."""

    # -- placing -----------------------------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> OrderReport:
        """See `Exchange.place_order`; the report comes with its fills and with the exits it carries."""
        market, request = self._prepare(request)
        waits = request.type.has_trigger
        if waits:
            ensure_waits(request, self)
        status = OrderStatus.OPEN if waits else OrderStatus.PENDING
        receipt = self._ask(
            wire.PLACE,
            orders.placing(request, market),
            lambda ids: received(ids["orderId"], ids["orderLinkId"], request, ids, status),
        )
        return self._with_asked_exits(self._looked_up(receipt), request)

    def place_oco(self, request: OcoRequest) -> OrderReport:
        """Refused: the API has no pairs of exits but those an entry carries."""
        raise OrderDenied.because("oco", f"{self.name} has no orders of which one cancels the other")

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
        changes = orders.amending(quantity, price, self._market(symbol))
        if not changes:
            raise OrderDenied.because("quantity", "tell the new quantity or the new price")
        found = self._find(symbol, exchange_order_id, client_order_id)
        order_id = {"symbol": theirs(symbol), "orderId": found.exchange_order_id}
        self._ask(wire.AMEND, wire.SPOT | order_id | changes)
        return self._confirmed(symbol, exchange_order_id=found.exchange_order_id)

    # -- cancelling --------------------------------------------------------------------------------------------

    def cancel_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """See `Exchange.cancel_order`. The order is looked up first: its kind has to be named to cancel it."""
        found = self._find(symbol, exchange_order_id, client_order_id)
        if is_unborn(found):
            raise OrderNotFound(
                self.name, "the exit does not rest yet", remedy="Cancel the entry it waits for."
            )
        order_id = {"symbol": theirs(symbol), "orderId": found.exchange_order_id}
        self._ask(wire.CANCEL, wire.SPOT | order_id | {"orderFilter": filter_of(found.raw)})
        return self._confirmed(symbol, exchange_order_id=found.exchange_order_id)

    def cancel_all(self, symbol: str | None = None) -> list[OrderReport]:
        resting = self.open_orders(symbol)
        where = {} if symbol is None else {"symbol": theirs(symbol)}
        for kind in sorted({filter_of_all(order.raw) for order in resting}):
            self._ask(wire.CANCEL_ALL, wire.SPOT | where | {"orderFilter": kind})
        ended = {
            order.exchange_order_id: order
            for each in dict.fromkeys(order.symbol for order in resting)
            for order in self._ended(each)
        }
        return [ended.get(order.exchange_order_id, order) for order in resting]
