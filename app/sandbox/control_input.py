"""Reading what the control API is sent, and saying in words what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from decimal import Decimal

from app.domain.errors import InvalidAmount
from app.domain.money import to_decimal


class BadInput(ValueError):
    """Input that cannot be acted on; the message says why."""


class Fields:
    """The named values of one control request.

    Every reader raises ``BadInput`` for a value that is missing without a default, or of the wrong kind.
    """

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    @classmethod
    def parse(cls, body: bytes) -> Fields:
        """The fields of a JSON object; numbers keep the digits they were written with."""
        try:
            values = json.loads(body or b"{}", parse_float=Decimal)
        except ValueError:
            raise BadInput("the body is not JSON") from None
        if not isinstance(values, dict):
            raise BadInput("the body must be a JSON object")
        return cls(values)

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def text(self, name: str) -> str:
        value = self._values.get(name)
        if not isinstance(value, str) or not value:
            raise BadInput(f"{name} must be a text")
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if name in self else None

    def choice(self, name: str, choices: Collection[str]) -> str:
        value = self.text(name)
        if value not in choices:
            shown = ", ".join(list(choices)[:40]) or "none"
            raise BadInput(f"there is no {name} {value!r}; there are: {shown}")
        return value

    def amount(self, name: str, default: Decimal | float | None = None) -> Decimal:
        value = self._values.get(name)
        if value is None and default is not None:
            return Decimal(default)
        return _amount(name, value)

    def positive(self, name: str) -> Decimal:
        value = self.amount(name)
        if value <= 0:
            raise BadInput(f"{name} must be more than 0")
        return value

    def integer(self, name: str, default: int | None = None, *, least: int | None = None) -> int:
        value = self._values.get(name)
        if value is None and default is not None:
            return default
        if isinstance(value, bool) or not isinstance(value, int):
            raise BadInput(f"{name} must be a whole number")
        if least is not None and value < least:
            raise BadInput(f"{name} must be at least {least}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        value = self._values.get(name, default)
        if not isinstance(value, bool):
            raise BadInput(f"{name} must be true or false")
        return value

    def amounts(self, name: str) -> dict[str, Decimal]:
        """An object of amounts that are not negative."""
        amounts = {key: _amount(f"{name}.{key}", value) for key, value in self._object(name).items()}
        if any(value < 0 for value in amounts.values()):
            raise BadInput(f"{name} must not be negative")
        return amounts

    def integers(self, name: str) -> dict[str, int]:
        """An object of whole numbers above 0."""
        inner = Fields(self._object(name))
        return {key: inner.integer(key, least=1) for key in inner._values}

    def pairs(self, name: str) -> list[tuple[Decimal, Decimal]]:
        """A list of pairs of amounts above 0."""
        rows = self._list(name)
        if not all(isinstance(row, list) and len(row) == 2 for row in rows):
            raise BadInput(f"{name} must be a list of [price, quantity]")
        pairs = [(_amount(name, row[0]), _amount(name, row[1])) for row in rows if isinstance(row, list)]
        if any(value <= 0 for pair in pairs for value in pair):
            raise BadInput(f"{name} must hold amounts above 0")
        return pairs

    def rows(self, name: str) -> list[Fields]:
        """A list of objects."""
        rows = self._list(name)
        if not all(isinstance(row, dict) for row in rows):
            raise BadInput(f"{name} must be a list of objects")
        return [Fields(row) for row in rows if isinstance(row, dict)]

    def _list(self, name: str) -> list[object]:
        value = self._values.get(name)
        if not isinstance(value, list):
            raise BadInput(f"{name} must be a list")
        return value

    def _object(self, name: str) -> dict[str, object]:
        value = self._values.get(name)
        if not isinstance(value, dict):
            raise BadInput(f"{name} must be an object")
        return value


def _amount(name: str, value: object) -> Decimal:
    try:
        return to_decimal(value)
    except InvalidAmount as error:
        raise BadInput(f"{name}: {error.message}") from None
