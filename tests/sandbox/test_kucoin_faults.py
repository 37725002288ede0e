"""What goes wrong on the way, in KuCoin's words, and the switches of the control API."""

from __future__ import annotations

import pytest
import requests

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kucoin_caller import HF, STOP, Caller

BUY = {"symbol": "BTC-USDT", "side": "buy", "type": "market", "size": "0.01", "clientOid": "c1"}


@pytest.mark.parametrize(
    ("status", "code"), [(500, "500000"), (503, "500000"), (408, "408000"), (504, "408000")]
)
def test_an_error_after_acceptance_leaves_the_order_to_be_found(
    fresh_sandbox: SandboxServer, kucoin: Caller, status: int, code: str
) -> None:
    fresh_sandbox.fault("kucoin", "place_order", "error_after", status=status)
    response = kucoin.send("POST", HF, **BUY)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert kucoin.by_client_oid("c1")["dealSize"] == "0.01"


def test_an_error_before_acceptance_leaves_nothing(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    fresh_sandbox.fault("kucoin", "place_order", "error_before", status=500)
    assert kucoin.send("POST", HF, **BUY).json() == {"code": "500000", "msg": "Internal Server Error"}
    assert kucoin.by_client_oid("c1") is None


def test_an_accepted_order_may_not_be_found_at_first(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    order_id = kucoin.limit("buy", "50000", clientOid="c1")
    fresh_sandbox.fault("kucoin", "get_order", "unseen", times=2)
    assert kucoin.order(order_id) is None
    assert kucoin.by_client_oid("c1") is None
    assert kucoin.order(order_id)["active"]
    fresh_sandbox.fault("kucoin", "open_orders", "unseen")
    assert kucoin.get(f"{HF}/active", symbol="BTC-USDT") == []
    assert len(kucoin.get(f"{HF}/active", symbol="BTC-USDT")) == 1


def test_being_told_to_slow_down_says_for_how_many_milliseconds(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    fresh_sandbox.fault("kucoin", "balances", "rate_limit", retry_after=7)
    response = kucoin.send("GET", "/api/v1/accounts")
    assert (response.status_code, response.json()["code"]) == (429, "429000")
    assert response.headers["gw-ratelimit-reset"] == "7000"
    assert response.headers["gw-ratelimit-remaining"] == "0"


def test_a_banned_address_is_answered_by_cloudflare(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    fresh_sandbox.fault("kucoin", "balances", "ban", retry_after=30)
    response = kucoin.send("GET", "/api/v1/accounts")
    assert (response.status_code, response.text) == (429, "error code: 1015")
    assert response.headers["Retry-After"] == "30"


def test_an_order_may_fill_in_part_at_once(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    fresh_sandbox.fault("kucoin", "place_order", "partial_fill", fraction="0.4")
    order = kucoin.order(kucoin.limit("buy", "50000", "0.01"))
    assert (order["active"], order["dealSize"], order["remainSize"]) == (True, "0.004", "0.006")
    assert (order["cancelExist"], order["dealFunds"], order["remainFunds"]) == (False, "200", "300")


def test_an_order_whose_answer_is_lost_was_placed_once(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    fresh_sandbox.fault("kucoin", "place_order", "reset_after")
    with pytest.raises(requests.ConnectionError):
        kucoin.send("POST", HF, **BUY)
    assert len(kucoin.fills()) == 1


def test_stop_orders_hold_balance_when_the_switch_says_so(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    kucoin.stop("sell", "loss", "55000", size="0.5")
    assert kucoin.balances()["BTC"] == ("2", "0")
    fresh_sandbox.control("rules", exchange="kucoin", triggers_hold=True)
    kucoin.stop("sell", "loss", "55000", size="0.5")
    assert kucoin.balances()["BTC"] == ("1.5", "0.5")
    sent = {"symbol": "BTC-USDT", "side": "sell", "type": "market", "stop": "loss", "stopPrice": "55000"}
    assert kucoin.refusal("POST", STOP, size="1.8", **sent)[0] == "200004"


def test_the_control_api_knows_an_order_by_the_id_it_has_now(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    stop = kucoin.stop("sell", "loss", "55000", size="0.5", clientOid="c1")
    (order,) = fresh_sandbox.orders("kucoin", kucoin.keys)
    assert (order["exchange_order_id"], order["client_order_id"]) == (stop, "c1")
    fresh_sandbox.price("kucoin", "BTC/USDT", "54000")
    (order,) = fresh_sandbox.orders("kucoin", kucoin.keys)
    assert order["exchange_order_id"] == kucoin.by_client_oid("c1")["id"] != stop
