"""Proof from outside: ccxt, which shares no code with us, trades on the sandbox as it would on Coinbase.

It asks an older API for currencies and, unless it is told otherwise, for balances; the sandbox does not have that.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ccxt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.fixtures.sandbox import SandboxServer

SYMBOL = "BTC/USDT"
PRODUCT = "BTC-USDT"


@pytest.fixture(params=["EdDSA", "ES256"])
def client(request: pytest.FixtureRequest, fresh_sandbox: SandboxServer) -> Iterator[Any]:
    """ccxt with a key of either kind."""
    keys = fresh_sandbox.account("coinbase", {"USDT": "10000", "BTC": "1"})
    secret = keys.api_secret
    if request.param == "ES256":
        key = ec.generate_private_key(ec.SECP256R1())
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()).decode()
        account = {"exchange": "coinbase", "api_key": keys.api_key, "api_secret": secret}
        fresh_sandbox.control("accounts", **account)
    exchange = ccxt.coinbase({"apiKey": keys.api_key, "secret": secret})
    exchange.urls["api"] = {"rest": fresh_sandbox.at("coinbase")}
    exchange.has["fetchCurrencies"] = False
    exchange.options["fetchCurrencies"] = {"timestamp": exchange.milliseconds(), "expires": 10**9}
    yield exchange
    exchange.session.close()


def test_ccxt_loads_markets_and_reads_prices_books_and_candles(client: Any) -> None:
    market = client.load_markets()[SYMBOL]
    assert (market["precision"]["price"], market["precision"]["amount"]) == (0.01, 0.00001)
    assert market["limits"]["cost"]["min"] == 5
    assert {"ETH/BTC", "BTC/EUR", "SOL/USDC"} <= set(client.markets)
    ticker = client.fetch_ticker(SYMBOL)
    assert (ticker["last"], ticker["bid"], ticker["ask"]) == (60000, 60000, 60000.01)
    book = client.fetch_order_book(SYMBOL, 5)
    assert (len(book["bids"]), len(book["asks"])) == (5, 5)
    candles = client.fetch_ohlcv(SYMBOL, "1h", limit=10)
    assert len(candles) == 10


def test_ccxt_buys_by_quote_with_the_fee_inside_and_sells(client: Any) -> None:
    bought = client.create_order(SYMBOL, "market", "buy", 0, None, {"cost": 603.61})
    found = client.fetch_order(bought["id"], SYMBOL)
    assert (found["status"], found["filled"]) == ("closed", 0.01)
    assert float(found["fee"]["cost"]) == pytest.approx(600.0001 * 0.006)
    client.create_order(SYMBOL, "market", "sell", 0.01)
    assert client.fetch_balance({"v3": True})["BTC"] == {"free": 1, "used": 0, "total": 1}
    trades = client.fetch_my_trades(SYMBOL)
    assert {trade["side"] for trade in trades} == {"buy", "sell"}
    assert {trade["fee"]["currency"] for trade in trades} == {"USDT"}


def test_ccxt_places_looks_up_lists_edits_and_cancels_a_limit_order(client: Any) -> None:
    params = {"client_order_id": "mybot0001"}
    placed = client.create_order(SYMBOL, "limit", "buy", 0.01, 50000, params)
    again = client.create_order(SYMBOL, "limit", "buy", 0.02, 50000, params)
    assert again["id"] == placed["id"], "the first order is told, and none is placed"
    assert client.fetch_balance({"v3": True})["USDT"] == {"free": 9497, "used": 503, "total": 10000}
    found = client.fetch_order(placed["id"], SYMBOL)
    assert (found["status"], found["price"], found["amount"], found["clientOrderId"]) == (
        "open",
        50000,
        0.01,
        "mybot0001",
    )
    client.edit_order(placed["id"], SYMBOL, "limit", "buy", 0.02, 51000)
    (listed,) = client.fetch_open_orders(SYMBOL)
    assert (listed["id"], listed["price"], listed["amount"]) == (placed["id"], 51000, 0.02)
    client.cancel_order(placed["id"], SYMBOL)
    assert client.fetch_open_orders(SYMBOL) == []
    assert [order["status"] for order in client.fetch_orders(SYMBOL)] == ["canceled"]


def test_ccxt_places_a_stop_and_buys_with_a_bracket_attached(
    client: Any, fresh_sandbox: SandboxServer
) -> None:
    stop = client.create_order(SYMBOL, "limit", "sell", 0.01, 54000, {"stopLossPrice": 55000})
    (listed,) = client.fetch_open_orders(SYMBOL)
    assert (listed["id"], listed["triggerPrice"]) == (stop["id"], 55000)
    client.cancel_order(stop["id"], SYMBOL)
    bracket = {"trigger_bracket_gtc": {"limit_price": "65000", "stop_trigger_price": "55000"}}
    entry = client.create_order(
        SYMBOL, "limit", "buy", 0.01, 61000, {"attached_order_configuration": bracket}
    )
    attached = client.fetch_order(entry["id"], SYMBOL)["info"]["attached_order_id"]
    fresh_sandbox.price("coinbase", SYMBOL, "54500")
    told = client.fetch_order(attached, SYMBOL)
    assert (told["status"], told["info"]["trigger_status"], told["average"]) == (
        "closed",
        "STOP_TRIGGERED",
        54500,
    )


def test_ccxt_tells_the_sandboxs_refusals_apart(client: Any, fresh_sandbox: SandboxServer) -> None:
    client.load_markets()
    with pytest.raises(ccxt.InsufficientFunds):
        client.create_order(SYMBOL, "market", "sell", 5)
    with pytest.raises(ccxt.ExchangeError):
        client.create_order(SYMBOL, "limit", "buy", 0.00001, 50000)
    with pytest.raises(ccxt.BaseError):
        client.cancel_order("99", SYMBOL)
    fresh_sandbox.fault("coinbase", "balances", "ban")
    with pytest.raises(ccxt.RateLimitExceeded):
        client.fetch_balance({"v3": True})
    client.apiKey = "another"
    with pytest.raises(ccxt.AuthenticationError):
        client.fetch_balance({"v3": True})
