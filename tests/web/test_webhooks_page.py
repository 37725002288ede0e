"""Sources: made, shown once, switched, rotated."""

from __future__ import annotations

import hashlib
import re
from decimal import Decimal

from flask import Flask

from app.domain.alerts import AlertDefaults, OutOfStep
from app.domain.orders import OrderType, PriceOrPercent
from app.domain.senders import TRADINGVIEW
from app.extensions import db
from app.models import Source
from app.services import sources
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


_ALL = {
    "order_type": "LIMIT",
    "percent": "10 %",
    "stop_loss": "2%",
    "take_profit": "105.50",
    "trailing_percent": "3",
    "symbol_map": "gold = paxg/usdt\n\nsilver=XAG/USDT",
    "out_of_step": "ASK",
    "expires_in": "30",
    "duplicate_window": "0",
    "tradingview": "1",
    "senders": "10.1.2.3/8, 2001:db8::1",
    "heartbeat_seconds": "3600",
    "numbered": "1",
    "secret": "correct-horse",
    "signing_secret": "battery-staple",
}


def test_every_setting_is_stored_shown_and_offered_again_and_no_secret_is(
    app: Flask, make_user: MakeUser, make_broker: MakeBroker, log_in: LogIn
) -> None:
    user = make_user()
    main, second, third = (make_broker(user, name) for name in ("main", "second", "third"))
    browser = log_in(user)
    routes = {f"route-{second.id}": "1", f"route-{second.id}-quote": "25", f"route-{third.id}-percent": "5"}
    form = {"name": "chart", "broker_id": main.id, **_ALL, **routes}
    made = submit(browser, "/webhooks/sources/new", **form)

    _token(made.text)
    with app.app_context():
        source = db.session.query(Source).one()
        settings = sources.settings_of(source)
    assert settings.defaults == AlertDefaults(
        order_type=OrderType.LIMIT,
        percent=Decimal(10),
        stop_loss=PriceOrPercent(percent=Decimal(2)),
        take_profit=PriceOrPercent(price=Decimal("105.5")),
        trailing_percent=Decimal(3),
        symbol_map={"GOLD": "PAXG/USDT", "SILVER": "XAG/USDT"},
        out_of_step=OutOfStep.ASK,
        expires_in=30,
    )
    assert settings.senders == (*TRADINGVIEW, "10.0.0.0/8", "2001:db8::1")
    assert [(route.broker.name, route.percent, route.quote_quantity) for route in settings.routes] == [
        ("second", None, Decimal(25))
    ]
    assert (settings.heartbeat_seconds, settings.numbered, settings.duplicate_window) == (3600, True, 0)
    edit = browser.get("/webhooks/sources/1/edit").text
    for page in (made.text, edit, browser.get("/webhooks/sources/1").text, browser.get("/webhooks/").text):
        assert "correct-horse" not in page
        assert "battery-staple" not in page
    for shown in ("GOLD = PAXG/USDT", 'value="2%"', 'value="105.5"', 'value="3600"', "2001:db8::1"):
        assert shown in edit
    assert edit.count("52.89.214.238") == 1, "in the words of the box that stands for all four"


def test_an_edit_changes_what_was_entered_and_keeps_the_secrets_unless_told_to_drop_them(
    app: Flask, make_user: MakeUser, make_broker: MakeBroker, log_in: LogIn
) -> None:
    user = make_user()
    main, second = make_broker(user, "main"), make_broker(user, "second")
    browser = log_in(user)
    submit(browser, "/webhooks/sources/new", name="chart", broker_id=main.id, **_ALL)

    submit(browser, "/webhooks/sources/1/edit", name="trend", broker_id=second.id, percent="7")
    with app.app_context():
        source = db.session.query(Source).one()
    assert (source.name, source.broker_id, source.default_percent) == ("trend", second.id, Decimal(7))
    assert (source.senders, source.symbol_map, source.heartbeat_seconds) == (None, None, None)
    assert source.secret_hash is not None
    assert source.signing_secret is not None

    submit(browser, "/webhooks/sources/1/edit", name="trend", broker_id=second.id, drop_secret="1", secret="")
    with app.app_context():
        source = db.session.query(Source).one()
    assert source.secret_hash is None
    assert source.signing_secret is not None


def test_a_refused_form_says_so_at_each_field_and_forgets_the_secrets_alone(
    app: Flask, make_user: MakeUser, make_broker: MakeBroker, log_in: LogIn
) -> None:
    user = make_user()
    main, second = make_broker(user, "main"), make_broker(user, "second")
    browser = log_in(user)
    wrong = {
        "symbol_map": "GOLD",
        "percent": "101",
        "stop_loss": "x",
        "expires_in": "soon",
        "out_of_step": "PANIC",
        f"route-{second.id}": "1",
        f"route-{second.id}-percent": "lots",
        "secret": "correct-horse",
    }
    answer = submit(browser, "/webhooks/sources/new", name="chart", broker_id=main.id, **wrong)
    assert answer.status_code == 422
    assert "correct-horse" not in answer.text
    for field in (
        "symbol_map",
        "percent",
        "stop_loss",
        "expires_in",
        "out_of_step",
        f"route-{second.id}-size",
    ):
        assert f'id="{field}-error"' in answer.text, field
    assert 'value="lots"' in answer.text

    refusals = (
        {"percent": "5", "quote_quantity": "5"},
        {"risk_percent": "1", "quantity": "5"},
        {"order_type": "STOP_LOSS"},
        {"senders": "localhost"},
        {"heartbeat_seconds": "1"},
        {"secret": "short"},
        {f"route-{main.id}": "1"},
    )
    for refused in refusals:
        answer = submit(browser, "/webhooks/sources/new", name="chart", broker_id=main.id, **refused)
        assert answer.status_code == 422, refused
        assert "-error" in answer.text, refused
    with app.app_context():
        assert db.session.query(Source).count() == 0


def test_no_broker_of_another_person_is_taken_into_a_source(
    make_user: MakeUser, make_broker: MakeBroker, log_in: LogIn
) -> None:
    user, stranger = make_user(), make_user()
    mine, theirs = make_broker(user), make_broker(stranger)
    browser = log_in(user)
    form = {"name": "chart", "broker_id": mine.id, f"route-{theirs.id}": "1"}
    assert submit(browser, "/webhooks/sources/new", **form).status_code == 404
    assert submit(browser, "/webhooks/sources/new", name="x", broker_id=theirs.id).status_code == 404
    assert theirs.name not in browser.get("/webhooks/sources/new").text
