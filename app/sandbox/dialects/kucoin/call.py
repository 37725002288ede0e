"""What an endpoint's handler works with, and how endpoints are declared and found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from app.sandbox.dialects.kucoin.errors import refused, unknown_symbol
from app.sandbox.dialects.kucoin.parameters import Parameters
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import Refused
from app.sandbox.engine.venue import Venue

T = TypeVar("T")


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
        """The market of the symbol sent, which is mandatory."""
        return self.market_of(self.params.required("symbol"))

    def market_of(self, symbol: str) -> Market:
        """The market of a symbol in KuCoin's spelling."""
        market = self.listing.markets.get(symbol)
        if market is None:
            raise unknown_symbol()
        return market

    def symbol_if_sent(self) -> str | None:
        """The engine's name of the symbol sent, if any."""
        return self.market().instrument.symbol if "symbol" in self.params else None


def asking(act: Callable[[], T]) -> T:
    """What the engine answers, its refusal in KuCoin's words."""
    try:
        return act()
    except Refused as refusal:
        raise refused(refusal.refusal) from None


Handler = Callable[[Call], object]
"""Gives the data of the answer: what JSON can express, or the bytes of JSON."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path, which may name parameters in braces; ``weight`` is taken from the ``pool``."""

    method: str
    path: str
    operation: str
    handle: Handler
    pool: str
    weight: int
    signed: bool = True
    trades: bool = False


class Routes:
    """Finds the endpoint of a request: whole paths first, then those with parameters in them."""

    def __init__(self, endpoints: Iterable[Endpoint]) -> None:
        self._whole: dict[tuple[str, str], Endpoint] = {}
        self._patterns: list[tuple[re.Pattern[str], Endpoint]] = []
        for endpoint in endpoints:
            if "{" in endpoint.path:
                pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", endpoint.path)
                self._patterns.append((re.compile(f"{endpoint.method} {pattern}\\Z"), endpoint))
            else:
                self._whole[endpoint.method, endpoint.path] = endpoint

    def find(self, method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
        """The endpoint, and what the path says."""
        if endpoint := self._whole.get((method, path)):
            return endpoint, {}
        for pattern, endpoint in self._patterns:
            if match := pattern.match(f"{method} {path}"):
                return endpoint, match.groupdict()
        return None
