"""Every error a person or a program can meet says what happened and what to do."""

from __future__ import annotations

import pytest
from flask import Flask, abort

from app.services import sources
from app.web.access import member, public
from tests.fixtures.app import LogIn, MakeBroker, MakeUser
from tests.web.test_every_page import counted_queries


def test_a_browser_gets_a_page_with_a_remedy_and_a_program_the_same_as_json(
    make_user: MakeUser, log_in: LogIn
) -> None:
    browser = log_in(make_user())
    page = browser.get("/orders/999")
    assert page.status_code == 404
    assert "What to do" in page.text
    assert "Your money" in page.text
    answer = browser.get("/orders/999", headers={"Accept": "application/json"})
    assert answer.status_code == 404
    assert answer.get_json().keys() == {"error", "remedy", "correlation_id"}


@pytest.mark.parametrize(
    "path", ["/webhooks/alerts/999", "/webhooks/alerts/99999999999999999999", "/webhooksx"]
)
def test_pages_about_webhooks_answer_people(path: str, make_user: MakeUser, log_in: LogIn) -> None:
    answer = log_in(make_user()).get(path)
    assert answer.status_code == 404
    assert answer.mimetype == "text/html"


@pytest.mark.parametrize("path", ["/webhook/some-token", "/webhook"])
def test_the_webhook_answers_programs_whatever_they_accept(path: str, app: Flask) -> None:
    answer = app.test_client().get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 405
    assert answer.mimetype == "application/json"
    assert "POST" in answer.headers["Allow"]


def test_a_fault_of_ours_gives_a_reference_and_no_inner_detail(
    app: Flask, make_user: MakeUser, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    @member
    def fail() -> str:
        raise ZeroDivisionError("inner detail")

    monkeypatch.setitem(app.view_functions, "orders.index", fail)
    answer = log_in(make_user()).get("/orders/")
    assert answer.status_code == 500
    assert "inner detail" not in answer.text
    assert "Reference" in answer.text


def test_a_session_that_has_ended_is_told_so_when_a_form_is_sent(app: Flask, make_user: MakeUser) -> None:
    make_user()
    answer = app.test_client().post("/orders/1/cancel")
    assert answer.status_code == 400
    assert "Reload the page" in answer.text


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (400, "could not be read"),
        (401, "Please log in"),
        (403, "Not yours to open"),
        (404, "Nothing here"),
        (413, "Too large"),
        (429, "Too many requests"),
        (500, "broke on our side"),
        (503, "Not available right now"),
    ],
)
def test_every_error_has_a_page_that_asks_the_database_nothing(
    app: Flask, monkeypatch: pytest.MonkeyPatch, code: int, words: str
) -> None:
    @public
    def fail() -> None:
        abort(code)

    monkeypatch.setitem(app.view_functions, "orders.index", fail)
    with counted_queries(app) as statements:
        answer = app.test_client().get("/orders/")
    assert answer.status_code == code
    for said in (words, "What happened", "Your money", "What to do", "Reference"):
        assert said in answer.text
    assert ("Retry-After" in answer.headers) == (code == 429)
    assert statements == []


def test_while_the_pages_are_away_alerts_api_and_health_answer(
    app: Flask, make_user: MakeUser, make_broker: MakeBroker, log_in: LogIn
) -> None:
    user = make_user()
    browser = log_in(user)
    operator = app.test_cli_runner()
    with app.app_context():
        _, token = sources.create(user, make_broker(user), "chart")

    begun = operator.invoke(args=["maintenance", "on", "--reason", "New disk", "--minutes", "10"])
    assert begun.exit_code == 0, begun.output

    with counted_queries(app) as statements:
        away = [browser.get("/"), browser.get("/login"), browser.post("/logout")]
    assert statements == []
    for answer in away:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "600")
        assert "New disk" in answer.text
        assert "Alerts are still taken" in answer.text
    client = app.test_client()
    assert client.post(f"/webhook/{token}", data="action=PING").status_code == 202
    assert client.get("/health/live").status_code == 200
    assert client.get("/api/v1/openapi.json").status_code == 200
    assert '"on": true' in operator.invoke(args=["maintenance", "status", "--json"]).output

    assert operator.invoke(args=["maintenance", "off"]).output == "The pages are back.\n"
    assert browser.get("/").status_code == 200
    assert operator.invoke(args=["maintenance", "off"]).output == "The pages were not away.\n"
