"""Take-profits and stop-losses: preset with an entry, placed on their own, and plans."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.bitget_caller import TRADE, Caller

EXITS = {"presetTakeProfitPrice": "65000", "presetStopLossPrice": "55000"}


def legs(bitget: Caller) -> dict[str, Any]:
    """The waiting take-profits and stops, by trigger price."""
    return {row["triggerPrice"]: row for row in bitget.unfilled(tpslType="tpsl")}


def test_a_market_buy_with_exits_ends_with_both_resting_in_the_size_it_brought_in(bitget: Caller) -> None:
    entry = bitget.order(bitget.market("buy", "600.01", **EXITS))
    assert (entry["status"], entry["presetStopLossPrice"], entry["tpslType"]) == ("filled", "55000", "normal")
    found = legs(bitget)
    assert found.keys() == {"65000", "55000"}
    for leg in found.values():
        assert (leg["side"], leg["orderType"], leg["status"]) == ("sell", "market", "live")
        assert (leg["size"], leg["orderSource"]) == ("0.0099900000000000", "strategy_oco_limit")
    assert bitget.unfilled() == []
    assert bitget.balances()["BTC"] == ("2.00999", "0")


def test_exits_of_a_resting_entry_come_into_being_when_it_fills(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    bitget.limit("buy", "59000", "0.1", **EXITS, executeStopLossPrice="54900")
    assert legs(bitget) == {}
    fresh_sandbox.price("bitget", "BTC/USDT", "58000")
    found = legs(bitget)
    assert (found["55000"]["orderType"], found["55000"]["priceAvg"]) == ("limit", "54900")
    assert found["65000"]["orderType"] == "market"


def test_exits_of_an_entry_that_is_cancelled_never_exist(bitget: Caller) -> None:
    entry = bitget.limit("buy", "59000", "0.1", **EXITS)
    bitget.do("cancel-order", symbol="BTCUSDT", orderId=entry)
    assert legs(bitget) == {}
    assert bitget.read(TRADE + "history-orders", tpslType="tpsl") == []
    assert [row["orderId"] for row in bitget.read(TRADE + "history-orders")] == [entry]


@pytest.mark.parametrize(
    ("price", "executed", "ended"), [("66000", "65000", "55000"), ("54000", "55000", "65000")]
)
def test_the_exit_that_triggers_sells_and_ends_the_other(
    fresh_sandbox: SandboxServer, bitget: Caller, price: str, executed: str, ended: str
) -> None:
    bitget.market("buy", "600.01", **EXITS)
    found = legs(bitget)
    fresh_sandbox.price("bitget", "BTC/USDT", price)
    done, other = bitget.order(found[executed]["orderId"]), bitget.order(found[ended]["orderId"])
    assert (done["status"], done["baseVolume"]) == ("filled", "0.0099900000000000")
    assert (other["status"], other["cancelReason"]) == ("cancelled", "oco_cancel")
    assert legs(bitget) == {}


def test_one_preset_alone_will_do(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    bitget.market("buy", "600.01", presetStopLossPrice="55000")
    (leg,) = legs(bitget).values()
    fresh_sandbox.price("bitget", "BTC/USDT", "55000")
    assert bitget.order(leg["orderId"])["status"] == "filled"


def test_a_sale_may_have_exits_that_buy_back(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    bitget.market("sell", "0.01", presetTakeProfitPrice="55000", presetStopLossPrice="65000")
    assert {leg["side"] for leg in legs(bitget).values()} == {"buy"}
    fresh_sandbox.price("bitget", "BTC/USDT", "55000")
    assert bitget.balances()["BTC"][0] == "1.99999"


def test_an_exit_is_cancelled_by_order_id_as_what_it_is_and_takes_its_sibling_with_it(bitget: Caller) -> None:
    bitget.market("buy", "600.01", **EXITS)
    leg = legs(bitget)["55000"]
    assert bitget.refused("cancel-order", symbol="BTCUSDT", orderId=leg["orderId"]) == (400, "43001")
    assert bitget.refused("cancel-order", tpslType="tpsl", clientOid=leg["clientOid"]) == (400, "40019")
    bitget.do("cancel-order", tpslType="tpsl", orderId=leg["orderId"])
    assert legs(bitget) == {}
    past = bitget.read(TRADE + "history-orders", tpslType="tpsl")
    assert {row["status"] for row in past} == {"cancelled"}


@pytest.mark.parametrize(("trigger", "limit"), [("55000", None), ("65000", None), ("55000", "54000")])
def test_a_stop_or_take_profit_of_its_own_waits_apart_from_orders_until_it_triggers(
    fresh_sandbox: SandboxServer, bitget: Caller, trigger: str, limit: str | None
) -> None:
    kind = (
        {"orderType": "market"} if limit is None else {"orderType": "limit", "force": "gtc", "price": limit}
    )
    order_id = bitget.place(side="sell", size="0.1", tpslType="tpsl", triggerPrice=trigger, **kind)
    assert bitget.unfilled() == []
    waiting = bitget.order(order_id)
    assert (waiting["status"], waiting["tpslType"], waiting["triggerPrice"]) == ("live", "tpsl", trigger)
    assert bitget.balances()["BTC"] == ("2", "0")
    fresh_sandbox.price("bitget", "BTC/USDT", trigger)
    assert bitget.order(order_id)["status"] == "filled"
    assert [row["orderId"] for row in bitget.read(TRADE + "history-orders")] == [order_id]


@pytest.mark.parametrize("name", ["clientOid", "presetStopLossPrice"])
def test_a_stop_of_its_own_takes_neither_client_id_nor_presets(bitget: Caller, name: str) -> None:
    order = {
        "side": "sell",
        "orderType": "market",
        "size": "0.1",
        "tpslType": "tpsl",
        "triggerPrice": "55000",
    }
    assert bitget.refused_order(**order, **{name: "50000"}) == "40020"


def test_a_stop_that_cannot_be_paid_for_is_rejected_when_it_triggers(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    order_id = bitget.market("sell", "2", tpslType="tpsl", triggerPrice="55000")
    bitget.limit("sell", "70000", "2")
    fresh_sandbox.price("bitget", "BTC/USDT", "55000")
    assert bitget.order(order_id)["status"] == "reject"


def test_whether_conditional_orders_freeze_balance_can_be_switched(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    fresh_sandbox.control("rules", exchange="bitget", triggers_hold=True)
    bitget.market("sell", "1.5", tpslType="tpsl", triggerPrice="55000")
    assert bitget.balances()["BTC"] == ("0.5", "1.5")
    assert bitget.refused_order(side="sell", orderType="market", size="1") == "43012"


PLAN = {
    "symbol": "BTCUSDT",
    "side": "sell",
    "triggerPrice": "55000",
    "orderType": "market",
    "planType": "amount",
    "size": "0.1",
    "triggerType": "fill_price",
}


def place_plan(bitget: Caller, **params: object) -> str:
    order_id: str = bitget.do("place-plan-order", **PLAN | params)["orderId"]
    return order_id


def waiting_plans(bitget: Caller, **params: object) -> Any:
    return bitget.read(TRADE + "current-plan-order", symbol="BTCUSDT", **params)


def past_plans(bitget: Caller) -> list[Any]:
    rows: list[Any] = bitget.read(TRADE + "history-plan-order")["orderList"]
    return rows


def test_a_plan_waits_in_a_list_of_its_own(bitget: Caller) -> None:
    plan_id = place_plan(bitget, clientOid="plan-1")
    listed = waiting_plans(bitget)
    assert (listed["nextFlag"], listed["idLessThan"]) == (False, plan_id)
    (plan,) = listed["orderList"]
    assert (plan["clientOid"], plan["status"], plan["planType"]) == ("plan-1", "live", "amount")
    assert (plan["triggerPrice"], plan["size"], plan["executePrice"]) == ("55000", "0.1", "0")
    assert bitget.unfilled() == bitget.unfilled(tpslType="tpsl") == bitget.by_client_id("plan-1") == []
    assert bitget.read(TRADE + "orderInfo", orderId=plan_id) == []
    assert bitget.refused("cancel-order", symbol="BTCUSDT", orderId=plan_id) == (400, "43001")


def test_a_plan_that_triggers_turns_into_an_order_with_another_id(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    plan_id = place_plan(bitget, orderType="limit", executePrice="56000")
    assert bitget.read(TRADE + "plan-sub-order", planOrderId=plan_id) == []
    fresh_sandbox.price("bitget", "BTC/USDT", "54000")
    assert waiting_plans(bitget)["orderList"] == []
    assert [plan["status"] for plan in past_plans(bitget)] == ["executed"]
    (sub,) = bitget.read(TRADE + "plan-sub-order", planOrderId=plan_id)
    assert (sub["price"], sub["type"], sub["status"]) == ("56000", "limit", "live")
    assert sub["orderId"] != plan_id
    assert bitget.order(sub["orderId"])["price"] == "56000"
    assert [row["orderId"] for row in bitget.unfilled()] == [sub["orderId"]]
    assert bitget.refused("cancel-plan-order", orderId=plan_id) == (400, "43025")
    bitget.do("cancel-order", symbol="BTCUSDT", orderId=sub["orderId"])


@pytest.mark.parametrize("trigger", ["50000", "70000"])
def test_a_plan_to_buy_at_market_spends_quote_at_the_price_it_triggers_at(
    fresh_sandbox: SandboxServer, bitget: Caller, trigger: str
) -> None:
    plan_id = place_plan(bitget, side="buy", planType="total", size="700.01", triggerPrice=trigger)
    fresh_sandbox.price("bitget", "BTC/USDT", trigger)
    (sub,) = bitget.read(TRADE + "plan-sub-order", planOrderId=plan_id)
    order = bitget.order(sub["orderId"])
    assert order["size"] == "700.0100000000000000"
    assert 699 < float(order["quoteVolume"]) <= 700.01


def test_a_plan_that_cannot_be_paid_for_fails_when_it_triggers(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    place_plan(bitget, size="50")
    assert bitget.balances()["BTC"] == ("2", "0")
    fresh_sandbox.price("bitget", "BTC/USDT", "55000")
    assert [plan["status"] for plan in past_plans(bitget)] == ["fail_execute"]


def test_a_plan_is_changed_and_cancelled_by_either_id(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    plan_id = place_plan(bitget, clientOid="plan-1")
    terms = {"orderType": "market", "triggerPrice": "50000", "size": "0.2"}
    assert bitget.do("modify-plan-order", clientOid="plan-1", **terms)["orderId"] == plan_id
    fresh_sandbox.price("bitget", "BTC/USDT", "55000")
    (plan,) = waiting_plans(bitget)["orderList"]
    assert (plan["triggerPrice"], plan["size"]) == ("50000", "0.2")
    assert bitget.do("cancel-plan-order", orderId=plan_id) == {"result": "success"}
    assert [plan["status"] for plan in past_plans(bitget)] == ["cancelled"]
    assert bitget.refused("cancel-plan-order", orderId=plan_id) == (400, "43025")
    assert bitget.refused("modify-plan-order", orderId=plan_id, **terms | {"size": "0.0000001"})[1] == "40808"
    assert bitget.refused("modify-plan-order", clientOid="nobody", **terms) == (400, "43025")


def test_a_plan_that_buys_is_changed_to_another_amount_on_the_other_side_of_the_price(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    plan_id = place_plan(bitget, side="buy", planType="total", size="500", triggerPrice="50000")
    terms = {"orderType": "market", "triggerPrice": "70000", "size": "700.01"}
    bitget.do("modify-plan-order", orderId=plan_id, **terms)
    fresh_sandbox.price("bitget", "BTC/USDT", "70000")
    assert bitget.balances()["BTC"][0] == "2.00999"
    assert bitget.refused("modify-plan-order", orderId=plan_id, **terms) == (400, "43026")


def test_plans_are_cancelled_by_symbol(bitget: Caller) -> None:
    btc = place_plan(bitget)
    eth = place_plan(bitget, symbol="ETHUSDT", triggerPrice="2500", size="1")
    answer = bitget.do("batch-cancel-plan-order", symbolList=["BTCUSDT"])
    assert [row["orderId"] for row in answer["successList"]] == [btc]
    rest = bitget.do("batch-cancel-plan-order")
    assert [row["orderId"] for row in rest["successList"]] == [eth]


def test_plans_page_by_id(bitget: Caller) -> None:
    ids = [place_plan(bitget) for _ in range(3)]
    page = waiting_plans(bitget, limit=2)
    assert page["nextFlag"]
    assert [plan["orderId"] for plan in page["orderList"]] == [ids[2], ids[1]]
    rest = waiting_plans(bitget, limit=2, idLessThan=page["idLessThan"])
    assert [plan["orderId"] for plan in rest["orderList"]] == [ids[0]]
    assert not rest["nextFlag"]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"triggerPrice": None}, "40019"),
        ({"triggerType": None}, "40019"),
        ({"triggerType": "index_price"}, "40020"),
        ({"planType": "total"}, "40020"),
        ({"orderType": "limit"}, "40019"),
        ({"triggerPrice": "55000.001"}, "40808"),
        ({"size": "0.00001"}, "45110"),
        ({"symbol": "NOSUCHUSDT"}, "40102"),
    ],
)
def test_a_plan_against_the_rules_is_refused(bitget: Caller, change: dict[str, object], code: str) -> None:
    assert bitget.refused("place-plan-order", **PLAN | change) == (400, code)
