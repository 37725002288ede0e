"""How amounts and words are written in an answer."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Any

from marshmallow import fields

from app.domain.money import plain

_PLAIN = r"^-?\d+(\.\d+)?$"


class Money(fields.Field[Decimal]):
    """An exact amount, as a string in plain decimals, never in exponent form."""

    def __init__(self, *, allow_none: bool = False, attribute: str | None = None) -> None:
        super().__init__(
            allow_none=allow_none, attribute=attribute, metadata={"pattern": _PLAIN, "example": "0.015"}
        )

    def _serialize(self, value: Decimal | None, attr: str | None, obj: Any, **_: Any) -> str | None:
        return None if value is None else plain(value)


def moment(*, allow_none: bool = False) -> fields.DateTime:
    """A time: ISO 8601 in UTC."""
    return fields.DateTime(format="iso", allow_none=allow_none)


def word(kind: type[StrEnum]) -> fields.Enum[Any]:
    """One of the words of an enumeration."""
    return fields.Enum(kind, by_value=fields.String)


def maybe_text() -> fields.String:
    """Text, or null where there is none."""
    return fields.String(allow_none=True)
