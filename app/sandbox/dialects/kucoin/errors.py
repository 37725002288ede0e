"""KuCoin's refusals: code, text and HTTP status.

Most refusals of a business kind come with HTTP 200. Source: https://www.kucoin.com/docs-new/error-code
"""

from __future__ import annotations

from collections.abc import Mapping

from app.sandbox.engine.model import Refusal


class KuCoinError(Exception):
    """A refusal as it goes over the wire."""

    def __init__(self, code: str, message: str, status: int = 200) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status

    def content(self) -> dict[str, object]:
        """The JSON body."""
        return {"code": self.code, "msg": self.message}


def bad_parameter(message: str) -> KuCoinError:
    """One of the many meanings of 400100, which only the text tells apart."""
    return KuCoinError("400100", message)


def unauthorised(code: str, message: str) -> KuCoinError:
    return KuCoinError(code, message, 401)


def no_permission() -> KuCoinError:
    return KuCoinError("400007", "Access denied, require more permission.", 403)


def unknown_symbol() -> KuCoinError:
    return KuCoinError("900001", "symbol not exists")


def not_cancellable() -> KuCoinError:
    """No such order of this family, or none that is open any more."""
    return bad_parameter("order_not_exist_or_not_allow_to_cancel")


def no_such_order() -> KuCoinError:
    """No such stop order or OCO."""
    return bad_parameter("order not exist.")


def too_many_requests() -> KuCoinError:
    return KuCoinError("429000", "Too many requests", 429)


_REFUSALS: Mapping[Refusal, tuple[str, str]] = {
    Refusal.UNKNOWN_SYMBOL: ("900001", "symbol not exists"),
    Refusal.MARKET_CLOSED: ("600203", "Symbol trading is not enabled."),
    Refusal.INSUFFICIENT_FUNDS: ("200004", "Balance insufficient!"),
    Refusal.DUPLICATE_CLIENT_ID: ("102426", "Duplicate custom order ID."),
    Refusal.WOULD_MATCH: ("102411", "Order parameter error."),
    Refusal.WOULD_TRIGGER: ("400100", "The trigger price has been reached already."),
    Refusal.NOT_OPEN: ("400100", "order_not_exist_or_not_allow_to_cancel"),
    Refusal.BAD_AMENDMENT: ("102411", "Order parameter error."),
    Refusal.BAD_LEGS: ("400100", "The prices of the two legs do not fit together."),
}


def refused(refusal: Refusal) -> KuCoinError:
    """The engine's no, in KuCoin's words."""
    return KuCoinError(*_REFUSALS[refusal])
