"""Signing up, logging in, and changing what one logs in with."""

from __future__ import annotations

from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, validate, validates_schema

from app.services.users import MIN_PASSWORD

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


class AccountSchema(LogInSchema):
    """What one logs in with from now on: an address, and a new password typed twice, unless the old one is kept.

    ``password`` is the one there is.
    """

    new_password = fields.String(load_default="")
    new_password_again = fields.String(load_default="")

    @validates_schema
    def _check(self, data: dict[str, Any], **_: Any) -> None:
        wanted = data["new_password"]
        if wanted and len(wanted) < MIN_PASSWORD:
            words = f"The password must have at least {MIN_PASSWORD} characters."
            raise ValidationError(words, "new_password")
        if len(wanted) > _MAX_PASSWORD:
            raise ValidationError(f"At most {_MAX_PASSWORD} characters.", "new_password")
        if wanted != data["new_password_again"]:
            raise ValidationError("The two passwords are not the same.", "new_password_again")
