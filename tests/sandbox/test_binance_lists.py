"""Order lists: two exits that exclude each other, and exits that wait for an entry."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.binance_caller import Caller

OCO = {
    "symbol": "BTCUSDT",
    "side": "SELL",
    "quantity": "0.5",
    "aboveType": "LIMIT_MAKER",
    "abovePrice": "65000",
    "belowType": "STOP_LOSS",
    "belowStopPrice": "58000",
}
ENTRY = {
    "symbol": "BTCUSDT",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingPrice": "59000",
    "workingQuantity": "0.5",
    "workingTimeInForce": "GTC",
}
EXITS = {
    "pendingSide": "SELL",
    "pendingQuantity": "0.49",
    "pendingAboveType": "LIMIT_MAKER",
    "pendingAbovePrice": "65000",
    "pendingBelowType": "STOP_LOSS_LIMIT",
    "pendingBelowStopPrice": "58000",
    "pendingBelowPrice": "57900",
    "pendingBelowTimeInForce": "GTC",
}


def place(binance: Caller, kind: str, **params: object) -> Any:
    return binance.ok("POST", f"/api/v3/orderList/{kind}", **params)


def states(binance: Caller, answer: Any) -> list[tuple[str, str]]:
    found = [binance.order(order["orderId"]) for order in answer["orders"]]
    return [(order["status"], order.get("expiryReason", "")) for order in found]


def test_an_oco_locks_its_quantity_once(binance: Caller) -> None:
    answer = place(binance, "oco", **OCO, listClientOrderId="l1")
    assert (answer["contingencyType"], answer["listOrderStatus"], answer["listClientOrderId"]) == (
        "OCO",
        "EXECUTING",
        "l1",
    )
    assert [report["type"] for report in answer["orderReports"]] == ["LIMIT_MAKER", "STOP_LOSS"]
    assert binance.balances()["BTC"] == ("1.50000000", "0.50000000")


@pytest.mark.parametrize(
    ("price", "expected"),
    [
        ("65000", [("FILLED", ""), ("EXPIRED", "OCO_TRIGGER")]),
        ("57000", [("EXPIRED", "OCO_TRIGGER"), ("FILLED", "")]),
    ],
)
def test_one_exit_fills_and_the_other_expires(
    fresh_sandbox: SandboxServer, binance: Caller, price: str, expected: list[tuple[str, str]]
) -> None:
    answer = place(binance, "oco", **OCO)
    fresh_sandbox.price("binance", "BTC/USDT", price)
    assert states(binance, answer) == expected
    ended = binance.ok("GET", "/api/v3/orderList", orderListId=answer["orderListId"])
    assert (ended["listStatusType"], ended["listOrderStatus"]) == ("ALL_DONE", "ALL_DONE")
    assert binance.balances()["BTC"] == ("1.50000000", "0.00000000")


def test_the_stop_of_an_oco_may_trail(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    without_price = {name: value for name, value in OCO.items() if name != "belowStopPrice"}
    answer = place(binance, "oco", **without_price, belowTrailingDelta="200")
    assert [report.get("trailingDelta") for report in answer["orderReports"]] == [None, 200]
    for price, expected in (("64000", "NEW"), ("62721", "NEW"), ("62720", "FILLED")):
        fresh_sandbox.price("binance", "BTC/USDT", price)
        assert states(binance, answer)[1][0] == expected
    assert states(binance, answer)[0] == ("EXPIRED", "OCO_TRIGGER")
    assert binance.balances()["BTC"] == ("1.50000000", "0.00000000")


def test_a_partial_fill_of_the_profit_ends_the_stop(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    answer = place(binance, "oco", **OCO)
    fresh_sandbox.control("books", exchange="binance", symbol="BTC/USDT", bids=[["65000", "0.2"]], asks=[])
    assert states(binance, answer) == [("PARTIALLY_FILLED", ""), ("EXPIRED", "OCO_TRIGGER")]
    assert binance.balances()["BTC"] == ("1.50000000", "0.30000000")


def test_a_buying_oco_locks_the_dearer_leg(binance: Caller) -> None:
    place(
        binance,
        "oco",
        symbol="BTCUSDT",
        side="BUY",
        quantity="1",
        aboveType="STOP_LOSS_LIMIT",
        aboveStopPrice="62000",
        abovePrice="62500",
        aboveTimeInForce="GTC",
        belowType="LIMIT_MAKER",
        belowPrice="58000",
    )
    assert binance.balances()["USDT"] == ("37500.00000000", "62500.00000000")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"belowStopPrice": "61000"}, -2010),
        ({"abovePrice": "59000"}, -2010),
        ({"aboveType": "STOP_LOSS", "aboveStopPrice": "65000", "abovePrice": None}, -1197),
        ({"belowType": "TAKE_PROFIT"}, -1199),
        ({"belowType": "LIMIT_MAKER", "belowPrice": "50000", "belowStopPrice": None}, -1168),
        ({"aboveType": "LIMIT", "aboveTimeInForce": "GTC"}, -1158),
        ({"aboveType": None}, -1102),
        ({"quantity": "3"}, -2010),
        ({"aboveClientOrderId": "same", "belowClientOrderId": "same"}, -2010),
    ],
)
def test_exits_that_make_no_pair_are_refused_and_lock_nothing(
    binance: Caller, change: dict[str, str | None], code: int
) -> None:
    assert binance.refusal("POST", "/api/v3/orderList/oco", **OCO | change)[:2] == (400, code)
    assert binance.balances()["BTC"] == ("2.00000000", "0.00000000")


def test_cancelling_either_leg_cancels_the_list(binance: Caller) -> None:
    answer = place(binance, "oco", **OCO)
    canceled = binance.ok("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=answer["orders"][1]["orderId"])
    assert [report["status"] for report in canceled["orderReports"]] == ["CANCELED", "CANCELED"]
    assert binance.ok("GET", "/api/v3/openOrderList") == []
    assert binance.balances()["BTC"][1] == "0.00000000"


def test_a_list_is_cancelled_and_found_by_its_client_id(binance: Caller) -> None:
    place(binance, "oco", **OCO, listClientOrderId="mine")
    assert binance.refusal("POST", "/api/v3/orderList/oco", **OCO, listClientOrderId="mine")[1] == -2010
    assert binance.ok("GET", "/api/v3/orderList", origClientOrderId="mine")["listOrderStatus"] == "EXECUTING"
    gone = binance.ok("DELETE", "/api/v3/orderList", symbol="BTCUSDT", listClientOrderId="mine")
    assert gone["listOrderStatus"] == "ALL_DONE"
    assert (
        binance.refusal("DELETE", "/api/v3/orderList", symbol="BTCUSDT", listClientOrderId="mine")[1] == -2011
    )
    assert [row["listClientOrderId"] for row in binance.ok("GET", "/api/v3/allOrderList")] == ["mine"]


def test_cancelling_all_orders_nests_a_list_as_one_object(binance: Caller) -> None:
    place(binance, "oco", **OCO)
    binance.limit("BUY", "50000")
    listed, single = binance.ok("DELETE", "/api/v3/openOrders", symbol="BTCUSDT")
    assert listed["contingencyType"] == "OCO"
    assert single["status"] == "CANCELED"


def test_exits_wait_without_locking_until_the_entry_has_filled_whole(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    answer = place(binance, "otoco", **ENTRY, **EXITS)
    assert answer["contingencyType"] == "OTO"
    waiting = [("NEW", ""), ("PENDING_NEW", ""), ("PENDING_NEW", "")]
    assert states(binance, answer) == waiting
    assert binance.balances()["BTC"][1] == "0.00000000"
    fresh_sandbox.control("books", exchange="binance", symbol="BTC/USDT", bids=[], asks=[["59000", "0.2"]])
    assert states(binance, answer) == [("PARTIALLY_FILLED", ""), *waiting[1:]]
    fresh_sandbox.price("binance", "BTC/USDT", "59000")
    assert states(binance, answer) == [("FILLED", ""), ("NEW", ""), ("NEW", "")]
    assert binance.balances()["BTC"][1] == "0.49000000"
    fresh_sandbox.price("binance", "BTC/USDT", "57950")
    fresh_sandbox.price("binance", "BTC/USDT", "57900")
    assert states(binance, answer) == [("FILLED", ""), ("EXPIRED", "OCO_TRIGGER"), ("FILLED", "")]


def test_the_answer_shows_exits_as_pending_even_when_the_entry_filled_at_once(binance: Caller) -> None:
    answer = place(binance, "otoco", **ENTRY | {"workingPrice": "61000"}, **EXITS)
    assert [report["status"] for report in answer["orderReports"]] == ["FILLED", "PENDING_NEW", "PENDING_NEW"]
    assert states(binance, answer) == [("FILLED", ""), ("NEW", ""), ("NEW", "")]


def test_an_entry_that_is_cancelled_partly_filled_leaves_no_exit(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    answer = place(binance, "otoco", **ENTRY, **EXITS)
    fresh_sandbox.control("books", exchange="binance", symbol="BTC/USDT", bids=[], asks=[["59000", "0.2"]])
    binance.ok("DELETE", "/api/v3/order", symbol="BTCUSDT", orderId=answer["orders"][0]["orderId"])
    assert [state for state, _ in states(binance, answer)] == ["CANCELED"] * 3
    assert binance.balances()["BTC"] == ("2.19980000", "0.00000000")


def test_an_entry_that_expires_takes_its_exit_along(binance: Caller) -> None:
    entry = ENTRY | {"workingTimeInForce": "IOC"}
    answer = place(
        binance,
        "oto",
        **entry,
        pendingType="STOP_LOSS",
        pendingSide="SELL",
        pendingQuantity="0.49",
        pendingStopPrice="58000",
    )
    assert states(binance, answer) == [
        ("EXPIRED", "UNFILLED_IOC_QUANTITY_EXPIRED"),
        ("EXPIRED", "OTO_PHASE_ONE_EXPIRED"),
    ]


def test_an_exit_larger_than_what_the_entry_brought_expires_for_it_cannot_be_placed(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    fresh_sandbox.control(
        "accounts",
        exchange="binance",
        api_key=binance.keys.api_key,
        api_secret=binance.keys.api_secret,
        balances={"USDT": "40000"},
    )
    answer = place(
        binance,
        "oto",
        **ENTRY | {"workingPrice": "61000"},
        pendingType="STOP_LOSS",
        pendingSide="SELL",
        pendingQuantity="0.5",
        pendingStopPrice="58000",
    )
    assert states(binance, answer)[1] == ("EXPIRED", "REJECTED")
    assert binance.balances()["BTC"] == ("0.49950000", "0.00000000")


@pytest.mark.parametrize("kind", ["MARKET", "STOP_LOSS"])
def test_only_a_limit_order_can_be_the_entry(binance: Caller, kind: str) -> None:
    entry = {"workingType": kind, "workingSide": "BUY", "workingQuantity": "0.5", "symbol": "BTCUSDT"}
    if kind == "STOP_LOSS":
        entry["workingStopPrice"] = "61000"
    assert binance.refusal("POST", "/api/v3/orderList/otoco", **entry, **EXITS)[1] == -1014
