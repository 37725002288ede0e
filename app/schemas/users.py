"""Signing up and logging in."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

#: Hashing takes time in proportion to the length; nobody types a longer one.
_MAX_PASSWORD = 1024
_MAX_EMAIL = 254


class LogInSchema(Schema):
    """Address and password, as typed."""

    class Meta:
        unknown = EXCLUDE

    email = fields.String(
        required=True, validate=validate.Length(1, _MAX_EMAIL, error="Enter your e-mail address.")
    )
    password = fields.String(
        required=True, validate=validate.Length(1, _MAX_PASSWORD, error="Enter your password.")
    )


class SignUpSchema(LogInSchema):
    """The same with the password typed twice."""

    password_again = fields.String(load_default="")

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        if data["password"] != data["password_again"]:
            raise ValidationError("The two passwords are not the same.", "password_again")
