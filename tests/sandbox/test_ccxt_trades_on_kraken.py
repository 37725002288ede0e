"""Proof from outside: ccxt, which shares no code with us, trades on the sandbox as it would on Kraken."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import ccxt
import pytest

from tests.fixtures.sandbox import SandboxServer

SYMBOL = "BTC/USDT"


@pytest.fixture
def client(fresh_sandbox: SandboxServer) -> Iterator[Any]:
    keys = fresh_sandbox.account("kraken", {"USDT": "10000", "BTC": "1", "USD": "500.5"})
    exchange = ccxt.kraken({"apiKey": keys.api_key, "secret": keys.api_secret, "enableRateLimit": False})
    exchange.urls["api"] = pointed_at(fresh_sandbox.at("kraken"), exchange.urls["api"])
    yield exchange
    exchange.session.close()


def pointed_at(base_url: str, urls: Any) -> Any:
    """ccxt's table of URLs with every host replaced."""
    if isinstance(urls, dict):
        return {name: pointed_at(base_url, url) for name, url in urls.items()}
    return base_url + urlsplit(urls).path


def test_ccxt_loads_markets_and_undoes_krakens_names(client: Any) -> None:
    market = client.load_markets()[SYMBOL]
    assert (market["id"], market["info"]["altname"]) == ("XBTUSDT", "XBTUSDT")
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert (market["limits"]["cost"]["min"], market["taker"], market["maker"]) == (5, 0.004, 0.0025)
    assert market["active"]
    ids = {symbol: client.markets[symbol]["id"] for symbol in ("BTC/USD", "ETH/BTC", "DOGE/USDT", "XRP/EUR")}
    assert ids == {
        "BTC/USD": "XXBTZUSD",
        "ETH/BTC": "XETHXXBT",
        "DOGE/USDT": "XDGUSDT",
        "XRP/EUR": "XXRPZEUR",
    }


def test_ccxt_reads_prices_books_candles_trades_and_the_time(client: Any) -> None:
    ticker = client.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (60000, 60000, 60000.01)
    assert client.fetch_tickers([SYMBOL, "ETH/USD"]).keys() == {SYMBOL, "ETH/USD"}
    book = client.fetch_order_book(SYMBOL, 5)
    assert (len(book["bids"]), len(book["asks"])) == (5, 5)
    candles = client.fetch_ohlcv(SYMBOL, "1h")
    assert len(candles) == 720
    assert candles[-1][4] == 60000
    assert len(client.fetch_trades(SYMBOL)) == 1000
    assert client.fetch_status()["status"] == "ok"
    assert abs(client.fetch_time() - client.milliseconds()) < 5000


def test_ccxt_reads_balances_and_fees(client: Any) -> None:
    assert client.fetch_balance()["total"] == {"USDT": 10000, "BTC": 1, "USD": 500.5}
    client.create_order(SYMBOL, "limit", "buy", 0.01, 50000)
    assert client.fetch_balance()["USDT"] == {"free": 9498, "used": 502, "total": 10000}
    assert client.fetch_trading_fee(SYMBOL)["taker"] == 0.004


def test_ccxt_buys_and_sells_at_market(client: Any) -> None:
    bought = client.create_order(SYMBOL, "market", "buy", 0.01)
    assert bought["amount"] == 0.01
    order = client.fetch_order(bought["id"], SYMBOL)
    assert (order["status"], order["average"], order["filled"]) == ("closed", 60000.01, 0.01)
    assert order["fee"]["currency"] == "USDT"
    spent = client.create_market_buy_order_with_cost(SYMBOL, 50)
    assert client.fetch_order(spent["id"])["info"]["oflags"] == "fciq,viqc"
    client.create_order(SYMBOL, "market", "sell", 0.01)
    trades = client.fetch_my_trades(SYMBOL)
    assert [trade["amount"] for trade in trades] == [0.01, 0.00083, 0.01]
    assert [trade["takerOrMaker"] for trade in trades] == ["taker"] * 3
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(1.00083)


def test_ccxt_places_looks_up_lists_amends_and_cancels_a_limit_order(client: Any) -> None:
    placed = client.create_order(SYMBOL, "limit", "buy", 0.01, 50000, {"clientOrderId": "mybot-0001"})
    found = client.fetch_order(placed["id"], SYMBOL)
    assert (found["status"], found["price"], found["clientOrderId"]) == ("open", 50000, "mybot-0001")
    client.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 51000)
    (open_order,) = client.fetch_open_orders(SYMBOL)
    assert (open_order["id"], open_order["amount"], open_order["price"]) == (placed["id"], 0.02, 51000)
    client.cancel_order("mybot-0001", SYMBOL, {"clientOrderId": "mybot-0001"})
    (closed,) = client.fetch_closed_orders(SYMBOL)
    assert (closed["id"], closed["status"]) == (placed["id"], "canceled")
    assert client.fetch_open_orders(SYMBOL) == []


def test_ccxt_cancels_several_and_all(client: Any) -> None:
    ids = [client.create_order(SYMBOL, "limit", "buy", 0.01, price)["id"] for price in (50000, 50001, 50002)]
    client.cancel_orders(ids[:2], SYMBOL)
    assert [order["id"] for order in client.fetch_open_orders()] == ids[2:]
    client.cancel_all_orders()
    assert client.fetch_open_orders() == []


def test_ccxt_places_several_at_once(client: Any) -> None:
    rows = [
        {"symbol": SYMBOL, "type": "limit", "side": "buy", "amount": 0.001, "price": price}
        for price in (50000, 50001)
    ]
    placed = client.create_orders(rows)
    assert {order["id"] for order in client.fetch_open_orders(SYMBOL)} == {order["id"] for order in placed}


def test_ccxt_places_stops_and_post_only_orders(client: Any) -> None:
    stop = client.create_order(SYMBOL, "limit", "sell", 0.01, 54000, {"stopLossPrice": 55000})
    found = client.fetch_order(stop["id"], SYMBOL)
    assert (found["stopLossPrice"], found["price"], found["status"]) == (55000, 54000, "open")
    profit = client.create_order(SYMBOL, "market", "sell", 0.01, None, {"takeProfitPrice": 70000})
    assert client.fetch_order(profit["id"], SYMBOL)["takeProfitPrice"] == 70000
    maker = client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, {"postOnly": True})
    assert client.fetch_order(maker["id"], SYMBOL)["postOnly"]
    assert len(client.fetch_open_orders(SYMBOL)) == 3


def test_ccxt_sees_a_stop_fire(client: Any, fresh_sandbox: SandboxServer) -> None:
    stop = client.create_order(SYMBOL, "market", "sell", 0.01, None, {"stopLossPrice": 55000})
    fresh_sandbox.price("kraken", SYMBOL, "54000")
    fired = client.fetch_order(stop["id"], SYMBOL)
    assert (fired["status"], fired["average"]) == ("closed", 54000)


def test_ccxt_adds_one_closing_order(client: Any) -> None:
    close = {"close[ordertype]": "stop-loss", "close[price]": "55000"}
    entry = client.create_order(SYMBOL, "limit", "buy", 0.01, 60001, close)
    (leg,) = client.fetch_open_orders(SYMBOL)
    assert (leg["side"], leg["amount"], leg["info"]["refid"]) == ("sell", 0.01, entry["id"])


def test_ccxt_leaves_an_entry_unprotected_as_the_real_exchange_would(client: Any) -> None:
    legs = {"stopLoss": {"triggerPrice": 55000}, "takeProfit": {"triggerPrice": 70000}}
    client.create_order(SYMBOL, "market", "buy", 0.01, None, legs)
    assert client.fetch_open_orders(SYMBOL) == []


def test_ccxt_tells_the_sandboxs_refusals_apart(client: Any) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "market", "sell", 5)
    with pytest.raises(ccxt.ExchangeError, match="Cost minimum not met"):
        client.create_order(SYMBOL, "limit", "buy", 0.00001, 50000)
    with pytest.raises(ccxt.OrderNotFound):
        client.fetch_order("OAAAAA-BBBBB-CCCCCC", SYMBOL)
    with pytest.raises(ccxt.InvalidOrder):
        client.cancel_order("OAAAAA-BBBBB-CCCCCC", SYMBOL)
    client.incrementing_nonce = lambda: 1
    with pytest.raises(ccxt.InvalidNonce):
        client.fetch_balance()
    client.apiKey = "unknown"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()


def test_ccxt_knows_when_it_is_told_to_slow_down(client: Any, fresh_sandbox: SandboxServer) -> None:
    client.load_markets()
    fresh_sandbox.control("limits", exchange="kraken", limits={"call_counter": 1})
    client.fetch_balance()
    with pytest.raises(ccxt.DDoSProtection):
        client.fetch_balance()
