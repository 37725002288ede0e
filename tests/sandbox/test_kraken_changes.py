"""Cancelling, amending and editing orders, one or many, and placing many at once."""

from __future__ import annotations

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kraken_caller import PAIR, Caller, accepted, refused


def book(server: SandboxServer, bids: list[list[str]], asks: list[list[str]]) -> None:
    server.control("books", exchange="kraken", symbol="BTC/USDT", bids=bids, asks=asks)


def test_an_order_is_cancelled_by_client_id_or_with_all_of_its_user_reference(kraken: Caller) -> None:
    mine = kraken.limit("buy", "50000", cl_ord_id="bot-0001")
    assert kraken.ok("CancelOrder", cl_ord_id="bot-0001") == {"count": 1}
    assert kraken.order(mine)["status"] == "canceled"
    for price in ("50000", "51000"):
        kraken.limit("buy", price, userref=-7)
    kraken.limit("buy", "52000", userref=8)
    assert kraken.ok("CancelOrder", txid=-7) == {"count": 2}
    (left,) = kraken.open_orders().values()
    assert left["userref"] == 8


def test_what_is_not_open_cannot_be_cancelled(kraken: Caller) -> None:
    filled = kraken.market("buy", cl_ord_id="done")
    for params in (
        {"txid": filled},
        {"cl_ord_id": "done"},
        {"cl_ord_id": "never"},
        {"txid": "OAAAAA-BBBBB-CCCCCC"},
        {"txid": "77"},
    ):
        assert kraken.refusal("CancelOrder", **params) == "EOrder:Unknown order"
    assert kraken.refusal("CancelOrder", txid="nonsense") == "EOrder:Invalid order"
    assert kraken.refusal("CancelOrder") == "EGeneral:Invalid arguments:txid"
    assert kraken.refusal("CancelOrder", txid=filled, cl_ord_id="done") == "EGeneral:Invalid arguments:txid"


def test_another_accounts_order_is_unknown(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    other = Caller(kraken.base_url, fresh_sandbox.account("kraken"))
    txid = other.limit("buy", "50000")
    assert kraken.refusal("CancelOrder", txid=txid) == "EOrder:Unknown order"
    assert kraken.ok("QueryOrders", txid=txid) == {}
    other.close()


def test_several_are_cancelled_by_any_of_their_names(kraken: Caller) -> None:
    one, two = kraken.limit("buy", "50000"), kraken.limit("buy", "50001", cl_ord_id="two")
    kraken.limit("buy", "50002", userref=3)
    kept = kraken.limit("buy", "50003")
    response = kraken.send_json("CancelOrderBatch", orders=[one, 3, "gone"], cl_ord_ids=["two", "unknown"])
    assert accepted(response) == {"count": 3}
    assert list(kraken.open_orders()) == [kept]
    assert kraken.order(two)["status"] == "canceled"
    too_many = kraken.send_json("CancelOrderBatch", orders=[one] * 51)
    assert refused(too_many) == "EGeneral:Invalid arguments:orders"


def test_cancel_all_takes_every_pair(kraken: Caller) -> None:
    kraken.limit("buy", "50000")
    kraken.place(pair="ETHUSDT", type="buy", ordertype="limit", price="2000")
    assert kraken.ok("CancelAll", pair=PAIR) == {"count": 2}
    assert kraken.ok("CancelAll") == {"count": 0}


def test_an_order_is_amended_in_place(kraken: Caller) -> None:
    txid = kraken.limit("buy", "50000", cl_ord_id="bot-0001")
    amended = kraken.ok("AmendOrder", cl_ord_id="bot-0001", order_qty="0.02", limit_price="51000")
    assert amended["amend_id"].startswith("T")
    (key,) = kraken.open_orders()
    order = kraken.order(key)
    assert (key, order["cl_ord_id"]) == (txid, "bot-0001")
    assert (order["vol"], order["descr"]["price"]) == ("0.02000000", "51000.00")
    assert kraken.balances()["USDT"][1] == "1024.08000000"


def test_an_amended_quantity_is_the_total_including_what_has_filled(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    txid = kraken.limit("buy", "59000", volume="0.5")
    book(fresh_sandbox, [], [["58990", "0.2"]])
    assert kraken.refusal("AmendOrder", txid=txid, order_qty="0.2") == "EOrder:Invalid order"
    kraken.ok("AmendOrder", txid=txid, order_qty="0.3")
    assert kraken.balances()["USDT"][1] == "5923.60000000"


def test_a_trigger_is_amended_and_fires_at_its_new_price(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    txid = kraken.place(type="sell", ordertype="stop-loss", price="55000")
    kraken.ok("AmendOrder", txid=txid, trigger_price="58000")
    fresh_sandbox.price("kraken", "BTC/USDT", "57900")
    assert kraken.order(txid)["status"] == "closed"


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({}, "EGeneral:Invalid arguments:order_qty"),
        ({"order_qty": "0.000001"}, "EGeneral:Invalid arguments:volume"),
        ({"order_qty": "0.00001"}, "EOrder:Cost minimum not met"),
        ({"order_qty": "10"}, "EOrder:Insufficient funds"),
        ({"limit_price": "60001", "post_only": "true"}, "EOrder:Post only order"),
        ({"trigger_price": "58000"}, "EOrder:Invalid order"),
    ],
)
def test_an_amendment_that_is_refused_changes_nothing(
    kraken: Caller, change: dict[str, str], refusal: str
) -> None:
    txid = kraken.limit("buy", "50000")
    before = kraken.order(txid)
    assert kraken.refusal("AmendOrder", txid=txid, **change) == refusal
    assert kraken.order(txid) == before


def test_an_edited_order_is_another_one(kraken: Caller) -> None:
    old = kraken.limit("buy", "50000")
    result = kraken.ok("EditOrder", txid=old, pair=PAIR, volume="0.02", price="51000")
    assert result["originaltxid"] == old
    assert result["descr"]["order"] == "buy 0.02000000 XBTUSDT @ limit 51000.00"
    assert list(kraken.open_orders()) == [result["txid"]]
    assert kraken.order(old)["status"] == "canceled"
    assert kraken.refusal("EditOrder", txid=old, pair=PAIR, price="52000") == "EOrder:Unknown order"


def test_an_order_stays_when_the_edited_one_cannot_be_paid_for(kraken: Caller) -> None:
    txid = kraken.limit("buy", "50000", volume="1.5")
    assert kraken.refusal("EditOrder", txid=txid, pair=PAIR, volume="2") == "EOrder:Insufficient funds"
    kraken.ok("EditOrder", txid=txid, pair=PAIR, volume="1.9")


def test_a_stop_is_edited_by_its_two_prices(kraken: Caller) -> None:
    old = kraken.place(type="sell", ordertype="stop-loss-limit", price="55000", price2="54900")
    new = kraken.ok("EditOrder", txid=old, pair=PAIR, price="56000")["txid"]
    descr = kraken.order(new)["descr"]
    assert (descr["price"], descr["price2"]) == ("56000.00", "54900.00")


def row(price: str, volume: str = "0.01") -> dict[str, str]:
    return {"type": "buy", "ordertype": "limit", "price": price, "volume": volume}


def test_a_batch_places_each_order_or_says_why_it_cannot_be_paid(kraken: Caller) -> None:
    rows = [row("50000"), row("50001", "3"), row("50002")]
    orders = accepted(kraken.send_json("AddOrderBatch", pair=PAIR, orders=rows))["orders"]
    assert ["txid" in order for order in orders] == [True, False, True]
    assert orders[1]["error"] == "EOrder:Insufficient funds"
    assert set(kraken.open_orders()) == {orders[0]["txid"], orders[2]["txid"]}


def test_what_is_wrong_in_itself_refuses_the_whole_batch(kraken: Caller) -> None:
    rows = [row("50000"), row("50000.001")]
    refusal = refused(kraken.send_json("AddOrderBatch", pair=PAIR, orders=rows))
    assert refusal.startswith("EOrder:Invalid price")
    assert kraken.open_orders() == {}


@pytest.mark.parametrize("number", [1, 16])
def test_a_batch_has_two_to_fifteen_orders(kraken: Caller, number: int) -> None:
    response = kraken.send_json("AddOrderBatch", pair=PAIR, orders=[row("50000")] * number)
    assert refused(response) == "EGeneral:Invalid arguments:orders"


def test_a_batch_may_be_described_only(kraken: Caller) -> None:
    rows = [row("50000"), row("50001")]
    orders = accepted(kraken.send_json("AddOrderBatch", pair=PAIR, orders=rows, validate=True))["orders"]
    assert [list(order) for order in orders] == [["descr"], ["descr"]]
    assert kraken.open_orders() == {}


def test_a_list_has_to_hold_what_the_call_wants(kraken: Caller) -> None:
    orders = kraken.send_json("AddOrderBatch", pair=PAIR, orders=["buy", "sell"])
    assert refused(orders) == "EGeneral:Invalid arguments:orders"
    names = kraken.send_json("CancelOrderBatch", orders=[{"txid": "OAAAAA-BBBBB-CCCCCC"}])
    assert refused(names) == "EGeneral:Invalid arguments:orders"
