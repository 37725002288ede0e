"""Reading a request's parameters: from its query, from a form in its body, or both; the first of a name counts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import TypeVar
from urllib.parse import parse_qsl

from app.domain.errors import InvalidAmount
from app.domain.money import to_decimal
from app.sandbox.dialects.bingx.errors import missing, wrong
from app.sandbox.http import Request

_CLIENT_ID = re.compile(r"[0-9A-Za-z_]{1,40}\Z")

T = TypeVar("T")


def pairs(request: Request) -> list[tuple[str, str]]:
    """Names and values as they were sent, decoded."""
    return [
        pair
        for sent in (request.query, request.body.decode("latin-1"))
        for pair in parse_qsl(sent, keep_blank_values=True)
    ]


class Parameters:
    """The parameters of one call. An empty text counts as absent, and what nobody asks for is ignored."""

    def __init__(self, sent: list[tuple[str, str]]) -> None:
        self._values: dict[str, str] = dict(reversed(sent))

    def __contains__(self, name: str) -> bool:
        return bool(self._values.get(name))

    def text(self, name: str) -> str | None:
        return self._values.get(name) or None

    def required(self, name: str) -> str:
        return self.need(self.text, name)

    def need(self, read: Callable[[str], T | None], name: str) -> T:
        """What ``read`` finds under a name.

        Raises:
            BingXError: 100400 when nothing was sent.
        """
        value = read(name)
        if value is None:
            raise missing(name)
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
            raise missing(name)
        if text not in choices:
            raise wrong(name)
        return choices[text]

    def client_id(self, name: str) -> str | None:
        """A client order id.

        Raises:
            BingXError: 100400 when it is too long or has characters that are not allowed.
        """
        text = self.text(name)
        if text is not None and not _CLIENT_ID.match(text):
            raise wrong(name)
        return text

    def size(self, name: str, default: int, most: int) -> int:
        """How many rows are asked for, never more than the endpoint gives."""
        asked = self.integer(name)
        if asked == 0:
            raise wrong(name)
        return default if asked is None else min(asked, most)

    def microseconds(self, name: str) -> int | None:
        """A time, sent in milliseconds."""
        value = self.integer(name)
        return None if value is None else value * 1000
