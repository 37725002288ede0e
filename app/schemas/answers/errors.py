"""Errors as the API tells them; `app.web.errors` writes them."""

from __future__ import annotations

from marshmallow import Schema, fields


class ErrorAnswer(Schema):
    """What happened, what to do about it, and the id under which the log tells more."""

    error = fields.String(required=True)
    remedy = fields.String(required=True)
    correlation_id = fields.String(required=True)


class InvalidAnswer(ErrorAnswer):
    """A request that is not valid: ``fields`` names each parameter at fault with what is wrong with it."""

    named = fields.Dict(keys=fields.String(), data_key="fields", required=True)
