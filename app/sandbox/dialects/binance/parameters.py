"""Reading a request's parameters the way Binance does: query first, every name known, sent once and not empty."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from decimal import Decimal
from typing import TypeVar
from urllib.parse import unquote_plus

from app.sandbox.dialects.binance.errors import BinanceError, missing

_AMOUNT = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_CLIENT_ID = r"^[a-zA-Z0-9-_]{1,36}$"
_INTEGER = r"^[0-9]{1,20}$"
_SYMBOL = r"^[A-Z0-9-_.]{1,20}$"
_PATTERNS = {pattern: re.compile(pattern) for pattern in (_AMOUNT, _CLIENT_ID, _INTEGER, _SYMBOL)}
_ASSET_DECIMALS = 8

T = TypeVar("T")


def split(text: str) -> list[tuple[str, str]]:
    """The raw pairs of a query or form, names decoded and values still percent-encoded."""
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return [(unquote_plus(name), value) for name, _, value in pairs]


class Parameters:
    """The parameters of one call.

    Raises:
        BinanceError: -1101 for a name that is repeated in the query or in the body.
    """

    def __init__(self, query: str, body: str) -> None:
        self._values = {**_once(split(body)), **_once(split(query))}

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def names(self) -> Collection[str]:
        return self._values.keys()

    def allow(self, names: Collection[str]) -> None:
        """Refuse parameters that the endpoint does not know, and those that were sent empty."""
        known = [name for name in self._values if name in names]
        if len(known) < len(self._values):
            raise BinanceError(
                -1104,
                f"Not all sent parameters were read; read '{len(known)}' parameter(s) but was sent "
                f"'{len(self._values)}'.",
            )
        for name, value in self._values.items():
            if not value:
                raise BinanceError(-1105, f"Parameter '{name}' was empty.")

    def text(self, name: str) -> str | None:
        return self._values.get(name)

    def required(self, name: str) -> str:
        value = self._values.get(name)
        if not value:
            raise missing(name)
        return value

    def amount(self, name: str) -> Decimal | None:
        """A decimal without sign or exponent, of no more digits than an asset has."""
        text = self._matching(name, _AMOUNT)
        if text is None:
            return None
        if len(text.partition(".")[2].rstrip("0")) > _ASSET_DECIMALS:
            raise BinanceError(-1111, f"Parameter '{name}' has too much precision.")
        return Decimal(text)

    def integer(self, name: str) -> int | None:
        text = self._matching(name, _INTEGER)
        return None if text is None else int(text)

    def client_id(self, name: str) -> str | None:
        return self._matching(name, _CLIENT_ID)

    def symbol(self, name: str = "symbol") -> str | None:
        return self._matching(name, _SYMBOL)

    def need(self, read: Callable[[str], T | None], name: str) -> T:
        """What ``read`` finds under a name, or -1102 when nothing was sent."""
        value = read(name)
        if value is None:
            raise missing(name)
        return value

    def limit(self, default: int, most: int) -> int:
        """The page size asked for, cut to what the endpoint gives."""
        asked = self.integer("limit")
        return default if asked is None else max(1, min(asked, most))

    def flag(self, name: str) -> bool:
        value = self._values.get(name, "false").lower()
        if value not in ("true", "false"):
            raise BinanceError(-1130, f"Data sent for parameter '{name}' is not valid.")
        return value == "true"

    def _matching(self, name: str, pattern: str) -> str | None:
        text = self._values.get(name)
        if text is not None and not _PATTERNS[pattern].match(text):
            raise BinanceError(
                -1100, f"Illegal characters found in parameter '{name}'; legal range is '{pattern}'."
            )
        return text


def _once(pairs: list[tuple[str, str]]) -> dict[str, str]:
    values = {name: unquote_plus(value) for name, value in pairs}
    if len(values) < len(pairs):
        raise BinanceError(-1101, "Duplicate values for a parameter detected.")
    return values
