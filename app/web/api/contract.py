"""What a call of the API takes and answers: said once, kept at each call, and written into the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from http import HTTPStatus
from typing import Any

from flask import request
from marshmallow import Schema, ValidationError

from app.web.access import View


@dataclass(frozen=True, slots=True)
class Contract:
    """The schema of the answer and its status; that of the query in the address, and that of the JSON in the body."""

    answer: Schema
    status: HTTPStatus
    query: Schema | None
    body: Schema | None


def contract(
    answer: type[Schema],
    *,
    query: type[Schema] | None = None,
    body: type[Schema] | None = None,
    status: HTTPStatus = HTTPStatus.OK,
) -> Callable[[View], View]:
    """The view gets what the request means as ``query`` and ``body``; what it returns is written by ``answer``.

    The call raises `ValidationError`, which names each field at fault, for a request that does not keep to it.
    """
    agreed = Contract(
        answer(), status, query=None if query is None else query(), body=None if body is None else body()
    )

    def decorate(view: View) -> View:
        @wraps(view)
        def kept(**arguments: Any) -> tuple[Any, HTTPStatus]:
            if agreed.query is not None:
                arguments["query"] = agreed.query.load(request.args.to_dict())
            if agreed.body is not None:
                arguments["body"] = agreed.body.load(_json_object())
            return agreed.answer.dump(view(**arguments)), agreed.status

        kept._contract = agreed  # type: ignore[attr-defined]
        return kept

    return decorate


def of(view: View) -> Contract | None:
    """The contract of a view, if it has one."""
    found: Contract | None = getattr(view, "_contract", None)
    return found


def _json_object() -> dict[str, Any]:
    body = request.get_json(silent=True)
    if not isinstance(body, dict):
        raise ValidationError({"_schema": ["Send one JSON object, as application/json."]})
    return body
