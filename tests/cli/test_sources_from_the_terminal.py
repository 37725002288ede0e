"""Sources made, shown and changed by commands, with every setting there is."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app.domain import senders
from app.domain.accounts import TradingMode
from app.domain.senders import TRADINGVIEW
from app.extensions import db
from app.models import Source
from tests.fixtures.app import MakeBroker, MakeUser

TypeIn = Callable[..., Result]

_ALL = (
    *(
        "--also",
        "second=5%",
        "--also",
        "third",
        "--order-type",
        "limit",
        "--percent",
        "10%",
        "--stop-loss",
        "2%",
        "--take-profit",
        "105.5",
    ),
    *("--map", "gold=PAXG/USDT", "--out-of-step", "ask", "--expires-in", "30", "--duplicate-window", "0"),
    *("--tradingview", "--sender", "10.1.2.3/8", "--heartbeat", "3600", "--numbered", "--secrets-stdin"),
)
_SECRETS = json.dumps({"secret": "correct-horse", "signing_secret": "battery-staple"})


@pytest.fixture
def brokers(make_user: MakeUser, make_broker: MakeBroker) -> None:
    """A person with three brokers, and a stranger with one."""
    user = make_user("ann@example.org")
    for name in ("main", "second", "third"):
        make_broker(user, name, mode=TradingMode.WEBHOOKS)
    make_broker(make_user("bob@example.org"), "his")


@pytest.fixture
def ask(type_in: TypeIn, brokers: None) -> Callable[..., Any]:
    """What a source command prints as JSON."""

    def run(*words: str, stdin: str = "") -> Any:
        return json.loads(
            type_in("source", *words, "--user", "ann@example.org", "--json", stdin=stdin).stdout
        )

    return run


def test_a_source_is_made_with_every_setting_and_shown_with_them(ask: Callable[..., Any]) -> None:
    made = ask("create", "chart", "--broker", "main", *_ALL, stdin=_SECRETS)

    url = made.pop("url")
    assert made == ask("show", "chart") == ask("list")[0]
    assert url not in json.dumps(ask("list"))
    assert {name: value for name, value in made.items() if name not in ("id", "created_at")} == {
        "name": "chart",
        "broker": "main",
        "enabled": True,
        "routes": [
            {"broker": "second", "percent": "5", "quote_quantity": None, "enabled": True},
            {"broker": "third", "percent": None, "quote_quantity": None, "enabled": True},
        ],
        "order_type": "LIMIT",
        "percent": "10",
        **dict.fromkeys(("quantity", "quote_quantity", "risk_percent", "equity_percent")),
        "stop_loss": "2%",
        "take_profit": "105.5",
        "trailing_percent": None,
        "symbol_map": {"GOLD": "PAXG/USDT"},
        "out_of_step": "ASK",
        "expires_in": 30,
        "duplicate_window": 0,
        "senders": [*TRADINGVIEW, "10.0.0.0/8"],
        "asks_for_secret": True,
        "asks_for_signature": True,
        "heartbeat_seconds": 3600,
        "numbered": True,
    }


def test_only_what_is_named_is_changed_and_none_takes_it_away(ask: Callable[..., Any]) -> None:
    before = ask("create", "chart", "--broker", "main", *_ALL, stdin=_SECRETS)
    del before["url"]

    renamed = ask("set", "chart", "--name", "trend", "--expires-in", "45")
    assert renamed == {**before, "name": "trend", "expires_in": 45}

    words = ("--percent", "none", "--quote-quantity", "25", "--stop-loss", "none", "--also", "none")
    words = (*words, "--sender", "none", "--map", "none", "--heartbeat", "none", "--not-numbered")
    changed = ask("set", "trend", *words, "--secrets-stdin", stdin='{"secret": null}')
    taken = {"percent": None, "stop_loss": None, "routes": [], "senders": [], "symbol_map": {}}
    taken |= {"heartbeat_seconds": None, "numbered": False, "asks_for_secret": False}
    assert changed == {**renamed, "quote_quantity": "25", **taken}


def test_a_source_is_switched_off_on_and_given_a_new_url(app: Flask, ask: Callable[..., Any]) -> None:
    old = ask("create", "chart")["url"].rpartition("/")[2]
    sender = app.test_client()

    def status(token: str) -> int:
        return sender.post(f"/webhook/{token}", data="action=PING").status_code

    assert ask("disable", "chart")["enabled"] is False
    assert status(old) == 403
    assert ask("enable", "chart")["enabled"] is True
    assert status(old) == 202
    new = ask("rotate", "chart", "--base-url", "https://trade.example.org")["url"]
    assert new.startswith("https://trade.example.org/webhook/")
    assert (status(old), status(new.rpartition("/")[2])) == (401, 202)


def test_secrets_come_from_standard_input_and_are_never_printed(app: Flask, ask: Callable[..., Any]) -> None:
    made = ask("create", "chart", "--secrets-stdin", stdin=_SECRETS)
    assert "correct-horse" not in json.dumps(made)
    body = "action=PING; secret=correct-horse"
    signature = {"X-Signature": senders.sign("battery-staple", body.encode())}
    path = f"/webhook/{made['url'].rpartition('/')[2]}"
    assert app.test_client().post(path, data=body).status_code == 401
    assert app.test_client().post(path, data=body, headers=signature).status_code == 202


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--percent", "10", "--quote-quantity", "5"), "one size"),
        (("--percent", "101"), "at most 100"),
        (("--percent", "much"), "not a number"),
        (("--quote-quantity", "0"), "greater than zero"),
        (("--stop-loss", "100%"), "less than 100 %"),
        (("--take-profit", "0"), "greater than zero"),
        (("--trailing-percent", "100"), "between 0 and 100"),
        (("--expires-in", "0"), "between 1 and 86400 seconds"),
        (("--duplicate-window", "3601"), "between 0 and 3600 seconds"),
        (("--heartbeat", "5"), "between 30 and"),
        (("--heartbeat", "often"), "not a number of seconds"),
        (("--sender", "localhost"), "neither an address nor a network"),
        (("--map", "GOLD"), "maps nothing"),
        (("--also", "his"), "no broker his"),
        (("--also", "main"), "named once"),
        (("--also", "second=0%"), "above 0"),
    ],
)
def test_a_setting_out_of_range_is_refused_in_words(
    words: tuple[str, ...], said: str, type_in: TypeIn, brokers: None, app: Flask
) -> None:
    command = ("source", "create", "chart", "--broker", "main", "--user", "ann@example.org")
    refused = type_in(*command, *words, code=1)
    assert said in refused.stderr
    assert "remedy:" in refused.stderr
    with app.app_context():
        assert db.session.query(Source).count() == 0


@pytest.mark.parametrize(
    ("stdin", "said"),
    [
        ("", "names no secret"),
        ("[]", "names no secret"),
        ('{"token": "x"}', "names no secret"),
        ('{"secret": 5}', "must be text"),
        ('{"secret": "short"}', "between 8 and 200"),
    ],
)
def test_what_is_no_secret_is_refused(stdin: str, said: str, type_in: TypeIn, brokers: None) -> None:
    command = ("source", "create", "chart", "--user", "ann@example.org", "--secrets-stdin")
    assert said in type_in(*command, stdin=stdin, code=1).stderr


def test_a_source_of_somebody_else_does_not_exist(ask: Callable[..., Any], type_in: TypeIn) -> None:
    ask("create", "chart")
    for words in (("show",), ("set", "--expires-in", "5"), ("rotate",), ("enable",), ("disable",)):
        refused = type_in("source", words[0], "chart", *words[1:], "--user", "bob@example.org", code=1)
        assert "has no source chart" in refused.stderr
