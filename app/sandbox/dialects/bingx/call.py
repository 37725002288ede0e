"""What an endpoint's handler works with, and how endpoints are declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.sandbox.dialects.bingx.errors import refused
from app.sandbox.dialects.bingx.limits import MARKET_DATA, READS, WRITES
from app.sandbox.dialects.bingx.parameters import Parameters
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import Refusal
from app.sandbox.engine.venue import Venue


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed the gate."""

    venue: Venue
    params: Parameters
    listing: Listing
    signer: Account | None = None

    @property
    def account(self) -> Account:
        """The signer; only endpoints that are signed ask."""
        if self.signer is None:
            raise LookupError("this endpoint is not signed")
        return self.signer

    def market(self) -> Market:
        """The market of the symbol that was sent."""
        market = self.listing.markets.get(self.params.required("symbol"))
        if market is None:
            raise refused(Refusal.UNKNOWN_SYMBOL)
        return market

    def chosen_symbol(self) -> str | None:
        """The neutral symbol that was sent, or None for all."""
        return self.market().instrument.symbol if "symbol" in self.params else None


Handler = Callable[[Call], object]
"""Gives the ``data`` of the answer: what JSON can express, or the bytes of JSON."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path; a signed one may be called ``limit`` times a second by each account."""

    method: str
    path: str
    operation: str
    handle: Handler
    limit: int | None = None

    @property
    def signed(self) -> bool:
        return self.limit is not None

    @property
    def name(self) -> str:
        """What the endpoint's limit is called."""
        return self.path.removeprefix("/openApi/")

    @property
    def trades(self) -> bool:
        return self.method == "POST"

    @property
    def group(self) -> str:
        """The group of limits by address that it belongs to."""
        return MARKET_DATA if not self.signed else WRITES if self.trades else READS


def public(path: str, operation: str, handle: Handler) -> Endpoint:
    """A GET that anybody may ask."""
    return Endpoint("GET", f"/openApi/{path}", operation, handle)


def reading(path: str, operation: str, handle: Handler, limit: int) -> Endpoint:
    """A GET of an account."""
    return Endpoint("GET", f"/openApi/{path}", operation, handle, limit)


def trading(path: str, operation: str, handle: Handler, limit: int) -> Endpoint:
    """A POST of an account; it needs permission to trade."""
    return Endpoint("POST", f"/openApi/{path}", operation, handle, limit)
