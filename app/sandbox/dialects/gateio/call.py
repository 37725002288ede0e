"""What an endpoint's handler works with, and how endpoints are declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.sandbox.dialects.gateio.errors import GateError
from app.sandbox.dialects.gateio.parameters import Parameters
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.market import Market
from app.sandbox.engine.venue import Venue

#: The part of a path that names an order or a contract.
ID = "{id}"


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed the gate; ``id`` is what its path names."""

    venue: Venue
    params: Parameters
    listing: Listing
    id: str = ""
    signer: Account | None = None

    @property
    def account(self) -> Account:
        """The signer; only endpoints that are signed ask."""
        if self.signer is None:
            raise LookupError("this endpoint is not signed")
        return self.signer

    def market(self, name: str = "currency_pair") -> Market:
        """The market of the pair that was sent."""
        market = self.listing.markets.get(self.params.required(name))
        if market is None:
            raise GateError(400, "INVALID_CURRENCY_PAIR", "Invalid currency pair")
        return market

    def chosen_symbol(self, name: str = "currency_pair") -> str | None:
        """The neutral symbol that was sent, or None for all."""
        return self.market(name).instrument.symbol if name in self.params else None


Handler = Callable[[Call], object]
"""Gives the answer: what JSON can express, or the bytes of JSON."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path. ``bucket`` names the limit it counts under beside others; each has its own without."""

    method: str
    path: str
    operation: str
    handle: Handler
    signed: bool = False
    bucket: str | None = None

    @property
    def trades(self) -> bool:
        return self.method != "GET"


def public(path: str, operation: str, handle: Handler) -> Endpoint:
    """A GET that anybody may ask."""
    return Endpoint("GET", f"/api/v4/{path}", operation, handle)


def reading(path: str, operation: str, handle: Handler) -> Endpoint:
    """A GET of an account."""
    return Endpoint("GET", f"/api/v4/{path}", operation, handle, signed=True)


def trading(method: str, path: str, operation: str, handle: Handler, bucket: str | None = None) -> Endpoint:
    """What changes something in an account; it needs permission to trade."""
    return Endpoint(method, f"/api/v4/{path}", operation, handle, signed=True, bucket=bucket)
