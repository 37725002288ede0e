"""What a person may wish of a position."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, validates_schema

from app.schemas.fields import Percent, ProtectivePrice


class CloseSchema(Schema):
    """How much of it to sell, in percent."""

    class Meta:
        unknown = EXCLUDE

    percent = Percent(required=True, error_messages={"required": "How much of it?"})

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if data["percent"] is None:
            raise ValidationError({"percent": ["How much of it?"]})


class ProtectionSchema(Schema):
    """Where the protection shall be; an empty field leaves it as it is."""

    class Meta:
        unknown = EXCLUDE

    stop_loss = ProtectivePrice(load_default=None)
    take_profit = ProtectivePrice(load_default=None)
    trailing_percent = Percent(load_default=None)

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if not any(data.values()):
            raise ValidationError("Fill in what shall change.")
