"""A form's way in: checked by its schema, or shown again with a message at each field and nothing lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError

from app.schemas.fields import Amount, Percent, ProtectivePrice
from app.services.refusal import Refused
from app.web.figures import read
from app.web.filters import sentence
from app.web.languages import words

Errors = dict[str, list[str]]

#: What speaks of the form as a whole.
WHOLE = "_schema"

_NEVER_SHOWN_AGAIN = (
    *("password", "password_again", "api_key", "api_secret", "passphrase", "secret", "signing_secret"),
    *("new_password", "new_password_again", "code", "url", "csrf_token"),
)


def load(schema: Schema) -> tuple[Any, Errors]:
    """What the submitted form means, or None and what is wrong with it."""
    try:
        return schema.load(_read(schema, request.form.to_dict())), {}
    except ValidationError as error:
        return None, in_words(error.messages_dict)


def _read(schema: Schema, form: dict[str, str]) -> dict[str, str]:
    """The form with its figures as a schema takes them, whatever decimal sign the person's language has."""
    figures = {
        name for name, field in schema.fields.items() if isinstance(field, Amount | ProtectivePrice | Percent)
    }
    return {name: read(value) if name in figures else value for name, value in form.items()}


def typed() -> dict[str, str]:
    """What was typed, to be shown again; secrets are not."""
    return {name: value for name, value in request.form.items() if name not in _NEVER_SHOWN_AGAIN}


def errors_of(refusal: Refused) -> Errors:
    """A service's refusal at the field it names."""
    happened = sentence(refusal.message)
    if refusal.field is not None:
        return {refusal.field: [happened]}
    return {WHOLE: [f"{happened} {words(refusal.remedy)}"]}


def in_words(messages: Mapping[str, list[str]]) -> Errors:
    """What a schema found wrong, in the person's language."""
    return {name: [words(message) for message in found] for name, found in messages.items()}
