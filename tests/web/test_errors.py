"""Every error a person or a program can meet says what happened and what to do."""

from __future__ import annotations

import pytest
from flask import Flask

from app.web.access import member
from tests.fixtures.app import LogIn, MakeUser


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
