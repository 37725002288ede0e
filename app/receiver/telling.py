"""Answers in JSON, as WSGI sends them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse

_HEADERS = (
    ("Content-Type", "application/json"),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
)


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, what is told, and headers besides those that every answer has."""

    status: HTTPStatus
    told: Mapping[str, Any]
    headers: Mapping[str, str] = field(default_factory=dict)

    def send(self, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        body = json.dumps(self.told, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        length = ("Content-Length", str(len(body)))
        start_response(
            f"{self.status.value} {self.status.phrase}", [*_HEADERS, length, *self.headers.items()]
        )
        return [body]
