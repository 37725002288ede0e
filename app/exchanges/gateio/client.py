"""The Gate.io client: placing, changing and cancelling, each answered with the whole order."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.domain.errors import ExchangeError, OrderDenied, OrderNotFound
from app.domain.orders import OcoRequest, OrderReport, OrderRequest, OrderStatus
from app.exchanges.gateio import orders, wire
from app.exchanges.gateio.parse import TRIGGER_PREFIX, parse_order
from app.exchanges.gateio.reads import GateReads, theirs
from app.exchanges.receipts import received
from app.exchanges.sizing import in_quote


class GateIO(GateReads):
    """One classic Gate.io account."""

    # -- placing -----------------------------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> OrderReport:
        """See `Exchange.place_order`.

        A market buy takes an amount in quote only: see `in_quote` for one asked for in base. A stop or take-profit at
        the market goes out with a limit far beyond its trigger, for whatever it gets at once.
        """
        market, request = self._prepare(request)
        if request.type.has_trigger:
            return self._call(
                wire.PLACE_TRIGGER,
                orders.waiting(request, market),
                lambda data: received(f"{TRIGGER_PREFIX}{data['id']}", "", request, data, OrderStatus.OPEN),
            )
        request = in_quote(request, market, self, wire.MAX_DEPTH)
        placed = self._call(
            wire.PLACE,
            orders.placing(request, market),
            lambda row: parse_order(row, request.symbol),
            market=request.symbol,
        )
        return self._with_fills(placed)

    def _with_fills(self, report: OrderReport) -> OrderReport:
        """An order with its executions, where they can be told now."""
        if not report.filled_quantity:
            return report
        try:
            fills = self.fills(report.symbol, exchange_order_id=report.exchange_order_id)
        except ExchangeError:  # the order itself is known; its executions are asked for again later
            return report
        return replace(report, fills=tuple(fills))

    def place_oco(self, request: OcoRequest) -> OrderReport:
        """Refused: two triggers know nothing of each other."""
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
        """See `Exchange.amend_order`; triggers cannot be changed."""
        changes = orders.amending(quantity, price, self._market(symbol))
        if not changes:
            raise OrderDenied.because("quantity", "tell the new quantity or the new price")
        order_id = _named(exchange_order_id, client_order_id)
        if order_id.startswith(TRIGGER_PREFIX):
            raise OrderDenied.because("order_type", f"{self.name} changes no triggers: cancel and place anew")
        params = {"id": order_id, "currency_pair": theirs(symbol), **changes}
        return self._call(wire.AMEND, params, lambda row: parse_order(row, symbol), market=symbol)

    # -- cancelling --------------------------------------------------------------------------------------------

    def cancel_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        order_id = _named(exchange_order_id, client_order_id)
        if not order_id.startswith(TRIGGER_PREFIX):
            params = {"id": order_id, "currency_pair": theirs(symbol)}
            cancelled = self._call(wire.CANCEL, params, lambda row: parse_order(row, symbol))
            return self._with_fills(cancelled)
        number = order_id.removeprefix(TRIGGER_PREFIX)
        try:
            self._call(wire.CANCEL_TRIGGER, {"id": number})
        except OrderNotFound:  # it may have fired, and what it placed may rest
            params = {"id": self._placed_by(symbol, order_id), "currency_pair": theirs(symbol)}
            self._call(wire.CANCEL, params)
        return self._with_fills(self._trigger(symbol, order_id))

    def cancel_all(self, symbol: str | None = None) -> list[OrderReport]:
        """See `Exchange.cancel_all`. Each market is named: a call that names none cancels everywhere."""
        resting = self.open_orders(symbol)
        found = []
        for each in dict.fromkeys(order.symbol for order in resting):
            here = [order for order in resting if order.symbol == each]
            triggers = [order for order in here if order.trigger_price is not None]
            if len(triggers) < len(here):
                self._call(wire.CANCEL_ALL, {"currency_pair": theirs(each)})
            if triggers:
                self._call(wire.CANCEL_TRIGGERS, {"market": theirs(each), "account": wire.TRIGGER_ACCOUNT})
            found += [self.get_order(each, exchange_order_id=order.exchange_order_id) for order in here]
        return found


def _named(exchange_order_id: str | None, client_order_id: str | None) -> str:
    """An order's id in the exchange's path: its own, or the name we gave it."""
    if exchange_order_id is not None:
        return exchange_order_id
    if client_order_id is None:
        raise OrderDenied.because("order_id", "tell the exchange's order id or the client order id")
    return wire.TEXT_PREFIX + client_order_id
