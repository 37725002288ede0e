"""Kraken's refusals: texts in the ``error`` list of an answer with HTTP 200.

Source: https://docs.kraken.com/exchange/guides/general/errors
"""

from __future__ import annotations

from collections.abc import Mapping

from app.sandbox.engine.model import Refusal


class KrakenError(Exception):
    """A refusal as it goes over the wire: ``E<category>:<text>[:<detail>]``."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def invalid(name: str) -> KrakenError:
    """A parameter that is missing, malformed or not allowed here."""
    return KrakenError(f"EGeneral:Invalid arguments:{name}")


def unknown_pair() -> KrakenError:
    return KrakenError("EQuery:Unknown asset pair")


def unknown_order() -> KrakenError:
    return KrakenError("EOrder:Unknown order")


def throttled(until: int) -> KrakenError:
    """Slow down until a time in seconds since the epoch."""
    return KrakenError(f"EService: Throttled: {until}")


def locked_out() -> KrakenError:
    return KrakenError("EGeneral:Temporary lockout")


#: The exchange's own troubles, by the HTTP status others give them; whether an order was executed is not known.
TROUBLES: Mapping[int, str] = {
    500: "EGeneral:Internal error",
    503: "EService:Unavailable",
    504: "EService:Timeout",
}

_REFUSALS: Mapping[Refusal, str] = {
    Refusal.UNKNOWN_SYMBOL: "EQuery:Unknown asset pair",
    Refusal.MARKET_CLOSED: "EService:Market in cancel_only mode",
    Refusal.INSUFFICIENT_FUNDS: "EOrder:Insufficient funds",
    Refusal.DUPLICATE_CLIENT_ID: "EGeneral:Invalid arguments:cl_ord_id not unique",
    Refusal.WOULD_MATCH: "EOrder:Post only order",
    Refusal.WOULD_TRIGGER: "EOrder:Invalid price",
    Refusal.NOT_OPEN: "EOrder:Unknown order",
    Refusal.BAD_AMENDMENT: "EOrder:Invalid order",
    Refusal.BAD_LEGS: "EGeneral:Invalid arguments:close",
}


def refused(refusal: Refusal) -> KrakenError:
    """The engine's no, in Kraken's words."""
    return KrakenError(_REFUSALS[refusal])
