"""Sources: made, shown once, switched, rotated."""

from __future__ import annotations

import hashlib
import re

from flask import Flask

from app.extensions import db
from app.models import Source
from tests.fixtures.app import LogIn, MakeBroker, MakeUser, submit


def _token(page: str) -> str:
    found = re.search(r'id="new-url">[^<]*/webhook/([\w-]+)<', page)
    assert found is not None, page
    return found.group(1)


def test_the_address_of_a_source_is_shown_once_and_stored_as_a_hash(
    app: Flask, make_user: MakeUser, make_broker: MakeBroker, log_in: LogIn
) -> None:
    user = make_user()
    broker = make_broker(user)
    browser = log_in(user)
    form = {"name": "chart", "broker_id": broker.id, "duplicate_window": "30"}
    token = _token(submit(browser, "/webhooks/sources/new", **form).text)
    assert token not in browser.get("/webhooks/").text
    with app.app_context():
        source = db.session.query(Source).one()
    assert source.token_hash == hashlib.sha256(token.encode()).hexdigest()
    assert source.duplicate_window == 30


def test_a_new_address_ends_the_old_one(
    app: Flask, make_user: MakeUser, make_broker: MakeBroker, log_in: LogIn
) -> None:
    user = make_user()
    broker = make_broker(user)
    browser = log_in(user)
    old = _token(submit(browser, "/webhooks/sources/new", name="chart", broker_id=broker.id).text)
    new = _token(submit(browser, "/webhooks/sources/1/rotate", page="/webhooks/").text)
    sender = app.test_client()
    assert sender.post(f"/webhook/{old}", data="action=PING").status_code == 401
    assert sender.post(f"/webhook/{new}", data="action=PING").status_code == 202
    assert ">PING</a>" in browser.get("/webhooks/").text
    assert browser.get("/webhooks/sources/1/rotate").location == "/webhooks/sources/1"


def test_a_source_is_switched_off_and_on(
    app: Flask, make_user: MakeUser, make_broker: MakeBroker, log_in: LogIn
) -> None:
    user = make_user()
    broker = make_broker(user)
    browser = log_in(user)
    token = _token(submit(browser, "/webhooks/sources/new", name="chart", broker_id=broker.id).text)
    submit(browser, "/webhooks/sources/1/toggle", page="/webhooks/")
    assert app.test_client().post(f"/webhook/{token}", data="action=PING").status_code == 403
    submit(browser, "/webhooks/sources/1/toggle", page="/webhooks/")
    assert app.test_client().post(f"/webhook/{token}", data="action=PING").status_code == 202


def test_a_refused_source_keeps_what_was_typed(
    make_user: MakeUser, make_broker: MakeBroker, log_in: LogIn
) -> None:
    user = make_user()
    broker = make_broker(user)
    browser = log_in(user)
    submit(browser, "/webhooks/sources/new", name="chart", broker_id=broker.id)
    taken = submit(browser, "/webhooks/sources/new", name="chart", broker_id=broker.id, duplicate_window="7")
    assert taken.status_code == 422
    assert 'id="name-error"' in taken.text
    assert 'value="7"' in taken.text
    for window in ("soon", "99999"):
        answer = submit(
            browser, "/webhooks/sources/new", name="other", broker_id=broker.id, duplicate_window=window
        )
        assert answer.status_code == 422
        assert 'id="duplicate_window-error"' in answer.text
