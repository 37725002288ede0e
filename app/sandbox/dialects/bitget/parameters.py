"""Reading a request's parameters: from the query of a GET, from the JSON body of a POST.

Amounts are strings; JSON numbers are taken as well, with the digits they were written with.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TypeVar
from urllib.parse import parse_qsl

from app.sandbox.dialects.bitget.errors import BitgetError, empty, wrong
from app.sandbox.dialects.parameters import ParametersBase, json_in
from app.sandbox.http import Request

#: The strictest of the lengths and alphabets that are documented.
_CLIENT_ID = re.compile(r"[0-9A-Za-z_:#\-+\s]{1,32}\Z")

T = TypeVar("T")


class Parameters(ParametersBase):
    """The parameters of one call, or of one order in a batch. An empty text counts as absent."""

    wrong = staticmethod(wrong)
    missing = staticmethod(empty)

    def joined(self, **values: object) -> Parameters:
        """These parameters and others, which prevail."""
        return Parameters({**self._values, **values})

    def choice(self, name: str, choices: Mapping[str, T], default: T | None = None) -> T:
        """What a word stands for, upper or lower case."""
        text = self.text(name)
        if text is None and default is not None:
            return default
        if text is None:
            raise empty(name)
        if text.lower() not in choices:
            raise wrong(name)
        return choices[text.lower()]

    def client_id(self, name: str) -> str | None:
        """A client order id.

        Raises:
            BitgetError: 40305 when it is too long or has characters that are not allowed.
        """
        text = self.text(name)
        if text is not None and not _CLIENT_ID.match(text):
            words = "Client_oid length is not greater than 50, and cannot be Martian characters"
            raise BitgetError("40305", words)
        return text

    def limit(self, default: int, most: int) -> int:
        """The page size asked for.

        Raises:
            BitgetError: 40020 when it is zero or more than the endpoint gives.
        """
        asked = self.integer("limit")
        if asked is not None and not 0 < asked <= most:
            raise wrong("limit")
        return default if asked is None else asked

    def rows(self, name: str, most: int) -> list[Parameters]:
        """The orders of a batch.

        Raises:
            BitgetError: 40019 for none, 40306 for more than are allowed.
        """
        rows = self._values.get(name)
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise wrong(name) if rows else empty(name)
        if not rows:
            raise empty(name)
        if len(rows) > most:
            raise BitgetError("40306", f"Batch processing orders can only process up to {most}")
        return [Parameters(row) for row in rows]

    def texts(self, name: str) -> list[str]:
        """A list of words, empty when it was not sent."""
        values = self._values.get(name) or []
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise wrong(name)
        return values


def read_parameters(request: Request) -> Parameters:
    """What a request asks.

    Raises:
        BitgetError: 40020 when the body is not a JSON object.
    """
    if request.method == "GET":
        return Parameters(dict(parse_qsl(request.query, keep_blank_values=True)))
    values = json_in(request.body)
    if not isinstance(values, dict):
        raise wrong("body")
    return Parameters(values)
