"""The form of an API token."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from marshmallow import EXCLUDE, Schema, fields, post_load, pre_load, validate

from app.schemas.fields import Switch
from app.services.tokens import Scope


@dataclass(frozen=True, slots=True)
class TokenForm:
    """A filled-in form."""

    name: str
    days: int
    scopes: tuple[Scope, ...]


class TokenSchema(Schema):
    """A form of text fields in, one checkbox a scope, a `TokenForm` out."""

    class Meta:
        unknown = EXCLUDE

    name = fields.String(required=True, validate=validate.Length(1, 80, error="Between 1 and 80 characters."))
    days = fields.Integer(load_default=90, error_messages={"invalid": "Write whole days, for example 90."})
    read = Switch()
    trade = Switch()
    risk = Switch()

    @pre_load
    def _trim(self, data: dict[str, str], **_: Any) -> dict[str, str]:
        trimmed = {name: value.strip() for name, value in data.items()}
        return {name: value for name, value in trimmed.items() if value or name != "days"}

    @post_load
    def _form(self, data: dict[str, Any], **_: Any) -> TokenForm:
        scopes = tuple(scope for scope in Scope if data[scope.value])
        return TokenForm(data["name"], data["days"], scopes)
