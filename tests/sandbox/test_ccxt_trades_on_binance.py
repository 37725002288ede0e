"""Proof from outside: ccxt, which shares no code with us, trades on the sandbox as it would on Binance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import ccxt
import pytest

from tests.fixtures.sandbox import SandboxServer

SYMBOL = "BTC/USDT"


def pointed_at(base_url: str, urls: Any) -> Any:
    """ccxt's table of URLs with every host replaced."""
    if isinstance(urls, dict):
        return {name: pointed_at(base_url, url) for name, url in urls.items()}
    return base_url + urlsplit(urls).path


@pytest.fixture
def client(fresh_sandbox: SandboxServer) -> Iterator[Any]:
    keys = fresh_sandbox.account("binance", {"USDT": "10000", "BTC": "1"})
    exchange = ccxt.binance({"apiKey": keys.api_key, "secret": keys.api_secret})
    exchange.urls["api"] = pointed_at(fresh_sandbox.at("binance"), exchange.urls["api"])
    yield exchange
    exchange.session.close()


def test_ccxt_loads_markets_with_their_grids(client: Any) -> None:
    market = client.load_markets()[SYMBOL]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert market["limits"]["cost"]["min"] == 5
    assert market["active"]
    assert {"ETH/BTC", "BTC/EUR", "SOL/USDC"} <= set(client.markets)


def test_ccxt_reads_prices_books_and_candles(client: Any) -> None:
    ticker = client.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (60000, 60000, 60000.01)
    assert client.fetch_tickers([SYMBOL, "ETH/USDT"]).keys() == {SYMBOL, "ETH/USDT"}
    book = client.fetch_order_book(SYMBOL, 5)
    assert (len(book["bids"]), len(book["asks"])) == (5, 5)
    candles = client.fetch_ohlcv(SYMBOL, "1h", limit=10)
    assert len(candles) == 10
    assert candles[-1][4] == 60000


def test_ccxt_buys_and_sells_at_market(client: Any) -> None:
    bought = client.create_order(SYMBOL, "market", "buy", 0.01)
    assert (bought["status"], bought["average"], bought["fee"]) == (
        "closed",
        60000.01,
        {"currency": "BTC", "cost": 1e-5},
    )
    spent = client.create_market_buy_order_with_cost(SYMBOL, 50)
    assert spent["cost"] <= 50
    sold = client.create_order(SYMBOL, "market", "sell", 0.01)
    assert sold["filled"] == 0.01
    assert len(client.fetch_my_trades(SYMBOL)) == 3
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(1.00081917)


def test_ccxt_places_looks_up_lists_edits_and_cancels_a_limit_order(client: Any) -> None:
    placed = client.create_order(SYMBOL, "limit", "buy", 0.01, 50000, {"clientOrderId": "mybot-0001"})
    assert (placed["status"], placed["clientOrderId"]) == ("open", "mybot-0001")
    assert client.fetch_balance()["USDT"] == {"free": 9500, "used": 500, "total": 10000}
    assert client.fetch_order(placed["id"], SYMBOL)["price"] == 50000
    by_client_id = client.fetch_order(None, SYMBOL, {"clientOrderId": "mybot-0001"})
    assert by_client_id["id"] == placed["id"]
    edited = client.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 51000)
    assert [order["id"] for order in client.fetch_open_orders(SYMBOL)] == [edited["id"]]
    assert client.cancel_order(edited["id"], SYMBOL)["status"] == "canceled"
    assert [order["status"] for order in client.fetch_orders(SYMBOL)] == ["canceled", "canceled"]


def test_ccxt_places_stops_and_post_only_orders(client: Any) -> None:
    stop = client.create_order(SYMBOL, "limit", "sell", 0.01, 54000, {"stopLossPrice": 55000})
    assert client.fetch_order(stop["id"], SYMBOL)["triggerPrice"] == 55000
    profit = client.create_order(SYMBOL, "market", "sell", 0.01, None, {"takeProfitPrice": 70000})
    assert client.fetch_order(profit["id"], SYMBOL)["type"] == "market"
    maker = client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, {"postOnly": True})
    assert len(client.fetch_open_orders(SYMBOL)) == 3
    client.cancel_all_orders(SYMBOL)
    assert client.fetch_order(maker["id"], SYMBOL)["status"] == "canceled"


def test_ccxt_tells_the_sandboxs_refusals_apart(client: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "market", "sell", 5)
    with pytest.raises(ccxt.OrderImmediatelyFillable):
        client.create_order(SYMBOL, "limit", "buy", 0.01, 61000, {"postOnly": True})
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order("99", SYMBOL)
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()


def test_ccxt_knows_when_it_is_told_to_slow_down(client: Any, fresh_sandbox: SandboxServer) -> None:
    client.load_markets()
    fresh_sandbox.fault("binance", "balances", "rate_limit", retry_after=3)
    with pytest.raises(ccxt.DDoSProtection):
        client.fetch_balance()
