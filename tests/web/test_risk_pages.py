"""Limits, the kill switch, panic and tokens by the pages."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from app.extensions import db
from app.models import Halt, HaltCause, OrderRow
from app.services import limits, tokens, users
from tests.fixtures.app import LogIn, MakeBroker, MakeUser, submit
from tests.fixtures.history import MakeHistory


def test_limits_are_saved_and_shown_again_as_they_were_written(
    make_user: MakeUser, log_in: LogIn, make_broker: MakeBroker
) -> None:
    user = make_user()
    broker = make_broker(user)
    browser = log_in(user)
    written = {
        "max_order_value": "500.5",
        "cooldown_losses": "3",
        "cooldown_minutes": "60",
        "allowed_symbols": "BTC/USDT, ETH/USDT",
        "trading_hours": "Mon,Fri 08:00-17:30 Europe/Paris",
    }

    saved = submit(browser, "/settings/risk", broker_id=broker.id, **written)

    page = browser.get(saved.location).text
    for name, value in written.items():
        assert re.search(rf'name="{name}"[^>]*value="{value}"', page), name
    assert 'value="500.5"' not in browser.get("/settings/risk").text  # those of all brokers are others


def test_what_cannot_be_read_is_said_at_its_field_and_nothing_is_saved(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    user = make_user()
    answer = submit(log_in(user), "/settings/risk", max_order_value="-5", trading_hours="at noon")
    assert answer.status_code == 422
    assert "It must be greater than zero." in answer.text
    assert "Write it like Mon-Fri" in answer.text
    assert 'value="at noon"' in answer.text
    with app.app_context():
        assert limits.all_of(users.everyone()[0]) == []


def test_the_switch_of_a_broker_stops_it_and_every_page_says_so_until_it_is_lifted(
    make_user: MakeUser, log_in: LogIn, make_broker: MakeBroker
) -> None:
    user = make_user()
    broker = make_broker(user, "Practice")
    browser = log_in(user)
    reach = {"scope": "BROKER", "broker_id": broker.id}
    page = f"/brokers/{broker.id}"

    halted = submit(browser, "/halts/start", page=page, **reach, reason="bad <news>")

    assert halted.location == page
    for path in ("/", "/orders/", "/trade/", page):
        text = browser.get(path).text
        assert "Entries halted on Practice" in text, path
        assert "Bad &lt;news&gt;." in text
        assert "Exits still run" in text
    assert "Let entries go on" in browser.get(page).text
    submit(browser, "/halts/lift", page=page, **reach)
    assert "Entries halted" not in browser.get("/").text


def test_an_administrator_halts_the_server_and_everyone_sees_it(make_user: MakeUser, log_in: LogIn) -> None:
    admin, trader = log_in(make_user()), log_in(make_user())
    assert submit(trader, "/halts/start", page="/", scope="SERVER").status_code == 403
    assert submit(trader, "/panic", page="/", scope="SERVER", confirm="PANIC").status_code == 403
    assert trader.get("/panic?scope=SERVER").status_code == 403
    assert submit(admin, "/halts/start", page="/admin", scope="SERVER").location == "/admin"
    assert "Entries halted on the whole server" in trader.get("/").text
    assert submit(trader, "/halts/lift", page="/", scope="SERVER").status_code == 403
    assert "Let entries go on" in admin.get("/admin").text


def test_a_halt_is_shown_to_nobody_whom_it_does_not_concern(make_user: MakeUser, log_in: LogIn) -> None:
    make_user()
    submit(log_in(make_user()), "/halts/start", page="/", scope="USER", reason="mine")
    assert "mine" not in log_in(make_user()).get("/").text


def test_panic_says_what_it_does_and_waits_for_the_word(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    make_history(user)
    browser = log_in(user)
    shown = browser.get("/panic").text
    assert "2 entry orders are cancelled." in shown
    assert "2 positions are sold at the market" in shown

    refused = submit(browser, "/panic", scope="USER", confirm="panic")

    assert refused.status_code == 422
    assert "Type PANIC to show that you mean it." in refused.text
    with app.app_context():
        assert db.session.query(Halt).count() == 0
    assert submit(browser, "/panic", scope="USER", confirm="PANIC").location == "/settings/risk"
    with app.app_context():
        assert db.session.query(Halt).one().cause is HaltCause.PANIC
        assert db.session.query(OrderRow).filter(OrderRow.cancel_requested.is_(True)).count() == 2


@pytest.mark.parametrize("query", ["scope=NOBODY", "scope=BROKER", "broker_id=x", "scope=SERVER&broker_id=1"])
def test_an_address_that_makes_no_sense_is_refused(make_user: MakeUser, log_in: LogIn, query: str) -> None:
    assert log_in(make_user()).get(f"/panic?{query}").status_code == 400


def test_a_token_is_shown_in_one_answer_only(app: Flask, make_user: MakeUser, log_in: LogIn) -> None:
    browser = log_in(make_user())

    made = submit(browser, "/settings/tokens", name="bot", days="", read="1", risk="1")

    token = re.search(r'id="new-token">([\w-]{43})<', made.text)
    assert token is not None
    with app.app_context():
        row = tokens.use(token.group(1))
        assert row is not None
        assert row.scopes == ["read", "risk"]
    page = browser.get("/settings/tokens").text
    assert "bot" in page
    assert token.group(1) not in page
    submit(browser, f"/settings/tokens/{row.id}/revoke", page="/settings/tokens")
    with app.app_context():
        assert tokens.use(token.group(1)) is None


def test_a_token_without_a_scope_or_for_ever_is_not_made(make_user: MakeUser, log_in: LogIn) -> None:
    browser = log_in(make_user())
    assert "at least one scope" in submit(browser, "/settings/tokens", name="bot").text
    for days in ("0", "366", "soon"):
        assert submit(browser, "/settings/tokens", name="bot", days=days, read="1").status_code == 422
