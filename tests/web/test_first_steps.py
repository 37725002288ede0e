"""The guided path: told by what there is, each step done where the path stands."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.models import Broker
from app.services import first_steps
from app.services.first_steps import Step
from tests.fixtures.app import LogIn, MakeUser, submit
from tests.fixtures.history import MakeHistory


def _next_step(browser: FlaskClient) -> str:
    page = browser.get("/start").text
    [name] = re.findall(r'aria-current="step">\s*<h2>(.*?) <span', page)
    return str(name)


def test_a_new_person_is_led_from_the_sandbox_to_the_check_up(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    user = make_user()
    browser = log_in(user)
    assert _next_step(browser) == "Connect a practice account"
    submit(browser, "/start/practise", page="/start")
    submit(browser, "/start/practise", page="/start")  # pressed twice: one broker
    with app.app_context():
        [broker] = db.session.query(Broker).all()
        assert (broker.environment, broker.mode) == ("SANDBOX", "WEBHOOKS")
    assert _next_step(browser) == "See the check-up pass"
    assert "is being tested" in browser.get("/start").text


def test_the_webhook_is_shown_once_where_the_path_stands_and_its_alert_ends_the_waiting(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    make_history(user)
    browser = log_in(user)
    assert _next_step(browser) == "Go live"  # all else was done elsewhere
    shown = submit(browser, "/start", page="/start")
    url = re.search(r'id="new-url">http://[^/]+(/webhook/[^<]+)<', shown.text)
    assert url is not None
    assert url[1] not in browser.get("/start").text
    assert browser.post(url[1], data="action=PING").status_code == 202
    assert "The line works." in browser.get("/start").text


def test_nobodys_steps_are_anybody_elses(app: Flask, make_user: MakeUser, make_history: MakeHistory) -> None:
    make_history(make_user())
    with app.app_context():
        assert first_steps.of(make_user()).done == {Step.ACCOUNT}
