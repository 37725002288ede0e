"""The API: a token's scopes, its person's rows alone, and errors that say what to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from app.extensions import db
from app.models import ApiToken, Halt, RiskLimits, User, utc_now
from app.services import tokens
from app.services.tokens import Scope
from tests.fixtures.app import MakeBroker, MakeUser
from tests.fixtures.history import MakeHistory

Call = Callable[..., TestResponse]
EVERY_ROUTE = [
    ("GET", "/risk", Scope.READ),
    ("PUT", "/risk", Scope.RISK),
    ("GET", "/halts", Scope.READ),
    ("POST", "/halts", Scope.RISK),
    ("DELETE", "/halts", Scope.RISK),
    ("POST", "/panic", Scope.RISK),
    ("POST", "/panic", Scope.TRADE),
]


@pytest.fixture
def call(app: Flask) -> Call:
    """Call the API as a person whose token has every scope, or these."""

    def send(
        user: User, method: str, path: str, *, scopes: tuple[Scope, ...] = tuple(Scope), **body: Any
    ) -> TestResponse:
        with app.app_context():
            _, token = tokens.create(user, "bot", scopes, days=1)
        headers = {"Authorization": f"Bearer {token}"}
        return app.test_client().open(f"/api/v1{path}", method=method, json=body, headers=headers)

    return send


@pytest.mark.parametrize(("method", "path", "scope"), EVERY_ROUTE)
def test_a_token_without_the_scope_is_told_which_one_it_lacks(
    call: Call, make_user: MakeUser, method: str, path: str, scope: Scope
) -> None:
    others = tuple(other for other in Scope if other is not scope)
    answer = call(make_user(), method, path, scopes=others, confirm="PANIC")
    assert answer.status_code == 403
    assert answer.get_json()["error"] == f"this token lacks the scope {scope}"
    assert answer.get_json()["remedy"]


def test_limits_are_put_whole_and_read_back_exactly(
    call: Call, make_user: MakeUser, make_broker: MakeBroker
) -> None:
    user = make_user()
    broker = make_broker(user)
    hours = {"days": ["Mon", "Tue"], "from": "08:00", "to": "17:00", "zone": "Europe/Paris"}
    wanted = {"max_order_value": "500.10", "allowed_symbols": ["BTC/USDT"], "trading_hours": hours}

    put = call(user, "PUT", f"/risk?broker_id={broker.id}", **wanted).get_json()

    assert put == call(user, "GET", f"/risk?broker_id={broker.id}").get_json()
    assert put["limits"]["max_order_value"] == "500.1"
    assert put["limits"]["trading_hours"] == hours
    assert put["limits"]["max_open_positions"] is None
    assert call(user, "GET", "/risk").get_json()["limits"]["max_order_value"] is None


def test_what_is_not_valid_is_named_by_field(app: Flask, call: Call, make_user: MakeUser) -> None:
    user = make_user()
    answer = call(user, "PUT", "/risk", max_order_value="-1", max_open_positions="many")
    assert answer.status_code == 422
    assert set(answer.get_json()["fields"]) == {"max_order_value", "max_open_positions"}
    assert answer.get_json()["remedy"]
    assert call(user, "POST", "/halts", scope="BROKER").status_code == 422
    assert call(user, "POST", "/panic", confirm="yes").get_json()["fields"]["confirm"]
    with app.app_context():
        assert db.session.query(Halt).count() == db.session.query(RiskLimits).count() == 0


def test_a_halt_is_started_listed_and_lifted(
    call: Call, make_user: MakeUser, make_broker: MakeBroker
) -> None:
    user = make_user()
    broker = make_broker(user)
    reach = {"scope": "BROKER", "broker_id": broker.id}
    started = call(user, "POST", "/halts", **reach, reason="news")
    assert started.status_code == 201
    assert call(user, "GET", "/halts").get_json() == {"halts": [started.get_json()]}
    assert started.get_json()["exits"] == "still run"
    assert call(user, "DELETE", "/halts", **reach).get_json() == {"lifted": 1}
    assert call(user, "GET", "/halts").get_json() == {"halts": []}


def test_panic_needs_its_word_and_tells_what_it_did(
    call: Call, make_user: MakeUser, make_history: MakeHistory
) -> None:
    user = make_user()
    make_history(user)
    done = call(user, "POST", "/panic", confirm="PANIC")
    assert done.status_code == 202
    assert (done.get_json()["orders_cancelled"], done.get_json()["halt"]["cause"]) == (2, "PANIC")


def test_another_persons_broker_does_not_exist_and_the_server_is_the_administrators(
    app: Flask, call: Call, make_user: MakeUser, make_broker: MakeBroker
) -> None:
    broker = make_broker(make_user())
    stranger = make_user()
    theirs = {"scope": "BROKER", "broker_id": broker.id}
    for method, path in (("POST", "/halts"), ("DELETE", "/halts"), ("POST", "/panic")):
        assert call(stranger, method, path, **theirs, confirm="PANIC").status_code == 404
        assert call(stranger, method, path, scope="SERVER", confirm="PANIC").status_code == 403
    for method in ("GET", "PUT"):
        assert call(stranger, method, f"/risk?broker_id={broker.id}").status_code == 404
    with app.app_context():
        assert db.session.query(Halt).count() == 0


@pytest.mark.parametrize("ended", ["expires_at", "revoked_at"])
def test_a_token_that_is_over_is_refused(app: Flask, make_user: MakeUser, ended: str) -> None:
    user = make_user()
    with app.app_context():
        row, token = tokens.create(user, "bot", [Scope.READ], days=1)
        setattr(row, ended, utc_now() - timedelta(seconds=1))
        db.session.commit()
    answer = app.test_client().get("/api/v1/risk", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 401
    assert "flask token create" in answer.get_json()["remedy"]


def test_the_last_use_is_noted_also_by_a_look(app: Flask, call: Call, make_user: MakeUser) -> None:
    assert call(make_user(), "GET", "/halts").status_code == 200
    with app.app_context():
        assert db.session.query(ApiToken).one().last_used_at is not None


def test_whoever_guesses_tokens_is_made_to_wait(app: Flask, make_user: MakeUser) -> None:
    make_user()
    browser = app.test_client()
    headers = {"Authorization": "Bearer guess"}
    codes = [browser.get("/api/v1/risk", headers=headers).status_code for _ in range(31)]
    assert codes[:30] == [401] * 30
    assert codes[30] == 429


def test_a_good_token_is_limited_too(app: Flask, make_user: MakeUser) -> None:
    user = make_user()
    with app.app_context():
        _, token = tokens.create(user, "bot", [Scope.READ], days=1)
    program, headers = app.test_client(), {"Authorization": f"Bearer {token}"}
    # A minute of the clock may end meanwhile and let as many through again, but not twice.
    codes = [program.get("/api/v1/halts", headers=headers).status_code for _ in range(241)]
    assert codes[:120] == [200] * 120
    assert 429 in codes


def test_a_body_that_is_no_object_is_refused(app: Flask, make_user: MakeUser) -> None:
    user = make_user()
    with app.app_context():
        _, token = tokens.create(user, "bot", [Scope.RISK], days=1)
    headers = {"Authorization": f"Bearer {token}"}
    for body in ("", "[]", "{"):
        answer = app.test_client().put("/api/v1/risk", data=body, headers=headers)
        assert answer.status_code == 422, body
