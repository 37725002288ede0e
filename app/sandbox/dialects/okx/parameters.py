"""Reading a request's parameters: from the query of a GET, from the JSON body of a POST, one row or several.

Amounts are strings; JSON numbers are taken as well, with the digits they were written with.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar
from urllib.parse import parse_qsl

from app.domain.errors import InvalidAmount
from app.domain.money import to_decimal
from app.sandbox.dialects.okx.errors import OKXError, empty, wrong
from app.sandbox.http import Request

_CLIENT_ID = re.compile(r"[0-9A-Za-z]{1,32}\Z")

T = TypeVar("T")


class Parameters:
    """The parameters of one call, or of one order in a batch. An empty text counts as absent."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) not in (None, "")

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise wrong(name)
        return str(value)

    def required(self, name: str) -> str:
        return self.need(self.text, name)

    def need(self, read: Callable[[str], T | None], name: str) -> T:
        """What ``read`` finds under a name, or 50014 when nothing was sent."""
        value = read(name)
        if value is None:
            raise empty(name)
        return value

    def flag(self, name: str) -> bool:
        return self._values.get(name) in (True, "true")

    def amount(self, name: str) -> Decimal | None:
        """A positive amount."""
        text = self.text(name)
        if text is None:
            return None
        try:
            value = to_decimal(text)
        except InvalidAmount:
            raise wrong(name) from None
        if value <= 0:
            raise wrong(name)
        return value

    def integer(self, name: str) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit()) or len(text) > 19:
            raise wrong(name)
        return int(text)

    def choice(self, name: str, choices: Mapping[str, T], default: T | None = None) -> T:
        """What a word stands for."""
        text = self.text(name)
        if text is None and default is not None:
            return default
        if text is None:
            raise empty(name)
        if text not in choices:
            raise wrong(name)
        return choices[text]

    def client_id(self, name: str) -> str | None:
        """A client id: letters and digits."""
        text = self.text(name)
        if text is not None and not _CLIENT_ID.match(text):
            raise wrong(name)
        return text

    def limit(self, most: int) -> int:
        """The page size asked for, the largest when none is."""
        asked = self.integer("limit")
        if asked is not None and not 0 < asked <= most:
            raise wrong("limit")
        return most if asked is None else asked

    def microseconds(self, name: str) -> int | None:
        """A time, sent in milliseconds."""
        value = self.integer(name)
        return None if value is None else value * 1000

    def inner(self, name: str) -> list[Parameters]:
        """The rows of a list within this one, none when it was not sent."""
        values = self._values.get(name) or []
        if not isinstance(values, list) or not all(isinstance(row, dict) for row in values):
            raise wrong(name)
        return [Parameters(row) for row in values]


def read_parameters(request: Request) -> tuple[Parameters, ...]:
    """What a request asks: one row, or several when its body is a list.

    Raises:
        OKXError: 50002 when the body is no JSON of either form.
    """
    if request.method == "GET":
        return (Parameters(dict(parse_qsl(request.query, keep_blank_values=True))),)
    try:
        values = json.loads(request.body or b"{}", parse_float=Decimal)
    except (ValueError, RecursionError):
        values = None
    rows = values if isinstance(values, list) else [values]
    if not all(isinstance(row, dict) for row in rows):
        raise OKXError("50002", "JSON syntax error", 400)
    return tuple(Parameters(row) for row in rows)
