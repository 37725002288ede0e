"""Reading a request's parameters: from the query of a GET, from the JSON body of a POST, where amounts are strings."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from app.sandbox.dialects.bybit.errors import BybitError, empty, wrong
from app.sandbox.dialects.parameters import ParametersBase, json_in
from app.sandbox.http import Request

_CLIENT_ID = re.compile(r"[0-9A-Za-z_-]{1,36}\Z")


class Parameters(ParametersBase):
    """The parameters of one call. An empty text counts as absent, and what nobody asks for is ignored."""

    zero_is_none = True
    wrong = staticmethod(wrong)
    missing = staticmethod(empty)

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
    values = json_in(request.body)
    if not isinstance(values, dict):
        raise wrong("body")
    return Parameters(values)
