"""The administrator's page, and Flower behind it."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.config import PROJECT_ROOT
from app.extensions import celery
from app.models import utc_now
from app.services import schedule, workers
from app.services.workers import Worker
from app.web.access import public
from deploy.launcher.environment import process_environment
from tests.fixtures.app import PASSWORD, AppFactory, LogIn, MakeUser, submit

_FLOWER_SECONDS = 30

#: What Flower's own script asks its table of tasks.
_TABLE_QUERY = {
    "draw": "1",
    "start": "0",
    "length": "10",
    "search[value]": "",
    "order[0][column]": "0",
    "order[0][dir]": "asc",
    "columns[0][data]": "name",
}


def test_the_page_names_every_queue_nobody_works_on(make_user: MakeUser, log_in: LogIn) -> None:
    text = log_in(make_user()).get("/admin").text
    assert "no worker serves" in text
    assert "Nobody works on it" in text
    assert "No worker answers" in text


def test_a_worker_that_reports_is_shown_with_its_queues(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    browser = log_in(make_user())
    with app.app_context():
        workers.report(Worker("orders@here", tuple(workers.queues()), running=2, done=41))
    text = browser.get("/admin").text
    assert "orders@here" in text
    assert "Nobody works on it" not in text
    assert "person1@example.org" in text


def test_beats_last_runs_and_what_broke_are_shown(
    app: Flask, make_user: MakeUser, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    @public
    def fail() -> None:
        raise ZeroDivisionError("a secret in the words of an error")

    monkeypatch.setitem(app.view_functions, "orders.index", fail)
    browser = log_in(make_user())
    assert browser.get("/admin").text.count("Not run yet") == len(celery.conf.beat_schedule)
    reference = re.search(r"<code>(\w+)</code>", app.test_client().get("/orders/").text)
    with app.app_context():
        schedule.note_run("beat.seal", utc_now(), None)
        schedule.note_run("beat.misses", utc_now(), "OperationalError")
        schedule.note_run("beat.watch", utc_now() - timedelta(minutes=5), None)

    text = browser.get("/admin").text

    assert text.count("Not run yet") == len(celery.conf.beat_schedule) - 3
    assert text.count("Overdue") == 1
    assert "OperationalError" in text
    assert "ZeroDivisionError" in text
    assert reference is not None
    assert reference[1] in text
    assert "a secret in the words" not in text


def test_the_administrator_opens_and_closes_sign_up_whatever_the_environment_says(
    make_app: AppFactory,
) -> None:
    app = make_app(REGISTRATION="closed")
    browser = _administrator(app)
    assert "closed" in app.test_client().get("/signup").text
    submit(browser, "/admin/registration", page="/admin", open="1")
    new = {"email": "bob@example.org", "password": PASSWORD, "password_again": PASSWORD}
    assert submit(app.test_client(), "/signup", **new).status_code == 302
    submit(browser, "/admin/registration", page="/admin", open="0")
    assert "closed" in app.test_client().get("/signup").text


def test_flower_that_does_not_run_is_said_in_words(make_app: AppFactory) -> None:
    browser = _administrator(make_app(FLOWER_PORT=str(_free_port())))
    answer = browser.get("/flower/")
    assert answer.status_code == 503
    assert "Flower does not answer" in answer.text


def test_flower_is_shown_to_the_administrator_and_changes_nothing(make_app: AppFactory) -> None:
    app = make_app(FLOWER_PORT=str(_free_port()))
    browser = _administrator(app)
    with _running_flower(app):
        page = _await_page(browser, "/flower/workers")
        assert "/flower/static/" in page.text
        assert "'unsafe-inline'" in page.headers["Content-Security-Policy"]
        style = browser.get("/flower/static/css/flower.css")
        assert style.mimetype == "text/css"
        assert browser.post("/flower/api/worker/shutdown/orders@here").status_code == 405
        assert browser.post("/flower/tasks/datatable", data=_TABLE_QUERY).get_json()["data"] == []
        assert app.test_client().get("/flower/workers").status_code == 302


def _administrator(app: Flask) -> FlaskClient:
    browser = app.test_client()
    submit(browser, "/signup", email="ada@example.org", password=PASSWORD, password_again=PASSWORD)
    return browser


@contextmanager
def _running_flower(app: Flask) -> Iterator[None]:
    settings = app.extensions["settings"]
    environ = {
        **process_environment(settings, os.environ),
        "SWITCHYARD_ENV": "testing",
        "REDIS_URL": settings.redis_url,
    }
    command = [sys.executable, "-m", "celery", "-A", "tasks.app", "flower"]
    with subprocess.Popen(
        command, cwd=PROJECT_ROOT, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()
            process.wait(_FLOWER_SECONDS)


def _await_page(browser: FlaskClient, path: str) -> TestResponse:
    deadline = time.monotonic() + _FLOWER_SECONDS
    while True:
        page = browser.get(path)
        if page.status_code == 200:
            return page
        assert time.monotonic() < deadline, page.text
        time.sleep(0.1)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
