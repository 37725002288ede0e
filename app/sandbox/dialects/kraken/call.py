"""What an endpoint's handler works with, and how endpoints are declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.sandbox.dialects.kraken.errors import unknown_pair
from app.sandbox.dialects.kraken.limits import RateLimits
from app.sandbox.dialects.kraken.listing import Listing
from app.sandbox.dialects.kraken.parameters import Parameters
from app.sandbox.engine.account import Account
from app.sandbox.engine.market import Market
from app.sandbox.engine.venue import Venue


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed the gate; ``received_at`` is the exchange's time at which it came in."""

    venue: Venue
    params: Parameters
    listing: Listing
    rate: RateLimits
    received_at: int
    signer: Account | None = None

    @property
    def account(self) -> Account:
        """The signer; only private endpoints ask."""
        if self.signer is None:
            raise LookupError("this endpoint is public")
        return self.signer

    def market(self, name: str | None = None) -> Market:
        """The market of the pair sent, or of a name for a pair."""
        market = self.listing.find(self.params.required("pair") if name is None else name)
        if market is None:
            raise unknown_pair()
        return market

    def markets(self) -> list[Market]:
        """The markets of the pairs sent, or all."""
        names = self.params.words("pair")
        return [self.market(name) for name in names] or list(self.listing.markets.values())


Handler = Callable[[Call], object]
"""Gives the result: what JSON can express, or the bytes of JSON."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path; ``cost`` is what the call adds to the key's counter."""

    method: str
    path: str
    operation: str
    handle: Handler
    cost: int
    private: bool
    trades: bool


def public(name: str, operation: str, handle: Handler) -> Endpoint:
    """A GET that anybody may ask."""
    return Endpoint("GET", f"/0/public/{name}", operation, handle, 1, private=False, trades=False)


def reading(name: str, operation: str, handle: Handler, cost: int = 1) -> Endpoint:
    """A POST that reads an account."""
    return Endpoint("POST", f"/0/private/{name}", operation, handle, cost, private=True, trades=False)


def trading(name: str, operation: str, handle: Handler, cost: int = 0) -> Endpoint:
    """A POST that changes orders; the matching engine's own counters limit it."""
    return Endpoint("POST", f"/0/private/{name}", operation, handle, cost, private=True, trades=True)
