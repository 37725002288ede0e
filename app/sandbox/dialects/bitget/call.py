"""What an endpoint's handler works with, and how endpoints are declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.sandbox.dialects.bitget.errors import unknown_symbol
from app.sandbox.dialects.bitget.parameters import Parameters
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.market import Market
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

    def market(self, params: Parameters | None = None) -> Market:
        """The market of the symbol that was sent."""
        market = self.listing.markets.get((params or self.params).required("symbol"))
        if market is None:
            raise unknown_symbol()
        return market

    def chosen_symbol(self) -> str | None:
        """The neutral symbol that was sent, or None for all."""
        return self.market().instrument.symbol if "symbol" in self.params else None


Handler = Callable[[Call], object]
"""Gives the ``data`` of the answer: what JSON can express, or the bytes of JSON."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path, which may be called ``limit`` times a second."""

    method: str
    path: str
    operation: str
    handle: Handler
    limit: int
    signed: bool = False

    @property
    def name(self) -> str:
        """What the endpoint's limit is called."""
        return self.path.removeprefix("/api/v2/")

    @property
    def trades(self) -> bool:
        return self.method == "POST"


def public(path: str, operation: str, handle: Handler, limit: int) -> Endpoint:
    """A GET that anybody may ask."""
    return Endpoint("GET", f"/api/v2/{path}", operation, handle, limit)


def reading(path: str, operation: str, handle: Handler, limit: int) -> Endpoint:
    """A GET of an account."""
    return Endpoint("GET", f"/api/v2/{path}", operation, handle, limit, signed=True)


def trading(path: str, operation: str, handle: Handler, limit: int) -> Endpoint:
    """A POST of an account; it needs permission to trade."""
    return Endpoint("POST", f"/api/v2/{path}", operation, handle, limit, signed=True)
