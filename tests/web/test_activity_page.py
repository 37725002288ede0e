"""Who did what, when and from where: written down at the doors of the web, and shown to whom it concerns."""

from __future__ import annotations

import json
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from app.domain.audit import Action
from app.extensions import db
from app.models import AuditEntry, OrderRow
from app.services import audit, orders, sources
from app.services.audit import EntryFilter
from tests.fixtures.app import PASSWORD, AppFactory, LogIn, MakeBroker, MakeUser, submit
from tests.fixtures.history import MakeHistory

KEY, SECRET, PHRASE = "key-that-nobody-knows", "secret-that-nobody-knows", "phrase-that-nobody-knows"


def written(app: Flask) -> list[Any]:
    """Every entry, oldest first."""
    with app.app_context():
        return list(reversed(audit.listing(EntryFilter(per_page=1000))[0]))


def actions(app: Flask) -> list[str]:
    return [entry["action"] for entry in written(app)]


def rows(browser: FlaskClient, query: str = "") -> int:
    return browser.get(f"/activity/?{query}").text.count('data-label="What"')


def test_log_ins_that_succeed_and_fail_and_log_outs_are_written_down_with_their_address(
    app: Flask, client: FlaskClient, make_user: MakeUser, log_in: LogIn
) -> None:
    user = make_user("ada@example.org")
    submit(client, "/login", email=user.email, password="not the password of it")
    submit(client, "/login", email="a password typed here@x", password=PASSWORD)
    submit(log_in(user, client), "/logout", page="/")

    _made, wrong, unknown, entered, left = written(app)

    assert (wrong["action"], wrong["subject"], wrong["actor"]) == ("login.failed", "user 1", "anonymous")
    assert (unknown["action"], unknown["subject"], unknown["user_id"]) == ("login.failed", "nobody", None)
    assert (entered["action"], entered["actor"]) == ("login.succeeded", "ada@example.org")
    assert (left["action"], left["actor"], left["user_id"]) == ("login.ended", "ada@example.org", user.id)
    assert {entry["address"] for entry in (wrong, unknown, entered, left)} == {"127.0.0.1"}
    assert len(left["detail"]["correlation_id"]) == 32
    assert "typed here" not in json.dumps([entry["detail"] for entry in written(app)])


def test_the_address_is_that_before_the_proxies_that_are_trusted(make_app: AppFactory) -> None:
    app = make_app(TRUSTED_PROXIES="1")
    browser = app.test_client()
    browser.environ_base["HTTP_X_FORWARDED_FOR"] = "198.51.100.1, 203.0.113.7"
    browser.environ_base["wsgi.url_scheme"] = "https"

    submit(browser, "/signup", email="ada@example.org", password=PASSWORD, password_again=PASSWORD)

    (made,) = written(app)
    assert (made["action"], made["address"]) == ("user.created", "203.0.113.7")


def test_changes_of_brokers_keys_and_sources_are_written_down_without_a_secret(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    browser = log_in(make_user())
    keys = {"api_key": KEY, "api_secret": SECRET, "passphrase": PHRASE}
    form = {"name": "main", "exchange": "binance", "environment": "SANDBOX", "mode": "OFF"}
    submit(browser, "/brokers/new", **form, **keys)
    submit(browser, "/brokers/1/edit", **{**form, "name": "other", "mode": "WEBHOOKS"}, **keys)
    submit(browser, "/brokers/1/pause", page="/", paused="1")
    submit(browser, "/brokers/1/pause", page="/", paused="0")
    shown = submit(browser, "/webhooks/sources/new", name="chart", broker_id=1).text
    submit(browser, "/webhooks/sources/1/rotate", page="/")
    submit(browser, "/webhooks/sources/1/toggle", page="/")
    submit(browser, "/brokers/1/remove", page="/")

    assert actions(app)[2:] == [
        Action.BROKER_ADDED,
        Action.BROKER_KEYS_CHANGED,
        Action.BROKER_EDITED,
        Action.BROKER_MODE_SET,
        Action.BROKER_PAUSED,
        Action.BROKER_RESUMED,
        Action.SOURCE_CREATED,
        Action.SOURCE_TOKEN_CHANGED,
        Action.SOURCE_SWITCHED_OFF,
        Action.BROKER_REMOVED,
    ]
    text = json.dumps([dict(entry) for entry in written(app)], default=str)
    token = shown.partition("/webhook/")[2].partition("<")[0]
    assert len(token) == 43
    with app.app_context():
        hashed = sources.fingerprint(token)
    for secret in (KEY, SECRET, PHRASE, PASSWORD, token, hashed):
        assert secret not in text


def test_a_refused_change_leaves_no_entry(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_broker: MakeBroker
) -> None:
    user = make_user()
    broker, _ = make_broker(user, "one"), make_broker(user, "two")
    browser = log_in(user)
    before = actions(app)

    fields = {"exchange": broker.exchange, "environment": "SANDBOX", "mode": "OFF", "dry_run": "1"}
    answer = submit(browser, f"/brokers/{broker.id}/edit", name="two", **fields)

    assert answer.status_code == 422
    assert actions(app) == before


def test_the_page_lists_what_passes_the_filters_and_leads_to_its_subject(
    make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    history = make_history(user)
    browser = log_in(user)
    text = browser.get("/activity/").text

    assert rows(browser) == text.count('data-label="What"') == 18
    assert f'href="/orders/{history.open_order_id}"' in text
    assert f'href="/webhooks/alerts/{history.alert_ids[0]}"' in text
    assert rows(browser, "kind=order") == 5
    assert rows(browser, "kind=alert&period=day") == 7
    assert rows(browser, f"subject=Order+{history.open_order_id}") == 1
    assert rows(browser, "kind=order&subject=alert+1") == 0
    assert rows(browser, "kind=nonsense&period=eon") == 0
    assert rows(browser, "page=2") == 0


def test_a_person_sees_their_own_entries_and_the_administrator_what_operators_did(
    app: Flask,
    make_user: MakeUser,
    log_in: LogIn,
    make_history: MakeHistory,
) -> None:
    administrator, trader, stranger = make_user(), make_user(), make_user()
    make_history(trader)
    command = ["user", "create", "ops@example.org", "--password-stdin"]
    assert app.test_cli_runner().invoke(args=command, input=f"{PASSWORD}\n").exit_code == 0
    submit(app.test_client(), "/login", email="nobody@example.org", password=PASSWORD)

    def seen(user: Any, query: str = "") -> str:
        return log_in(user).get(f"/activity/?{query}").text

    assert "Order placed" in seen(trader)
    assert "Order placed" not in seen(stranger)
    assert "Order placed" not in seen(administrator)
    assert "ops@example.org" in seen(administrator)
    assert "no account has this address" in seen(administrator)
    for user in (trader, stranger):
        assert "ops@example.org" not in seen(user)
        assert "no account has this address" not in seen(user)
        assert "Order placed" not in seen(stranger, f"subject=order+1&user_id={trader.id}")


def test_an_entry_is_written_with_what_it_tells_or_not_at_all(
    app: Flask, make_user: MakeUser, make_history: MakeHistory
) -> None:
    history = make_history(make_user())
    before = actions(app)
    with app.app_context():
        order = db.session.get_one(OrderRow, history.open_order_id)
        order.note("seen twice")
        db.session.flush()
        assert db.session.scalar(select(AuditEntry).where(AuditEntry.action == Action.ORDER_NOTED))
        db.session.rollback()
    assert actions(app) == before
    with app.app_context():
        orders.cancel(db.session.get_one(OrderRow, history.open_order_id))
    assert actions(app) == [*before, Action.ORDER_CANCEL_ASKED]
