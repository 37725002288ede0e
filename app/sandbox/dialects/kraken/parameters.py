"""Reading a request's parameters the way Kraken does: form or JSON, and what it does not know it ignores."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from urllib.parse import parse_qsl

from app.sandbox.dialects.kraken.errors import KrakenError, invalid
from app.sandbox.http import Request

_AMOUNT = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?\Z")
_INTEGER = re.compile(r"-?[0-9]{1,20}\Z")


class Parameters:
    """The parameters of one call, values as text.

    A JSON body's nested objects are read as a form would write them: ``{"close": {"price": "1"}}`` is
    ``close[price]=1``; its lists are for ``rows`` and ``texts``.

    Raises:
        KrakenError: for a name that is sent twice.
    """

    def __init__(self, pairs: Iterator[tuple[str, str]], lists: Mapping[str, list[object]]) -> None:
        self._values: dict[str, str] = {}
        self._lists = lists
        for name, value in pairs:
            if name in self._values:
                raise invalid(name)
            self._values[name] = value

    @classmethod
    def of(cls, request: Request) -> Parameters:
        """The parameters of a request's query or body.

        Raises:
            KrakenError: for a body that is no JSON object though it begins like one.
        """
        if request.method == "GET":
            return cls(iter(parse_qsl(request.query, keep_blank_values=True)), {})
        if "json" not in request.headers.get("content-type", "") and not request.body.startswith(b"{"):
            return cls(iter(parse_qsl(request.body.decode("latin-1"), keep_blank_values=True)), {})
        try:
            values = json.loads(request.body, parse_float=str, parse_int=str)
        except ValueError:
            values = None
        if not isinstance(values, dict):
            raise KrakenError("EGeneral:Invalid arguments")
        return cls.of_object(values)

    @classmethod
    def of_object(cls, values: Mapping[str, object]) -> Parameters:
        """The parameters of a JSON object."""
        lists = {name: value for name, value in values.items() if isinstance(value, list)}
        return cls(_flat(values), lists)

    def __contains__(self, name: str) -> bool:
        return bool(self._values.get(name))

    def text(self, name: str) -> str | None:
        """What was sent under a name; empty is as good as nothing."""
        return self._values.get(name) or None

    def required(self, name: str) -> str:
        value = self.text(name)
        if value is None:
            raise invalid(name)
        return value

    def amount(self, name: str) -> Decimal | None:
        """A decimal without sign or exponent."""
        text = self.text(name)
        if text is None:
            return None
        if not _AMOUNT.match(text):
            raise invalid(name)
        return Decimal(text)

    def integer(self, name: str, least: int | None = None, most: int | None = None) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not _INTEGER.match(text):
            raise invalid(name)
        number = int(text)
        if (least is not None and number < least) or (most is not None and number > most):
            raise invalid(name)
        return number

    def flag(self, name: str) -> bool:
        """Only the word ``true`` is true; ``True`` and ``1`` are not."""
        return self.text(name) == "true"

    def words(self, name: str, most: int | None = None) -> list[str]:
        """A list separated by commas."""
        words = [word.strip() for word in (self.text(name) or "").split(",") if word.strip()]
        if most is not None and len(words) > most:
            raise invalid(name)
        return words

    def texts(self, name: str) -> list[str]:
        """A JSON list of texts or numbers."""
        if any(not isinstance(item, str) for item in self._lists.get(name, [])):
            raise invalid(name)
        return [str(item) for item in self._lists.get(name, [])]

    def rows(self, name: str) -> list[Parameters]:
        """A JSON list of objects."""
        rows = []
        for item in self._lists.get(name, []):
            if not isinstance(item, dict):
                raise invalid(name)
            rows.append(Parameters.of_object(item))
        return rows


def _flat(values: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in values.items():
        if isinstance(value, dict):
            yield from ((f"{name}[{inner}]", text) for inner, text in _flat(value))
        elif isinstance(value, bool):
            yield name, "true" if value else "false"
        elif isinstance(value, str):
            yield name, value
