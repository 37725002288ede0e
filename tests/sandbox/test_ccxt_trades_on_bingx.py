"""Proof from outside: ccxt, which shares no code with us, trades on the sandbox as it would on BingX."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

from tests.fixtures.sandbox import SandboxServer

SYMBOL = "BTC/USDT"


@pytest.fixture
def client(fresh_sandbox: SandboxServer) -> Iterator[Any]:
    keys = fresh_sandbox.account("bingx", {"USDT": "10000", "BTC": "1"})
    exchange = ccxt.bingx({"apiKey": keys.api_key, "secret": keys.api_secret})
    base = f"{fresh_sandbox.at('bingx')}/openApi"
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], base)
    yield exchange
    exchange.session.close()


def test_ccxt_loads_markets_and_reads_prices_books_and_candles(client: Any) -> None:
    market = client.load_markets()[SYMBOL]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert (market["limits"]["cost"]["min"], market["active"]) == (5, True)
    ticker = client.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (60000, 60000, 60000.01)
    assert client.fetch_tickers([SYMBOL, "ETH/USDT"]).keys() == {SYMBOL, "ETH/USDT"}
    book = client.fetch_order_book(SYMBOL, 5)
    assert (book["bids"][0][0], book["asks"][0][0]) == (60000, 60000.01)
    for timeframe in ("1m", "1h", "1d", "1w", "1M"):
        candles = client.fetch_ohlcv(SYMBOL, timeframe, limit=10)
        assert (len(candles), candles[-1][4]) == (10, 60000)
    assert abs(client.fetch_time() - client.milliseconds()) < 5000


def test_ccxt_buys_at_market_in_either_unit_and_sells(client: Any) -> None:
    client.create_order(SYMBOL, "market", "buy", 0.01)
    bought = client.create_market_buy_order_with_cost(SYMBOL, 600.01)
    found = client.fetch_order(bought["id"], SYMBOL)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.01, 60000.01)
    assert (found["fee"]["currency"], found["fee"]["cost"]) == ("BTC", 1e-5)
    client.create_order(SYMBOL, "market", "sell", 0.02)
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(0.99998)
    trades = client.fetch_my_trades(SYMBOL)
    assert [trade["side"] for trade in trades] == ["buy", "buy", "sell"]
    assert trades[2]["fee"]["cost"] == 1.2
    assert client.fetch_trading_fee(SYMBOL)["taker"] == 0.001


def test_ccxt_places_looks_up_lists_replaces_and_cancels_limit_orders(client: Any) -> None:
    placed = client.create_order(SYMBOL, "limit", "buy", 0.01, 58000, {"clientOrderId": "mybot_0001"})
    assert (placed["clientOrderId"], placed["status"]) == ("mybot_0001", "open")
    usdt = client.fetch_balance()["USDT"]
    assert (usdt["free"], usdt["used"], usdt["total"]) == (9420, 580, 10000)
    found = client.fetch_order(placed["id"], SYMBOL)
    assert (found["status"], found["price"], found["amount"]) == ("open", 58000, 0.01)
    replaced = client.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 57000)
    (listed,) = client.fetch_open_orders(SYMBOL)
    assert (listed["id"], listed["price"], listed["amount"]) == (replaced["id"], 57000, 0.02)
    client.cancel_order(replaced["id"], SYMBOL)
    named = client.create_order(SYMBOL, "limit", "buy", 0.01, 58000, {"clientOrderId": "mybot_0002"})
    client.cancel_order(None, SYMBOL, {"clientOrderId": "mybot_0002"})
    assert client.fetch_order(named["id"], SYMBOL)["status"] == "canceled"
    several = [client.create_order(SYMBOL, "limit", "buy", 0.01, 58000)["id"] for _ in range(2)]
    client.cancel_orders(several, SYMBOL)
    client.create_order(SYMBOL, "limit", "buy", 0.01, 58000)
    client.cancel_all_orders(SYMBOL)
    assert client.fetch_open_orders(SYMBOL) == []
    ended = client.fetch_canceled_and_closed_orders(SYMBOL)
    assert [order["status"] for order in ended] == ["canceled"] * 6


def test_ccxt_places_post_only_immediate_and_waiting_orders(
    client: Any, fresh_sandbox: SandboxServer
) -> None:
    maker = client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, {"postOnly": True})
    crossing = client.create_order(SYMBOL, "limit", "buy", 0.01, 61000, {"postOnly": True})
    taker = client.create_order(SYMBOL, "limit", "buy", 0.01, 61000, {"timeInForce": "IOC"})
    states = [client.fetch_order(order["id"], SYMBOL)["status"] for order in (maker, crossing, taker)]
    assert states == ["open", "canceled", "closed"]
    stop = client.create_order(SYMBOL, "market", "sell", 0.5, None, {"stopLossPrice": 55000})
    target = client.create_order(SYMBOL, "limit", "sell", 0.4, 65900, {"takeProfitPrice": 66000})
    assert client.fetch_balance()["BTC"]["used"] == pytest.approx(0.9)
    assert client.fetch_order(target["id"], SYMBOL)["triggerPrice"] == 66000
    fresh_sandbox.price("bingx", SYMBOL, "54500")
    assert client.fetch_order(stop["id"], SYMBOL)["status"] == "closed"


def test_ccxt_reads_futures_positions_and_what_backs_them(client: Any, fresh_sandbox: SandboxServer) -> None:
    position = {"symbol": SYMBOL, "quantity": "-0.5", "entry_price": "61000"}
    fresh_sandbox.control(
        "positions", exchange="bingx", api_key=client.apiKey, positions=[position], margin="5000"
    )
    [row] = client.swap_v2_private_get_user_positions()["data"]
    assert (row["positionSide"], row["positionAmt"], row["unrealizedProfit"]) == ("SHORT", "0.5", "500")
    usdt = client.fetch_balance({"type": "swap"})["USDT"]
    assert (usdt["free"], usdt["used"]) == (2450, 3050)


def test_ccxt_tells_the_sandboxs_refusals_apart(client: Any, fresh_sandbox: SandboxServer) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "market", "sell", 5)
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("99", SYMBOL)
    client.create_order(SYMBOL, "limit", "buy", 0.01, 58000, {"clientOrderId": "once_1"})
    with pytest.raises(ccxt.DuplicateOrderId):
        client.create_order(SYMBOL, "limit", "buy", 0.01, 58000, {"clientOrderId": "once_1"})
    with pytest.raises(ccxt.BadRequest):
        client.create_market_buy_order_with_cost(SYMBOL, 1)
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()
