"""OKX's refusals: code and text. Those of the gateway have HTTP statuses, those of an order travel with 200.

Source: https://www.okx.com/docs-v5/en/#error-code
"""

from __future__ import annotations

from collections.abc import Mapping

from app.sandbox.engine.model import Refusal


class OKXError(Exception):
    """A refusal as it goes over the wire."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


def wrong(name: str) -> OKXError:
    return OKXError("51000", f"Parameter {name} error")


def empty(name: str) -> OKXError:
    return OKXError("50014", f"Parameter {name} cannot be empty", 400)


def unknown_instrument() -> OKXError:
    return OKXError("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist")


def no_order() -> OKXError:
    return OKXError("51603", "Order does not exist")


def not_to_cancel() -> OKXError:
    return OKXError("51400", "Cancellation failed as the order has been filled, canceled or does not exist")


def too_many_requests() -> OKXError:
    return OKXError("50011", "Too Many Requests", 429)


_REFUSALS: Mapping[Refusal, tuple[str, str]] = {
    Refusal.MARKET_CLOSED: ("51022", "Contract suspended"),
    Refusal.INSUFFICIENT_FUNDS: ("51008", "Order failed. Insufficient balance in account"),
    Refusal.DUPLICATE_CLIENT_ID: ("51016", "Duplicated client order ID"),
    Refusal.NOT_OPEN: ("51503", "Order modification failed as the order has been filled or canceled"),
    Refusal.BAD_AMENDMENT: ("51503", "Order modification failed as the order has been filled or canceled"),
}


def refused(refusal: Refusal) -> OKXError:
    """The engine's no, in OKX's words."""
    return OKXError(*_REFUSALS[refusal])
