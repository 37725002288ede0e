"""What an endpoint's handler works with, and how endpoints are declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.sandbox.dialects.binance.errors import bad_symbol
from app.sandbox.dialects.binance.limits import RateLimits
from app.sandbox.dialects.binance.parameters import Parameters
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.market import Market
from app.sandbox.engine.venue import Venue

SECURITY = ("timestamp", "signature", "recvWindow")


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed the gate.

    ``microseconds`` is the time unit asked for.
    """

    venue: Venue
    params: Parameters
    listing: Listing
    microseconds: bool
    rate: RateLimits
    signer: Account | None = None

    @property
    def account(self) -> Account:
        """The signer; only endpoints that are signed ask."""
        if self.signer is None:
            raise LookupError("this endpoint is not signed")
        return self.signer

    def time(self, at: int) -> int:
        """A time of the engine in the unit of the answer."""
        return at if self.microseconds else at // 1000

    def microsecond(self, name: str) -> int | None:
        """A time the caller sent, as the engine counts it."""
        value = self.params.integer(name)
        if value is None:
            return None
        return value if len(str(value)) >= 16 else value * 1000

    def market(self, name: str | None = None) -> Market:
        """The market of the symbol sent, or of a symbol in Binance's spelling."""
        symbol = self.params.need(self.params.symbol, "symbol") if name is None else name
        market = self.listing.markets.get(symbol)
        if market is None:
            raise bad_symbol()
        return market


Handler = Callable[[Call], object]
"""Gives the content of the answer: what JSON can express, or the bytes of JSON."""
Weight = int | Callable[[Parameters], int]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path.

    ``weight`` is the request weight; ``orders`` how many orders the call counts as. A successful placement or
    cancellation (``free_on_success``) weighs nothing.
    """

    method: str
    path: str
    operation: str
    handle: Handler
    weight: Weight
    names: frozenset[str]
    signed: bool = False
    trades: bool = False
    orders: int = 0

    def cost(self, params: Parameters) -> int:
        return self.weight if isinstance(self.weight, int) else self.weight(params)


def public(path: str, operation: str, handle: Handler, weight: Weight, names: str = "") -> Endpoint:
    """A GET that anybody may ask."""
    return Endpoint("GET", path, operation, handle, weight, frozenset(names.split()))


def signed(
    method: str, path: str, operation: str, handle: Handler, weight: Weight, names: str = "", orders: int = 0
) -> Endpoint:
    """A call of an account; everything but a GET needs permission to trade and is free when it succeeds."""
    allowed = frozenset((*names.split(), *SECURITY))
    return Endpoint(method, path, operation, handle, weight, allowed, True, method != "GET", orders)
