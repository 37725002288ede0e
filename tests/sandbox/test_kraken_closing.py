"""The conditional close: an order of its own for every fill, one leg at most."""

from __future__ import annotations

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kraken_caller import PAIR, Caller, refused


def book(server: SandboxServer, bids: list[list[str]], asks: list[list[str]]) -> None:
    server.control("books", exchange="kraken", symbol="BTC/USDT", bids=bids, asks=asks)


CLOSE = {"close[ordertype]": "stop-loss-limit", "close[price]": "55000", "close[price2]": "54900"}


def test_the_closing_order_is_described_and_waits_for_the_first_fill(kraken: Caller) -> None:
    result = kraken.ok(
        "AddOrder", pair=PAIR, type="buy", ordertype="limit", price="50000", volume="0.1", **CLOSE
    )
    assert result["descr"]["close"] == "close position @ stop loss 55000.00 -> limit 54900.00"
    assert list(kraken.open_orders()) == result["txid"]


def test_every_fill_brings_forth_a_closing_order_of_its_own_quantity(kraken: Caller) -> None:
    txid = kraken.market("buy", "1.5", **CLOSE)
    legs = kraken.open_orders()
    assert sorted(leg["vol"] for leg in legs.values()) == ["0.66667000", "0.83333000"]
    for leg in legs.values():
        assert leg["refid"] == txid
        assert (leg["descr"]["type"], leg["descr"]["ordertype"]) == ("sell", "stop-loss-limit")
        assert (leg["descr"]["price"], leg["descr"]["price2"]) == ("55000.00", "54900.00")
    assert kraken.balances()["XXBT"] == ("3.5000000000", "1.5000000000")


def test_a_closing_order_outlives_its_parent_and_cancels_nothing(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    txid = kraken.limit(
        "buy", "59000", volume="0.5", **{"close[ordertype]": "limit", "close[price]": "61000"}
    )
    book(fresh_sandbox, [], [["59000", "0.2"]])
    (leg,) = (order for order in kraken.open_orders().values() if order["refid"] == txid)
    assert leg["vol"] == "0.20000000"
    kraken.ok("CancelOrder", txid=txid)
    (leg_id,) = kraken.open_orders()
    fresh_sandbox.price("kraken", "BTC/USDT", "61000")
    assert kraken.order(leg_id)["status"] == "closed"


def test_a_closing_order_whose_trigger_has_passed_fires_at_once(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    txid = kraken.limit("buy", "54000", **{"close[ordertype]": "stop-loss", "close[price]": "55000"})
    fresh_sandbox.price("kraken", "BTC/USDT", "53000")
    closed = kraken.ok("ClosedOrders")["closed"]
    assert {order["refid"] for order in closed.values()} == {None, txid}
    assert kraken.open_orders() == {}
    assert kraken.balances()["XXBT"][0] == "2.0000000000"


def test_a_closing_order_that_cannot_be_paid_for_is_cancelled(kraken: Caller) -> None:
    kraken.limit("sell", "70000", volume="2")
    txid = kraken.market("buy", "0.1", oflags="fcib", **CLOSE)
    (leg,) = (order for order in kraken.ok("ClosedOrders")["closed"].values() if order["refid"] == txid)
    assert (leg["status"], leg["reason"]) == ("canceled", "Insufficient funds")


def test_there_is_one_closing_order_at_most(kraken: Caller) -> None:
    body = (
        "nonce=1&pair=XBTUSDT&type=buy&ordertype=market&volume=0.01&close[ordertype]=limit&close[price]=70000"
        "&close[ordertype]=stop-loss&close[price]=50000"
    )
    assert refused(kraken.send_raw("AddOrder", "1", body)).startswith("EGeneral:Invalid arguments:close")
    assert kraken.open_orders() == {}


@pytest.mark.parametrize(
    ("close", "name"),
    [
        ({"close[price]": "55000"}, "close[ordertype]"),
        ({"close[ordertype]": "market"}, "close[ordertype]"),
        ({"close[ordertype]": "stop-loss"}, "close[price]"),
        ({"close[ordertype]": "stop-loss-limit", "close[price]": "55000"}, "close[price2]"),
    ],
)
def test_a_closing_order_has_to_be_whole(kraken: Caller, close: dict[str, str], name: str) -> None:
    refusal = kraken.refused_order(type="buy", ordertype="market", **close)
    assert refusal == f"EGeneral:Invalid arguments:{name}"


def test_protection_under_names_kraken_does_not_know_is_ignored(kraken: Caller) -> None:
    kraken.market("buy", **{"stopLoss[triggerPrice]": "55000", "takeProfit[triggerPrice]": "70000"})
    assert kraken.open_orders() == {}
