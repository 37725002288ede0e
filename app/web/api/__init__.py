"""The API for programs: alerts, positions, risk limits, halts and panic, by a token and in JSON.

``Authorization: Bearer TOKEN``; amounts are decimal strings, times ISO 8601. An error says what happened and what to
do about it. docs/api.md tells it to people, ``/api/v1/openapi.json`` to programs.
"""

from __future__ import annotations

from flask import Blueprint, g
from flask.typing import ResponseReturnValue
from marshmallow import ValidationError

from app.web.api import alerts, openapi, positions, risk
from app.web.guards import csrf, limiter

blueprint = Blueprint("api", __name__, url_prefix="/api/v1")
limiter.limit("120 per minute")(blueprint)
for _part in (alerts, positions, risk, openapi):
    csrf.exempt(_part.blueprint)  # a browser never sends the token by itself
    blueprint.register_blueprint(_part.blueprint)


@blueprint.errorhandler(ValidationError)
def _invalid(error: ValidationError) -> ResponseReturnValue:
    body = {
        "error": "the request is not valid",
        "remedy": "Correct the named fields and send it again.",
        "fields": error.messages_dict,
        "correlation_id": g.correlation_id,
    }
    return body, 422
