"""Reading a request's parameters: a query for GET and DELETE, a JSON object for POST."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import TypeVar
from urllib.parse import parse_qsl

from app.domain.errors import InvalidAmount
from app.domain.money import to_decimal
from app.sandbox.dialects.kucoin.errors import KuCoinError, bad_parameter
from app.sandbox.http import Request

_CLIENT_OID = re.compile(r"[0-9A-Za-z_-]{1,40}\Z")
T = TypeVar("T")


class Parameters:
    """The parameters of one call; what is null or empty counts as not sent."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = {name: value for name, value in values.items() if value not in (None, "")}

    @classmethod
    def of(cls, request: Request) -> Parameters:
        """Those of a request.

        Raises:
            KuCoinError: 400100 for a body that is not a JSON object.
        """
        if request.method != "POST":
            return cls(dict(parse_qsl(request.query)))
        try:
            values = json.loads(request.body or b"{}")
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict):
            raise bad_parameter("The request body is not a JSON object.")
        return cls(values)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def with_path(self, values: Mapping[str, str]) -> Parameters:
        """These and the ones that stand in the path."""
        return Parameters({**self._values, **values})

    def rows(self, name: str) -> list[Parameters]:
        """The objects of an array."""
        found = self._values.get(name)
        if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
            raise bad_parameter(f"{name} should be a list of objects")
        return [Parameters(row) for row in found]

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is not None and not isinstance(value, str):
            raise bad_parameter(f"{name} should be a string")
        return value

    def required(self, name: str) -> str:
        """The text of a parameter that must be sent."""
        value = self.text(name)
        if value is None:
            raise missing(name)
        return value

    def amount(self, name: str) -> Decimal | None:
        """A positive decimal in a string; JSON numbers are floats to most who send them, and refused."""
        text = self.text(name)
        if text is None:
            return None
        try:
            value = to_decimal(text)
        except InvalidAmount:
            raise bad_parameter(f"{name} is invalid") from None
        if value <= 0:
            raise bad_parameter(f"{name} should be greater than 0")
        return value

    def integer(self, name: str) -> int | None:
        """A whole number, written as a number or in a string."""
        value = self._values.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if not (isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,19}", value)):
            raise bad_parameter(f"{name} should be an integer")
        return int(value)

    def flag(self, name: str) -> bool:
        """A JSON boolean, false when it is not sent."""
        value = self._values.get(name, False)
        if not isinstance(value, bool):
            raise bad_parameter(f"{name} should be a boolean")
        return value

    def choice(self, name: str, choices: Mapping[str, T], default: str | None = None) -> T:
        """What the text of a parameter stands for."""
        text = self.text(name) or default
        if text is None:
            raise missing(name)
        if text not in choices:
            raise bad_parameter(f"{name} not in the given range!")
        return choices[text]

    def client_oid(self, name: str = "clientOid") -> str | None:
        """A client order id: at most 40 letters, digits, underscores and dashes."""
        text = self.text(name)
        if text is not None and not _CLIENT_OID.match(text):
            raise bad_parameter(f"{name} is invalid: at most 40 of letters, digits, _ and -")
        return text

    def page_size(self, name: str, default: int, most: int) -> int:
        """How many rows are asked for.

        Raises:
            KuCoinError: 400100 for more than there may be.
        """
        asked = self.integer(name)
        if asked is None:
            return default
        if asked > most:
            raise bad_parameter(f"{name} should not greater than {most}")
        return max(1, asked)


def missing(name: str) -> KuCoinError:
    return bad_parameter(f"{name} is required")
