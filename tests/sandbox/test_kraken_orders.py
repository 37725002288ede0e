"""Placing, filling and triggering orders, and what each of them holds."""

from __future__ import annotations

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kraken_caller import PAIR, Caller


def book(server: SandboxServer, bids: list[list[str]], asks: list[list[str]]) -> None:
    server.control("books", exchange="kraken", symbol="BTC/USDT", bids=bids, asks=asks)


def test_an_order_is_answered_with_words_and_an_id_and_nothing_of_its_state(kraken: Caller) -> None:
    result = kraken.ok(
        "AddOrder",
        pair=PAIR,
        type="buy",
        ordertype="limit",
        volume="0.001",
        price="50000",
        cl_ord_id="bot-0001",
    )
    (txid,) = result.pop("txid")
    assert result == {"descr": {"order": "buy 0.00100000 XBTUSDT @ limit 50000.00"}}
    assert txid[0] == "O"
    assert [len(part) for part in txid.split("-")] == [6, 5, 6]
    order = kraken.order(txid)
    assert order["descr"] == {
        "pair": "XBTUSDT",
        "type": "buy",
        "ordertype": "limit",
        "price": "50000.00",
        "price2": "0",
        "leverage": "none",
        "order": "buy 0.00100000 XBTUSDT @ limit 50000.00",
        "close": "",
    }
    assert (order["status"], order["cl_ord_id"], order["vol"], order["vol_exec"]) == (
        "open",
        "bot-0001",
        "0.00100000",
        "0.00000000",
    )
    assert (order["refid"], order["userref"], order["oflags"], order["misc"]) == (None, None, "fciq", "")
    assert (order["price"], order["stopprice"], order["limitprice"]) == ("0.00000", "0.00000", "0.00000")


def test_validate_only_describes(kraken: Caller) -> None:
    result = kraken.ok("AddOrder", pair=PAIR, type="sell", ordertype="market", volume="99", validate="true")
    assert result == {"descr": {"order": "sell 99.00000000 XBTUSDT @ market"}}
    assert kraken.open_orders() == {}


def test_only_the_word_true_validates(kraken: Caller) -> None:
    assert "txid" in kraken.ok(
        "AddOrder", pair=PAIR, type="buy", ordertype="market", volume="0.01", validate="True"
    )


def test_a_market_buy_pays_its_fee_in_quote_and_leaves_the_base_whole(kraken: Caller) -> None:
    order = kraken.order(kraken.market("buy"))
    assert (order["status"], order["vol_exec"], order["price"]) == ("closed", "0.01000000", "60000.01")
    assert (order["cost"], order["fee"], order["reason"]) == ("600.00010", "2.4000004", None)
    assert order["closetm"] >= order["opentm"]
    assert kraken.balances() == {
        "XXBT": ("2.0100000000", "0.0000000000"),
        "XETH": ("20.0000000000", "0.0000000000"),
        "USDT": ("99397.59989960", "0.00000000"),
    }


def test_the_cost_of_an_order_is_cut_off_and_that_of_a_trade_is_not(kraken: Caller) -> None:
    order = kraken.order(kraken.market("buy", "0.00123"))
    assert order["cost"] == "73.80001"
    (trade,) = kraken.ok("QueryTrades", txid=order["trades"][0]).values()
    assert trade["cost"] == "73.8000123"


def test_a_fee_in_base_is_taken_from_what_was_bought_or_on_top_of_what_is_sold(kraken: Caller) -> None:
    bought = kraken.order(kraken.market("buy", "0.01", oflags="fcib"))
    assert (bought["oflags"], bought["fee"]) == ("fcib", "0.00004")
    assert kraken.balances()["XXBT"][0] == "2.0099600000"
    assert kraken.refused_order(
        type="sell", ordertype="limit", price="70000", volume="2.00995", oflags="fcib"
    ) == ("EOrder:Insufficient funds")
    kraken.limit("sell", "70000", volume="1", oflags="fcib")
    assert kraken.balances()["XXBT"] == ("2.0099600000", "1.0040000000")


def test_a_market_buy_by_quote_counts_its_volume_in_quote(kraken: Caller) -> None:
    txid = kraken.market("buy", "50", oflags="viqc")
    order = kraken.order(txid)
    assert (order["vol"], order["vol_exec"], order["oflags"]) == ("50.00000000", "49.80000830", "fciq,viqc")
    (trade,) = kraken.ok("QueryTrades", txid=",".join(order["trades"])).values()
    assert (trade["vol"], trade["ordertxid"]) == ("0.00083000", txid)
    assert order["descr"]["order"] == "buy 50.00000000 XBTUSDT @ market"


def test_a_large_market_order_walks_the_book(kraken: Caller) -> None:
    order = kraken.order(kraken.market("buy", "1.5"))
    assert len(order["trades"]) == 2
    assert order["price"] == "60002.67668"


def test_a_market_order_beyond_the_book_ends_cancelled_with_what_it_got(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    book(fresh_sandbox, [], [["60000", "0.4"]])
    order = kraken.order(kraken.market("buy", "1"))
    assert (order["status"], order["vol_exec"], order["misc"]) == ("canceled", "0.40000000", "partial")


def test_a_limit_buy_holds_price_and_fee_until_it_is_cancelled(kraken: Caller) -> None:
    txid = kraken.limit("buy", "50000", volume="0.1")
    assert kraken.balances()["USDT"] == ("100000.00000000", "5020.00000000")
    assert kraken.ok("CancelOrder", txid=txid) == {"count": 1}
    order = kraken.order(txid)
    assert (order["status"], order["reason"]) == ("canceled", "User requested")
    assert kraken.balances()["USDT"] == ("100000.00000000", "0.00000000")


def test_a_limit_sell_holds_base_and_fills_at_its_own_price(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    txid = kraken.limit("sell", "61000", volume="0.5")
    assert kraken.balances()["XXBT"] == ("2.0000000000", "0.5000000000")
    fresh_sandbox.price("kraken", "BTC/USDT", "62000")
    order = kraken.order(txid)
    assert (order["status"], order["price"], order["cost"]) == ("closed", "61000.00", "30500.00000")
    (trade,) = kraken.ok("TradesHistory")["trades"].values()
    assert (trade["maker"], trade["type"], trade["fee"]) == (True, "sell", "76.25000")


def test_a_resting_order_fills_in_part_from_a_book_that_is_too_small(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    txid = kraken.limit("buy", "59000", volume="0.5")
    book(fresh_sandbox, [], [["58990", "0.2"]])
    order = kraken.order(txid)
    assert (order["status"], order["vol_exec"], order["misc"]) == ("open", "0.20000000", "partial")
    assert kraken.balances()["USDT"][1] == "17770.80000000"


@pytest.mark.parametrize(("word", "executed"), [("IOC", "0.40000000"), ("FOK", "0.00000000")])
def test_an_order_that_may_not_rest_ends_cancelled(
    fresh_sandbox: SandboxServer, kraken: Caller, word: str, executed: str
) -> None:
    book(fresh_sandbox, [], [["60000", "0.4"]])
    order = kraken.order(kraken.limit("buy", "60000", volume="1", timeinforce=word))
    assert (order["status"], order["vol_exec"], order["reason"]) == ("canceled", executed, None)
    assert kraken.balances()["USDT"][1] == "0.00000000"


def test_a_post_only_order_rests_or_is_refused(kraken: Caller) -> None:
    txid = kraken.limit("buy", "60000", oflags="post")
    assert kraken.order(txid)["oflags"] == "fciq,post"
    refusal = kraken.refused_order(type="buy", ordertype="limit", price="60000.01", oflags="post")
    assert refusal == "EOrder:Post only order"


def test_what_cannot_be_paid_for_is_refused(kraken: Caller) -> None:
    for order in (
        {"type": "sell", "ordertype": "market", "volume": "2.1"},
        {"type": "buy", "ordertype": "limit", "price": "50000", "volume": "2"},
        {"type": "buy", "ordertype": "market", "volume": "100000", "oflags": "viqc"},
    ):
        assert kraken.refused_order(**order) == "EOrder:Insufficient funds"
    assert kraken.open_orders() == {}
    assert kraken.balances()["USDT"] == ("100000.00000000", "0.00000000")


@pytest.mark.parametrize(
    ("kind", "side", "trigger", "word"),
    [
        ("stop-loss", "sell", "59000", "stopped"),
        ("stop-loss", "buy", "61000", "stopped"),
        ("take-profit", "sell", "61000", "touched"),
        ("take-profit", "buy", "59000", "touched"),
    ],
)
def test_a_trigger_fires_on_the_last_price_and_the_order_keeps_its_id(
    fresh_sandbox: SandboxServer, kraken: Caller, kind: str, side: str, trigger: str, word: str
) -> None:
    txid = kraken.place(type=side, ordertype=kind, price=trigger)
    waiting = kraken.order(txid)
    assert (waiting["status"], waiting["descr"]["price"], waiting["stopprice"]) == (
        "open",
        f"{trigger}.00",
        "0.00000",
    )
    fresh_sandbox.price("kraken", "BTC/USDT", trigger)
    fired = kraken.order(txid)
    assert (fired["status"], fired["stopprice"], fired["misc"]) == ("closed", f"{trigger}.00", word)
    assert fired["descr"]["ordertype"] == kind


def test_a_trigger_with_a_limit_becomes_a_limit_order(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    txid = kraken.place(type="sell", ordertype="stop-loss-limit", price="59000", price2="59500")
    descr = kraken.order(txid)["descr"]
    assert (descr["price"], descr["price2"]) == ("59000.00", "59500.00")
    assert descr["order"] == "sell 0.01000000 XBTUSDT @ stop loss 59000.00 -> limit 59500.00"
    fresh_sandbox.price("kraken", "BTC/USDT", "58900")
    fired = kraken.order(txid)
    assert (fired["status"], fired["stopprice"], fired["limitprice"]) == ("open", "59000.00", "59500.00")
    fresh_sandbox.price("kraken", "BTC/USDT", "59500")
    assert kraken.order(txid)["status"] == "closed"


def test_a_trailing_stop_tells_its_distance_and_fires_when_the_price_turns_by_it(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    txid = kraken.place(type="sell", ordertype="trailing-stop", price="+2%")
    waiting = kraken.order(txid)
    assert (waiting["descr"]["ordertype"], waiting["descr"]["price"]) == ("trailing-stop", "+2.0000%")
    assert waiting["descr"]["order"] == "sell 0.01000000 XBTUSDT @ trailing stop +2.0000%"
    for price, status in (("66000", "open"), ("64681", "open"), ("64680", "closed")):
        fresh_sandbox.price("kraken", "BTC/USDT", price)
        assert kraken.order(txid)["status"] == status
    fired = kraken.order(txid)
    assert (fired["stopprice"], fired["misc"]) == ("64680.00", "stopped")


def test_a_trailing_stop_takes_no_other_trigger_and_cannot_be_edited(kraken: Caller) -> None:
    txid = kraken.place(type="sell", ordertype="trailing-stop", price="+2%")
    assert kraken.refusal("AmendOrder", txid=txid, trigger_price="59000") == "EOrder:Invalid order"
    assert kraken.refusal("EditOrder", txid=txid, pair="XBTUSDT", price="59000") == "EOrder:Invalid order"


def test_each_fill_may_bring_forth_a_trailing_stop(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    kraken.place(
        type="buy",
        ordertype="limit",
        price="59000",
        **{"close[ordertype]": "trailing-stop", "close[price]": "+1%"},
    )
    fresh_sandbox.price("kraken", "BTC/USDT", "59000")
    [(txid, leg)] = kraken.open_orders().items()
    assert leg["descr"]["price"] == "+1.0000%"
    fresh_sandbox.price("kraken", "BTC/USDT", "58410")
    assert kraken.order(txid)["status"] == "closed"


def test_a_trigger_that_has_passed_already_is_refused(kraken: Caller) -> None:
    refusal = kraken.refused_order(type="sell", ordertype="stop-loss", price="61000")
    assert refusal == "EOrder:Invalid price"


def test_an_untriggered_order_holds_and_two_full_exits_compete_for_the_balance(kraken: Caller) -> None:
    kraken.place(type="sell", ordertype="stop-loss", price="55000", volume="2")
    assert kraken.balances()["XXBT"] == ("2.0000000000", "2.0000000000")
    refusal = kraken.refused_order(type="sell", ordertype="take-profit", price="70000", volume="2")
    assert refusal == "EOrder:Insufficient funds"


@pytest.mark.parametrize(
    ("kind", "side", "price", "shown"),
    [
        ("limit", "buy", "-1%", "59400.00"),
        ("limit", "buy", "#600", "59400.00"),
        ("limit", "sell", "#1%", "60600.00"),
        ("stop-loss", "sell", "#5%", "57000.00"),
        ("stop-loss", "buy", "+0.5", "60000.50"),
        ("take-profit", "sell", "+10%", "66000.00"),
    ],
)
def test_a_price_may_be_relative_to_the_last(
    kraken: Caller, kind: str, side: str, price: str, shown: str
) -> None:
    txid = kraken.place(type=side, ordertype=kind, price=price)
    assert kraken.order(txid)["descr"]["price"] == shown
