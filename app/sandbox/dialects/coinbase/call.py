"""What an endpoint's handler works with, and how endpoints are declared."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import parse_qs

from app.domain.errors import InvalidAmount
from app.domain.money import to_decimal
from app.sandbox.dialects.coinbase.errors import invalid
from app.sandbox.dialects.coinbase.notation import Json
from app.sandbox.dialects.listing import Listing
from app.sandbox.engine.account import Account
from app.sandbox.engine.market import Market
from app.sandbox.engine.venue import Venue
from app.sandbox.http import Request


@dataclass(frozen=True, slots=True)
class Call:
    """One request that passed the gate. ``subject`` is what its path names."""

    venue: Venue
    listing: Listing
    query: Mapping[str, list[str]]
    body: Json
    subject: str
    signer: Account | None = None

    @property
    def account(self) -> Account:
        """The signer; only endpoints that are signed ask."""
        if self.signer is None:
            raise LookupError("this endpoint is not signed")
        return self.signer

    def one(self, name: str) -> str | None:
        """A parameter of the query."""
        values = self.query.get(name)
        return values[0] if values else None

    def number(self, name: str, default: int) -> int:
        value = self.one(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit()) or len(value) > 12:
            raise invalid(f"{name} is not a number")
        return int(value)

    def market(self, product: str | None) -> Market:
        """The market of a product.

        Raises:
            CoinbaseError: 400 when there is none.
        """
        market = self.listing.markets.get(product or "")
        if market is None:
            raise invalid(f"product_id {product} is invalid")
        return market


def amount(terms: Mapping[str, object], name: str) -> Decimal | None:
    """A positive amount, written as text."""
    value = terms.get(name)
    if value is None or value == "":
        return None
    try:
        found = to_decimal(value) if isinstance(value, str) else Decimal(0)
    except InvalidAmount:
        found = Decimal(0)
    if found <= 0:
        raise invalid(f"{name} is not a positive decimal in a string")
    return found


def read(request: Request) -> tuple[Mapping[str, list[str]], Json]:
    """The query and the body of a request.

    Raises:
        CoinbaseError: 400 when the body is no JSON object.
    """
    query = parse_qs(request.query, keep_blank_values=True)
    if request.method == "GET":
        return query, {}
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise invalid("the body is not a JSON object")
    return query, body


Handler = Callable[[Call], Json | bytes]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method and path; ``{}`` in it stands for what the path names."""

    method: str
    path: str
    operation: str
    handle: Handler
    signed: bool = True

    def subject_of(self, method: str, path: str) -> str | None:
        """What a path names ("" when it need not name anything), or None when it is another endpoint's."""
        if method != self.method:
            return None
        before, hole, after = self.path.partition("{}")
        if not hole:
            return "" if path == self.path else None
        subject = path[len(before) : len(path) - len(after)]
        fits = path == f"{before}{subject}{after}" and bool(subject) and "/" not in subject
        return subject if fits else None
