"""BingX's refusals: code and text, with HTTP status 200 unless said otherwise. Few codes say much, so the texts do.

Source: https://bingx-api.github.io/docs-v3/#/en/Spot/Introduction and the codes that other clients have met.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.sandbox.engine.model import Order, Refusal, State


class BingXError(Exception):
    """A refusal as it goes over the wire."""

    def __init__(self, code: int, message: str, status: int = 200) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


def missing(name: str) -> BingXError:
    return BingXError(100400, f"miss arguments: {name}")


def wrong(name: str) -> BingXError:
    return BingXError(100400, f"Invalid parameter: {name}")


def untimely() -> BingXError:
    return BingXError(100421, "Null timestamp or timestamp mismatch")


def restricted() -> BingXError:
    return BingXError(100421, "This pair is currently restricted from API trading")


def no_order() -> BingXError:
    """Of a look-up; a cancellation has another way of saying so."""
    return BingXError(80016, "order not exist")


def nothing_to_cancel() -> BingXError:
    return BingXError(100421, "cancel fail, order not exist")


def already_final(order: Order) -> BingXError:
    """Why an order that has ended cannot be cancelled."""
    state = "FILLED" if order.state is State.FILLED else "CANCELED"
    return BingXError(100400, f"the order is already {state}")


def too_often() -> BingXError:
    return BingXError(100410, "rate limited: too many requests of this interface")


_REFUSALS: Mapping[Refusal, tuple[int, str]] = {
    Refusal.UNKNOWN_SYMBOL: (100400, "invalid symbol, send symbol like BTC-USDT"),
    Refusal.MARKET_CLOSED: (100421, "This pair is currently restricted from API trading"),
    Refusal.INSUFFICIENT_FUNDS: (100202, "Insufficient assets"),
    Refusal.DUPLICATE_CLIENT_ID: (101481, "the clientOrderID is used already"),
    Refusal.NOT_OPEN: (100421, "cancel fail, order not exist"),
}


def refused(refusal: Refusal) -> BingXError:
    """The engine's no, in BingX's words."""
    return BingXError(*_REFUSALS[refusal])
