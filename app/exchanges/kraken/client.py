"""The Kraken client: what changes an order, on top of what asks."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from decimal import Decimal

from app.domain.errors import ExchangeError, InvalidOrder, OrderDenied, OrderNotFound, OutcomeUnknown
from app.domain.markets import Market
from app.domain.money import plain
from app.domain.orders import OcoRequest, OrderReport, OrderRequest, OrderStatus, OrderType
from app.exchanges.budget import Charge, Scope
from app.exchanges.kraken import orders, parse, wire
from app.exchanges.kraken.reader import KrakenReader, batches, order_id_params, placed_at
from app.exchanges.passed import explained

log = logging.getLogger(__name__)


class Kraken(KrakenReader):
    """One Kraken account."""

    name = "kraken"
    title = "Kraken"
    capabilities = wire.CAPABILITIES
    credential_fields = wire.CREDENTIAL_FIELDS
    base_urls = wire.BASE_URLS
    limits = wire.LIMITS
    client_id_pattern = wire.CLIENT_ID
    client_id_rule = wire.CLIENT_ID_RULE

    # -- placing -----------------------------------------------------------------------------------------------

    def place_order(self, request: OrderRequest) -> OrderReport:
        """Kraken answers with an id only. What became of the order is asked at once.

        While that is not known whole, executions included, the order is reported PENDING: it is on the exchange,
        and the next look-up tells the rest.
        """
        market, request = self._prepare(request)
        order_id = self._add(request, market)
        try:
            report = self._completed(order_id, request.symbol)
        except ExchangeError as error:
            log.warning("order %s is placed and not seen yet: %s", order_id, error.message)
            report = None
        return report or _acknowledged(order_id, request)

    def _add(self, request: OrderRequest, market: Market) -> str:
        """The id of an order as it is accepted. A trigger that has passed is refused as an invalid price only."""
        try:
            return self._call(
                wire.ADD_ORDER_IN_JSON if request.type is OrderType.TRAILING_STOP else wire.ADD_ORDER,
                orders.single(request, market),
                lambda data: str(data["result"]["txid"][0]),
                market=market.exchange_symbol,
            )
        except InvalidOrder as refused:
            if request.trigger_price is None or not refused.exchange_message.startswith(wire.INVALID_PRICE):
                raise
            raise explained(refused, (request,), self) from None

    def _completed(self, order_id: str, symbol: str) -> OrderReport | None:
        """An order that was just placed, with its executions; None while they are not told whole."""
        report = self._order(order_id, symbol, urgent=True)
        if report.filled_quantity == 0:
            return report
        if parse.carries_exit(report):  # it shows in a moment, and belongs to the report
            return None
        complete = parse.with_fills(report, self._fills_of(report))
        executed = report.filled_quantity
        return complete if complete.fills and executed in (None, complete.filled_quantity) else None

    def place_oco(self, request: OcoRequest) -> OrderReport:
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
        """Change the whole quantity, the filled part included, or the limit price; both ids stay."""
        market = self._market(symbol)
        params = order_id_params(exchange_order_id, client_order_id)
        if quantity is not None:
            params["order_qty"] = plain(market.quantize_quantity(quantity))
        if price is not None:
            params["limit_price"] = plain(market.quantize_price(price))
        if len(params) == 1:
            raise OrderDenied.because("quantity", "tell the new quantity or the new price")
        self._call(
            wire.AMEND_ORDER, params, lambda data: data["result"]["amend_id"], market=market.exchange_symbol
        )
        report = self._after("amended", symbol, exchange_order_id, client_order_id)
        self._settle(wire.AMEND_COSTS, market.exchange_symbol, report)
        return report

    # -- cancelling --------------------------------------------------------------------------------------------

    def cancel_order(
        self, symbol: str, *, exchange_order_id: str | None = None, client_order_id: str | None = None
    ) -> OrderReport:
        """Cancel one order. The exits of what it had executed stay: they are orders of their own."""
        pair = self._pair(symbol)
        cancelled: int = self._call(
            wire.CANCEL_ORDER,
            order_id_params(exchange_order_id, client_order_id),
            lambda data: data["result"]["count"],
            market=pair,
        )
        if not cancelled:
            raise OrderNotFound(self.name, "nothing was there to cancel")
        report = self._after("cancelled", symbol, exchange_order_id, client_order_id)
        self._settle(wire.CANCEL_COSTS, pair, report)
        return report

    def _settle(self, costs: wire.CostByAge, pair: str, changed: OrderReport) -> None:
        """Give back what was charged for the youngest of orders, as far as this one was older."""
        unspent = wire.cost_by_age(costs, 0) - wire.cost_by_age(costs, self._age(changed))
        if unspent:
            charge = Charge(wire.ENGINE, self._owner(Scope.ACCOUNT_MARKET, pair), unspent)
            self._budget.refund(self._transport(None).origin, [charge])

    def _age(self, order: OrderReport) -> float:
        """In seconds."""
        return self._now_ms() / 1000 - placed_at(order).timestamp()

    def cancel_all(self, symbol: str | None = None) -> list[OrderReport]:
        """By ids: Kraken's own call for it cancels on every market, whatever market is named."""
        resting: dict[str, list[OrderReport]] = {}
        for order in self.open_orders(symbol):
            resting.setdefault(order.symbol, []).append(order)
        return [
            report
            for each, found in resting.items()
            for some in batches(found, wire.MAX_ORDER_IDS)
            for report in self._cancel_batch(each, some)
        ]

    def _cancel_batch(self, symbol: str, found: Sequence[OrderReport]) -> list[OrderReport]:
        ids = [str(order.exchange_order_id) for order in found]
        cost = sum(wire.cost_by_age(wire.CANCEL_COSTS, self._age(order)) for order in found)
        endpoint = wire.CANCEL_BATCH.costing(
            **{wire.COUNTER.name: 0, wire.ENGINE.name: min(cost, wire.ENGINE.capacity)}
        )
        self._call(endpoint, {"orders": ids}, lambda data: data["result"]["count"], market=self._pair(symbol))
        return list(self._orders(ids, symbol, urgent=True).values())

    def _after(
        self, done: str, symbol: str, exchange_order_id: str | None, client_order_id: str | None
    ) -> OrderReport:
        """How an order stands after a change that Kraken merely confirmed."""
        try:
            return self._find(symbol, exchange_order_id, client_order_id, urgent=True)
        except ExchangeError as error:
            message = f"{done}, but how the order stands now is not known: {error.message}"
            raise OutcomeUnknown(self.name, message) from error


def _acknowledged(order_id: str, request: OrderRequest) -> OrderReport:
    return OrderReport(
        exchange_order_id=order_id,
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        status=OrderStatus.PENDING,
        quantity=request.quantity,
        price=request.price,
        trigger_price=request.trigger_price,
        trailing_percent=request.trailing_percent,
    )
