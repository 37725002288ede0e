"""Placing, filling, cancelling and reading back plain orders."""

from __future__ import annotations

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.binance_caller import Caller

INSUFFICIENT = "Account has insufficient balance for requested action."


def test_a_market_buy_fills_at_the_ask_and_pays_its_fee_in_base(binance: Caller) -> None:
    order = binance.market("BUY", "0.01", newClientOrderId="mybot-0001")
    assert order["status"] == "FILLED"
    assert order["clientOrderId"] == "mybot-0001"
    assert order["cummulativeQuoteQty"] == "600.00010000"
    (fill,) = order["fills"]
    assert (fill["price"], fill["qty"]) == ("60000.01000000", "0.01000000")
    assert (fill["commission"], fill["commissionAsset"]) == ("0.00001000", "BTC")
    assert binance.balances()["BTC"] == ("2.00999000", "0.00000000")
    assert binance.balances()["USDT"] == ("99399.99990000", "0.00000000")


def test_a_market_sell_fills_at_the_bid_and_pays_its_fee_in_quote(binance: Caller) -> None:
    order = binance.market("SELL", "0.01")
    assert order["fills"][0]["commissionAsset"] == "USDT"
    assert binance.balances()["USDT"][0] == "100599.40000000"


def test_a_market_buy_by_quote_spends_no_more_than_was_said_in_whole_lots(binance: Caller) -> None:
    order = binance.place(side="BUY", type="MARKET", quoteOrderQty="50")
    assert order["origQuoteOrderQty"] == "50.00000000"
    assert order["executedQty"] == "0.00083000"
    assert float(order["cummulativeQuoteQty"]) <= 50


def test_a_large_market_order_walks_the_book_and_reports_every_fill(binance: Caller) -> None:
    order = binance.market("BUY", "1.5")
    assert [fill["price"] for fill in order["fills"]] == ["60000.01000000", "60006.01000000"]
    assert order["cummulativeQuoteQty"] == "90004.01502000"


def test_a_market_order_beyond_the_book_expires_with_what_it_got(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    fresh_sandbox.control("books", exchange="binance", symbol="BTC/USDT", bids=[], asks=[["60000", "0.4"]])
    order = binance.market("BUY", "1")
    assert (order["status"], order["executedQty"]) == ("EXPIRED", "0.40000000")
    assert order["expiryReason"] == "INSUFFICIENT_LIQUIDITY"
    assert binance.refused_order(side="BUY", type="MARKET", quantity="1")[1] == -2010


def test_a_limit_order_holds_its_quote_until_it_is_cancelled(binance: Caller) -> None:
    order = binance.limit("BUY", "50000", "0.1")
    assert order["status"] == "NEW"
    assert binance.balances()["USDT"] == ("95000.00000000", "5000.00000000")
    canceled = binance.ok("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=order["orderId"])
    assert canceled["status"] == "CANCELED"
    assert canceled["origClientOrderId"] == order["clientOrderId"] != canceled["clientOrderId"]
    assert binance.balances()["USDT"] == ("100000.00000000", "0.00000000")


def test_a_limit_order_fills_at_its_own_price_when_the_market_comes_to_it(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    order = binance.limit("SELL", "61000", "0.5")
    assert binance.balances()["BTC"] == ("1.50000000", "0.50000000")
    fresh_sandbox.price("binance", "BTC/USDT", "62000")
    filled = binance.order(order["orderId"])
    assert (filled["status"], filled["cummulativeQuoteQty"]) == ("FILLED", "30500.00000000")
    (trade,) = binance.ok("GET", "/api/v3/myTrades", symbol="BTCUSDT", orderId=order["orderId"])
    assert (trade["isMaker"], trade["isBuyer"], trade["commission"]) == (True, False, "30.50000000")


def test_a_resting_order_fills_in_part_from_a_book_that_is_too_small(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    order = binance.limit("BUY", "59000", "0.5")
    fresh_sandbox.control("books", exchange="binance", symbol="BTC/USDT", bids=[], asks=[["58990", "0.2"]])
    found = binance.order(order["orderId"])
    assert (found["status"], found["executedQty"]) == ("PARTIALLY_FILLED", "0.20000000")
    assert binance.balances()["USDT"] == ("70500.00000000", "17700.00000000")


@pytest.mark.parametrize(
    ("time_in_force", "executed", "reason"),
    [
        ("IOC", "0.40000000", "UNFILLED_IOC_QUANTITY_EXPIRED"),
        ("FOK", "0.00000000", "UNFILLED_FOK_ORDER_EXPIRED"),
    ],
)
def test_an_order_that_may_not_rest_expires_with_status_200(
    fresh_sandbox: SandboxServer, binance: Caller, time_in_force: str, executed: str, reason: str
) -> None:
    fresh_sandbox.control("books", exchange="binance", symbol="BTC/USDT", bids=[], asks=[["60000", "0.4"]])
    order = binance.limit("BUY", "60000", "1", timeInForce=time_in_force)
    assert (order["status"], order["executedQty"], order["expiryReason"]) == ("EXPIRED", executed, reason)
    assert binance.balances()["USDT"][1] == "0.00000000"


def test_a_post_only_order_rests_or_is_refused_when_it_would_take(binance: Caller) -> None:
    order = binance.place(side="BUY", type="LIMIT_MAKER", price="60000", quantity="0.01")
    assert set(order) == {"symbol", "orderId", "orderListId", "clientOrderId", "transactTime"}
    assert binance.order(order["orderId"])["type"] == "LIMIT_MAKER"
    refusal = binance.refused_order(side="BUY", type="LIMIT_MAKER", price="60000.01", quantity="0.01")
    assert refusal == (400, -2010, "Order would immediately match and take.")


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "other_side"),
    [
        ("STOP_LOSS", "SELL", "59000", "61000"),
        ("STOP_LOSS", "BUY", "61000", "59000"),
        ("TAKE_PROFIT", "SELL", "61000", "59000"),
        ("TAKE_PROFIT", "BUY", "59000", "61000"),
    ],
)
def test_a_stop_fires_when_the_price_reaches_it_and_is_refused_on_the_wrong_side(
    fresh_sandbox: SandboxServer, binance: Caller, kind: str, side: str, trigger: str, other_side: str
) -> None:
    refusal = binance.refused_order(side=side, type=kind, stopPrice=other_side, quantity="0.1")
    assert refusal == (400, -2010, "Order would trigger immediately.")
    order = binance.place(side=side, type=kind, stopPrice=trigger, quantity="0.1")
    assert "status" not in order
    waiting = binance.order(order["orderId"])
    assert (waiting["status"], waiting["isWorking"]) == ("NEW", False)
    fresh_sandbox.price("binance", "BTC/USDT", trigger)
    fired = binance.order(order["orderId"])
    assert (fired["status"], fired["isWorking"], fired["executedQty"]) == ("FILLED", True, "0.10000000")


def test_a_trailing_stop_is_a_stop_with_a_distance_and_fires_when_the_price_turns_by_it(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    order = binance.place(side="SELL", type="STOP_LOSS", trailingDelta="200", quantity="0.1")
    waiting = binance.order(order["orderId"])
    assert (waiting["type"], waiting["trailingDelta"], waiting["stopPrice"]) == (
        "STOP_LOSS",
        200,
        "0.00000000",
    )
    assert (waiting["status"], waiting["isWorking"]) == ("NEW", False)
    for price, status in (("66000", "NEW"), ("64680.01", "NEW"), ("64680", "FILLED")):
        fresh_sandbox.price("binance", "BTC/USDT", price)
        assert binance.order(order["orderId"])["status"] == status


def test_a_stop_limit_rests_at_its_limit_once_triggered(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    order = binance.place(
        side="SELL",
        type="STOP_LOSS_LIMIT",
        stopPrice="59000",
        price="59500",
        timeInForce="GTC",
        quantity="0.1",
    )
    fresh_sandbox.price("binance", "BTC/USDT", "58000")
    triggered = binance.order(order["orderId"])
    assert (triggered["status"], triggered["isWorking"]) == ("NEW", True)
    fresh_sandbox.price("binance", "BTC/USDT", "59600")
    assert binance.order(order["orderId"])["cummulativeQuoteQty"] == "5950.00000000"


@pytest.mark.parametrize(
    "order",
    [
        {"side": "SELL", "type": "MARKET", "quantity": "2.1"},
        {"side": "BUY", "type": "MARKET", "quantity": "1.7"},
        {"side": "BUY", "type": "MARKET", "quoteOrderQty": "100001"},
        {"side": "SELL", "type": "LIMIT", "timeInForce": "GTC", "quantity": "2.00001", "price": "70000"},
        {"side": "BUY", "type": "LIMIT", "timeInForce": "GTC", "quantity": "2", "price": "50000.01"},
        {"side": "SELL", "type": "STOP_LOSS", "quantity": "2.5", "stopPrice": "50000"},
    ],
    ids=["market sell", "market buy", "by quote", "limit sell", "limit buy", "stop"],
)
def test_an_order_larger_than_the_balance_is_refused_with_2010(
    binance: Caller, order: dict[str, str]
) -> None:
    before = binance.balances()
    assert binance.refused_order(**order) == (400, -2010, INSUFFICIENT)
    assert binance.balances() == before


def test_a_client_id_is_taken_while_its_order_is_open_and_free_again_afterwards(binance: Caller) -> None:
    first = binance.limit("BUY", "50000", newClientOrderId="once")
    refusal = binance.refused_order(
        side="BUY", type="LIMIT", timeInForce="GTC", price="50000", quantity="0.01", newClientOrderId="once"
    )
    assert refusal == (400, -2010, "Duplicate order sent.")
    binance.ok("DELETE", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="once")
    second = binance.limit("BUY", "50000", newClientOrderId="once")
    assert second["orderId"] > first["orderId"]
    found = binance.ok("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="once")
    assert found["orderId"] == second["orderId"]


def test_an_order_without_a_client_id_is_given_one(binance: Caller) -> None:
    assert len(binance.limit("BUY", "50000")["clientOrderId"]) == 22


def test_unknown_orders_are_2013_when_asked_for_and_2011_when_cancelled(binance: Caller) -> None:
    one = {"symbol": "BTCUSDT", "origClientOrderId": "nobody"}
    assert binance.refusal("GET", "/api/v3/order", **one) == (400, -2013, "Order does not exist.")
    assert binance.refusal("DELETE", "/api/v3/order", **one) == (400, -2011, "Unknown order sent.")
    filled = binance.market("BUY")
    refusal = binance.refusal("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=filled["orderId"])
    assert refusal == (400, -2011, "Unknown order sent.")


def test_ids_that_do_not_belong_together_are_refused(binance: Caller) -> None:
    order = binance.limit("BUY", "50000", newClientOrderId="mine")
    ids = {"symbol": "BTCUSDT", "orderId": order["orderId"], "origClientOrderId": "other"}
    assert binance.refusal("GET", "/api/v3/order", **ids)[1] == -2039


def test_an_order_of_another_account_does_not_exist(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    order = binance.limit("BUY", "50000")
    stranger = Caller(binance.base_url, fresh_sandbox.account("binance"))
    assert stranger.refusal("GET", "/api/v3/order", symbol="BTCUSDT", orderId=order["orderId"])[1] == -2013
    stranger.close()


def test_cancelling_all_needs_a_symbol_and_something_open(binance: Caller) -> None:
    path = "/api/v3/openOrders"
    assert binance.refusal("DELETE", path)[1] == -1102
    assert binance.refusal("DELETE", path, symbol="BTCUSDT")[1] == -2011
    placed = [binance.limit("BUY", "50000")["orderId"] for _ in range(3)]
    other = binance.ok(
        "POST",
        "/api/v3/order",
        symbol="ETHUSDT",
        side="SELL",
        type="LIMIT",
        timeInForce="GTC",
        price="4000",
        quantity="1",
    )
    assert [row["orderId"] for row in binance.ok("DELETE", path, symbol="BTCUSDT")] == placed
    assert [row["orderId"] for row in binance.ok("GET", path)] == [other["orderId"]]


def test_cancel_restrictions_are_kept(binance: Caller) -> None:
    order = binance.limit("BUY", "50000")
    where = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    refusal = binance.refusal("DELETE", "/api/v3/order", cancelRestrictions="ONLY_PARTIALLY_FILLED", **where)
    assert refusal == (400, -2011, "Order was not canceled due to cancel restrictions.")
    binance.ok("DELETE", "/api/v3/order", cancelRestrictions="ONLY_NEW", **where)


NEW = {
    "symbol": "BTCUSDT",
    "side": "BUY",
    "type": "LIMIT",
    "timeInForce": "GTC",
    "price": "51000",
    "quantity": "0.02",
}


def test_a_replacement_cancels_one_order_and_places_another(binance: Caller) -> None:
    old = binance.limit("BUY", "50000")
    answer = binance.ok(
        "POST",
        "/api/v3/order/cancelReplace",
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=old["orderId"],
        **NEW,
    )
    assert (answer["cancelResult"], answer["newOrderResult"]) == ("SUCCESS", "SUCCESS")
    assert answer["cancelResponse"]["orderId"] == old["orderId"]
    (left,) = binance.ok("GET", "/api/v3/openOrders", symbol="BTCUSDT")
    assert left["orderId"] == answer["newOrderResponse"]["orderId"]


def test_a_replacement_that_cannot_cancel_places_nothing_unless_it_may(binance: Caller) -> None:
    path, missing = "/api/v3/order/cancelReplace", {"cancelOrderId": 99}
    stopped = binance.send("POST", path, cancelReplaceMode="STOP_ON_FAILURE", **missing, **NEW)
    assert (stopped.status_code, stopped.json()["code"]) == (400, -2022)
    assert stopped.json()["data"]["newOrderResult"] == "NOT_ATTEMPTED"
    half = binance.send("POST", path, cancelReplaceMode="ALLOW_FAILURE", **missing, **NEW)
    assert (half.status_code, half.json()["code"]) == (409, -2021)
    assert half.json()["data"]["cancelResponse"]["code"] == -2011
    assert half.json()["data"]["newOrderResponse"]["status"] == "NEW"


def test_a_replacement_that_cannot_place_has_cancelled_all_the_same(binance: Caller) -> None:
    old = binance.limit("BUY", "50000")
    new = NEW | {"quantity": "5"}
    response = binance.send(
        "POST",
        "/api/v3/order/cancelReplace",
        cancelReplaceMode="STOP_ON_FAILURE",
        cancelOrderId=old["orderId"],
        **new,
    )
    assert (response.status_code, response.json()["code"]) == (409, -2021)
    assert binance.order(old["orderId"])["status"] == "CANCELED"


def test_an_amendment_makes_an_order_smaller_and_changes_its_client_id(binance: Caller) -> None:
    order = binance.limit("BUY", "50000", "0.1", newClientOrderId="before")
    path = "/api/v3/order/amend/keepPriority"
    where = {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    answer = binance.ok("PUT", path, newQty="0.04", newClientOrderId="after", **where)
    assert answer["amendedOrder"]["qty"] == "0.04000000"
    assert binance.balances()["USDT"][1] == "2000.00000000"
    assert (
        binance.ok("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="after")["origQty"]
        == "0.04000000"
    )
    assert binance.refusal("GET", "/api/v3/order", symbol="BTCUSDT", origClientOrderId="before")[1] == -2013
    assert binance.refusal("PUT", path, newQty="0.05", **where)[1] == -2038


def test_a_test_order_is_checked_but_not_placed(binance: Caller) -> None:
    order = {"symbol": "BTCUSDT", "side": "SELL", "type": "MARKET"}
    assert binance.ok("POST", "/api/v3/order/test", quantity="0.01", **order) == {}
    assert binance.refusal("POST", "/api/v3/order/test", quantity="0.000001", **order)[1] == -1013
    assert binance.ok("GET", "/api/v3/allOrders", symbol="BTCUSDT") == []


@pytest.mark.parametrize(
    ("style", "has_status", "has_fills"),
    [("ACK", False, False), ("RESULT", True, False), ("FULL", True, True)],
)
def test_the_response_type_asked_for_is_given(
    binance: Caller, style: str, has_status: bool, has_fills: bool
) -> None:
    order = binance.market("BUY", newOrderRespType=style)
    assert ("status" in order, "fills" in order) == (has_status, has_fills)


def test_history_is_oldest_first_and_pages_by_id_time_and_limit(binance: Caller) -> None:
    placed = [binance.market("BUY") for _ in range(4)]
    ids = [order["orderId"] for order in placed]

    def listed(**params: object) -> list[int]:
        rows = binance.ok("GET", "/api/v3/allOrders", symbol="BTCUSDT", **params)
        return [row["orderId"] for row in rows]

    assert listed() == ids
    assert listed(limit=2) == ids[2:]
    assert listed(orderId=ids[1], limit=2) == ids[1:3]
    assert listed(endTime=placed[0]["transactTime"] - 1) == []
    trades = binance.ok("GET", "/api/v3/myTrades", symbol="BTCUSDT", fromId=2)
    assert [trade["id"] for trade in trades] == [2, 3, 4]
    day = 24 * 60 * 60 * 1000
    refusal = binance.refusal("GET", "/api/v3/allOrders", symbol="BTCUSDT", startTime=1, endTime=2 + day)
    assert refusal[1] == -1127


def test_only_so_many_amendments_are_allowed_and_each_keeps_the_filters(binance: Caller) -> None:
    order = binance.limit("BUY", "50000", "0.1")
    path, where = "/api/v3/order/amend/keepPriority", {"symbol": "BTCUSDT", "orderId": order["orderId"]}
    assert binance.refusal("PUT", path, newQty="0.000015", **where)[2] == "Filter failure: LOT_SIZE"
    assert binance.refusal("PUT", path, newQty="0.00001", **where)[2] == "Filter failure: NOTIONAL"
    for hundredths in range(10):
        binance.ok("PUT", path, newQty=f"0.0{99 - hundredths}", **where)
    assert binance.refusal("PUT", path, newQty="0.05", **where)[2] == "Filter failure: MAX_NUM_ORDER_AMENDS"


def test_an_amendment_cannot_take_the_client_id_of_another_open_order(binance: Caller) -> None:
    order = binance.limit("BUY", "50000", "0.1")
    binance.limit("BUY", "50000", newClientOrderId="taken")
    refusal = binance.refusal(
        "PUT",
        "/api/v3/order/amend/keepPriority",
        symbol="BTCUSDT",
        orderId=order["orderId"],
        newQty="0.05",
        newClientOrderId="taken",
    )
    assert refusal == (400, -2010, "Duplicate order sent.")
    assert binance.order(order["orderId"])["origQty"] == "0.10000000"


@pytest.mark.parametrize(
    ("method", "path", "params", "code"),
    [
        ("GET", "/api/v3/order", {"symbol": "BTCUSDT"}, -1102),
        ("GET", "/api/v3/orderList", {}, -1102),
        ("GET", "/api/v3/orderList", {"orderListId": 9}, -2013),
        ("GET", "/api/v3/allOrderList", {"fromId": 1, "startTime": 1}, -1128),
        ("GET", "/api/v3/myTrades", {"symbol": "BTCUSDT", "fromId": 1, "startTime": 1}, -1128),
        ("DELETE", "/api/v3/order", {"symbol": "BTCUSDT", "orderId": 1, "cancelRestrictions": "ANY"}, -2011),
        (
            "POST",
            "/api/v3/order/cancelReplace",
            {**NEW, "cancelReplaceMode": "MAYBE", "cancelOrderId": 1},
            -1130,
        ),
        ("POST", "/api/v3/order/cancelReplace", {**NEW, "cancelReplaceMode": "ALLOW_FAILURE"}, -1102),
        ("GET", "/api/v3/account", {"omitZeroBalances": "perhaps"}, -1130),
    ],
)
def test_questions_that_make_no_sense_are_refused(
    binance: Caller, method: str, path: str, params: dict[str, object], code: int
) -> None:
    assert binance.refusal(method, path, **params)[:2] == (400, code)
