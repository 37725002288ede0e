"""Proof from outside: ccxt, which shares no code with us, trades on the sandbox as it would on OKX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

from tests.fixtures.sandbox import SandboxServer

SYMBOL = "BTC/USDT"


@pytest.fixture
def client(fresh_sandbox: SandboxServer) -> Iterator[Any]:
    keys = fresh_sandbox.account("okx", {"USDT": "10000", "BTC": "1"})
    exchange = ccxt.okx({"apiKey": keys.api_key, "secret": keys.api_secret, "password": keys.passphrase})
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], fresh_sandbox.at("okx"))
    yield exchange
    exchange.session.close()


def test_ccxt_loads_markets_and_reads_prices_books_and_candles(client: Any) -> None:
    market = client.load_markets()[SYMBOL]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert market["active"]
    assert {"ETH/BTC", "BTC/EUR", "SOL/USDC"} <= set(client.markets)
    ticker = client.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (60000, 60000, 60000.01)
    assert client.fetch_tickers([SYMBOL, "ETH/USDT"]).keys() == {SYMBOL, "ETH/USDT"}
    book = client.fetch_order_book(SYMBOL, 5)
    assert (len(book["bids"]), len(book["asks"])) == (5, 5)
    for timeframe in ("1m", "1h", "1d", "1M"):
        candles = client.fetch_ohlcv(SYMBOL, timeframe, limit=10)
        assert len(candles) == 10
        assert candles[-1][4] == 60000


def test_ccxt_buys_at_market_by_quote_and_by_base_and_sells(client: Any) -> None:
    bought = client.create_market_buy_order_with_cost(SYMBOL, 600.01)
    found = client.fetch_order(bought["id"], SYMBOL)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.01, 60000.01)
    assert found["fee"] == {"currency": "BTC", "cost": 1e-5}
    client.create_order(SYMBOL, "market", "buy", 0.01)
    client.create_order(SYMBOL, "market", "sell", 0.02)
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(0.99998)
    trades = client.fetch_my_trades(SYMBOL)
    assert [trade["side"] for trade in trades] == ["buy", "buy", "sell"]
    assert trades[2]["fee"] == {"currency": "USDT", "cost": 1.2}


def test_ccxt_places_looks_up_lists_edits_and_cancels_a_limit_order(client: Any) -> None:
    placed = client.create_order(SYMBOL, "limit", "buy", 0.01, 50000, {"clientOrderId": "mybot0001"})
    assert placed["clientOrderId"] == "mybot0001"
    assert client.fetch_balance()["USDT"] == {"free": 9500, "used": 500, "total": 10000}
    found = client.fetch_order(placed["id"], SYMBOL)
    assert (found["status"], found["price"], found["amount"]) == ("open", 50000, 0.01)
    assert client.fetch_order(None, SYMBOL, {"clientOrderId": "mybot0001"})["id"] == placed["id"]
    client.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 51000)
    (listed,) = client.fetch_open_orders(SYMBOL)
    assert (listed["id"], listed["price"], listed["amount"]) == (placed["id"], 51000, 0.02)
    client.cancel_order(placed["id"], SYMBOL)
    assert client.fetch_open_orders() == []
    assert [order["status"] for order in client.fetch_canceled_orders(SYMBOL)] == ["canceled"]


def test_ccxt_cancels_in_batches_and_places_post_only_and_immediate_orders(client: Any) -> None:
    ids = [client.create_order(SYMBOL, "limit", "buy", 0.01, 50000)["id"] for _ in range(3)]
    assert {order["id"] for order in client.cancel_orders(ids, SYMBOL)} == set(ids)
    assert client.fetch_open_orders(SYMBOL) == []
    maker = client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, {"postOnly": True})
    assert client.fetch_order(maker["id"], SYMBOL)["status"] == "open"
    crossing = client.create_order(SYMBOL, "limit", "buy", 0.01, 61000, {"postOnly": True})
    assert client.fetch_order(crossing["id"], SYMBOL)["status"] == "canceled"
    taker = client.create_order(SYMBOL, "limit", "buy", 0.01, 61000, {"timeInForce": "FOK"})
    assert client.fetch_order(taker["id"], SYMBOL)["status"] == "closed"


def test_ccxt_buys_with_exits_attached_of_which_one_cancels_the_other(
    client: Any, fresh_sandbox: SandboxServer
) -> None:
    exits = {
        "stopLoss": {"triggerPrice": 55000, "type": "market"},
        "takeProfit": {"triggerPrice": 65000, "type": "market"},
    }
    client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, exits)
    assert client.fetch_open_orders(SYMBOL, params={"ordType": "oco"}) == []
    fresh_sandbox.price("okx", SYMBOL, "58900")
    (pair,) = client.fetch_open_orders(SYMBOL, params={"ordType": "oco"})
    assert (pair["side"], pair["amount"], pair["stopLossPrice"]) == ("sell", 0.00999, 55000)
    fresh_sandbox.price("okx", SYMBOL, "54000")
    (fired,) = client.fetch_closed_orders(SYMBOL, params={"trigger": True, "ordType": "oco"})
    assert (fired["id"], fired["info"]["actualSide"]) == (pair["id"], "sl")
    _, sold = client.fetch_my_trades(SYMBOL)
    assert (sold["side"], sold["price"], sold["order"]) == ("sell", 54000, fired["info"]["ordId"])


def test_ccxt_cancels_a_stop_that_waits(client: Any) -> None:
    stop = client.create_order(
        SYMBOL, "conditional", "sell", 0.01, None, {"stopLossPrice": 55000, "tdMode": "cash"}
    )
    (listed,) = client.fetch_open_orders(SYMBOL, params={"ordType": "conditional"})
    assert (listed["id"], listed["stopLossPrice"]) == (stop["id"], 55000)
    client.cancel_order(stop["id"], SYMBOL, {"trigger": True})
    assert client.fetch_open_orders(SYMBOL, params={"ordType": "conditional"}) == []


def test_ccxt_tells_the_sandboxs_refusals_apart(client: Any, fresh_sandbox: SandboxServer) -> None:
    client.load_markets()
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "market", "sell", 5)
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("99", SYMBOL)
    with pytest.raises(ccxt.InvalidOrder):
        client.create_order(SYMBOL, "limit", "buy", 0.00001, 50000)
    fresh_sandbox.fault("okx", "balances", "rate_limit")
    with pytest.raises(ccxt.RateLimitExceeded):
        client.fetch_balance()
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()


def test_ccxt_trades_in_demo_trading_with_demo_keys_only(client: Any, fresh_sandbox: SandboxServer) -> None:
    fresh_sandbox.control("permissions", exchange="okx", api_key=client.apiKey, demo=True)
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()
    client.headers = {"x-simulated-trading": "1"}
    assert client.fetch_balance()["BTC"]["total"] == 1
    assert client.fetch_trading_fee(SYMBOL)["taker"] == 0.001
