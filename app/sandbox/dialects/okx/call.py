"""What an endpoint's handler works with, and how endpoints are declared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from app.sandbox.dialects.listing import Listing
from app.sandbox.dialects.okx.errors import OKXError, empty, unknown_instrument
from app.sandbox.dialects.okx.notation import Json
from app.sandbox.dialects.okx.parameters import Parameters
from app.sandbox.engine.account import Account
from app.sandbox.engine.market import Market
from app.sandbox.engine.venue import Venue


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed the gate, or one order of it."""

    venue: Venue
    rows: tuple[Parameters, ...]
    listing: Listing
    signer: Account | None = None

    @property
    def params(self) -> Parameters:
        """The parameters of the first row, which is the only one of most calls."""
        if not self.rows:
            raise empty("orders")
        return self.rows[0]

    @property
    def account(self) -> Account:
        """The signer; only endpoints that are signed ask."""
        if self.signer is None:
            raise LookupError("this endpoint is not signed")
        return self.signer

    def market(self) -> Market:
        """The market of the instrument that was sent."""
        market = self.listing.markets.get(self.params.required("instId"))
        if market is None:
            raise unknown_instrument()
        return market

    def chosen_symbol(self) -> str | None:
        """The neutral symbol that was sent, or None for all."""
        return self.market().instrument.symbol if "instId" in self.params else None

    def each(self, act: Callable[[Call], Json], most: int) -> list[Json]:
        """What comes of every row on its own: ``act``'s ids, or the refusal, with ``sCode`` and ``sMsg``."""
        if not 0 < len(self.rows) <= most:
            raise OKXError("50016" if self.rows else "50014", f"Between 1 and {most} orders", 400)
        return [_one(replace(self, rows=(row,)), act) for row in self.rows]


def _one(call: Call, act: Callable[[Call], Json]) -> Json:
    try:
        return {**act(call), "sCode": "0", "sMsg": ""}
    except OKXError as error:
        return {
            "ordId": "",
            "clOrdId": str(call.params.text("clOrdId") or ""),
            "sCode": error.code,
            "sMsg": error.message,
            "subCode": "",
        }


Handler = Callable[[Call], object]
"""Gives the ``data`` of the answer: what JSON can express, or the bytes of JSON."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path, which may be called ``limit`` times in two seconds."""

    method: str
    path: str
    operation: str
    handle: Handler
    limit: int
    signed: bool = False

    @property
    def name(self) -> str:
        """What the endpoint's limit is called."""
        return f"{self.method} {self.path.removeprefix('/api/v5/')}"

    @property
    def trades(self) -> bool:
        return self.method == "POST"


def public(path: str, operation: str, handle: Handler, limit: int) -> Endpoint:
    """A GET that anybody may ask."""
    return Endpoint("GET", f"/api/v5/{path}", operation, handle, limit)


def reading(path: str, operation: str, handle: Handler, limit: int) -> Endpoint:
    """A GET of an account."""
    return Endpoint("GET", f"/api/v5/{path}", operation, handle, limit, signed=True)


def trading(path: str, operation: str, handle: Handler, limit: int) -> Endpoint:
    """A POST of an account; it needs permission to trade."""
    return Endpoint("POST", f"/api/v5/{path}", operation, handle, limit, signed=True)
