"""Coinbase's refusals: of a request with an HTTP status, of an order with 200 and a reason.

Source: https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/create-order
"""

from __future__ import annotations

from collections.abc import Mapping

from app.sandbox.engine.model import Refusal


class CoinbaseError(Exception):
    """A refusal of a whole request."""

    def __init__(self, error: str, details: str, status: int) -> None:
        super().__init__(f"{error} {details}")
        self.error = error
        self.details = details
        self.status = status


class Refused(Exception):
    """A refusal of one order, change or cancellation, by its reason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def unauthorized() -> CoinbaseError:
    return CoinbaseError("Unauthorized", "", 401)


def invalid(details: str) -> CoinbaseError:
    return CoinbaseError("INVALID_ARGUMENT", details, 400)


def not_found() -> CoinbaseError:
    return CoinbaseError("NOT_FOUND", "order with this orderID was not found", 404)


def forbidden() -> CoinbaseError:
    return CoinbaseError("PERMISSION_DENIED", "Missing required scopes", 403)


_REASONS: Mapping[Refusal, str] = {
    Refusal.MARKET_CLOSED: "TRADING_DISABLED",
    Refusal.INSUFFICIENT_FUNDS: "PREVIEW_INSUFFICIENT_FUND",
    Refusal.WOULD_MATCH: "INVALID_LIMIT_PRICE_POST_ONLY",
    Refusal.WOULD_TRIGGER: "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE",
    Refusal.NOT_OPEN: "ONLY_OPEN_ORDERS_CAN_BE_EDITED",
    Refusal.BAD_AMENDMENT: "CANNOT_EDIT_TO_BELOW_FILLED_SIZE",
}


def refused(refusal: Refusal) -> Refused:
    """The engine's no, in Coinbase's word."""
    return Refused(_REASONS[refusal])
