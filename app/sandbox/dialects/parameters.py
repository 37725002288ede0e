"""Reading a request's parameters, as most dialects do: by name, and refused in the dialect's own words."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, TypeVar

from app.domain.errors import InvalidAmount
from app.domain.money import to_decimal

T = TypeVar("T")


class ParametersBase(ABC):
    """The parameters of one call, or one object among them. An empty text counts as absent.

    Amounts are strings; JSON numbers are taken as well, with the digits they were written with.
    """

    #: How many digits a whole number may have.
    most_digits = 19
    #: Whether an amount of zero stands for none, rather than being wrong.
    zero_is_none = False

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) not in (None, "")

    @staticmethod
    @abstractmethod
    def wrong(name: str) -> Exception:
        """The refusal of what was sent under a name."""

    @staticmethod
    @abstractmethod
    def missing(name: str) -> Exception:
        """The refusal of a call in which a name is missing."""

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None or value == "":
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
            raise self.wrong(name)
        return str(value)

    def required(self, name: str) -> str:
        return self.need(self.text, name)

    def need(self, read: Callable[[str], T | None], name: str) -> T:
        """What ``read`` finds under a name, which has to be sent."""
        value = read(name)
        if value is None:
            raise self.missing(name)
        return value

    def amount(self, name: str) -> Decimal | None:
        """A positive amount."""
        text = self.text(name)
        if text is None:
            return None
        try:
            value = to_decimal(text)
        except InvalidAmount:
            raise self.wrong(name) from None
        if value < 0 or (value == 0 and not self.zero_is_none):
            raise self.wrong(name)
        return value or None

    def integer(self, name: str) -> int | None:
        text = self.text(name)
        if text is None:
            return None
        if not (text.isascii() and text.isdigit()) or len(text) > self.most_digits:
            raise self.wrong(name)
        return int(text)

    def choice(self, name: str, choices: Mapping[str, T], default: T | None = None) -> T:
        """What a word stands for, in the spelling of the documentation."""
        text = self.text(name)
        if text is None and default is not None:
            return default
        if text is None:
            raise self.missing(name)
        if text not in choices:
            raise self.wrong(name)
        return choices[text]

    def microseconds(self, name: str) -> int | None:
        """A time, sent in milliseconds."""
        value = self.integer(name)
        return None if value is None else value * 1000


def json_in(body: bytes) -> Any:
    """What a body says, its numbers with the digits they were written with; None where it is no JSON."""
    try:
        return json.loads(body or b"{}", parse_float=Decimal)
    except (ValueError, RecursionError):
        return None
