"""Our client and ccxt's side by side: the same wish in both languages, what each sends, and what each reads."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from app.domain import OrderStatus
from app.exchanges.base import Exchange

#: ccxt knows few outcomes where we tell more apart; the finer word must belong to the coarser one.
COARSE = {
    OrderStatus.PENDING: "open",
    OrderStatus.OPEN: "open",
    OrderStatus.PARTIALLY_FILLED: "open",
    OrderStatus.FILLED: "closed",
    OrderStatus.CANCELED: "canceled",
}


@dataclass(frozen=True, slots=True)
class Wire:
    """One request, taken apart; the signature was verified, and what differs from call to call is left out."""

    method: str
    path: str
    params: dict[str, str]
    key: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """The same wish in both languages, and the operation by which both are compared.

    ``only_ours`` and ``only_theirs`` are parameters that one of us sends, with their reasons beside the case.
    """

    call: str
    ours: Callable[[Exchange], Any]
    theirs: Callable[[Any], Any]
    only_ours: Mapping[str, str] = field(default_factory=dict)
    only_theirs: Mapping[str, str] = field(default_factory=dict)
    payloads: Mapping[str, str] = field(default_factory=dict)

    def expected(self, theirs: Wire) -> Wire:
        """What we should send by what they did."""
        shared = {name: value for name, value in theirs.params.items() if name not in self.only_theirs}
        return replace(theirs, params=shared | dict(self.only_ours))


@dataclass(slots=True)
class Theirs:
    """A ccxt client whose requests are taken apart, kept, and answered from recordings."""

    client: Any
    take_apart: Callable[[str, str, Mapping[str, str], str], Wire]
    answer: Callable[[str, str, Mapping[str, str]], str]
    """The recorded body for a method and URL, where some operations have payloads of their own."""
    payloads: Mapping[str, str] = field(default_factory=dict)
    sent: list[Wire] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.client.fetch = self._fetch
        self.client.set_markets(self.client.fetch_markets())

    def _fetch(
        self, url: str, method: str = "GET", headers: dict[str, str] | None = None, body: str | None = None
    ) -> Any:
        self.sent.append(self.take_apart(method, url, headers or {}, body or ""))
        return json.loads(self.answer(method, url, self.payloads))

    def ask(self, case: Case) -> tuple[Any, Wire]:
        """What ccxt reads, and the one request it sends for that."""
        self.payloads = case.payloads
        self.sent.clear()
        read = case.theirs(self.client)
        [sent] = self.sent
        return read, sent


def same(exact: Decimal | None, approximate: float | None) -> bool:
    """Whether a float is what our exact value is to a float's precision."""
    return approximate is None if exact is None else approximate is not None and float(exact) == approximate
