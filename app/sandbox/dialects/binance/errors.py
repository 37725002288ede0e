"""Binance's refusals: HTTP status, code and text.

Source: https://developers.binance.com/docs/binance-spot-api-docs/errors
"""

from __future__ import annotations

from collections.abc import Mapping

from app.sandbox.engine.model import Refusal


class BinanceError(Exception):
    """A refusal as it goes over the wire; ``data`` rides along in the few that carry details."""

    def __init__(
        self,
        code: int,
        message: str,
        status: int = 400,
        *,
        data: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(f"{code} {message}")
        self.code = code
        self.message = message
        self.status = status
        self.data = data
        self.headers = dict(headers or {})

    def content(self) -> dict[str, object]:
        """The JSON body."""
        body: dict[str, object] = {"code": self.code, "msg": self.message}
        if self.data is not None:
            body["data"] = self.data
        return body


def missing(name: str) -> BinanceError:
    return BinanceError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def not_required(name: str) -> BinanceError:
    return BinanceError(-1106, f"Parameter '{name}' sent when not required.")


def filter_failure(name: str) -> BinanceError:
    return BinanceError(-1013, f"Filter failure: {name}")


def rejected(message: str) -> BinanceError:
    """A new order that the matching engine turned down."""
    return BinanceError(-2010, message)


def bad_symbol() -> BinanceError:
    return BinanceError(-1121, "Invalid symbol.")


def unauthorised() -> BinanceError:
    return BinanceError(-2015, "Invalid API-key, IP, or permissions for action.", 401)


def unknown_order_on_query() -> BinanceError:
    return BinanceError(-2013, "Order does not exist.")


def unknown_order_on_cancel() -> BinanceError:
    return BinanceError(-2011, "Unknown order sent.")


_REFUSALS: Mapping[Refusal, tuple[int, str]] = {
    Refusal.UNKNOWN_SYMBOL: (-1121, "Invalid symbol."),
    Refusal.MARKET_CLOSED: (-1013, "Market is closed."),
    Refusal.INSUFFICIENT_FUNDS: (-2010, "Account has insufficient balance for requested action."),
    Refusal.DUPLICATE_CLIENT_ID: (-2010, "Duplicate order sent."),
    Refusal.WOULD_MATCH: (-2010, "Order would immediately match and take."),
    Refusal.WOULD_TRIGGER: (-2010, "Order would trigger immediately."),
    Refusal.NOT_OPEN: (-2011, "Unknown order sent."),
    Refusal.BAD_AMENDMENT: (-2038, "Order amend rejected."),
    Refusal.BAD_LEGS: (-1014, "Unsupported order combination."),
}


def refused(refusal: Refusal) -> BinanceError:
    """The engine's no, in Binance's words."""
    return BinanceError(*_REFUSALS[refusal])
