"""Recorded answers: files of `payloads/`, read as the exchange clients read the wire."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.exchanges.transport import parse_json

DIRECTORY = Path(__file__).parent / "payloads"


def envelope(exchange: str, name: str) -> dict[str, Any]:
    """A whole recorded answer."""
    found: dict[str, Any] = json.loads((DIRECTORY / exchange / f"{name}.json").read_text())
    return found


def body_text(exchange: str, name: str) -> str:
    """The body as it travels."""
    return json.dumps(envelope(exchange, name)["body"], separators=(",", ":"), ensure_ascii=False)


def body(exchange: str, name: str) -> Any:
    """The body as a client's parse functions get it."""
    return parse_json(body_text(exchange, name).encode())
