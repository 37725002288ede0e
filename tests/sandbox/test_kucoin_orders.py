"""Placing, filling, cancelling and reading back orders of the hf family."""

from __future__ import annotations

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kucoin_caller import HF, STOP, Caller


def flags(order: dict[str, object]) -> tuple[object, ...]:
    return order["active"], order["cancelExist"], order["inOrderBook"], order["dealSize"]


def test_a_placement_answers_with_ids_alone(kucoin: Caller) -> None:
    body = {"clientOid": "mybot-0001", "symbol": "BTC-USDT", "side": "buy", "type": "market", "size": "0.01"}
    answer = kucoin.ok("POST", HF, **body)
    assert answer.keys() == {"orderId", "clientOid"}
    assert answer["clientOid"] == "mybot-0001"


def test_a_market_buy_by_size_gets_all_its_base_and_pays_its_fee_in_quote(kucoin: Caller) -> None:
    order = kucoin.order(kucoin.market("buy", size="0.01"))
    assert flags(order) == (False, False, False, "0.01")
    assert (order["dealFunds"], order["fee"], order["feeCurrency"]) == ("600.0001", "0.6000001", "USDT")
    assert kucoin.balances()["BTC"] == ("2.01", "0")
    assert kucoin.balances()["USDT"] == ("99399.3998999", "0")


def test_a_market_buy_by_funds_stops_short_of_them_in_whole_lots(kucoin: Caller) -> None:
    order = kucoin.order(kucoin.market("buy", funds="50"))
    assert (order["funds"], order["size"], order["dealSize"]) == ("50", "0", "0.00083")
    assert (order["dealFunds"], order["remainFunds"]) == ("49.8000083", "0.1999917")
    assert (order["active"], order["cancelExist"]) == (False, True)


def test_a_market_sell_by_funds_receives_no_more_than_them(kucoin: Caller) -> None:
    order = kucoin.order(kucoin.market("sell", funds="50"))
    assert (order["dealSize"], order["dealFunds"]) == ("0.00083", "49.8")
    assert kucoin.balances()["USDT"] == ("100049.7502", "0")


def test_a_limit_buy_holds_its_price_and_the_fee_until_it_is_cancelled(kucoin: Caller) -> None:
    order_id = kucoin.limit("buy", "50000", "0.1", clientOid="c1")
    assert flags(kucoin.order(order_id)) == (True, False, True, "0")
    assert kucoin.balances()["USDT"] == ("94995", "5005")
    assert kucoin.cancel(order_id) == {"orderId": order_id}
    order = kucoin.by_client_oid("c1")
    assert flags(order) == (False, True, False, "0")
    assert (order["cancelledSize"], order["cancelledFunds"], order["remainSize"]) == ("0.1", "5000", "0")
    assert kucoin.balances()["USDT"] == ("100000", "0")


def test_a_resting_order_fills_as_maker_at_its_own_price(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    order_id = kucoin.limit("sell", "61000", "0.5")
    assert kucoin.balances()["BTC"] == ("1.5", "0.5")
    fresh_sandbox.price("kucoin", "BTC/USDT", "62000")
    assert flags(kucoin.order(order_id)) == (False, False, False, "0.5")
    (fill,) = kucoin.fills(orderId=order_id)
    assert (fill["price"], fill["size"], fill["funds"]) == ("61000", "0.5", "30500")
    assert (fill["liquidity"], fill["side"], fill["fee"], fill["feeRate"]) == (
        "maker",
        "sell",
        "30.5",
        "0.001",
    )
    assert (fill["feeCurrency"], fill["orderId"], fill["stop"]) == ("USDT", order_id, "")


def test_a_lookup_of_no_order_answers_null(kucoin: Caller) -> None:
    order_id = kucoin.limit("buy", "50000", clientOid="c1")
    for unknown in ("nothing", "67" + "0" * 22, order_id[:-1]):
        assert kucoin.order(unknown) is None
    assert kucoin.by_client_oid("nobodys") is None
    assert kucoin.get(f"{HF}/{order_id}", symbol="ETH-USDT") is None
    assert kucoin.get(f"{HF}/client-order/c1", symbol="ETH-USDT") is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", f"{HF}/67"),
        ("GET", f"{HF}/client-order/c1"),
        ("GET", f"{HF}/active"),
        ("GET", f"{HF}/active/page"),
        ("GET", f"{HF}/done"),
        ("GET", "/api/v1/hf/fills"),
        ("DELETE", f"{HF}/67"),
        ("DELETE", f"{HF}/client-order/c1"),
        ("DELETE", HF),
    ],
)
def test_the_symbol_is_mandatory(kucoin: Caller, method: str, path: str) -> None:
    assert kucoin.refusal(method, path) == ("400100", "symbol is required")


def test_no_order_is_forgotten_while_it_is_open_and_every_one_some_days_after(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    filled, canceled = kucoin.market("buy", size="0.01"), kucoin.limit("buy", "50000")
    kucoin.cancel(canceled)
    resting = kucoin.limit("buy", "50000", clientOid="c1")
    day = 24 * 60 * 60 * 1000
    for days, found in ((1.9, (True, True)), (2.1, (True, False)), (3.1, (False, False))):
        kucoin.ahead = int(days * day)
        fresh_sandbox.control("skew", exchange="kucoin", milliseconds=kucoin.ahead)
        assert (bool(kucoin.order(filled)), bool(kucoin.order(canceled))) == found
        assert kucoin.by_client_oid("c1")["id"] == resting


def test_a_cancel_by_client_oid_answers_with_it(kucoin: Caller) -> None:
    kucoin.limit("buy", "50000", clientOid="c1")
    answer = kucoin.ok("DELETE", f"{HF}/client-order/c1?symbol=BTC-USDT")
    assert answer == {"clientOid": "c1"}
    assert kucoin.by_client_oid("c1")["active"] is False


def test_what_is_not_open_cannot_be_cancelled(kucoin: Caller) -> None:
    filled = kucoin.market("buy", size="0.01", clientOid="c1")
    gone = ("400100", "order_not_exist_or_not_allow_to_cancel")
    assert kucoin.refusal("DELETE", f"{HF}/{filled}?symbol=BTC-USDT") == gone
    assert kucoin.refusal("DELETE", f"{HF}/client-order/c1?symbol=BTC-USDT") == gone
    assert kucoin.refusal("DELETE", f"{HF}/67?symbol=BTC-USDT") == gone


def test_the_synchronous_calls_tell_what_became_of_the_order(kucoin: Caller) -> None:
    body = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "size": "0.01"}
    bought = kucoin.ok("POST", f"{HF}/sync", price="60001", **body)
    assert (bought["status"], bought["dealSize"], bought["remainSize"]) == ("done", "0.01", "0")
    rested = kucoin.ok("POST", f"{HF}/sync", price="50000", clientOid="c1", **body)
    assert (rested["status"], rested["originSize"], rested["remainSize"]) == ("open", "0.01", "0.01")
    canceled = kucoin.ok("DELETE", f"{HF}/sync/{rested['orderId']}?symbol=BTC-USDT")
    assert canceled == {
        "orderId": rested["orderId"],
        "originSize": "0.01",
        "dealSize": "0",
        "remainSize": "0",
        "canceledSize": "0.01",
        "status": "done",
    }
    kucoin.limit("buy", "50000", clientOid="c2")
    canceled = kucoin.ok("DELETE", f"{HF}/sync/client-order/c2?symbol=BTC-USDT")
    assert (canceled["clientOid"], canceled["status"]) == ("c2", "done")


def test_several_orders_are_accepted_or_refused_one_by_one(kucoin: Caller) -> None:
    order = {"symbol": "BTC-USDT", "side": "buy", "type": "limit", "price": "50000", "size": "0.01"}
    rows = [{**order, "clientOid": "c1"}, {**order, "clientOid": "c2", "size": "5"}]
    good, bad = kucoin.ok("POST", f"{HF}/multi", orderList=rows)
    assert (good["success"], good["clientOid"], kucoin.order(good["orderId"])["active"]) == (True, "c1", True)
    assert (bad["success"], bad["failMsg"]) == (False, "Balance insufficient!")
    (waited,) = kucoin.ok("POST", f"{HF}/multi/sync", orderList=[order])
    assert (waited["success"], waited["status"], waited["originSize"]) == (True, "open", "0.01")
    for wrong in (
        [],
        [order] * 6,
        [{**order, "type": "market"}],
        [order, {**order, "symbol": "ETH-USDT"}],
        "x",
    ):
        assert kucoin.refusal("POST", f"{HF}/multi", orderList=wrong)[0] == "400100"


def test_a_crossing_post_only_order_is_accepted_and_cancelled(kucoin: Caller) -> None:
    order = kucoin.order(kucoin.limit("buy", "60001", postOnly=True))
    assert flags(order) == (False, True, False, "0")
    assert kucoin.order(kucoin.limit("buy", "59000", postOnly=True))["postOnly"] is True


@pytest.mark.parametrize("time_in_force", ["IOC", "FOK"])
def test_what_is_not_filled_at_once_is_cancelled(
    fresh_sandbox: SandboxServer, kucoin: Caller, time_in_force: str
) -> None:
    fresh_sandbox.control("books", exchange="kucoin", symbol="BTC/USDT", bids=[], asks=[["60000", "0.4"]])
    order = kucoin.order(kucoin.limit("buy", "60000", "1", timeInForce=time_in_force))
    done = "0.4" if time_in_force == "IOC" else "0"
    assert (order["active"], order["cancelExist"], order["timeInForce"]) == (False, True, time_in_force)
    assert (order["dealSize"], float(order["cancelledSize"])) == (done, 1 - float(done))


def test_a_gtt_order_is_cancelled_when_its_time_is_over(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    order_id = kucoin.limit("buy", "50000", timeInForce="GTT", cancelAfter=60)
    order = kucoin.order(order_id)
    assert (order["active"], order["timeInForce"], order["cancelAfter"]) == (True, "GTT", 60)
    kucoin.ahead = 61_000
    fresh_sandbox.control("skew", exchange="kucoin", milliseconds=kucoin.ahead)
    assert flags(kucoin.order(order_id)) == (False, True, False, "0")
    assert kucoin.balances()["USDT"] == ("100000", "0")


def test_a_part_of_an_order_can_be_cancelled(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    order_id = kucoin.limit("buy", "50000", "0.1")
    answer = kucoin.ok("DELETE", f"{HF}/cancel/{order_id}?symbol=BTC-USDT&cancelSize=0.04")
    assert answer == {"orderId": order_id, "cancelSize": "0.04"}
    order = kucoin.order(order_id)
    assert (order["active"], order["cancelExist"]) == (True, True)
    assert (order["size"], order["remainSize"], order["cancelledSize"]) == ("0.1", "0.06", "0.04")
    assert kucoin.balances()["USDT"] == ("96997", "3003")
    fresh_sandbox.price("kucoin", "BTC/USDT", "49000")
    order = kucoin.order(order_id)
    assert (order["active"], order["cancelExist"], order["dealSize"]) == (False, True, "0.06")
    too_late = kucoin.refusal("DELETE", f"{HF}/cancel/{order_id}?symbol=BTC-USDT&cancelSize=0.01")
    assert too_late[0] == "400100"


def test_altering_changes_the_id_and_keeps_the_client_oid(kucoin: Caller) -> None:
    order_id = kucoin.limit("buy", "50000", "0.1", clientOid="c1")
    answer = kucoin.ok("POST", f"{HF}/alter", symbol="BTC-USDT", orderId=order_id, newPrice="51000")
    assert answer.keys() == {"newOrderId", "clientOid"}
    assert (answer["clientOid"], answer["newOrderId"] != order_id) == ("c1", True)
    assert flags(kucoin.order(order_id)) == (False, True, False, "0")
    altered = kucoin.by_client_oid("c1")
    assert (altered["id"], altered["price"], altered["size"]) == (answer["newOrderId"], "51000", "0.1")
    kucoin.ok("POST", f"{HF}/alter", symbol="BTC-USDT", clientOid="c1", newSize="0.05")
    assert kucoin.by_client_oid("c1")["size"] == "0.05"


def test_an_alteration_that_is_refused_leaves_the_order(kucoin: Caller) -> None:
    order_id = kucoin.limit("buy", "50000", "0.1")
    alter = {"symbol": "BTC-USDT", "orderId": order_id}
    assert kucoin.refusal("POST", f"{HF}/alter", **alter)[0] == "400100"
    assert kucoin.refusal("POST", f"{HF}/alter", newSize="0.100001", **alter)[0] == "600100"
    assert kucoin.refusal("POST", f"{HF}/alter", newSize="3", **alter)[0] == "200004"
    assert kucoin.order(order_id)["active"]
    assert kucoin.balances()["USDT"] == ("94995", "5005")


def test_altering_the_size_to_what_is_done_finishes_the_order(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    fresh_sandbox.fault("kucoin", "place_order", "partial_fill", fraction="0.4")
    order_id = kucoin.limit("buy", "50000", "0.1")
    smaller = kucoin.ok("POST", f"{HF}/alter", symbol="BTC-USDT", orderId=order_id, newSize="0.06")
    assert kucoin.order(smaller["newOrderId"])["size"] == "0.02"
    fresh_sandbox.fault("kucoin", "place_order", "partial_fill", fraction="0.4")
    order_id = kucoin.limit("buy", "50000", "0.1")
    finished = kucoin.ok("POST", f"{HF}/alter", symbol="BTC-USDT", orderId=order_id, newSize="0.04")
    assert finished["newOrderId"] == order_id
    assert flags(kucoin.order(order_id)) == (False, True, False, "0.04")


def test_the_open_orders_are_found_by_symbol(kucoin: Caller) -> None:
    first, second = kucoin.limit("buy", "50000"), kucoin.limit("buy", "51000")
    kucoin.place(symbol="ETH-USDT", side="buy", type="limit", price="2500", size="0.1")
    kucoin.stop("sell", "loss", "55000", size="0.1")
    assert [order["id"] for order in kucoin.get(f"{HF}/active", symbol="BTC-USDT")] == [first, second]
    assert kucoin.get(f"{HF}/active/symbols") == {"symbols": ["BTC-USDT", "ETH-USDT"]}
    page = kucoin.get(f"{HF}/active/page", symbol="BTC-USDT", pageNum=2, pageSize=1)
    assert (page["totalNum"], page["totalPage"], page["currentPage"]) == (2, 2, 2)
    assert [order["id"] for order in page["items"]] == [first]


def test_all_orders_of_a_symbol_or_of_all_are_cancelled_and_stops_stay(kucoin: Caller) -> None:
    kucoin.limit("buy", "50000")
    kucoin.place(symbol="ETH-USDT", side="buy", type="limit", price="2500", size="0.1")
    kucoin.stop("sell", "loss", "55000", size="0.1")
    assert kucoin.ok("DELETE", f"{HF}?symbol=BTC-USDT") == "success"
    assert kucoin.get(f"{HF}/active/symbols") == {"symbols": ["ETH-USDT"]}
    assert kucoin.ok("DELETE", f"{HF}/cancelAll") == {"succeedSymbols": ["ETH-USDT"], "failedSymbols": []}
    assert kucoin.get(STOP)["totalNum"] == 1


def test_done_orders_and_fills_are_paged_backwards(kucoin: Caller) -> None:
    bought = [kucoin.market("buy", size=f"0.0{number}") for number in (1, 2, 3)]
    sold = kucoin.market("sell", size="0.01")
    first = kucoin.get(f"{HF}/done", symbol="BTC-USDT", limit=2)
    assert [order["id"] for order in first["items"]] == [sold, bought[2]]
    rest = kucoin.get(f"{HF}/done", symbol="BTC-USDT", lastId=first["lastId"])
    assert [order["id"] for order in rest["items"]] == [bought[1], bought[0]]
    assert kucoin.get(f"{HF}/done", symbol="BTC-USDT", lastId=rest["lastId"])["items"] == []
    page = kucoin.get("/api/v1/hf/fills", symbol="BTC-USDT", limit=1, side="buy")
    assert [fill["orderId"] for fill in page["items"]] == [bought[2]]
    page = kucoin.get("/api/v1/hf/fills", symbol="BTC-USDT", limit=1, side="buy", lastId=page["lastId"])
    assert [fill["orderId"] for fill in page["items"]] == [bought[1]]
    assert kucoin.refusal("GET", "/api/v1/hf/fills", symbol="BTC-USDT", limit=101)[0] == "400100"


def test_done_orders_and_fills_are_found_by_time(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    kucoin.market("buy", size="0.01")
    kucoin.ahead = 3_600_000
    fresh_sandbox.control("skew", exchange="kucoin", milliseconds=kucoin.ahead)
    later = kucoin.market("buy", size="0.02")
    since = kucoin.order(later)["createdAt"]
    assert [order["id"] for order in kucoin.get(f"{HF}/done", symbol="BTC-USDT", startAt=since)["items"]] == [
        later
    ]
    assert [fill["size"] for fill in kucoin.fills(startAt=since)] == ["0.02"]
    assert [fill["size"] for fill in kucoin.fills(endAt=since - 1)] == ["0.01"]


def test_what_is_merely_repeated_is_repeated(kucoin: Caller) -> None:
    said = {"stp": "CN", "remark": "r", "tags": "t", "hidden": True, "visibleSize": "0.001", "iceberg": True}
    order = kucoin.order(kucoin.limit("buy", "50000", **said))
    assert {name: order[name] for name in said} == said
