"""The OpenAPI document: valid, complete, and true of real answers."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.extensions import db
from app.services import tokens
from app.services.tokens import Scope
from tests.fixtures.app import MakeUser
from tests.fixtures.history import History, MakeHistory


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    """As anybody gets it."""
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def _valid(document: dict[str, Any], schema: dict[str, Any], value: object) -> None:
    """The schemas of answers allow no field that they do not tell of."""
    root = {**schema, "components": document["components"]}
    Draft202012Validator(root, format_checker=FormatChecker()).validate(value)


def _schema_of(document: dict[str, Any], path: str, method: str, status: int) -> dict[str, Any]:
    answer = document["paths"][path][method]["responses"][str(status)]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return schema


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(document).validate()  # type: ignore[arg-type]


def test_every_call_of_the_api_is_told_with_its_scopes(app: Flask, document: dict[str, Any]) -> None:
    told = {(path, method) for path, methods in document["paths"].items() for method in methods}
    there = {
        (rule.rule.replace("<int:", "{").replace(">", "}"), method.lower())
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/") and not rule.rule.endswith("openapi.json")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert told == there
    panic = document["paths"]["/api/v1/panic"]["post"]
    assert panic["security"] == [{"token": ["risk", "trade"]}]
    names = {each["name"] for each in document["paths"]["/api/v1/alerts"]["get"]["parameters"]}
    assert names >= {
        "broker_id",
        "source_id",
        "action",
        "status",
        "period",
        "since",
        "until",
        "page",
        "per_page",
    }


def test_real_answers_are_as_the_document_says(
    app: Flask, document: dict[str, Any], make_user: MakeUser, make_history: MakeHistory
) -> None:
    user = make_user()
    history = make_history(user)
    with app.app_context():
        _, token = tokens.create(user, "bot", list(Scope), days=1)
        db.session.commit()
    headers = {"Authorization": f"Bearer {token}"}
    asked = 0
    for path in document["paths"]:
        if "get" not in document["paths"][path]:
            continue
        for address in _addresses(path, history):
            answer = app.test_client().get(address, headers=headers)
            assert answer.status_code == 200, f"{address}: {answer.text}"
            _valid(document, _schema_of(document, path, "get", 200), answer.get_json())
            asked += 1
    wrong = app.test_client().get("/api/v1/alerts?page=0", headers=headers)
    _valid(document, _schema_of(document, "/api/v1/alerts", "get", 422), wrong.get_json())
    limits = {"max_order_value": "10", "trading_hours": "Mon-Fri 08:00-17:00 Europe/Paris"}
    put = app.test_client().put("/api/v1/risk", json=limits, headers=headers)
    _valid(document, _schema_of(document, "/api/v1/risk", "put", 200), put.get_json())
    halted = app.test_client().post("/api/v1/halts", json={}, headers=headers)
    _valid(document, _schema_of(document, "/api/v1/halts", "post", 201), halted.get_json())
    panic = app.test_client().post("/api/v1/panic", json={"confirm": "PANIC"}, headers=headers)
    _valid(document, _schema_of(document, "/api/v1/panic", "post", 202), panic.get_json())
    assert asked >= 12


def _addresses(path: str, history: History) -> list[str]:
    """A path with each id that the history has for it."""
    if "{alert_id}" in path:
        return [path.replace("{alert_id}", str(each)) for each in history.alert_ids]
    if "{position_id}" in path:
        return [path.replace("{position_id}", str(each)) for each in history.position_ids]
    return [path]
