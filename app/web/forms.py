"""A form's way in: checked by its schema, or shown again with a message at each field and nothing lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError

from app.services.refusal import Refused
from app.web.filters import sentence, words

Errors = dict[str, list[str]]

#: What speaks of the form as a whole.
WHOLE = "_schema"

_NEVER_SHOWN_AGAIN = (
    *("password", "password_again", "api_key", "api_secret", "passphrase", "secret", "signing_secret"),
    "csrf_token",
)


def load(schema: Schema) -> tuple[Any, Errors]:
    """What the submitted form means, or None and what is wrong with it."""
    try:
        return schema.load(request.form.to_dict()), {}
    except ValidationError as error:
        return None, in_words(error.messages_dict)


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
