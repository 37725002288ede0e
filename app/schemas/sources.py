"""The form of a webhook source."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load, pre_load, validate


@dataclass(frozen=True, slots=True)
class SourceForm:
    """A filled-in form; ``duplicate_window`` in seconds, None for the usual one."""

    name: str
    broker_id: int
    duplicate_window: int | None


class SourceSchema(Schema):
    """A form of text fields in, a `SourceForm` out."""

    class Meta:
        unknown = EXCLUDE

    name = fields.String(required=True, validate=validate.Length(1, 80, error="Between 1 and 80 characters."))
    broker_id = fields.Integer(required=True, error_messages={"required": "Choose a broker."})
    duplicate_window = fields.Integer(
        load_default=None, allow_none=True, error_messages={"invalid": "Write whole seconds, for example 10."}
    )

    @pre_load
    def _trim(self, data: dict[str, str], **_: Any) -> dict[str, str | None]:
        trimmed: dict[str, str | None] = {name: value.strip() for name, value in data.items()}
        if not trimmed.get("duplicate_window"):
            trimmed["duplicate_window"] = None
        return trimmed

    @post_load
    def _form(self, data: dict[str, Any], **_: Any) -> SourceForm:
        return SourceForm(**data)
