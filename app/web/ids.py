"""Ids of rows as addresses hold them: one that no database could hold is no id, rather than an error of ours."""

from __future__ import annotations

from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Map

from app.schemas.queries import LARGEST_ID


class _RowId(IntegerConverter):
    """The ``int`` of our routes; a greater one leads to 404."""

    def __init__(self, map: Map, **options: Any) -> None:
        super().__init__(map, max=LARGEST_ID, **options)


def init_app(app: Flask) -> None:
    """Let every route that takes an id take it so; call before they are registered."""
    app.url_map.converters["int"] = _RowId


def row_id(text: str) -> int:
    """The id that a part of an address names.

    Raises:
        ValueError: it is none.
    """
    number = int(text)
    if not 0 < number <= LARGEST_ID:
        raise ValueError(f"{text} is no id")
    return number
