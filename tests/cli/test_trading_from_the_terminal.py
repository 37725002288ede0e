"""Connecting an account, sending alerts, placing and cancelling orders: everything through ``flask …``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal

import pytest

from tests.cli.conftest import Operator
from tests.fixtures.stack import until


def test_a_broker_is_added_checked_and_its_markets_loaded_in_one_command(
    new_operator: Callable[..., Operator],
) -> None:
    operator = new_operator()

    added = operator.connect("first").json

    assert (added["name"], added["environment"], added["mode"]) == ("first", "SANDBOX", "WEBHOOKS")
    assert added["connected"] is True
    assert added["markets"] > 10
    assert datetime.fromisoformat(added["checked_at"]).tzinfo is not None
    assert operator.flask("broker", "list", "--json").json == [added]
    assert "first" in operator.flask("broker", "list").out


def test_keys_come_from_the_environment_when_asked(new_operator: Callable[..., Operator]) -> None:
    operator = new_operator()
    words = ("broker", "add", "env", "--exchange", operator.stack.exchange, "--environment", "SANDBOX")

    added = operator.flask(
        *words, "--from-env", "--json", API_KEY=operator.keys.api_key, API_SECRET=operator.keys.api_secret
    )

    assert added.json["connected"] is True


def test_wrong_keys_are_refused_with_reason_and_remedy_and_without_the_keys(
    new_operator: Callable[..., Operator],
) -> None:
    operator = new_operator()
    words = ("broker", "add", "wrong", "--exchange", operator.stack.exchange, "--environment", "sandbox")
    keys = {"api_key": operator.keys.api_key, "api_secret": "not-the-secret-of-it"}

    done = operator.flask(*words, "--secrets-stdin", stdin=json.dumps(keys), code=1)

    assert "error: wrong is not connected:" in done.err
    assert "remedy: " in done.err
    for secret in keys.values():
        assert secret not in done.out + done.err


def test_the_check_up_card_tells_what_the_keys_may_do(operator: Operator) -> None:
    done = operator.flask("broker", "test", "--json")
    card = done.json

    assert card["connected"] is True
    assert card["permissions"]["trade"] == "YES"
    assert isinstance(card["clock_skew_ms"], int)
    assert card["rate_budget"]["limit"] > 0
    assert {row["asset"] for row in card["balances"]} >= {"BTC", "USDT"}
    assert operator.keys.api_secret not in done.out


def test_a_sync_shows_what_the_broker_holds_in_plain_decimals(operator: Operator) -> None:
    held = {row["asset"]: row for row in operator.flask("broker", "sync", "--json").json}

    assert Decimal(held["BTC"]["total"]) > 0
    assert "e" not in held["USDT"]["free"].lower()


def test_markets_are_loaded_anew_and_found_by_what_they_are_called(operator: Operator) -> None:
    assert "active markets" in operator.flask("markets", "load").out

    found = operator.flask("markets", "list", "btc", "--json").json

    market = next(row for row in found if row["symbol"] == "BTC/USDT")
    assert Decimal(market["tick_size"]) > 0
    assert market["kind"] == "SPOT"


def test_an_alert_sent_from_the_terminal_becomes_an_order_with_its_timeline(operator: Operator) -> None:
    url = operator.flask("source", "create", "chart", "--json").json["url"]

    sent = operator.flask(
        "alert", "send", "--url", url, "action=BuyMarket,symbol=BTCUSDT,quantity=0.001", "--json"
    )

    assert sent.json["http_status"] == 202
    alert_id = str(sent.json["id"])
    orders = until(lambda: _filled(operator, alert_id), "the order to be filled")
    order = orders[0]
    assert (order["symbol"], order["side"], order["type"], order["role"]) == (
        "BTC/USDT",
        "BUY",
        "MARKET",
        "ENTRY",
    )
    assert (order["quantity"], order["filled_quantity"]) == ("0.001", "0.001")
    assert order["alert_id"] == int(alert_id)
    names = [hop["name"] for hop in order["hops"]]
    assert names == ["received", "stored", "queued", "picked_up", "sent", "acknowledged", "filled"]
    assert all(hop["ms"] >= 0 for hop in order["hops"])
    assert order["own_ms"] > 0
    assert order["exchange_ms"] > 0
    assert order["client_order_id"] in {
        row["client_order_id"]
        for row in operator.stack.sandbox.orders(operator.stack.exchange, operator.keys)
    }
    row = next(row for row in operator.flask("alert", "list", "--json").json if row["id"] == int(alert_id))
    assert (row["source"], row["broker"], row["status"]) == ("chart", "main", "PROCESSED")
    assert (row["action"], row["symbol"], row["duplicate_of"]) == ("BuyMarket", "BTCUSDT", None)


def test_an_alert_may_be_sent_to_a_source_by_name_with_its_token_in_the_environment(
    operator: Operator,
) -> None:
    token = operator.flask("source", "create", "named", "--json").json["url"].rpartition("/")[2]

    done = operator.flask("alert", "send", "--source", "named", "action=PING", SWITCHYARD_TOKEN=token)
    wrong = operator.flask(
        "alert", "send", "--source", "other", "action=PING", SWITCHYARD_TOKEN=token, code=1
    )

    assert "the line is alive" in done.out
    assert "that is not the token of other" in wrong.err
    assert token not in wrong.err


def test_an_alert_that_makes_no_sense_is_answered_with_its_reason_and_exit_1(operator: Operator) -> None:
    url = operator.flask("source", "create", "broken", "--json").json["url"]

    done = operator.flask("alert", "send", "--url", url, "-", "--json", stdin='{"action": BuyMarket}', code=1)

    assert done.json["http_status"] == 400
    assert "not valid JSON" in done.json["reason"]
    assert "HTTP 400" in done.err


def test_a_limit_order_is_shown_placed_listed_and_cancelled(operator: Operator) -> None:
    words = ("order", "place", "buy", "ETHUSDT", "--quantity", "0.01", "--price", "1000", "--yes", "--json")

    placed = operator.flask(*words)

    order = placed.json
    assert "BUY 0.01 ETH at 1000 USDT on main (SANDBOX)" in placed.err
    assert (order["status"], order["type"], order["price"]) == ("OPEN", "LIMIT", "1000")
    listed = operator.flask("order", "list", "--tab", "open", "--symbol", "ETH", "--json").json
    assert [row["id"] for row in listed] == [order["id"]]

    cancelled = operator.flask("order", "cancel", str(order["id"]), "--yes", "--json").json

    assert [row["status"] for row in cancelled] == ["CANCELED"]
    again = operator.flask("order", "cancel", str(order["id"]), "--yes", code=1)
    assert "canceled already" in again.err


def test_an_order_the_exchange_refuses_is_told_with_exit_1(operator: Operator) -> None:
    words = ("order", "place", "sell", "BTC/USDT", "--quantity", "50", "--price", "90000", "--yes", "--json")

    done = operator.flask(*words, code=1)

    assert done.json["status"] == "REJECTED"
    assert "error: the order is rejected" in done.err
    assert f"remedy: {done.json['remedy']}" in done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["buy", "BTCUSTD", "--quantity", "1"], "did you mean"),
        (["buy", "BTCUSDT", "--quantity", "0.0000001"], "less than one lot"),
        (["buy", "BTCUSDT", "--quantity", "0.00001", "--price", "1000"], "below the minimum"),
        (["buy", "BTCUSDT", "--quantity", "ten"], "'ten' is not a number"),
        (["buy", "BTCUSDT"], "exactly one size"),
        (
            ["buy", "BTCUSDT", "--quote-quantity", "10", "--price", "0.0001"],
            "no price of BTC/USDT above zero",
        ),
    ],
    ids=["unknown symbol", "below a lot", "below the minimum value", "no number", "no size", "no price"],
)
def test_an_order_that_breaks_a_rule_is_refused_before_anything_is_stored(
    operator: Operator, words: list[str], said: str
) -> None:
    before = operator.stack.sandbox.orders(operator.stack.exchange, operator.keys)

    done = operator.flask("order", "place", *words, "--yes", code=1)

    assert said in done.err
    assert "remedy: " in done.err
    assert operator.stack.sandbox.orders(operator.stack.exchange, operator.keys) == before


def test_what_will_guard_an_order_is_said_before_it_is_confirmed(operator: Operator) -> None:
    exits = ("--trailing", "2%", "--target", "5%:50", "--target", "8%:30")
    words = ("order", "place", "buy", "BTCUSDT", "--quantity", "0.01", *exits)
    said = operator.flask(*words, stdin="n\n", code=1).err
    assert "the stop-loss sells all that is held" in said
    assert "follows the best price at 2 %" in said
    assert "a take-profit sells 50 % of what was bought" in said
    assert "a take-profit sells 30 % of what was bought" in said


def test_an_order_that_is_not_confirmed_is_not_placed(operator: Operator) -> None:
    before = operator.flask("order", "list", "--json").json

    done = operator.flask("order", "place", "buy", "BTCUSDT", "--quantity", "0.001", stdin="n\n", code=1)

    assert "Place it?" in done.err
    assert operator.flask("order", "list", "--json").json == before


def test_the_doctor_finds_the_running_processes_well_once_beat_has_ticked(operator: Operator) -> None:
    operator.stack.sweep()
    until(lambda: _parts(operator).get("beat") == "OK" or None, "beat's tick to be seen")

    parts = _parts(operator)

    assert set(parts.values()) == {"OK"}, parts
    assert list(parts) == [
        *("python", "database", "migrations", "redis", "workers", "beat", "clock", "secrets", "disk")
    ]
    operator.flask("doctor")


def _filled(operator: Operator, alert_id: str) -> list[dict[str, object]] | None:
    found: list[dict[str, object]] = operator.flask("order", "list", "--alert", alert_id, "--json").json
    return found if found and found[0]["status"] == "FILLED" else None


def _parts(operator: Operator) -> dict[str, str]:
    found = operator.flask("doctor", "--json", code=None).json
    return {row["part"]: row["state"] for row in found}
