"""Proof from outside: ccxt, which shares no code with us, trades on the sandbox as it would on Bybit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest

from tests.fixtures.sandbox import SandboxServer

SYMBOL = "BTC/USDT"
SEEN = {"acknowledged": True}


@pytest.fixture
def client(fresh_sandbox: SandboxServer) -> Iterator[Any]:
    keys = fresh_sandbox.account("bybit", {"USDT": "10000", "BTC": "1"})
    exchange = ccxt.bybit({"apiKey": keys.api_key, "secret": keys.api_secret})
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], fresh_sandbox.at("bybit"))
    exchange.options["defaultType"] = "spot"
    yield exchange
    exchange.session.close()


def test_ccxt_loads_markets_with_their_grids_and_finds_a_unified_account(client: Any) -> None:
    market = client.load_markets()[SYMBOL]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert market["limits"]["cost"]["min"] == 5
    assert market["active"]
    assert client.is_unified_enabled() == [False, True]


def test_ccxt_reads_prices_books_and_candles(client: Any) -> None:
    ticker = client.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (60000, 60000, 60000.01)
    assert client.fetch_tickers([SYMBOL, "ETH/USDT"]).keys() == {SYMBOL, "ETH/USDT"}
    book = client.fetch_order_book(SYMBOL, 5)
    assert (len(book["bids"]), len(book["asks"])) == (5, 5)
    for timeframe in ("1m", "1h", "1d", "1w", "1M"):
        candles = client.fetch_ohlcv(SYMBOL, timeframe, limit=10)
        assert len(candles) == 10
        assert candles[-1][4] == 60000


def test_ccxt_buys_at_market_in_either_unit_and_sells(client: Any) -> None:
    client.create_order(SYMBOL, "market", "buy", 0.01)
    bought = client.create_market_buy_order_with_cost(SYMBOL, 600.01)
    found = client.fetch_order(bought["id"], SYMBOL, SEEN)
    assert (found["status"], found["filled"], found["average"]) == ("closed", 0.01, 60000.01)
    assert found["fee"] == {"currency": "BTC", "cost": 1e-5}
    client.create_order(SYMBOL, "market", "sell", 0.02)
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(0.99998)
    trades = client.fetch_my_trades(SYMBOL)
    assert [trade["side"] for trade in trades] == ["buy", "buy", "sell"]
    assert trades[2]["fee"]["cost"] == 1.2


def test_ccxt_places_looks_up_lists_edits_and_cancels_a_limit_order(client: Any) -> None:
    placed = client.create_order(SYMBOL, "limit", "buy", 0.01, 58000, {"clientOrderId": "mybot-0001"})
    assert placed["clientOrderId"] == "mybot-0001"
    usdt = client.fetch_balance()["USDT"]
    assert (usdt["free"], usdt["used"], usdt["total"]) == (9420, 580, 10000)
    found = client.fetch_order(placed["id"], SYMBOL, SEEN)
    assert (found["status"], found["price"], found["amount"]) == ("open", 58000, 0.01)
    client.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 57000)
    (listed,) = client.fetch_open_orders(SYMBOL)
    assert (listed["id"], listed["price"], listed["amount"]) == (placed["id"], 57000, 0.02)
    client.cancel_order(None, SYMBOL, {"orderLinkId": "mybot-0001"})
    assert client.fetch_open_orders() == []
    assert [order["status"] for order in client.fetch_canceled_orders(SYMBOL)] == ["canceled"]


def test_ccxt_places_post_only_and_immediate_orders_and_cancels_all(client: Any) -> None:
    maker = client.create_order(SYMBOL, "limit", "buy", 0.01, 59000, {"postOnly": True})
    crossing = client.create_order(SYMBOL, "limit", "buy", 0.01, 61000, {"postOnly": True})
    taker = client.create_order(SYMBOL, "limit", "buy", 0.01, 61000, {"timeInForce": "FOK"})
    states = [client.fetch_order(order["id"], SYMBOL, SEEN)["status"] for order in (maker, crossing, taker)]
    assert states == ["open", "canceled", "closed"]
    client.cancel_all_orders(SYMBOL)
    assert client.fetch_open_orders(SYMBOL) == []


def test_ccxt_buys_with_exits_attached_of_which_one_ends_the_other(
    client: Any, fresh_sandbox: SandboxServer
) -> None:
    exits = {"stopLoss": {"triggerPrice": 55000}, "takeProfit": {"triggerPrice": 65000}}
    client.create_order(SYMBOL, "limit", "buy", 0.01, 61000, exits)
    waiting = client.fetch_open_orders(SYMBOL)
    assert {order["triggerPrice"] for order in waiting} == {65000, 55000}
    assert {(order["side"], order["amount"]) for order in waiting} == {("sell", 0.00999)}
    assert client.fetch_balance()["BTC"]["used"] == 0.00999
    fresh_sandbox.price("bybit", SYMBOL, "54000")
    states = {
        order["triggerPrice"]: client.fetch_order(order["id"], SYMBOL, SEEN)["status"] for order in waiting
    }
    assert states == {65000: "canceled", 55000: "closed"}
    with pytest.raises(ccxt.InvalidOrder):
        client.create_order(SYMBOL, "market", "buy", 0.01, None, exits)


def test_ccxt_places_stops_that_hold_their_coins_and_conditional_orders_that_do_not(
    client: Any, fresh_sandbox: SandboxServer
) -> None:
    stop = client.create_order(SYMBOL, "market", "sell", 0.6, None, {"stopLossPrice": 55000})
    other = client.create_order(SYMBOL, "market", "sell", 0.6, None, {"triggerPrice": 56000})
    assert client.fetch_balance()["BTC"]["used"] == 0.6
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order(stop["id"], SYMBOL)
    client.cancel_order(stop["id"], SYMBOL, {"orderFilter": "tpslOrder"})
    fresh_sandbox.price("bybit", SYMBOL, "54500")
    assert client.fetch_order(other["id"], SYMBOL, SEEN)["status"] == "closed"
    assert client.fetch_balance()["BTC"]["total"] == pytest.approx(0.4)


def test_ccxt_reads_futures_positions_and_the_fees_of_a_market(
    client: Any, fresh_sandbox: SandboxServer
) -> None:
    position = {"symbol": SYMBOL, "quantity": "-0.5", "entry_price": "61000"}
    fresh_sandbox.control(
        "positions", exchange="bybit", api_key=client.apiKey, positions=[position], margin="500"
    )
    rows = client.private_get_v5_position_list({"category": "linear", "settleCoin": "USDT"})["result"]["list"]
    assert [(row["side"], row["size"], row["unrealisedPnl"]) for row in rows] == [("Sell", "0.5", "500")]
    assert client.fetch_balance()["USDT"]["total"] == 10500
    assert client.fetch_trading_fee(SYMBOL)["taker"] == 0.001


def test_ccxt_tells_the_sandboxs_refusals_apart(client: Any, fresh_sandbox: SandboxServer) -> None:
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "market", "sell", 5)
    with pytest.raises(ccxt.OrderNotFound):
        client.cancel_order("99", SYMBOL)
    with pytest.raises(ccxt.InvalidOrder):
        client.create_market_buy_order_with_cost(SYMBOL, 1)
    fresh_sandbox.fault("bybit", "balances", "rate_limit")
    with pytest.raises(ccxt.RateLimitExceeded):
        client.fetch_balance()
    client.secret = "wrong"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance()
