"""The control API: what it arranges, what it shows, and how it says no."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import requests

from app.sandbox.http import Request
from app.sandbox.server import create_sandbox, run, serving
from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.binance_caller import Caller


def test_every_accepted_order_is_listed_with_its_ids_times_and_state(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    before = datetime.now(UTC)
    placed = binance.limit("BUY", "50000", "0.1", newClientOrderId="mybot-0001")
    binance.refused_order(side="SELL", type="MARKET", quantity="5")
    (order,) = fresh_sandbox.orders("binance", binance.keys)
    shown = {
        name: order[name]
        for name in ("client_order_id", "exchange_order_id", "symbol", "side", "type", "state")
    }
    assert shown == {
        "client_order_id": "mybot-0001",
        "exchange_order_id": str(placed["orderId"]),
        "symbol": "BTC/USDT",
        "side": "buy",
        "type": "limit",
        "state": "open",
    }
    assert (order["quantity"], order["price"], order["filled_quantity"]) == ("0.1", "50000", "0")
    assert before <= datetime.fromisoformat(order["received_at"]) <= datetime.now(UTC)


def test_an_orders_arrival_is_told_in_true_time_whatever_the_exchanges_clock_says(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    fresh_sandbox.control("skew", exchange="binance", milliseconds=3_600_000)
    binance.ahead = 3_600_000
    binance.market("BUY")
    (order,) = fresh_sandbox.orders("binance", binance.keys)
    received, created = (datetime.fromisoformat(order[name]) for name in ("received_at", "created_at"))
    assert created - received == timedelta(hours=1)


def test_an_account_opened_again_changes_its_secret_and_free_balances_and_keeps_its_orders(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    binance.limit("BUY", "50000", "0.1")
    fresh_sandbox.control(
        "accounts",
        exchange="binance",
        api_key=binance.keys.api_key,
        api_secret="another",
        balances={"USDT": "7", "XRP": 3},
    )
    found = fresh_sandbox.balances("binance", binance.keys)
    assert found["USDT"] == {"free": "7", "locked": "5000"}
    assert found["XRP"] == {"free": "3", "locked": "0"}
    assert found["BTC"] == {"free": "0", "locked": "0"}
    assert binance.refusal("GET", "/api/v3/account")[1] == -1022
    assert len(fresh_sandbox.orders("binance", binance.keys)) == 1


def test_requests_are_shown_with_everything_secret_blacked_out(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    binance.market("BUY")
    shown = fresh_sandbox.look("requests", exchange="binance")
    (request,) = shown["requests"]
    assert (request["operation"], request["method"], request["path"]) == (
        "place_order",
        "POST",
        "/api/v3/order",
    )
    assert request["params"]["symbol"] == "BTCUSDT"
    assert request["params"]["signature"] == "***"
    text = json.dumps(shown)
    assert binance.keys.api_key not in text
    assert binance.keys.api_secret not in text


def test_a_reset_forgets_accounts_orders_prices_and_faults(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    binance.market("BUY")
    fresh_sandbox.price("binance", "BTC/USDT", "70000")
    fresh_sandbox.fault("binance", "*", "error_before")
    fresh_sandbox.control("reset")
    assert fresh_sandbox.look("orders")["orders"] == []
    assert binance.refusal("GET", "/api/v3/account")[1] == -2015
    price = binance.send_raw("GET", "/api/v3/ticker/price", "symbol=BTCUSDT").json()["price"]
    assert price == "60000.00000000"


def test_a_symbol_of_ones_own_can_be_listed_and_traded(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    fresh_sandbox.control("instruments", exchange="binance", symbol="MINE/USDT", price="2.5")
    order = binance.ok("POST", "/api/v3/order", symbol="MINEUSDT", side="BUY", type="MARKET", quantity="10")
    assert order["fills"][0]["price"] == "2.50010000"


def test_health_counts_what_there_is(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    binance.market("BUY")
    found = fresh_sandbox.look("health")
    assert found["status"] == "ok"
    assert found["exchanges"]["binance"]["orders"] == found["exchanges"]["binance"]["accounts"] == 1


@pytest.mark.parametrize(
    ("what", "fields", "words"),
    [
        ("accounts", {"exchange": "nowhere"}, "there is no exchange 'nowhere'; there are: "),
        ("accounts", {"exchange": "binance"}, "api_key must be a text"),
        ("accounts", {"exchange": "binance", "api_key": "k", "api_secret": "s", "balances": []}, "an object"),
        (
            "accounts",
            {"exchange": "binance", "api_key": "k", "api_secret": "s", "balances": {"A": "x"}},
            "balances.A",
        ),
        (
            "accounts",
            {"exchange": "binance", "api_key": "k", "api_secret": "s", "balances": {"A": -1}},
            "negative",
        ),
        ("prices", {"exchange": "binance", "symbol": "NO/PE", "price": "1"}, "there is no symbol 'NO/PE'"),
        ("prices", {"exchange": "binance", "symbol": "BTC/USDT", "price": "0"}, "more than 0"),
        ("prices", {"exchange": "binance", "symbol": "BTC/USDT", "price": "0.001"}, "at least one tick"),
        ("prices", {"exchange": "binance", "symbol": "BTC/USDT"}, "price: NoneType is not an exact number"),
        (
            "books",
            {"exchange": "binance", "symbol": "BTC/USDT", "bids": [["2"]], "asks": []},
            "[price, quantity]",
        ),
        ("books", {"exchange": "binance", "symbol": "BTC/USDT", "bids": [[2, 1]], "asks": [[1, 1]]}, "below"),
        ("books", {"exchange": "binance", "symbol": "BTC/USDT", "bids": [[0, 1]], "asks": []}, "above 0"),
        (
            "faults",
            {"exchange": "binance", "operation": "dance", "kind": "delay"},
            "there is no operation 'dance'",
        ),
        ("faults", {"exchange": "binance", "operation": "*", "kind": "flood"}, "there is no kind 'flood'"),
        (
            "faults",
            {"exchange": "binance", "operation": "*", "kind": "delay", "times": 0},
            "times must be at least 1",
        ),
        (
            "faults",
            {"exchange": "binance", "operation": "*", "kind": "partial_fill", "fraction": "1"},
            "between 0",
        ),
        (
            "faults",
            {"exchange": "binance", "operation": "*", "kind": "garbage", "executed": "yes"},
            "true or false",
        ),
        ("instruments", {"exchange": "binance", "count": 100_000}, "at most"),
        ("instruments", {"exchange": "binance", "symbol": "btc-usdt", "price": "1"}, "must look like"),
        ("limits", {"exchange": "binance", "limits": {"nothing": 1}}, "there is no limit 'nothing'"),
        ("positions", {"exchange": "binance", "api_key": "nobody"}, "there is no api_key"),
        ("skew", {"exchange": "binance", "milliseconds": "5"}, "a whole number"),
    ],
)
def test_bad_input_is_refused_in_words(
    fresh_sandbox: SandboxServer, what: str, fields: dict[str, object], words: str
) -> None:
    response = requests.post(f"{fresh_sandbox.url}/_control/{what}", json=fields, timeout=5)
    assert response.status_code == 400
    assert words in response.json()["error"]


@pytest.mark.parametrize(("body", "words"), [("{", "not JSON"), ("[]", "a JSON object")])
def test_a_body_that_is_no_object_is_refused(fresh_sandbox: SandboxServer, body: str, words: str) -> None:
    response = requests.post(f"{fresh_sandbox.url}/_control/prices", data=body, timeout=5)
    assert (response.status_code, words in response.json()["error"]) == (400, True)


def test_an_unknown_exchange_or_control_is_404_with_those_there_are(fresh_sandbox: SandboxServer) -> None:
    nowhere = requests.get(f"{fresh_sandbox.url}/nowhere/api", timeout=5)
    assert (nowhere.status_code, "binance" in nowhere.json()["error"]) == (404, True)
    nothing = requests.get(f"{fresh_sandbox.url}/_control/nothing", timeout=5)
    assert (nothing.status_code, "POST /_control/prices" in nothing.json()["error"]) == (404, True)


def test_the_control_api_answers_to_this_machine_only() -> None:
    stranger = Request("GET", "/_control/health", "", {}, b"", "192.0.2.7")
    answer = create_sandbox()(stranger)
    assert getattr(answer, "status", None) == 403


def test_a_web_page_cannot_reach_the_control_api(fresh_sandbox: SandboxServer) -> None:
    url, headers = f"{fresh_sandbox.url}/_control/reset", {"Origin": "https://example.org"}
    assert requests.post(url, headers=headers, timeout=5).status_code == 403


def test_a_sandbox_can_be_served_over_ipv6() -> None:
    with serving(create_sandbox(), "::1") as url:
        assert requests.get(f"{url}/_control/health", timeout=5).json()["status"] == "ok"


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.7", "example.org", "::"])
def test_only_a_loopback_address_is_served_unless_asked_otherwise(host: str) -> None:
    with pytest.raises(ValueError, match="not a loopback address"):
        run(host, 0)
