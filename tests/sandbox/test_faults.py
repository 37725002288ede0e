"""Faults strike what they are meant for, as often as they are meant to, and execute or not as they say."""

from __future__ import annotations

import time

import pytest
import requests

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.binance_caller import Caller

ORDER = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.01"}


def place(binance: Caller) -> requests.Response:
    return binance.send("POST", "/api/v3/order", **ORDER)


@pytest.mark.parametrize(
    ("kind", "executed"),
    [
        ("refuse", False),
        ("reset", False),
        ("reset", True),
        ("reset_before", False),
        ("reset_after", True),
        ("accept_then_timeout", True),
    ],
)
def test_a_broken_connection_leaves_no_answer(
    fresh_sandbox: SandboxServer, binance: Caller, kind: str, executed: bool
) -> None:
    fresh_sandbox.fault("binance", "place_order", kind, seconds="0.05", executed=executed)
    with pytest.raises(requests.ConnectionError):
        place(binance)
    assert len(fresh_sandbox.orders("binance", binance.keys)) == executed
    assert place(binance).status_code == 200


def test_an_answer_that_never_comes_outlasts_the_clients_patience(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    fresh_sandbox.fault("binance", "place_order", "accept_then_timeout", seconds=2)
    binance.patience = 0.2
    with pytest.raises(requests.ReadTimeout):
        place(binance)
    assert len(fresh_sandbox.orders("binance", binance.keys)) == 1


@pytest.mark.parametrize(("kind", "executed"), [("error_before", False), ("error_after", True)])
@pytest.mark.parametrize(("status", "code"), [(503, -1000), (504, -1007)])
def test_a_server_error_comes_before_or_after_execution(
    fresh_sandbox: SandboxServer, binance: Caller, kind: str, executed: bool, status: int, code: int
) -> None:
    fresh_sandbox.fault("binance", "place_order", kind, status=status)
    response = place(binance)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert len(fresh_sandbox.orders("binance", binance.keys)) == executed


@pytest.mark.parametrize("executed", [False, True])
def test_garbage_is_not_json(fresh_sandbox: SandboxServer, binance: Caller, executed: bool) -> None:
    fresh_sandbox.fault("binance", "place_order", "garbage", executed=executed)
    with pytest.raises(requests.JSONDecodeError):
        place(binance).json()
    assert len(fresh_sandbox.orders("binance", binance.keys)) == executed


@pytest.mark.parametrize(("kind", "status"), [("rate_limit", 429), ("ban", 418)])
def test_a_refusal_for_rate_says_when_to_come_back_and_executes_nothing(
    fresh_sandbox: SandboxServer, binance: Caller, kind: str, status: int
) -> None:
    fresh_sandbox.fault("binance", "place_order", kind, retry_after=7)
    response = place(binance)
    assert (response.status_code, response.json()["code"]) == (status, -1003)
    assert response.headers["Retry-After"] == "7"
    assert fresh_sandbox.orders("binance", binance.keys) == []


def test_a_delay_answers_late(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    fresh_sandbox.fault("binance", "place_order", "delay", seconds="0.2")
    started = time.monotonic()
    assert place(binance).json()["status"] == "FILLED"
    assert time.monotonic() - started >= 0.2


def test_a_partial_fill_lets_the_rest_wait(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    fresh_sandbox.fault("binance", "place_order", "partial_fill", fraction="0.4")
    order = binance.limit("BUY", "59000", "0.1")
    assert (order["status"], order["executedQty"]) == ("PARTIALLY_FILLED", "0.04000000")
    fresh_sandbox.price("binance", "BTC/USDT", "58000")
    assert binance.order(order["orderId"])["status"] == "FILLED"


def test_a_market_order_filled_in_part_expires(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    fresh_sandbox.fault("binance", "place_order", "partial_fill", fraction="0.5")
    order = binance.market("SELL", "0.1")
    assert (order["status"], order["executedQty"]) == ("EXPIRED", "0.05000000")


def test_a_duplicate_answer_executes_once(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    fresh_sandbox.fault("binance", "place_order", "duplicate_answer")
    assert place(binance).json()["status"] == "FILLED"
    assert len(fresh_sandbox.orders("binance", binance.keys)) == 1
    assert binance.ok("GET", "/api/v3/openOrders") == []


def test_a_fault_strikes_as_often_as_it_says_and_only_what_it_names(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    fresh_sandbox.fault("binance", "place_order", "error_before", times=2)
    binance.ok("GET", "/api/v3/account")
    assert [place(binance).status_code for _ in range(3)] == [503, 503, 200]
    assert fresh_sandbox.look("faults")["faults"] == []


def test_faults_that_met_no_request_can_be_taken_back(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    fresh_sandbox.fault("binance", "place_order", "error_before")
    fresh_sandbox.fault("binance", "place_order", "garbage", executed=True)
    assert place(binance).status_code == 503

    taken = fresh_sandbox.take_faults_back()

    assert [(fault["kind"], fault["executed"]) for fault in taken] == [("garbage", True)]
    assert place(binance).json()["status"] == "FILLED"
    assert fresh_sandbox.take_faults_back() == []


def test_a_fault_may_be_meant_for_one_account(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    victim = Caller(binance.base_url, fresh_sandbox.account("binance"))
    fresh_sandbox.fault("binance", "*", "error_before", api_key=victim.keys.api_key)
    assert place(binance).status_code == 200
    assert place(victim).status_code == 503
    victim.close()


@pytest.mark.parametrize(
    ("operation", "method", "path", "params"),
    [
        ("cancel_order", "DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": 1}),
        ("amend_order", "PUT", "/api/v3/order/amend/keepPriority", {"symbol": "BTCUSDT", "orderId": 1}),
        ("get_order", "GET", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": 1}),
        ("open_orders", "GET", "/api/v3/openOrders", {}),
        ("order_history", "GET", "/api/v3/allOrders", {"symbol": "BTCUSDT"}),
        ("fills", "GET", "/api/v3/myTrades", {"symbol": "BTCUSDT"}),
        ("balances", "GET", "/api/v3/account", {}),
        ("positions", "GET", "/fapi/v3/positionRisk", {}),
        ("permissions", "GET", "/sapi/v1/account/apiRestrictions", {}),
        ("markets", "GET", "/api/v3/exchangeInfo", {}),
        ("ticker", "GET", "/api/v3/ticker/24hr", {"symbol": "BTCUSDT"}),
        ("tickers", "GET", "/api/v3/ticker/24hr", {}),
        ("order_book", "GET", "/api/v3/depth", {"symbol": "BTCUSDT"}),
        ("candles", "GET", "/api/v3/klines", {"symbol": "BTCUSDT", "interval": "1h"}),
        ("server_time", "GET", "/api/v3/time", {}),
    ],
)
def test_every_operation_can_be_struck(
    fresh_sandbox: SandboxServer,
    binance: Caller,
    operation: str,
    method: str,
    path: str,
    params: dict[str, object],
) -> None:
    fresh_sandbox.fault("binance", operation, "error_before", status=502)
    assert binance.send(method, path, **params).status_code == 502
