"""What an order must be like: parameters, decimals, least value, price band, number."""

from __future__ import annotations

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.bitget_caller import TRADE, Caller, refusal

LIMIT = {"price": "50000", "size": "0.01"}


@pytest.mark.parametrize(
    ("order", "code"),
    [
        ({"symbol": None}, "40019"),
        ({"symbol": "NOSUCHUSDT"}, "40102"),
        ({"symbol": "btcusdt"}, "40102"),
        ({"side": None}, "40019"),
        ({"side": "long"}, "40020"),
        ({"orderType": "stop"}, "40020"),
        ({"force": None}, "40019"),
        ({"force": "day"}, "40020"),
        ({"price": None}, "40019"),
        ({"size": None}, "40019"),
        ({"size": "much"}, "40020"),
        ({"size": "0"}, "40020"),
        ({"size": "-1"}, "40020"),
        ({"size": True}, "40020"),
        ({"price": "50000.001"}, "40808"),
        ({"size": "0.000011"}, "40808"),
        ({"size": "0.00009"}, "45110"),
        ({"price": "63000.01"}, "43008"),
        ({"side": "sell", "price": "56999.99"}, "43009"),
        ({"stpMode": "always"}, "40020"),
        ({"clientOid": "x" * 33}, "40305"),
        ({"clientOid": "no/slash"}, "40305"),
        ({"presetTakeProfitPrice": "49000"}, "43034"),
        ({"presetStopLossPrice": "50000"}, "43035"),
        ({"presetStopLossPrice": "48000.001"}, "40808"),
        ({"orderType": "market", "size": "4.99"}, "45110"),
        ({"orderType": "market", "size": "50.123456789"}, "40808"),
        ({"orderType": "market", "side": "sell", "size": "0.00001"}, "45110"),
    ],
)
def test_an_order_against_the_rules_is_refused_with_its_code(
    bitget: Caller, order: dict[str, object], code: str
) -> None:
    assert bitget.refused_order(**LIMIT | order) == code
    assert bitget.unfilled() == []


def test_the_words_of_the_commonest_refusals(bitget: Caller) -> None:
    def words(**params: object) -> str:
        whole = {"symbol": "BTCUSDT", "side": "buy", "orderType": "limit", "force": "gtc", **params}
        message: str = bitget.post(TRADE + "place-order", **whole).json()["msg"]
        return message

    assert words(price="50000.001", size="1") == (
        "Parameter verification exception price checkBDScale error value=50000.001 checkScale=2"
    )
    assert words(price="50000", size="0.00001") == "less than the minimum amount 5 USDT"
    assert words(price="50000", size="100") == "Insufficient balance"


def test_decimals_are_counted_without_trailing_zeros_and_numbers_pass_for_texts(bitget: Caller) -> None:
    order = bitget.order(bitget.limit("buy", "50000.000", size="0.0100000"))
    assert (order["price"], order["size"]) == ("50000", "0.0100000000000000")
    bitget.place(side="buy", orderType="limit", force="GTC", price=50000.5, size=0.01)


def test_the_least_value_is_in_usdt_whatever_the_quote(bitget: Caller) -> None:
    order = {"symbol": "ETHBTC", "price": "0.05", "side": "sell"}
    assert bitget.refused_order(**order, size="0.001") == "45110"
    assert bitget.place(orderType="limit", force="gtc", **order, size="0.002")


def test_a_quote_without_a_market_against_usdt_is_valued_by_way_of_bitcoin(bitget: Caller) -> None:
    order = {"symbol": "BTCEUR", "side": "sell", "price": "55000"}
    assert bitget.refused_order(**order, size="0.00008") == "45110"
    assert bitget.place(orderType="limit", force="gtc", **order, size="0.00009")


def test_a_market_buy_that_would_not_reach_one_lot_is_refused(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    fresh_sandbox.price("bitget", "BTC/USDT", "600000")
    assert bitget.refused_order(orderType="market", size="5") == "43006"


def test_a_body_that_is_not_a_json_object_is_refused(bitget: Caller) -> None:
    path = TRADE + "place-order"
    for body in ("symbol=BTCUSDT", "[]", "{"):
        response = bitget.raw("POST", path, body, **bitget.headers("POST", path, body))
        assert refusal(response) == (400, "40020")


def test_a_market_that_is_closed_takes_no_orders_and_says_so_in_the_list(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    fresh_sandbox.control("instruments", exchange="bitget", symbol="BTC/USDT", trading=False)
    assert bitget.refused_order(**LIMIT) == "43115"
    (record,) = bitget.raw("GET", "/api/v2/spot/public/symbols?symbol=BTCUSDT").json()["data"]
    assert record["status"] == "halt"


def test_only_so_many_orders_may_be_open_on_a_symbol(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    fresh_sandbox.control("limits", exchange="bitget", limits={"spot/trade/batch-orders": 100})
    row = {"side": "buy", "orderType": "limit", "force": "gtc", "price": "50000", "size": "0.0001"}
    for _ in range(10):
        answer = bitget.do("batch-orders", symbol="BTCUSDT", orderList=[row] * 20)
        assert answer["failureList"] == []
    assert bitget.refused_order(**LIMIT) == "45118"


def test_an_order_that_arrives_after_its_window_is_refused(bitget: Caller) -> None:
    late = {"requestTime": str(bitget.now() - 2000), "receiveWindow": "1000"}
    assert bitget.refused_order(**LIMIT, **late) == "40078"
    assert bitget.refused_order(**LIMIT, receiveWindow="60001") == "40079"
    bitget.limit("buy", "50000", requestTime=str(bitget.now()), receiveWindow="10000")
