"""Proof from outside: ccxt, which shares no code with us, trades on the sandbox as it would on KuCoin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import ccxt
import pytest

from tests.fixtures.sandbox import SandboxServer

SYMBOL = "BTC/USDT"


def pointed_at(base_url: str, urls: dict[str, str]) -> dict[str, str]:
    """ccxt's table of URLs with every host replaced."""
    return {name: base_url + urlsplit(url).path.rstrip("/") for name, url in urls.items()}


@pytest.fixture
def client(fresh_sandbox: SandboxServer) -> Iterator[Any]:
    keys = fresh_sandbox.account("kucoin", {"USDT": "10000", "BTC": "1"})
    exchange = ccxt.kucoin({"apiKey": keys.api_key, "secret": keys.api_secret, "password": keys.passphrase})
    exchange.urls["api"] = pointed_at(fresh_sandbox.at("kucoin"), exchange.urls["api"])
    yield exchange
    exchange.session.close()


def test_ccxt_loads_markets_with_their_grids_and_fees(client: Any) -> None:
    market = client.load_markets()[SYMBOL]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert (market["limits"]["cost"]["min"], market["taker"]) == (5, 0.001)
    assert market["active"]
    assert {"ETH/BTC", "BTC/EUR", "SOL/USDC"} <= set(client.markets)
    assert client.markets["BTC/USDT:USDT"]["contractSize"] == 0.001


def test_ccxt_reads_prices_books_candles_and_currencies(client: Any) -> None:
    ticker = client.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (60000, 60000, 60000.01)
    assert client.fetch_tickers([SYMBOL, "ETH/USDT"]).keys() == {SYMBOL, "ETH/USDT"}
    book = client.fetch_order_book(SYMBOL, 20)
    assert (len(book["bids"]), len(book["asks"])) == (20, 20)
    candles = client.fetch_ohlcv(SYMBOL, "1h", limit=10)
    assert len(candles) >= 10
    assert candles[-1][4] == 60000
    assert {"BTC", "USDT"} <= client.fetch_currencies().keys()
    assert client.fetch_status()["status"] == "ok"


def test_ccxt_buys_and_sells_at_market(client: Any) -> None:
    bought = client.create_order(SYMBOL, "market", "buy", 0.01)
    order = client.fetch_order(bought["id"], SYMBOL)
    assert (order["status"], order["average"], order["filled"]) == ("closed", 60000.01, 0.01)
    assert order["fee"]["currency"] == "USDT"
    spent = client.create_market_buy_order_with_cost(SYMBOL, 50)
    assert client.fetch_order(spent["id"], SYMBOL)["cost"] <= 50
    client.create_order(SYMBOL, "market", "sell", 0.01)
    trades = client.fetch_my_trades(SYMBOL)
    assert [trade["side"] for trade in trades].count("sell") == 1
    assert len(trades) == 3
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(1.00083)


def test_ccxt_places_looks_up_lists_edits_and_cancels_a_limit_order(client: Any) -> None:
    placed = client.create_order(SYMBOL, "limit", "buy", 0.01, 50000, {"clientOrderId": "mybot-0001"})
    assert client.fetch_balance()["USDT"] == {"free": 9499.5, "used": 500.5, "total": 10000}
    assert client.fetch_order(placed["id"], SYMBOL)["price"] == 50000
    by_client_id = client.fetch_order(None, SYMBOL, {"clientOrderId": "mybot-0001"})
    assert (by_client_id["id"], by_client_id["status"]) == (placed["id"], "open")
    edited = client.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 51000)
    assert [order["id"] for order in client.fetch_open_orders(SYMBOL)] == [edited["id"]]
    assert edited["id"] != placed["id"]
    client.cancel_order(edited["id"], SYMBOL)
    assert client.fetch_order(edited["id"], SYMBOL)["status"] == "canceled"
    assert [order["status"] for order in client.fetch_closed_orders(SYMBOL)] == ["canceled", "canceled"]


def test_ccxt_cancels_by_client_id_and_all_at_once(client: Any) -> None:
    client.create_order(SYMBOL, "limit", "buy", 0.01, 50000, {"clientOrderId": "mybot-0002"})
    client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, {"postOnly": True})
    client.cancel_order(None, SYMBOL, {"clientOrderId": "mybot-0002"})
    assert len(client.fetch_open_orders(SYMBOL)) == 1
    client.cancel_all_orders(SYMBOL)
    assert client.fetch_open_orders(SYMBOL) == []


def test_ccxt_places_reads_and_cancels_stop_orders(client: Any, fresh_sandbox: SandboxServer) -> None:
    stop = client.create_order(SYMBOL, "limit", "sell", 0.01, 54000, {"stopLossPrice": 55000})
    profit = client.create_order(SYMBOL, "market", "sell", 0.01, None, {"takeProfitPrice": 70000})
    waiting = client.fetch_open_orders(SYMBOL, params={"trigger": True})
    assert {order["id"] for order in waiting} == {stop["id"], profit["id"]}
    assert client.fetch_order(stop["id"], SYMBOL, {"trigger": True})["triggerPrice"] == 55000
    client.cancel_order(stop["id"], SYMBOL, {"trigger": True})
    fresh_sandbox.price("kucoin", SYMBOL, "70000")
    assert client.fetch_open_orders(SYMBOL, params={"trigger": True}) == []
    (sold,) = client.fetch_my_trades(SYMBOL)
    assert (sold["side"], sold["price"]) == ("sell", 70000)


def test_ccxt_reads_futures_positions(client: Any, fresh_sandbox: SandboxServer) -> None:
    position = {"symbol": SYMBOL, "quantity": "-0.25", "entry_price": "61000"}
    fresh_sandbox.control(
        "positions", exchange="kucoin", api_key=client.apiKey, positions=[position], margin="500"
    )
    (found,) = client.fetch_positions(["BTC/USDT:USDT"])
    assert (found["side"], found["contracts"], found["entryPrice"]) == ("short", 250, 61000)
    assert client.fetch_balance({"type": "swap", "currency": "USDT"})["USDT"]["total"] == 750


def test_ccxt_tells_the_sandboxs_refusals_apart(client: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "market", "sell", 5)
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order("99", SYMBOL)
    with pytest.raises(ccxt.InvalidOrder):
        client.create_order(SYMBOL, "limit", "buy", 0.00001, 50000)
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()


def test_ccxt_knows_when_it_is_told_to_slow_down(client: Any, fresh_sandbox: SandboxServer) -> None:
    client.load_markets()
    fresh_sandbox.fault("kucoin", "balances", "rate_limit", retry_after=3)
    with pytest.raises(ccxt.RateLimitExceeded):
        client.fetch_balance()
