"""Stop orders and OCO: what waits, what triggers, and what becomes of it."""

from __future__ import annotations

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kucoin_caller import HF, OCO, STOP, Caller

SELL_OCO = {
    "symbol": "BTC-USDT",
    "side": "sell",
    "size": "0.5",
    "price": "66000",
    "stopPrice": "55000",
    "limitPrice": "54500",
    "tradeType": "TRADE",
}


def test_a_stop_order_waits_under_an_id_of_its_own_and_holds_nothing(kucoin: Caller) -> None:
    stop_id = kucoin.stop("sell", "loss", "55000", size="0.5", clientOid="c1")
    assert stop_id.startswith("vs")
    stop = kucoin.get(f"{STOP}/{stop_id}")
    assert (stop["status"], stop["stop"], stop["stopPrice"], stop["size"]) == ("NEW", "loss", "55000", "0.5")
    assert kucoin.order(stop_id) is None
    assert kucoin.by_client_oid("c1") is None
    assert kucoin.get(f"{HF}/active", symbol="BTC-USDT") == []
    assert kucoin.balances()["BTC"] == ("2", "0")


@pytest.mark.parametrize(
    ("side", "direction", "stop_price", "quiet", "reached"),
    [
        ("sell", "loss", "55000", "55001", "55000"),
        ("sell", "entry", "65000", "64999", "65000"),
        ("buy", "entry", "65000", "64999", "65000"),
        ("buy", "loss", "55000", "55001", "55000"),
    ],
)
def test_a_loss_fires_at_or_below_its_price_and_an_entry_at_or_above(
    fresh_sandbox: SandboxServer,
    kucoin: Caller,
    side: str,
    direction: str,
    stop_price: str,
    quiet: str,
    reached: str,
) -> None:
    stop_id = kucoin.stop(side, direction, stop_price, size="0.5", clientOid="c1")
    fresh_sandbox.price("kucoin", "BTC/USDT", quiet)
    assert kucoin.get(f"{STOP}/{stop_id}")["status"] == "NEW"
    fresh_sandbox.price("kucoin", "BTC/USDT", reached)
    assert kucoin.get(f"{STOP}/{stop_id}")["status"] == "TRIGGERED"
    order = kucoin.by_client_oid("c1")
    assert (order["id"] != stop_id, order["side"], order["dealSize"]) == (True, side, "0.5")
    (fill,) = kucoin.fills(orderId=order["id"])
    assert fill["stop"] == direction


def test_a_triggered_stop_limit_rests_as_an_order_with_a_new_id(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    stop_id = kucoin.stop("sell", "loss", "55000", size="0.5", price="56000", clientOid="c1")
    fresh_sandbox.price("kucoin", "BTC/USDT", "54000")
    (order,) = kucoin.get(f"{HF}/active", symbol="BTC-USDT")
    assert (order["clientOid"], order["price"], order["type"]) == ("c1", "56000", "limit")
    assert kucoin.balances()["BTC"] == ("1.5", "0.5")
    assert kucoin.get(STOP)["items"] == []
    assert kucoin.refusal("DELETE", f"{STOP}/{stop_id}") == ("400100", "order not exist.")
    kucoin.cancel(order["id"])
    assert kucoin.balances()["BTC"] == ("2", "0")


def test_what_a_stop_became_is_altered_like_any_order(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    kucoin.stop("sell", "loss", "55000", size="0.5", price="56000", clientOid="c1")
    fresh_sandbox.price("kucoin", "BTC/USDT", "54000")
    kucoin.ok("POST", f"{HF}/alter", symbol="BTC-USDT", clientOid="c1", newPrice="57000")
    order = kucoin.by_client_oid("c1")
    assert (order["active"], order["price"], order["dealSize"]) == (True, "57000", "0")
    assert kucoin.balances()["BTC"] == ("1.5", "0.5")
    assert kucoin.get(STOP)["items"] == []


def test_a_stop_whose_price_has_been_reached_fires_at_once(kucoin: Caller) -> None:
    kucoin.stop("sell", "loss", "61000", size="0.5", clientOid="c1")
    assert kucoin.by_client_oid("c1")["dealFunds"] == "30000"


@pytest.mark.parametrize("size", ["0.6", "1.5"])
def test_a_stop_that_cannot_be_paid_for_when_it_fires_makes_no_order(
    fresh_sandbox: SandboxServer, kucoin: Caller, size: str
) -> None:
    kucoin.stop("sell", "loss", "55000", size=size, clientOid="c1")
    kucoin.market("sell", size="1.5")
    fresh_sandbox.price("kucoin", "BTC/USDT", "54000")
    assert kucoin.by_client_oid("c1") is None
    assert kucoin.get(STOP)["items"] == []
    assert kucoin.balances()["BTC"] == ("0.5", "0")


def test_a_stop_by_funds_spends_them_at_the_price_it_fires_at(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    kucoin.stop("buy", "entry", "75000", funds="1500", clientOid="c1")
    fresh_sandbox.price("kucoin", "BTC/USDT", "75000")
    order = kucoin.by_client_oid("c1")
    assert (order["funds"], order["dealSize"]) == ("1500", "0.01999")


@pytest.mark.parametrize(("stop_price", "direction"), [("55000", "loss"), ("65000", "entry")])
def test_a_stop_without_a_direction_waits_for_a_price_ahead(
    kucoin: Caller, stop_price: str, direction: str
) -> None:
    body = {"symbol": "BTC-USDT", "side": "sell", "type": "market", "size": "0.1", "stopPrice": stop_price}
    stop_id = kucoin.ok("POST", STOP, **body)["orderId"]
    assert kucoin.get(f"{STOP}/{stop_id}")["stop"] == direction


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"stopPrice": None}, "400100"),
        ({"stopPrice": "55000.001"}, "600100"),
        ({"stop": "sometime"}, "400100"),
        ({"size": "0.00001"}, "600101"),
        ({"symbol": "NO-SUCH"}, "900001"),
    ],
)
def test_a_stop_order_that_breaks_a_rule_is_refused(
    kucoin: Caller, changes: dict[str, object], code: str
) -> None:
    sent = {"symbol": "BTC-USDT", "side": "sell", "type": "market", "stop": "loss", "size": "0.1"}
    assert kucoin.refusal("POST", STOP, **{**sent, "stopPrice": "55000", **changes})[0] == code


def test_stop_orders_are_found_and_cancelled_by_their_client_oid(kucoin: Caller) -> None:
    stop_id = kucoin.stop("sell", "loss", "55000", size="0.5", clientOid="c1")
    found = kucoin.get(f"{STOP}/queryOrderByClientOid", clientOid="c1", symbol="BTC-USDT")
    assert [stop["id"] for stop in found] == [stop_id]
    answer = kucoin.ok("DELETE", f"{STOP}/cancelOrderByClientOid?symbol=BTC-USDT&clientOid=c1")
    assert answer == {"cancelledOrderId": stop_id, "clientOid": "c1"}
    assert kucoin.get(f"{STOP}/queryOrderByClientOid", clientOid="c1", symbol="BTC-USDT") == []
    assert kucoin.get(f"{STOP}/{stop_id}") is None
    again = kucoin.refusal("DELETE", f"{STOP}/cancelOrderByClientOid?symbol=BTC-USDT&clientOid=c1")
    assert again[0] == "400100"


def test_stop_orders_are_listed_by_page_and_cancelled_several_at_a_time(kucoin: Caller) -> None:
    first, second, third = (kucoin.stop("sell", "loss", f"5500{n}", size="0.1") for n in range(3))
    page = kucoin.get(STOP, symbol="BTC-USDT", currentPage=1, pageSize=2)
    assert (page["totalNum"], page["totalPage"]) == (3, 2)
    assert [stop["id"] for stop in page["items"]] == [third, second]
    assert kucoin.ok("DELETE", f"{STOP}/{first}") == {"cancelledOrderIds": [first]}
    assert kucoin.ok("DELETE", f"{STOP}/cancel?orderIds={second}") == {"cancelledOrderIds": [second]}
    assert kucoin.ok("DELETE", f"{STOP}/cancel?symbol=ETH-USDT") == {"cancelledOrderIds": []}
    assert kucoin.ok("DELETE", f"{STOP}/cancel?symbol=BTC-USDT") == {"cancelledOrderIds": [third]}


def placed_oco(kucoin: Caller, **changes: object) -> str:
    order_id: str = kucoin.ok("POST", OCO, **{**SELL_OCO, "clientOid": "o1", **changes})["orderId"]
    return order_id


def test_an_oco_is_one_order_with_two_legs(kucoin: Caller) -> None:
    order_id = placed_oco(kucoin)
    summary = kucoin.get(f"{OCO}/{order_id}")
    assert (summary["status"], summary["clientOid"], summary["symbol"]) == ("NEW", "o1", "BTC-USDT")
    assert kucoin.get("/api/v3/oco/client-order/o1") == summary
    assert kucoin.get("/api/v3/oco/orders")["items"] == [summary]
    limit, stop = kucoin.get(f"{OCO}/details/{order_id}")["orders"]
    assert (limit["price"], limit["status"]) == ("66000", "NEW")
    assert (stop["price"], stop["stopPrice"], stop["status"]) == ("54500", "55000", "NEW")
    assert kucoin.balances()["BTC"] == ("1.5", "0.5")
    assert kucoin.get(f"{HF}/active", symbol="BTC-USDT") == []


def test_the_limit_leg_of_an_oco_ends_its_stop(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    order_id = placed_oco(kucoin)
    fresh_sandbox.price("kucoin", "BTC/USDT", "66000")
    details = kucoin.get(f"{OCO}/details/{order_id}")
    assert (details["status"], [leg["status"] for leg in details["orders"]]) == (
        "DONE",
        ["DONE", "CANCELLED"],
    )
    order = kucoin.by_client_oid("o1")
    assert (order["dealFunds"], order["active"]) == ("33000", False)
    assert kucoin.balances()["BTC"] == ("1.5", "0")


def test_the_stop_leg_of_an_oco_ends_its_limit(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    order_id = placed_oco(kucoin)
    fresh_sandbox.price("kucoin", "BTC/USDT", "55000")
    details = kucoin.get(f"{OCO}/details/{order_id}")
    assert (details["status"], details["orders"][0]["status"]) == ("TRIGGERED", "CANCELLED")
    assert kucoin.by_client_oid("o1")["dealFunds"] == "27500"
    assert kucoin.refusal("DELETE", f"{OCO}/{order_id}")[0] == "400100"


def test_an_oco_is_cancelled_whole_by_either_id_or_with_others(kucoin: Caller) -> None:
    by_id = placed_oco(kucoin)
    legs = [leg["id"] for leg in kucoin.get(f"{OCO}/details/{by_id}")["orders"]]
    assert kucoin.ok("DELETE", f"{OCO}/{by_id}") == {"cancelledOrderIds": legs}
    assert kucoin.get(f"{OCO}/{by_id}")["status"] == "CANCELLED"
    assert kucoin.balances()["BTC"] == ("2", "0")
    placed_oco(kucoin)
    assert len(kucoin.ok("DELETE", "/api/v3/oco/client-order/o1")["cancelledOrderIds"]) == 2
    placed_oco(kucoin)
    placed_oco(kucoin, clientOid="o2")
    assert len(kucoin.ok("DELETE", "/api/v3/oco/orders?symbol=BTC-USDT")["cancelledOrderIds"]) == 4
    assert kucoin.refusal("GET", f"{OCO}/67")[0] == "400100"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"price": "59000"}, "400100"),
        ({"stopPrice": "61000"}, "400100"),
        ({"side": "buy"}, "400100"),
        ({"limitPrice": None}, "400100"),
        ({"price": "66000.001"}, "600100"),
        ({"size": "3"}, "200004"),
    ],
)
def test_an_oco_that_breaks_a_rule_is_refused(kucoin: Caller, changes: dict[str, object], code: str) -> None:
    assert kucoin.refusal("POST", OCO, **{**SELL_OCO, **changes})[0] == code


def test_a_buy_oco_has_its_limit_below_and_its_stop_above(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    order_id = placed_oco(kucoin, side="buy", price="55000", stopPrice="65000", limitPrice="65500")
    assert kucoin.refusal("POST", OCO, **{**SELL_OCO, "clientOid": "o1"})[0] == "102426"
    fresh_sandbox.price("kucoin", "BTC/USDT", "65000")
    assert kucoin.get(f"{OCO}/{order_id}")["status"] == "TRIGGERED"
    assert kucoin.balances()["BTC"] == ("2.5", "0")
