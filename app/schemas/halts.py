"""How far a halt or a panic shall go, as a form or a program of the API says it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, validate, validates_schema

from app.models import HaltScope
from app.schemas.fields import Confirmation


@dataclass(frozen=True, slots=True)
class HaltForm:
    """A filled-in form; ``broker_id`` is set for the scope BROKER and no other."""

    scope: HaltScope
    broker_id: int | None
    reason: str


class HaltSchema(Schema):
    """Scope, the broker it may need, and why."""

    class Meta:
        unknown = EXCLUDE

    scope = fields.Enum(HaltScope, load_default=HaltScope.USER)
    broker_id = fields.Integer(load_default=None, allow_none=True)
    reason = fields.String(
        load_default="", validate=validate.Length(max=500, error="At most 500 characters.")
    )

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if (data["scope"] is HaltScope.BROKER) != (data["broker_id"] is not None):
            raise ValidationError("A broker belongs to the scope BROKER, and to no other.", "broker_id")

    @post_load
    def _form(self, data: dict[str, Any], **_: Any) -> HaltForm:
        return HaltForm(data["scope"], data["broker_id"], data["reason"])


class PanicSchema(HaltSchema):
    """The same, and the word that shows it is meant."""

    confirm = Confirmation("PANIC")
