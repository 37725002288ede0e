"""Reading a request's parameters: from its query, from a form in its body, or both; the first of a name counts."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from app.sandbox.dialects.bingx.errors import missing, wrong
from app.sandbox.dialects.parameters import ParametersBase
from app.sandbox.http import Request

_CLIENT_ID = re.compile(r"[0-9A-Za-z_]{1,40}\Z")


def pairs(request: Request) -> list[tuple[str, str]]:
    """Names and values as they were sent, decoded."""
    return [
        pair
        for sent in (request.query, request.body.decode("latin-1"))
        for pair in parse_qsl(sent, keep_blank_values=True)
    ]


class Parameters(ParametersBase):
    """The parameters of one call. An empty text counts as absent, and what nobody asks for is ignored."""

    zero_is_none = True
    wrong = staticmethod(wrong)
    missing = staticmethod(missing)

    def __init__(self, sent: list[tuple[str, str]]) -> None:
        super().__init__(dict(reversed(sent)))

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
