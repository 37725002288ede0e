"""Placing, filling, cancelling and reading back orders of the hf family."""

from __future__ import annotations

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kucoin_caller import HF, Caller


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
