"""Shapes that several answers share: pages of a list, and a row with what is told around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import Schema, fields
from marshmallow.constants import missing


@dataclass(frozen=True, slots=True)
class Paged:
    """One page of a list of ``total`` rows."""

    rows: Sequence[object]
    page: int
    per_page: int
    total: int

    @property
    def pages(self) -> int:
        """How many pages there are; one where there is nothing."""
        return max(1, -(-self.total // self.per_page))


class PageAnswer(Schema):
    """Which page it is, and of how many; the rows are the subclass's."""

    page = fields.Integer()
    per_page = fields.Integer()
    pages = fields.Integer()
    total = fields.Integer()


class Surrounded(Schema):
    """A row and what a service tells around it: a name is looked for in what surrounds the ``row`` first."""

    row: ClassVar[str]

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """The value of a field, from around the row or from the row."""
        found = super().get_attribute(obj, attr, missing)
        return super().get_attribute(getattr(obj, self.row), attr, default) if found is missing else found
