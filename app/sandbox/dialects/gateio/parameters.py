"""Reading a request's parameters: from the query, and from the JSON body of a POST or PATCH, which prevails."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from app.sandbox.dialects.gateio.errors import GateError, missing, wrong
from app.sandbox.dialects.gateio.notation import TEXT_PREFIX
from app.sandbox.dialects.parameters import ParametersBase, json_in
from app.sandbox.http import Request

_TEXT = re.compile(r"t-[0-9A-Za-z_.-]{1,28}\Z")


class Parameters(ParametersBase):
    """The parameters of one call, or one object among them. An empty text counts as absent."""

    most_digits = 15
    wrong = staticmethod(wrong)
    missing = staticmethod(missing)

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
    values = json_in(request.body)
    if not isinstance(values, dict):
        raise GateError(400, "INVALID_REQUEST_BODY", "Invalid request body")
    return Parameters({**query, **values})
