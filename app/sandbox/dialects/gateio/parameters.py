"""Reading a request's parameters: from the query, and from the JSON body of a POST or PATCH, which prevails."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar
from urllib.parse import parse_qsl

from app.domain.errors import InvalidAmount
from app.domain.money import to_decimal
from app.sandbox.dialects.gateio.errors import GateError, missing, wrong
from app.sandbox.dialects.gateio.notation import TEXT_PREFIX
from app.sandbox.http import Request

_TEXT = re.compile(r"t-[0-9A-Za-z_.-]{1,28}\Z")

T = TypeVar("T")


class Parameters:
    """The parameters of one call, or one object among them. An empty text counts as absent."""

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
        """What ``read`` finds under a name, or a refusal when nothing was sent."""
        value = read(name)
        if value is None:
            raise missing(name)
        return value

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
        if not (text.isascii() and text.isdigit()) or len(text) > 15:
            raise wrong(name)
        return int(text)

    def choice(self, name: str, choices: Mapping[str, T], default: T | None = None) -> T:
        """What a word stands for."""
        text = self.text(name)
        if text is None and default is not None:
            return default
        if text is None:
            raise missing(name)
        if text not in choices:
            raise wrong(name)
        return choices[text]

    def client_id(self) -> str | None:
        """What a customer calls an order, without the prefix that says so."""
        text = self.text("text")
        if text is not None and not _TEXT.match(text):
            raise wrong("text")
        return None if text is None else text.removeprefix(TEXT_PREFIX)

    def limit(self, default: int, most: int) -> int:
        """The page size asked for."""
        asked = self.integer("limit")
        if asked is not None and not 0 < asked <= most:
            raise wrong("limit")
        return default if asked is None else asked

    def microseconds(self, name: str) -> int | None:
        """A time, sent in seconds."""
        value = self.integer(name)
        return None if value is None else value * 1_000_000

    def inner(self, name: str) -> Parameters:
        """An object among the parameters."""
        value = self._values.get(name)
        if value is None:
            raise missing(name)
        if not isinstance(value, dict):
            raise wrong(name)
        return Parameters(value)


def read_parameters(request: Request) -> Parameters:
    """What a request asks.

    Raises:
        GateError: the body is not a JSON object.
    """
    query: dict[str, object] = dict(parse_qsl(request.query, keep_blank_values=True))
    if request.method not in ("POST", "PATCH"):
        return Parameters(query)
    try:
        values = json.loads(request.body or b"{}", parse_float=Decimal)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise GateError(400, "INVALID_REQUEST_BODY", "Invalid request body")
    return Parameters({**query, **values})
