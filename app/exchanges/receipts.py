"""What the exchanges share that answer an order with ids only: a receipt, which does not tell what became of it.

That is asked at once. When the look-up fails, a placed order is told as received and nothing more, for it surely
reached the exchange; and a cancellation or change that was taken is told as unknown, for it may not be carried out.
"""

from __future__ import annotations

import logging
from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from app.domain.errors import ExchangeError, OrderDenied, OutcomeUnknown
from app.domain.orders import OrderReport, OrderRequest, OrderStatus
from app.exchanges import presets
from app.exchanges.rest import RestExchange, milliseconds

log = logging.getLogger(__name__)


class ReceiptExchange(RestExchange):
    """An exchange of which what became of an order has to be asked."""

    def _placed(self, symbol: str, exchange_order_id: str) -> OrderReport:
        """The record of an order that was just placed."""
        return self.get_order(symbol, exchange_order_id=exchange_order_id)

    def _looked_up(self, received: OrderReport) -> OrderReport:
        """What became of an order that was just placed, once all of its fills are told; until then it is received."""
        try:
            found = self._with_fills(self._placed(received.symbol, received.exchange_order_id or ""))
        except ExchangeError as error:
            log.warning("%s took order %s; %s", self.name, received.exchange_order_id, error.message)
            return received
        told = sum((fill.quantity for each in (found, *found.children) for fill in each.fills), Decimal(0))
        return received if told < (found.filled_quantity or Decimal(0)) else found

    def _with_fills(self, report: OrderReport) -> OrderReport:
        """An order with its executions; those of a pair belong to the leg that has executed."""
        if not report.filled_quantity:
            return report
        if report.children and report.type is None:
            return replace(report, children=tuple(map(self._with_fills, report.children)))
        fills = self.fills(report.symbol, exchange_order_id=report.exchange_order_id)
        return replace(report, fills=tuple(fills))

    def _confirmed(self, symbol: str, **order_id: str | None) -> OrderReport:
        """An order after its cancellation or change was taken, which is not yet to say that it was carried out."""
        try:
            return self._with_fills(self.get_order(symbol, **order_id))
        except ExchangeError as error:
            message = f"the request was taken; what came of it is not known: {error.exchange_message}"
            raise OutcomeUnknown(self.name, message, code=error.code) from None


class PresetExchange(ReceiptExchange):
    """One that creates the exits attached to an entry later, and ties nothing back to it."""

    @abstractmethod
    def _placed(self, symbol: str, exchange_order_id: str) -> OrderReport:
        """The record of an order that was not to wait for a price, without the exits it carries."""

    @abstractmethod
    def _born_since(self, entry: OrderReport) -> Iterable[Iterable[OrderReport]]:
        """The exits born since an entry was made, from each list that may have them."""

    def _with_asked_exits(self, entry: OrderReport, request: OrderRequest) -> OrderReport:
        """A placed entry with the exits that were asked for."""
        asked = presets.asked_for(request, entry.exchange_order_id or "")
        now = milliseconds(self._now_ms())
        try:
            children = presets.children(entry, asked, now, self._born_since(entry))
        except ExchangeError as error:
            log.warning(
                "%s did not tell the exits of %s; %s", self.name, entry.exchange_order_id, error.message
            )
            children = presets.children(entry, asked, now, ())
        return replace(entry, children=children)


def received(
    exchange_order_id: str,
    client_order_id: str,
    request: OrderRequest,
    raw: dict[str, Any],
    status: OrderStatus = OrderStatus.PENDING,
) -> OrderReport:
    """An order of which nothing is known but that the exchange has it."""
    return OrderReport(
        exchange_order_id=exchange_order_id,
        client_order_id=request.client_order_id or client_order_id,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        status=status,
        quantity=request.quantity,
        price=request.price,
        trigger_price=request.trigger_price,
        created_at=datetime.now(UTC),
        raw=raw,
    )


def given(client_order_id: str | None) -> str:
    """The client order id of an order that no other id names.

    Raises:
        OrderDenied: there is none either.
    """
    if client_order_id is None:
        raise OrderDenied.because("order_id", "tell the exchange's order id or the client order id")
    return client_order_id
