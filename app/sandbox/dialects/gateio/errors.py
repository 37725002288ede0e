"""Gate.io's refusals: HTTP status, label and text.

Source: https://www.gate.com/docs/developers/apiv4/#label-list
"""

from __future__ import annotations

from collections.abc import Mapping

from app.sandbox.engine.model import Order, Refusal, State


class GateError(Exception):
    """A refusal as it goes over the wire."""

    def __init__(self, status: int, label: str, message: str) -> None:
        super().__init__(f"{label} {message}")
        self.status = status
        self.label = label
        self.message = message


def missing(name: str) -> GateError:
    return GateError(400, "MISSING_REQUIRED_PARAM", f"Missing required parameter: {name}")


def wrong(name: str) -> GateError:
    return GateError(400, "INVALID_PARAM_VALUE", f"Invalid value for parameter: {name}")


def no_order() -> GateError:
    return GateError(404, "ORDER_NOT_FOUND", "Order not found")


def no_text() -> GateError:
    return GateError(400, "CLIENT_ID_NOT_FOUND", "Order with the client id not found")


def already_final(order: Order) -> GateError:
    """Why an order that has ended cannot be cancelled or changed."""
    if order.state is State.FILLED:
        return GateError(400, "ORDER_CLOSED", "Order has been closed")
    return GateError(400, "ORDER_CANCELLED", "Order has been cancelled")


def too_many_requests() -> GateError:
    return GateError(429, "TOO_MANY_REQUESTS", "Request Rate Limit Exceeded")


_REFUSALS: Mapping[Refusal, tuple[int, str, str]] = {
    Refusal.UNKNOWN_SYMBOL: (400, "INVALID_CURRENCY_PAIR", "Invalid currency pair"),
    Refusal.MARKET_CLOSED: (400, "TRADE_RESTRICTED", "The pair is not tradable"),
    Refusal.INSUFFICIENT_FUNDS: (400, "BALANCE_NOT_ENOUGH", "Not enough balance"),
    Refusal.WOULD_MATCH: (400, "POC_FILL_IMMEDIATELY", "The order would be filled immediately as taker"),
    Refusal.NOT_OPEN: (400, "ORDER_CLOSED", "Order has been closed"),
    Refusal.BAD_AMENDMENT: (400, "INVALID_PARAM_VALUE", "The order cannot be changed so"),
}


def refused(refusal: Refusal) -> GateError:
    """The engine's no, in Gate.io's words."""
    return GateError(*_REFUSALS[refusal])
