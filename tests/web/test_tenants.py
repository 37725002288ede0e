"""What belongs to one person does not exist for another."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from werkzeug.routing import Rule

from app.extensions import db
from app.models import Broker, Halt, OrderRow, RiskLimits, Source, User
from app.services import login_sessions, notifications, tokens
from app.services.notices import Kind
from app.services.tokens import Scope
from app.web.access import Access, decision
from tests.fixtures.app import LogIn, MakeUser, submit
from tests.fixtures.history import History, MakeHistory


def _ids_of(history: History, owner: User) -> dict[str, int | str]:
    login_sessions.begin(owner, address="192.0.2.1", user_agent="of the owner")
    return {
        "session_id": login_sessions.of(owner)[0].id,
        "channel_id": notifications.add(owner, "phone", "json://192.0.2.1/", [Kind.HALTED]).id,
        "token_id": tokens.create(owner, "bot", [Scope.READ], days=1)[0].id,
        "broker_id": history.broker_id,
        "order_id": history.open_order_id,
        "position_id": history.position_ids[0],
        "alert_id": history.alert_ids[0],
        "source_id": history.source_id,
        "asset": "BTC",
    }


def _rules_with_ids(app: Flask) -> Iterator[Rule]:
    for rule in app.url_map.iter_rules():
        if rule.arguments and decision(app.view_functions[rule.endpoint]) is Access.MEMBER:
            yield rule


def test_every_route_with_an_id_answers_404_for_another_persons(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    owner, stranger = make_user(), make_user()
    history = make_history(owner)
    with app.app_context():
        ids = _ids_of(history, owner)
    browser = log_in(stranger)
    walked = 0
    for rule in _rules_with_ids(app):
        assert rule.arguments <= ids.keys(), f"{rule} takes an id that this test does not know"
        with app.test_request_context():
            path = app.url_for(rule.endpoint, **{name: ids[name] for name in rule.arguments})
        for method in (rule.methods or set()) & {"GET", "POST"}:
            if method == "POST":
                answer = submit(browser, path, page="/", mode="OFF", paused="1")
            else:
                answer = browser.open(path, method=method)
            assert answer.status_code == 404, f"{method} {path} answered {answer.status_code}"
            walked += 1
    assert walked >= 10


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/brokers/",
        "/orders/",
        "/positions/",
        "/webhooks/",
        "/webhooks/explain",
        "/webhooks/message",
        "/webhooks/sources",
        "/activity/",
        "/trade/",
        "/balances/",
        "/balances/export",
        "/performance",
        "/activity/export",
        "/settings/sessions",
        "/settings/notifications/",
        "/equity",
        "/trade/markets?symbol=BTC",
        "/markets/",
    ],
)
def test_no_list_shows_another_persons_rows(
    path: str, make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    owner, stranger = make_user(), make_user()
    make_history(owner)
    text = log_in(stranger).get(path).text
    assert "BTC/USDT</a>" not in text
    assert "Practice 1" not in text
    assert "EMA cross" not in text


def test_another_persons_ids_in_a_form_or_an_address_lead_nowhere(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    owner, stranger = make_user(), make_user()
    history = make_history(owner)
    browser = log_in(stranger)
    ticket = {
        "symbol": "BTC/USDT",
        "side": "BUY",
        "type": "MARKET",
        "size": "1",
        "broker_id": history.broker_id,
    }
    assert submit(browser, "/trade/preview", page="/", **ticket).status_code == 404
    assert submit(browser, "/trade/place", page="/", **ticket).status_code == 404
    assert (
        submit(
            browser, "/webhooks/sources/new", page="/", name="mine", broker_id=history.broker_id
        ).status_code
        == 404
    )
    theirs = {"scope": "BROKER", "broker_id": history.broker_id}
    assert submit(browser, "/halts/start", page="/", **theirs).status_code == 404
    assert submit(browser, "/halts/lift", page="/", **theirs).status_code == 404
    assert submit(browser, "/panic", page="/", **theirs, confirm="PANIC").status_code == 404
    assert browser.get(f"/panic?scope=BROKER&broker_id={history.broker_id}").status_code == 404
    limit = {"broker_id": history.broker_id, "max_order_value": 1}
    assert submit(browser, "/settings/risk", page="/", **limit).status_code == 404
    assert browser.get(f"/settings/risk?broker_id={history.broker_id}").status_code == 404
    assert browser.get(f"/trade/?broker_id={history.broker_id}").status_code == 404
    theirs_too = f"broker_id={history.broker_id}&symbol=BTC/USDT"
    for path in ("/trade/markets", "/trade/book", "/trade/candles", "/trade/candles/table", "/markets/"):
        assert browser.get(f"{path}?{theirs_too}&interval=1h").status_code == 404, path
    star = f"/markets/favourites?broker_id={history.broker_id}"
    assert submit(browser, star, page="/", symbol="BTC/USDT").status_code == 404
    assert submit(browser, "/markets/update", page="/", broker_id=history.broker_id).status_code == 404
    assert "BTC/USDT</a>" not in browser.get(f"/orders/?broker_id={history.broker_id}").text
    with app.app_context():
        assert db.session.query(OrderRow).count() == len(history.order_ids)
        assert db.session.query(Source).count() == 1
        assert db.session.query(Halt).count() == db.session.query(RiskLimits).count() == 0
        assert db.session.get_one(Broker, history.broker_id).active
