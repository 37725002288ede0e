"""Bybit's refusals: code and text, with HTTP status 200 unless said otherwise.

Source: https://bybit-exchange.github.io/docs/v5/error
"""

from __future__ import annotations

from collections.abc import Mapping

from app.sandbox.engine.model import Order, Refusal, State


class BybitError(Exception):
    """A refusal as it goes over the wire."""

    def __init__(self, code: int, message: str, status: int = 200) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


class Barred(Exception):
    """An address that asked too often: it gets no envelope any more."""


def empty(name: str) -> BybitError:
    return BybitError(10001, f"params error: {name} cannot be empty")


def wrong(name: str) -> BybitError:
    return BybitError(10001, f"params error: {name} invalid")


def no_order() -> BybitError:
    return BybitError(170213, "Order does not exist.")


def already_final(order: Order) -> BybitError:
    """Why an order that has ended cannot be cancelled or changed."""
    if order.state is State.FILLED:
        return BybitError(170139, "Order has been filled.")
    return BybitError(170142, "Order has been canceled.")


def too_many_visits() -> BybitError:
    return BybitError(10006, "Too many visits. Exceeded the API Rate Limit.")


_REFUSALS: Mapping[Refusal, tuple[int, str]] = {
    Refusal.UNKNOWN_SYMBOL: (170121, "Invalid symbol."),
    Refusal.MARKET_CLOSED: (170151, "This trading pair is not open."),
    Refusal.INSUFFICIENT_FUNDS: (170131, "Insufficient balance."),
    Refusal.DUPLICATE_CLIENT_ID: (170141, "Duplicate clientOrderId"),
    Refusal.NOT_OPEN: (170142, "Order has been canceled."),
    Refusal.BAD_AMENDMENT: (10001, "params error: order not modified"),
}


def refused(refusal: Refusal) -> BybitError:
    """The engine's no, in Bybit's words."""
    return BybitError(*_REFUSALS[refusal])
