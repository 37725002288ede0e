"""Proof from outside: ccxt, which shares no code with us, trades on the sandbox as it would on Bitget.

ccxt refuses stop-loss and take-profit for spot in words of its own; the exchange's parameters pass through it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

from tests.fixtures.sandbox import SandboxServer

SYMBOL = "BTC/USDT"
EXITS = {"presetTakeProfitPrice": "65000", "presetStopLossPrice": "55000"}


@pytest.fixture
def client(fresh_sandbox: SandboxServer) -> Iterator[Any]:
    keys = fresh_sandbox.account("bitget", {"USDT": "10000", "BTC": "1"})
    exchange = ccxt.bitget({"apiKey": keys.api_key, "secret": keys.api_secret, "password": keys.passphrase})
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], fresh_sandbox.at("bitget"))
    yield exchange
    exchange.session.close()


def test_ccxt_loads_markets_with_their_grids_and_finds_a_classic_account(client: Any) -> None:
    market = client.load_markets()[SYMBOL]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert market["limits"]["cost"]["min"] == 5
    assert market["active"]
    assert {"ETH/BTC", "BTC/EUR", "SOL/USDC"} <= set(client.markets)
    assert client.options["uta"] is False


def test_ccxt_reads_prices_books_and_candles(client: Any) -> None:
    ticker = client.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (60000, 60000, 60000.01)
    assert client.fetch_tickers([SYMBOL, "ETH/USDT"]).keys() == {SYMBOL, "ETH/USDT"}
    book = client.fetch_order_book(SYMBOL, 5)
    assert (len(book["bids"]), len(book["asks"])) == (5, 5)
    for timeframe in ("1m", "1h", "1d", "1M"):
        candles = client.fetch_ohlcv(SYMBOL, timeframe, limit=10)
        assert len(candles) == 10
        assert candles[-1][4] == 60000


def test_ccxt_buys_at_market_by_quote_and_sells(client: Any) -> None:
    bought = client.create_market_buy_order_with_cost(SYMBOL, 600.01)
    found = client.fetch_order(bought["id"], SYMBOL)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.01, 60000.01)
    assert found["fee"] == {"currency": "BTC", "cost": 1e-5}
    client.create_order(SYMBOL, "market", "sell", 0.01)
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(0.99999)
    trades = client.fetch_my_trades(SYMBOL)
    assert [trade["side"] for trade in trades] == ["buy", "sell"]
    assert trades[1]["fee"] == {"currency": "USDT", "cost": 0.6}


def test_ccxt_places_looks_up_lists_edits_and_cancels_a_limit_order(client: Any) -> None:
    placed = client.create_order(SYMBOL, "limit", "buy", 0.01, 50000, {"clientOrderId": "mybot-0001"})
    assert placed["clientOrderId"] == "mybot-0001"
    assert client.fetch_balance()["USDT"] == {"free": 9500, "used": 500, "total": 10000}
    found = client.fetch_order(placed["id"], SYMBOL)
    assert (found["status"], found["price"], found["amount"]) == ("open", 50000, 0.01)
    assert client.fetch_order(None, SYMBOL, {"clientOid": "mybot-0001"})["id"] == placed["id"]
    edited = client.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 51000)
    (listed,) = client.fetch_open_orders(SYMBOL)
    assert (listed["id"], listed["price"], listed["average"]) == (edited["id"], 51000, None)
    client.cancel_order(edited["id"], SYMBOL)
    assert client.fetch_open_orders() == []
    assert [order["status"] for order in client.fetch_canceled_orders(SYMBOL)] == ["canceled", "canceled"]


def test_ccxt_cancels_all_and_in_batches(client: Any) -> None:
    ids = [client.create_order(SYMBOL, "limit", "buy", 0.01, 50000)["id"] for _ in range(3)]
    assert {order["id"] for order in client.cancel_orders(ids[:2], SYMBOL)} == set(ids[:2])
    client.cancel_all_orders(SYMBOL)
    assert client.fetch_open_orders(SYMBOL) == []


def test_ccxt_places_post_only_and_immediate_orders(client: Any) -> None:
    maker = client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, {"postOnly": True})
    assert client.fetch_order(maker["id"], SYMBOL)["status"] == "open"
    taker = client.create_order(SYMBOL, "limit", "buy", 0.01, 61000, {"timeInForce": "FOK"})
    assert client.fetch_order(taker["id"], SYMBOL)["status"] == "closed"


def test_ccxt_buys_with_exits_attached_in_the_exchanges_own_parameters(
    client: Any, fresh_sandbox: SandboxServer
) -> None:
    entry = client.create_market_buy_order_with_cost(SYMBOL, 600.01, EXITS)
    assert client.fetch_order(entry["id"], SYMBOL)["status"] == "closed"
    exits = client.fetch_open_orders(SYMBOL, params={"tpslType": "tpsl"})
    assert {order["triggerPrice"] for order in exits} == {65000, 55000}
    assert {(order["side"], order["amount"]) for order in exits} == {("sell", 0.00999)}
    fresh_sandbox.price("bitget", SYMBOL, "54000")
    states = {order["triggerPrice"]: client.fetch_order(order["id"], SYMBOL)["status"] for order in exits}
    assert states == {65000: "canceled", 55000: "closed"}


def test_ccxt_refuses_stop_loss_and_take_profit_for_spot_by_itself(client: Any) -> None:
    with pytest.raises(ccxt.InvalidOrder):
        client.create_order(SYMBOL, "market", "sell", 0.01, None, {"stopLossPrice": 55000})


def test_ccxt_places_lists_and_cancels_plans(client: Any, fresh_sandbox: SandboxServer) -> None:
    stop = client.create_order(SYMBOL, "limit", "sell", 0.01, 54000, {"triggerPrice": 55000})
    other = client.create_order(SYMBOL, "market", "sell", 0.01, None, {"triggerPrice": 50000})
    listed = client.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert {order["id"]: order["triggerPrice"] for order in listed} == {stop["id"]: 55000, other["id"]: 50000}
    client.cancel_order(other["id"], SYMBOL, {"trigger": True})
    fresh_sandbox.price("bitget", SYMBOL, "54500")
    assert client.fetch_open_orders(SYMBOL, params={"trigger": True}) == []
    (fill,) = client.fetch_my_trades(SYMBOL)
    assert (fill["side"], fill["price"]) == ("sell", 54500)


def test_ccxt_reads_futures_balances_and_the_fees_of_a_market(client: Any) -> None:
    assert client.fetch_balance({"type": "swap"})["USDT"]["total"] == 0
    assert client.fetch_trading_fee(SYMBOL)["taker"] == 0.001


def test_ccxt_tells_the_sandboxs_refusals_apart(client: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "market", "sell", 5)
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order("99", SYMBOL)
    with pytest.raises(ccxt.InvalidOrder):
        client.create_market_buy_order_with_cost(SYMBOL, 1)
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()


def test_ccxt_knows_when_it_is_told_to_slow_down(client: Any, fresh_sandbox: SandboxServer) -> None:
    client.load_markets()
    fresh_sandbox.fault("bitget", "balances", "rate_limit")
    with pytest.raises(ccxt.DDoSProtection):
        client.fetch_balance()
