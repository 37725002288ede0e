"""The API as an OpenAPI document, made of the schemas that its calls keep to."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Blueprint, current_app
from flask.typing import ResponseReturnValue
from marshmallow import Schema
from marshmallow.fields import Field
from werkzeug.routing import Rule

from app.schemas.answers.errors import ErrorAnswer, InvalidAnswer
from app.schemas.answers.fields import Money
from app.schemas.fields import Amount
from app.schemas.risk import Count
from app.web.access import View, public, scopes
from app.web.api import contract
from app.web.api.contract import Contract

blueprint = Blueprint("openapi", __name__)

_OPENAPI = "3.1.0"
_JSON = "application/json"
_REQUEST = "Request"
_ARGUMENT = re.compile(r"<int:(\w+)>")

_ABOUT = (
    "Amounts are strings in plain decimals, times ISO 8601 in UTC. Another person's rows are as if they did not exist. "
    "Every call needs a token with the scopes it names; make one under API tokens or with: flask token create NAME"
)
#: What our own fields are in JSON.
_KINDS: Mapping[type[Field[Any]], tuple[str | list[str], str | None]] = {
    Money: ("string", "decimal"),
    Amount: ("string", "decimal"),
    Count: (["integer", "string"], None),
}
_REFUSALS: Mapping[HTTPStatus, tuple[type[Schema], str]] = {
    HTTPStatus.UNAUTHORIZED: (ErrorAnswer, "No token, or one that is wrong, expired or revoked."),
    HTTPStatus.FORBIDDEN: (ErrorAnswer, "The token lacks a scope, or its person may not do this."),
    HTTPStatus.NOT_FOUND: (ErrorAnswer, "There is no such row of yours."),
    HTTPStatus.UNPROCESSABLE_ENTITY: (InvalidAnswer, "The request is not valid: fields says what is wrong."),
    HTTPStatus.TOO_MANY_REQUESTS: (
        ErrorAnswer,
        "Too many calls: Retry-After says in how many seconds to go on.",
    ),
}


@blueprint.get("/openapi.json")
@public
def document() -> ResponseReturnValue:
    """What this module makes; it tells nothing of anybody, so that tools may read it without a token."""
    return _document()


@cache
def _document() -> dict[str, Any]:
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec("Switchyard", "1", _OPENAPI, plugins=[plugin], info={"description": _ABOUT})
    for field, kind in _KINDS.items():
        plugin.map_to_openapi_type(field, *kind)  # type: ignore[no-untyped-call]
    spec.components.security_scheme("token", {"type": "http", "scheme": "bearer"})
    for rule, view, agreed in _calls():
        methods = sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})
        operations = {method.lower(): _operation(rule, view, agreed) for method in methods}
        spec.path(_ARGUMENT.sub(r"{\1}", rule.rule), operations=operations)
    found = spec.to_dict()
    for name, schema in found["components"]["schemas"].items():
        if not name.endswith(_REQUEST):
            schema["required"] = sorted(schema["properties"])  # an answer has every field, be it null
    return found


def _calls() -> Iterator[tuple[Rule, View, Contract]]:
    for rule in current_app.url_map.iter_rules():
        view = current_app.view_functions[rule.endpoint]
        agreed = contract.of(view)
        if agreed is not None:
            yield rule, view, agreed


def _operation(rule: Rule, view: View, agreed: Contract) -> dict[str, Any]:
    told = inspect.getdoc(view) or ""
    answers = {str(agreed.status.value): _answer(agreed.answer, "Done.")}
    for status, (schema, words) in _REFUSALS.items():
        answers[str(status.value)] = _answer(schema(), words)
    operation: dict[str, Any] = {
        "operationId": view.__name__,
        "summary": told.partition("\n")[0],
        "tags": [rule.endpoint.split(".")[1]],
        "security": [{"token": [scope.value for scope in scopes(view)]}],
        "parameters": [
            {"in": "path", "name": name, "required": True, "schema": {"type": "integer"}}
            for name in sorted(rule.arguments)
        ],
        "responses": answers,
    }
    if agreed.query is not None:
        operation["parameters"].append({"in": "query", "schema": agreed.query})
    if agreed.body is not None:
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": agreed.body}}}
    return operation


def _answer(schema: Schema, words: str) -> dict[str, Any]:
    return {"description": words, "content": {_JSON: {"schema": schema}}}


def _name(schema: Any) -> str:
    """``AlertAnswer`` is an Alert, and ``HaltSchema`` the request for a halt."""
    name = (schema if isinstance(schema, type) else type(schema)).__name__
    return name.removesuffix("Answer") if name.endswith("Answer") else name.removesuffix("Schema") + _REQUEST
