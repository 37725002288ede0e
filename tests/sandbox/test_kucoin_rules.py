"""What an order must be like to be accepted."""

from __future__ import annotations

import time

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kucoin_caller import HF, Caller

LIMIT = {"side": "buy", "type": "limit", "price": "50000", "size": "0.01"}
MARKET = {"side": "buy", "type": "market", "funds": "50"}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"symbol": "NO-SUCH"}, "900001"),
        ({"symbol": "BTC/USDT"}, "900001"),
        ({"symbol": None}, "400100"),
        ({"side": None}, "400100"),
        ({"side": "hold"}, "400100"),
        ({"type": None}, "400100"),
        ({"type": "stop"}, "400100"),
        ({"price": None}, "400100"),
        ({"size": None}, "400100"),
        ({"funds": "50"}, "400100"),
        ({"size": "-1"}, "400100"),
        ({"size": "many"}, "400100"),
        ({"size": 0.01}, "400100"),
        ({"price": 50000}, "400100"),
        ({"price": "50000.001"}, "600100"),
        ({"size": "0.010001"}, "600100"),
        ({"size": "0.0001", "price": "49999"}, "600101"),
        ({"size": "10000"}, "102434"),
        ({"price": "66000.01"}, "400370"),
        ({"side": "sell", "price": "53999.99"}, "400760"),
        ({"size": "5"}, "200004"),
        ({"side": "sell", "price": "61000", "size": "2.1"}, "200004"),
        ({"timeInForce": "DAY"}, "400100"),
        ({"timeInForce": "GTT"}, "400100"),
        ({"timeInForce": "IOC", "postOnly": True}, "400100"),
        ({"postOnly": "true"}, "400100"),
        ({"stp": "XX"}, "400100"),
        ({"remark": "x" * 21}, "400100"),
        ({"tags": "\u00e9"}, "400100"),
        ({"clientOid": "x" * 41}, "400100"),
        ({"clientOid": "a.b"}, "400100"),
    ],
)
def test_a_limit_order_that_breaks_a_rule_is_refused(
    kucoin: Caller, changes: dict[str, object], code: str
) -> None:
    sent = {"symbol": "BTC-USDT", **LIMIT, **changes}
    assert kucoin.refusal("POST", HF, **sent)[0] == code
    assert kucoin.get(f"{HF}/active/symbols") == {"symbols": []}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"funds": None}, "400100"),
        ({"size": "0.01"}, "400100"),
        ({"funds": "50.0000001"}, "600100"),
        ({"funds": "4.99"}, "600101"),
        ({"funds": "9000001"}, "102434"),
        ({"funds": "100000"}, "200004"),
        ({"funds": None, "size": "0.00008"}, "600101"),
        ({"funds": None, "size": "1.7"}, "200004"),
    ],
)
def test_a_market_order_that_breaks_a_rule_is_refused(
    kucoin: Caller, changes: dict[str, object], code: str
) -> None:
    assert kucoin.refused_order(**{**MARKET, **changes})[0] == code


def test_a_size_below_the_smallest_is_refused_with_102435(kucoin: Caller) -> None:
    symbol = kucoin.get("/api/v2/symbols/DOGE-USDT")
    assert (symbol["baseMinSize"], symbol["baseIncrement"]) == ("1", "1")
    doge = {**LIMIT, "symbol": "DOGE-USDT", "price": "0.1"}
    assert kucoin.refused_order(**{**doge, "size": "0.5"})[0] == "102435"
    assert kucoin.refused_order(**{**doge, "size": "100.5"})[0] == "600100"


def test_a_refusal_of_a_business_kind_comes_with_http_200(kucoin: Caller) -> None:
    response = kucoin.send("POST", HF, **{"symbol": "BTC-USDT", **LIMIT, "size": "5"})
    assert response.status_code == 200
    assert response.json() == {"code": "200004", "msg": "Balance insufficient!"}


def test_a_limit_order_may_rest_far_from_the_price(kucoin: Caller) -> None:
    assert kucoin.order(kucoin.limit("buy", "30000"))["active"]
    assert kucoin.order(kucoin.limit("sell", "90000"))["active"]


def test_a_closed_market_is_refused_with_600203(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    fresh_sandbox.control("instruments", exchange="kucoin", symbol="BTC/USDT", trading=False)
    assert kucoin.refused_order(**LIMIT)[0] == "600203"
    assert kucoin.get("/api/v2/symbols/BTC-USDT")["enableTrading"] is False


def test_a_client_oid_is_taken_while_its_order_is_open(kucoin: Caller) -> None:
    order_id = kucoin.limit("buy", "50000", clientOid="c1")
    assert kucoin.refused_order(**LIMIT, clientOid="c1") == ("102426", "Duplicate custom order ID.")
    kucoin.cancel(order_id)
    again = kucoin.limit("buy", "50000", clientOid="c1")
    assert kucoin.by_client_oid("c1")["id"] == again != order_id


def test_an_order_without_a_client_oid_is_given_one(kucoin: Caller) -> None:
    order = kucoin.order(kucoin.limit("buy", "50000"))
    assert kucoin.by_client_oid(order["clientOid"])["id"] == order["id"]


def test_an_order_later_than_the_window_it_sets_itself_is_refused(kucoin: Caller) -> None:
    now = int(time.time() * 1000)
    late = kucoin.refused_order(**LIMIT, clientTimestamp=now - 2000, allowMaxTimeWindow=1000)
    assert late[0] == "102425"
    assert kucoin.place(**LIMIT, clientTimestamp=now, allowMaxTimeWindow=60_000)


def test_a_test_order_is_held_against_the_rules_and_placed_nowhere(kucoin: Caller) -> None:
    tried = kucoin.ok("POST", f"{HF}/test", symbol="BTC-USDT", clientOid="c1", **LIMIT)
    assert tried["clientOid"] == "c1"
    assert kucoin.by_client_oid("c1") is None
    assert (
        kucoin.refusal("POST", f"{HF}/test", symbol="BTC-USDT", **{**LIMIT, "size": "0.010001"})[0]
        == "600100"
    )


def test_two_hundred_orders_of_a_symbol_may_be_open_stops_included(kucoin: Caller) -> None:
    stop = kucoin.stop("sell", "loss", "55000", size="0.001")
    for number in range(199):
        kucoin.limit("buy", "50000", "0.0001", clientOid=f"c{number}")
    assert kucoin.refused_order(**LIMIT)[0] == "102427"
    kucoin.ok("DELETE", f"/api/v1/stop-order/{stop}")
    assert kucoin.place(**LIMIT)


@pytest.mark.parametrize("body", ["[]", "{", '"text"'])
def test_a_body_that_is_not_an_object_is_refused(kucoin: Caller, body: str) -> None:
    assert kucoin.send_raw("POST", HF, body).json()["code"] == "400100"
