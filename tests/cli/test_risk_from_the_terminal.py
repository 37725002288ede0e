"""Limits, the kill switch, panic and tokens through ``flask …``."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from app.extensions import db
from app.models import ApiToken, Halt
from app.services import tokens
from tests.fixtures.app import MakeBroker, MakeUser
from tests.fixtures.history import MakeHistory

TypeIn = Callable[..., Result]


def test_limits_are_set_shown_and_cleared_one_by_one(
    make_user: MakeUser, make_broker: MakeBroker, type_in: TypeIn
) -> None:
    make_broker(make_user(), "Practice")
    type_in("risk", "set", "max_order_value", "500.50")
    type_in("risk", "set", "cooldown_losses", "3,60")
    type_in("risk", "set", "trading_hours", "Mon-Fri 08:00-17:00 Europe/Paris", "--broker", "Practice")

    account, broker = json.loads(type_in("risk", "show", "--json").stdout)

    assert (account["covers"], account["max_order_value"]) == ("all brokers", "500.5")
    assert (account["cooldown_losses"], account["cooldown_minutes"]) == (3, 60)
    assert (broker["covers"], broker["trading_hours"]["zone"]) == ("Practice", "Europe/Paris")
    assert "max_order_value" in type_in("risk", "show").stdout

    type_in("risk", "clear", "cooldown_minutes")
    type_in("risk", "clear", "--broker", "Practice")
    [left] = json.loads(type_in("risk", "show", "--json").stdout)
    assert (left["max_order_value"], left["cooldown_losses"]) == ("500.5", None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_order_value", "-1"),
        ("max_order_value", "lots"),
        ("max_open_positions", "0"),
        ("max_open_positions", "1.5"),
        ("max_drawdown_percent", "100"),
        ("cooldown_losses", "3"),
        ("trading_hours", "at noon"),
        ("allowed_symbols", "BTCUSDT"),
    ],
)
def test_a_value_that_is_no_limit_is_refused_by_name(
    make_user: MakeUser, type_in: TypeIn, name: str, value: str
) -> None:
    make_user()
    refused = type_in("risk", "set", "--", name, value, code=1)
    assert f"error: that is no limit: {name.partition('_')[0]}" in refused.stderr
    assert "No limit is set" in type_in("risk", "show").stdout


def test_a_halt_is_started_listed_and_lifted(
    make_user: MakeUser, make_broker: MakeBroker, type_in: TypeIn
) -> None:
    make_broker(make_user(), "Practice")

    started = type_in("halt", "start", "--broker", "Practice", "--reason", "news", "--json")

    assert json.loads(started.stdout)["covers"] == "Practice"
    assert "Exits still run" in started.stderr
    [listed] = json.loads(type_in("halt", "list", "--json").stdout)
    assert (listed["scope"], listed["reason"], listed["ended_at"]) == ("BROKER", "news", None)
    assert "lifted  1" in type_in("halt", "lift", "--broker", "Practice").stdout
    assert "Nothing is halted." in type_in("halt", "list").stdout
    assert len(json.loads(type_in("halt", "list", "--all", "--json").stdout)) == 1


def test_only_an_administrator_halts_the_server(make_user: MakeUser, type_in: TypeIn) -> None:
    make_user("admin@example.org")
    make_user("trader@example.org")
    refused = type_in("halt", "start", "--server", "--user", "trader@example.org", code=1)
    assert "only an administrator" in refused.stderr
    refused = type_in("panic", "--server", "--yes", "--user", "trader@example.org", code=1)
    assert "only an administrator" in refused.stderr
    type_in("halt", "start", "--server", "--user", "admin@example.org")
    assert "the whole server" in type_in("halt", "list", "--user", "trader@example.org").stdout
    wrong = type_in("halt", "start", "--server", "--broker", "x", "--user", "admin@example.org", code=1)
    assert "exclude each other" in wrong.stderr


def test_panic_asks_in_words_that_name_what_happens_and_does_nothing_without_a_yes(
    app: Flask, make_user: MakeUser, make_history: MakeHistory, type_in: TypeIn
) -> None:
    make_history(make_user("ann@example.org"))

    asked = type_in("panic", stdin="n\n", code=1)

    question = (
        "halts all entries of all brokers of ann@example.org, cancels 2 entry orders and sells 2 positions"
    )
    assert question in asked.stderr
    with app.app_context():
        assert db.session.query(Halt).count() == 0
    done = json.loads(type_in("panic", "--yes", "--json").stdout)
    assert (done["cause"], done["orders_cancelled"], done["positions_closing"]) == ("PANIC", 2, 2)


def test_a_token_is_shown_once_and_refused_after_it_is_revoked(
    app: Flask, make_user: MakeUser, type_in: TypeIn
) -> None:
    make_user()
    made = json.loads(
        type_in("token", "create", "bot", "--scope", "risk", "--scope", "read", "--json").stdout
    )
    assert made["scopes"] == ["read", "risk"]
    with app.app_context():
        assert tokens.use(made["token"]) is not None
        assert made["token"] not in repr(db.session.query(ApiToken).one().__dict__)
    listed = type_in("token", "list", "--json").stdout
    assert made["token"] not in listed
    assert json.loads(listed)[0]["last_used_at"] is not None
    type_in("token", "revoke", str(made["id"]))
    with app.app_context():
        assert tokens.use(made["token"]) is None
    assert "No token yet" in type_in("token", "list").stdout
    assert "there is no token 999" in type_in("token", "revoke", "999", code=1).stderr
    assert "1 to 365 days" in type_in("token", "create", "bot", "--days", "0", code=1).stderr
