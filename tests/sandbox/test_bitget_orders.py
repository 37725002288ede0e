"""Placing, filling, cancelling, replacing and reading back orders."""

from __future__ import annotations

import json

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.bitget_caller import TRADE, Caller

HOUR = 3_600_000
DAY = 24 * HOUR


def test_a_placement_answers_with_ids_alone(bitget: Caller) -> None:
    order = {"side": "buy", "orderType": "limit", "force": "gtc", "price": "50000", "size": "0.01"}
    answer = bitget.do("place-order", symbol="BTCUSDT", clientOid="mybot-0001", **order)
    assert answer.keys() == {"orderId", "clientOid"}
    assert answer["clientOid"] == "mybot-0001"
    assert int(answer["orderId"]) > 2**53
    made = bitget.do("place-order", symbol="BTCUSDT", **order)
    assert made["clientOid"].isdigit()


def test_a_market_buy_spends_quote_and_pays_its_fee_in_base(bitget: Caller) -> None:
    order = bitget.order(bitget.market("buy", "600.01"))
    assert (order["status"], order["size"], order["price"]) == ("filled", "600.0100000000000000", "0")
    assert (order["baseVolume"], order["quoteVolume"]) == ("0.0100000000000000", "600.0001000000000000")
    assert order["priceAvg"] == "60000.01"
    assert bitget.balances()["BTC"] == ("2.00999", "0")
    assert bitget.balances()["USDT"] == ("99399.9999", "0")


def test_a_market_sell_is_sized_in_base_and_pays_its_fee_in_quote(bitget: Caller) -> None:
    order = bitget.order(bitget.market("sell", "0.01"))
    assert (order["size"], order["baseVolume"]) == ("0.0100000000000000", "0.0100000000000000")
    assert bitget.balances()["USDT"][0] == "100599.4"


def test_fees_are_negative_json_in_a_text_of_the_order_and_an_object_of_the_fill(bitget: Caller) -> None:
    order_id = bitget.market("buy", "600.01")
    fees = json.loads(bitget.order(order_id)["feeDetail"])
    assert fees["newFees"]["t"] == -0.00001
    assert fees["BTC"] == {
        "deduction": False,
        "feeCoinCode": "BTC",
        "totalDeductionFee": 0,
        "totalFee": -0.00001,
    }
    (fill,) = bitget.read(TRADE + "fills", symbol="BTCUSDT", orderId=order_id)
    assert fill["feeDetail"] == {
        "deduction": "no",
        "feeCoin": "BTC",
        "totalDeductionFee": "",
        "totalFee": "-0.00001",
    }
    assert (fill["priceAvg"], fill["size"], fill["amount"]) == ("60000.01", "0.01", "600.0001")
    assert fill["tradeScope"] == "taker"


def test_an_open_order_shows_its_limit_as_average_price_and_its_fill_price_as_base_price(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    order_id = bitget.limit("buy", "59000", "0.5")
    fresh_sandbox.control("books", exchange="bitget", symbol="BTC/USDT", bids=[], asks=[["58990", "0.2"]])
    (row,) = bitget.unfilled(symbol="BTCUSDT")
    assert (row["orderId"], row["status"]) == (order_id, "partially_filled")
    assert (row["priceAvg"], row["basePrice"], row["baseVolume"]) == ("59000", "59000", "0.2000000000000000")
    assert not {"price", "baseCoin", "quoteCoin", "cancelReason", "feeDetail"} & row.keys()
    found = bitget.order(order_id)
    assert (found["price"], found["priceAvg"], found["baseCoin"]) == ("59000", "59000", "BTC")


@pytest.mark.parametrize(
    ("side", "size", "asset", "frozen"), [("buy", "0.1", "USDT", "5000"), ("sell", "0.1", "BTC", "0.1")]
)
def test_a_resting_order_freezes_what_it_pays_with_until_it_is_cancelled(
    bitget: Caller, side: str, size: str, asset: str, frozen: str
) -> None:
    before = bitget.balances()
    order_id = bitget.limit(side, "50000" if side == "buy" else "70000", size)
    assert bitget.balances()[asset][1] == frozen
    assert bitget.do("cancel-order", symbol="BTCUSDT", orderId=order_id)["orderId"] == order_id
    cancelled = bitget.order(order_id)
    assert (cancelled["status"], cancelled["cancelReason"]) == ("cancelled", "normal_cancel")
    assert bitget.balances() == before


def test_a_limit_order_fills_as_maker_when_the_market_comes_to_it(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    order_id = bitget.limit("sell", "61000", "0.5")
    fresh_sandbox.price("bitget", "BTC/USDT", "62000")
    assert bitget.order(order_id)["status"] == "filled"
    (fill,) = bitget.read(TRADE + "fills", orderId=order_id)
    assert (fill["tradeScope"], fill["feeDetail"]["totalFee"]) == ("maker", "-30.5")


@pytest.mark.parametrize(
    ("force", "price", "volume"),
    [("post_only", "60001", "0"), ("fok", "60000", "0"), ("ioc", "60000", "0.4000000000000000")],
)
def test_an_order_that_may_not_rest_or_take_is_accepted_and_cancelled_afterwards(
    fresh_sandbox: SandboxServer, bitget: Caller, force: str, price: str, volume: str
) -> None:
    fresh_sandbox.control("books", exchange="bitget", symbol="BTC/USDT", bids=[], asks=[["60000", "0.4"]])
    order = bitget.order(bitget.limit("buy", price, "1", force=force))
    assert (order["status"], order["baseVolume"]) == ("cancelled", volume)
    assert bitget.balances()["USDT"][1] == "0"


@pytest.mark.parametrize(
    "order",
    [
        {"side": "sell", "orderType": "market", "size": "2.1"},
        {"orderType": "market", "size": "100001"},
        {"side": "sell", "price": "70000", "size": "2.00001"},
        {"price": "50000.01", "size": "2"},
    ],
    ids=["market sell", "market buy", "limit sell", "limit buy"],
)
def test_an_order_larger_than_the_balance_is_refused_with_43012(
    bitget: Caller, order: dict[str, str]
) -> None:
    assert bitget.refused_order(**order) == "43012"


def test_a_client_id_is_taken_only_while_its_order_is_open(bitget: Caller) -> None:
    first = bitget.limit("buy", "50000", clientOid="once")
    assert bitget.refused_order(price="50000", size="0.01", clientOid="once") == "43118"
    bitget.do("cancel-order", symbol="BTCUSDT", clientOid="once")
    second = bitget.limit("buy", "50000", clientOid="once")
    assert second != first
    assert [row["orderId"] for row in bitget.by_client_id("once")] == [second]


def test_a_client_id_is_looked_up_for_two_hours_and_an_order_id_for_ever(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    order_id = bitget.limit("buy", "50000", clientOid="mine")
    assert len(bitget.by_client_id("mine")) == 1
    bitget.ahead = 2 * HOUR + 1000
    fresh_sandbox.control("skew", exchange="bitget", milliseconds=bitget.ahead)
    assert bitget.by_client_id("mine") == []
    assert bitget.order(order_id)["clientOid"] == "mine"


def test_history_reaches_back_ninety_days(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    bitget.market("buy", "50")
    assert len(bitget.read(TRADE + "history-orders")) == len(bitget.read(TRADE + "fills")) == 1
    bitget.ahead = 90 * DAY + 1000
    fresh_sandbox.control("skew", exchange="bitget", milliseconds=bitget.ahead)
    assert bitget.read(TRADE + "history-orders") == bitget.read(TRADE + "fills") == []


def test_an_order_that_does_not_exist_is_an_empty_array_and_cannot_be_cancelled(bitget: Caller) -> None:
    assert bitget.by_client_id("nobody") == []
    assert bitget.read(TRADE + "orderInfo", orderId="1400000000000009999") == []
    assert bitget.read(TRADE + "orderInfo", orderId="7") == []
    assert bitget.refused("cancel-order", symbol="BTCUSDT", clientOid="nobody") == (400, "43001")
    assert bitget.refused("cancel-order", symbol="BTCUSDT") == (400, "40019")


def test_an_order_of_another_account_or_symbol_does_not_exist(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    order_id = bitget.limit("buy", "50000")
    assert bitget.refused("cancel-order", symbol="ETHUSDT", orderId=order_id) == (400, "43001")
    stranger = Caller(bitget.base_url, fresh_sandbox.account("bitget"))
    assert stranger.read(TRADE + "orderInfo", orderId=order_id) == []
    stranger.close()


def test_a_final_order_is_not_cancelled_and_one_just_cancelled_not_again(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    filled = bitget.market("sell", "0.01")
    assert bitget.refused("cancel-order", symbol="BTCUSDT", orderId=filled) == (400, "43026")
    order_id = bitget.limit("buy", "50000")
    bitget.do("cancel-order", symbol="BTCUSDT", orderId=order_id)
    assert bitget.refused("cancel-order", symbol="BTCUSDT", orderId=order_id) == (400, "45129")
    bitget.ahead = 2000
    fresh_sandbox.control("skew", exchange="bitget", milliseconds=bitget.ahead)
    assert bitget.refused("cancel-order", symbol="BTCUSDT", orderId=order_id) == (400, "43026")


def test_a_batch_accepts_and_refuses_each_order_on_its_own(bitget: Caller) -> None:
    good = {"side": "buy", "orderType": "limit", "force": "gtc", "price": "50000", "size": "0.01"}
    answer = bitget.do(
        "batch-orders",
        symbol="BTCUSDT",
        orderList=[good | {"clientOid": "a"}, good | {"clientOid": "b", "size": "100"}],
    )
    assert [row["clientOid"] for row in answer["successList"]] == ["a"]
    assert answer["failureList"] == [
        {"orderId": "", "clientOid": "b", "errorMsg": "Insufficient balance", "errorCode": "43012"}
    ]
    rows = [good | {"symbol": "BTCUSDT"}, good | {"symbol": "ETHUSDT", "price": "2900"}]
    several = bitget.do("batch-orders", batchMode="multiple", orderList=rows)
    assert len(several["successList"]) == 2
    assert bitget.refused("batch-orders", symbol="BTCUSDT", orderList=[good] * 21) == (400, "40306")
    ids = [{"orderId": row["orderId"]} for row in answer["successList"]]
    cancelled = bitget.do("batch-cancel-order", symbol="BTCUSDT", orderList=[*ids, {"clientOid": "none"}])
    assert [row["clientOid"] for row in cancelled["successList"]] == ["a"]
    assert [row["errorCode"] for row in cancelled["failureList"]] == ["43001"]


def test_cancelling_a_symbol_leaves_others_and_conditional_orders_alone(bitget: Caller) -> None:
    bitget.limit("buy", "50000")
    bitget.limit("buy", "51000")
    other = bitget.place(
        symbol="ETHUSDT", side="buy", orderType="limit", force="gtc", price="2500", size="0.1"
    )
    stop = bitget.market("sell", "0.01", tpslType="tpsl", triggerPrice="55000")
    assert bitget.do("cancel-symbol-order", symbol="BTCUSDT") == {"symbol": "BTCUSDT"}
    assert [row["orderId"] for row in bitget.unfilled()] == [other]
    assert [row["orderId"] for row in bitget.unfilled(tpslType="tpsl")] == [stop]


def test_a_replacement_has_another_id_and_the_old_order_is_cancelled(bitget: Caller) -> None:
    old = bitget.limit("buy", "50000", clientOid="old")
    answer = bitget.do(
        "cancel-replace-order",
        symbol="BTCUSDT",
        orderId=old,
        newClientOid="new",
        price="51000",
        size="0.02",
        presetStopLossPrice="40000",
    )
    assert (answer["success"], answer["msg"], answer["clientOid"]) == ("success", None, "new")
    assert answer["orderId"] != old
    assert bitget.order(old)["status"] == "cancelled"
    fresh = bitget.order(answer["orderId"])
    assert (fresh["price"], fresh["size"], fresh["presetStopLossPrice"]) == (
        "51000",
        "0.0200000000000000",
        "40000",
    )


def test_a_replacement_with_a_client_id_that_is_taken_cancels_and_places_nothing(bitget: Caller) -> None:
    bitget.limit("buy", "50000", clientOid="taken")
    old = bitget.limit("buy", "50000")
    terms = {"symbol": "BTCUSDT", "price": "51000", "size": "0.02"}
    answer = bitget.do("cancel-replace-order", orderId=old, newClientOid="taken", **terms)
    assert (answer["orderId"], answer["success"]) == (None, "failure")
    assert bitget.order(old)["status"] == "cancelled"
    assert [row["clientOid"] for row in bitget.unfilled()] == ["taken"]
    assert bitget.refused("cancel-replace-order", orderId=old, **terms) == (400, "43026")
    assert bitget.refused("cancel-replace-order", orderId="7", **terms) == (400, "43001")
    rows = [terms | {"clientOid": "taken"}, terms | {"clientOid": "nobody"}]
    done, failed = bitget.do("batch-cancel-replace-order", orderList=rows)
    assert (done["success"], failed["success"], failed["clientOid"]) == ("success", "failure", "nobody")


def test_lists_are_newest_first_and_page_by_id_time_and_limit(bitget: Caller) -> None:
    ids = [bitget.market("buy", "50") for _ in range(4)]

    def listed(**params: object) -> list[str]:
        rows = bitget.read(TRADE + "history-orders", symbol="BTCUSDT", **params)
        return [row["orderId"] for row in rows]

    assert listed() == ids[::-1]
    assert listed(limit=2) == [ids[3], ids[2]]
    assert listed(idLessThan=ids[2], limit=1) == [ids[1]]
    assert listed(orderId=ids[0]) == [ids[0]]
    assert listed(endTime=bitget.now() - HOUR) == []
    assert listed(startTime=bitget.now() - HOUR) == ids[::-1]
    fills = bitget.read(TRADE + "fills")
    assert [fill["orderId"] for fill in fills] == ids[::-1]
    page = bitget.read(TRADE + "fills", idLessThan=fills[1]["tradeId"], limit=1)
    assert [fill["orderId"] for fill in page] == [ids[1]]
    assert bitget.get(TRADE + "fills", limit=101).json()["code"] == "40020"


def test_the_control_api_names_orders_as_the_exchange_does(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    order_id = bitget.limit("buy", "50000")
    (seen,) = fresh_sandbox.orders("bitget", bitget.keys)
    assert seen["exchange_order_id"] == order_id
