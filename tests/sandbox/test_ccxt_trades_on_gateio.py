"""Proof from outside: ccxt, which shares no code with us, trades on the sandbox as it would on Gate.io."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

from tests.fixtures.sandbox import SandboxServer

SYMBOL = "BTC/USDT"


@pytest.fixture
def client(fresh_sandbox: SandboxServer) -> Iterator[Any]:
    keys = fresh_sandbox.account("gateio", {"USDT": "10000", "BTC": "1"})
    options = {"fetchMarkets": {"types": ["spot"]}}
    exchange = ccxt.gate({"apiKey": keys.api_key, "secret": keys.api_secret, "options": options})
    there = fresh_sandbox.at("gateio") + "/api/v4"
    exchange.urls["api"] = {
        who: dict.fromkeys(families, there)
        for who, families in exchange.urls["api"].items()
        if isinstance(families, dict)
    }
    yield exchange
    exchange.session.close()


def test_ccxt_loads_markets_with_their_grids_and_finds_a_classic_account(client: Any) -> None:
    market = client.load_markets()[SYMBOL]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert market["limits"]["cost"]["min"] == 5
    assert market["active"]
    assert client.load_unified_status() is False


def test_ccxt_reads_prices_books_and_candles(client: Any) -> None:
    ticker = client.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (60000, 60000, 60000.01)
    assert client.fetch_tickers([SYMBOL, "ETH/USDT"]).keys() == {SYMBOL, "ETH/USDT"}
    book = client.fetch_order_book(SYMBOL, 5)
    assert (len(book["bids"]), len(book["asks"])) == (5, 5)
    for timeframe in ("1m", "1h", "1d", "1w"):
        candles = client.fetch_ohlcv(SYMBOL, timeframe, limit=10)
        assert len(candles) == 10
        assert candles[-1][4] == 60000


def test_ccxt_buys_at_market_by_quote_and_sells(client: Any) -> None:
    bought = client.create_market_buy_order_with_cost(SYMBOL, 600.11)
    found = client.fetch_order(bought["id"], SYMBOL)
    assert (found["average"], found["fees"][-2]["cost"]) == (60000.01, 2e-05)
    client.create_order(SYMBOL, "market", "sell", 0.01)
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(0.99998)
    trades = client.fetch_my_trades(SYMBOL)
    assert [trade["side"] for trade in trades] == ["buy", "sell"]


def test_ccxt_places_looks_up_lists_edits_and_cancels_a_limit_order(client: Any) -> None:
    placed = client.create_order(SYMBOL, "limit", "buy", 0.01, 58000, {"text": "t-mybot-0001"})
    assert placed["clientOrderId"] == "t-mybot-0001"
    assert client.fetch_balance()["USDT"] == {"free": 9420, "used": 580, "total": 10000}
    found = client.fetch_order("t-mybot-0001", SYMBOL)
    assert (found["id"], found["status"], found["price"]) == (placed["id"], "open", 58000)
    client.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 57000)
    (listed,) = client.fetch_open_orders(SYMBOL)
    assert (listed["id"], listed["price"], listed["amount"]) == (placed["id"], 57000, 0.02)
    client.cancel_order("t-mybot-0001", SYMBOL)
    assert client.fetch_open_orders(SYMBOL) == []
    assert [order["status"] for order in client.fetch_closed_orders(SYMBOL)] == ["canceled"]
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("t-mybot-0001", SYMBOL)


def test_ccxt_places_post_only_and_immediate_orders_and_cancels_all(client: Any) -> None:
    maker = client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, {"postOnly": True})
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        client.create_order(SYMBOL, "limit", "buy", 0.01, 61000, {"postOnly": True})
    taker = client.create_order(SYMBOL, "limit", "buy", 0.01, 61000, {"timeInForce": "FOK"})
    states = [client.fetch_order(order["id"], SYMBOL)["status"] for order in (maker, taker)]
    assert states == ["open", "closed"]
    client.cancel_all_orders(SYMBOL)
    assert client.fetch_open_orders(SYMBOL) == []


def test_ccxt_places_triggers_that_hold_nothing_and_follows_what_they_place(
    client: Any, fresh_sandbox: SandboxServer
) -> None:
    stop = client.create_order(SYMBOL, "limit", "sell", 0.6, 54000, {"stopLossPrice": 55000})
    target = client.create_order(SYMBOL, "limit", "sell", 0.6, 66000, {"takeProfitPrice": 65000})
    assert client.fetch_balance()["BTC"]["used"] == 0
    waiting = client.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert {order["id"]: order["triggerPrice"] for order in waiting} == {
        stop["id"]: 55000,
        target["id"]: 65000,
    }
    client.cancel_order(target["id"], SYMBOL, {"trigger": True})
    fresh_sandbox.price("gateio", SYMBOL, "54500")
    fired = client.fetch_order(stop["id"], SYMBOL, {"trigger": True})["info"]
    assert fired["status"] == "finish"
    assert client.fetch_order(fired["fired_order_id"], SYMBOL)["status"] == "closed"
    with pytest.raises(ccxt.ExchangeError):
        client.create_order(SYMBOL, "limit", "sell", 0.1, 55000, {"stopLossPrice": 56000})


def test_ccxt_reads_the_fees_of_a_market(client: Any) -> None:
    assert client.fetch_trading_fee(SYMBOL)["taker"] == 0.002


def test_ccxt_tells_the_sandboxs_refusals_apart(client: Any, fresh_sandbox: SandboxServer) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "market", "sell", 5)
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order("99", SYMBOL)
    with pytest.raises(ccxt.BadRequest):
        client.create_market_buy_order_with_cost(SYMBOL, 1)
    fresh_sandbox.fault("gateio", "balances", "rate_limit")
    with pytest.raises(ccxt.RateLimitExceeded):
        client.fetch_balance()
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()
