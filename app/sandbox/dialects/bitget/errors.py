"""Bitget's refusals: code and text, with HTTP status 400 unless said otherwise.

Source: https://www.bitget.com/api-doc/spot/error-code/restapi
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from app.domain.money import plain
from app.sandbox.engine.model import Refusal


class BitgetError(Exception):
    """A refusal as it goes over the wire."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status


def empty(name: str) -> BitgetError:
    return BitgetError("40019", f"Parameter {name} cannot be empty")


def wrong(name: str) -> BitgetError:
    return BitgetError("40020", f"Parameter {name} error")


def too_many_decimals(name: str, value: Decimal, decimals: int) -> BitgetError:
    words = f"Parameter verification exception {name} checkBDScale error value={plain(value)} checkScale={decimals}"
    return BitgetError("40808", words)


def unknown_symbol() -> BitgetError:
    return BitgetError("40102", "Contract configuration does not exist, please check the parameters")


def no_order() -> BitgetError:
    return BitgetError("43001", "The order does not exist")


def no_plan() -> BitgetError:
    return BitgetError("43025", "Plan order does not exist")


def already_final() -> BitgetError:
    return BitgetError("43026", "The order has been cancelled or filled")


def too_many_requests() -> BitgetError:
    return BitgetError("429", "Too many requests", 429)


_REFUSALS: Mapping[Refusal, tuple[str, str]] = {
    Refusal.MARKET_CLOSED: (
        "43115",
        "The current trading pair is opening soon, please refer to the official announcement for the opening time",
    ),
    Refusal.INSUFFICIENT_FUNDS: ("43012", "Insufficient balance"),
    Refusal.DUPLICATE_CLIENT_ID: ("43118", "clientOrderId duplicate"),
    Refusal.NOT_OPEN: ("43026", "The order has been cancelled or filled"),
}


def refused(refusal: Refusal) -> BitgetError:
    """The engine's no, in Bitget's words."""
    return BitgetError(*_REFUSALS[refusal])
