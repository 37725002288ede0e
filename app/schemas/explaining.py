"""The form that has an alert explained."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load, validate

from app.services.intake import MAX_BODY


@dataclass(frozen=True, slots=True)
class ExplainForm:
    """A pasted alert, and the source it shall be taken to come to."""

    text: str
    source_id: int


class ExplainSchema(Schema):
    """Fields of text in, an `ExplainForm` out."""

    class Meta:
        unknown = EXCLUDE

    text = fields.String(
        required=True, validate=validate.Length(1, MAX_BODY, error="Paste an alert of at most 64 KiB.")
    )
    source_id = fields.Integer(
        required=True, error_messages={"required": "Choose a source.", "invalid": "Choose a source."}
    )

    @post_load
    def _form(self, data: dict[str, Any], **_: Any) -> ExplainForm:
        return ExplainForm(**data)
