"""Reading a request's parameters: from the query of a GET, from the JSON body of a POST, one row or several.

Amounts are strings; JSON numbers are taken as well, with the digits they were written with.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from app.sandbox.dialects.okx.errors import OKXError, empty, wrong
from app.sandbox.dialects.parameters import ParametersBase, json_in
from app.sandbox.http import Request

_CLIENT_ID = re.compile(r"[0-9A-Za-z]{1,32}\Z")


class Parameters(ParametersBase):
    """The parameters of one call, or of one order in a batch. An empty text counts as absent."""

    wrong = staticmethod(wrong)
    missing = staticmethod(empty)

    def flag(self, name: str) -> bool:
        return self._values.get(name) in (True, "true")

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
    values = json_in(request.body)
    rows = values if isinstance(values, list) else [values]
    if not all(isinstance(row, dict) for row in rows):
        raise OKXError("50002", "JSON syntax error", 400)
    return tuple(Parameters(row) for row in rows)
