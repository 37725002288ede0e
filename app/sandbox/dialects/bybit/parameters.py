"""Reading a request's parameters: from the query of a GET, from the JSON body of a POST, where amounts are strings."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar
from urllib.parse import parse_qsl

from app.domain.errors import InvalidAmount
from app.domain.money import to_decimal
from app.sandbox.dialects.bybit.errors import BybitError, empty, wrong
from app.sandbox.http import Request

_CLIENT_ID = re.compile(r"[0-9A-Za-z_-]{1,36}\Z")

T = TypeVar("T")


class Parameters:
    """The parameters of one call. An empty text counts as absent, and what nobody asks for is ignored."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) not in (None, "")

    def text(self, name: str) -> str | None:
        """A text; numbers are no texts.

        Raises:
            BybitError: 10001.
        """
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if not isinstance(value, str):
            raise wrong(name)
        return value

    def required(self, name: str) -> str:
        return self.need(self.text, name)

    def need(self, read: Callable[[str], T | None], name: str) -> T:
        """What ``read`` finds under a name, or 10001 when nothing was sent."""
        value = read(name)
        if value is None:
            raise empty(name)
        return value

    def amount(self, name: str) -> Decimal | None:
        """A positive amount; zero stands for none."""
        text = self.text(name)
        if text is None:
            return None
        try:
            value = to_decimal(text)
        except InvalidAmount:
            raise wrong(name) from None
        if value < 0:
            raise wrong(name)
        return value or None

    def integer(self, name: str) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit()) or len(text) > 19:
            raise wrong(name)
        return int(text)

    def choice(self, name: str, choices: Mapping[str, T], default: T | None = None) -> T:
        """What a word stands for, in the spelling of the documentation."""
        text = self.text(name)
        if text is None and default is not None:
            return default
        if text is None:
            raise empty(name)
        if text not in choices:
            raise wrong(name)
        return choices[text]

    def client_id(self) -> str | None:
        """A client order id.

        Raises:
            BybitError: 10001 when it is too long or has characters that are not allowed.
        """
        text = self.text("orderLinkId")
        if text is not None and not _CLIENT_ID.match(text):
            raise wrong("orderLinkId")
        return text

    def limit(self, default: int, most: int) -> int:
        """The page size asked for, never more than the endpoint gives."""
        asked = self.integer("limit")
        if asked == 0:
            raise wrong("limit")
        return default if asked is None else min(asked, most)

    def microseconds(self, name: str) -> int | None:
        """A time, sent in milliseconds."""
        value = self.integer(name)
        return None if value is None else value * 1000

    def cursor(self) -> tuple[int, int] | None:
        """Where a page begins, as the page before told it."""
        text = self.text("cursor")
        if text is None:
            return None
        at, _, number = text.partition(":")
        if not (at.isascii() and at.isdigit() and number.isascii() and number.isdigit()):
            raise wrong("cursor")
        return int(at), int(number)


def read_parameters(request: Request) -> Parameters:
    """What a request asks.

    Raises:
        BybitError: 10001 when the body is not a JSON object, 403 when a GET has one at all.
    """
    if request.method == "GET":
        if request.body:
            raise BybitError(10001, "a GET takes no body", 403)
        return Parameters(dict(parse_qsl(request.query, keep_blank_values=True)))
    try:
        values = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        raise wrong("body") from None
    if not isinstance(values, dict):
        raise wrong("body")
    return Parameters(values)
