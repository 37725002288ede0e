"""Prices, books, candles, and the accounts' read-only corners."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.binance_caller import Caller

HOUR = 60 * 60 * 1000
DAY = 24 * HOUR


def get(binance: Caller, path: str, query: str = "") -> Any:
    return binance.send_raw("GET", f"/api/v3/{path}", query).json()


def test_an_instrument_states_its_filters_and_abilities(binance: Caller) -> None:
    (instrument,) = get(binance, "exchangeInfo", "symbol=BTCUSDT")["symbols"]
    filters = {row["filterType"]: row for row in instrument["filters"]}
    assert filters["PRICE_FILTER"]["tickSize"] == "0.01000000"
    assert filters["LOT_SIZE"]["stepSize"] == "0.00001000"
    assert filters["NOTIONAL"]["minNotional"] == "5.00000000"
    assert instrument["ocoAllowed"] is True
    assert "STOP_LOSS_LIMIT" in instrument["orderTypes"]


def test_several_instruments_are_asked_for_as_a_json_array(binance: Caller) -> None:
    found = get(binance, "exchangeInfo", 'symbols=["ETHUSDT","BTCUSDT"]')["symbols"]
    assert [row["symbol"] for row in found] == ["ETHUSDT", "BTCUSDT"]
    assert get(binance, "exchangeInfo", "symbols=ETHUSDT")["code"] == -1100
    assert get(binance, "exchangeInfo", 'symbols=["ETHUSDT","ETHUSDT"]')["code"] == -1151
    assert get(binance, "exchangeInfo", 'symbol=ETHUSDT&symbols=["ETHUSDT"]')["code"] == -1128
    assert get(binance, "exchangeInfo", "symbol=NOPE")["code"] == -1121


def test_thousands_of_instruments_can_be_listed_for_a_load(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    before = len(get(binance, "exchangeInfo")["symbols"])
    fresh_sandbox.control("instruments", exchange="binance", count=3000)
    symbols = [row["symbol"] for row in get(binance, "exchangeInfo")["symbols"]]
    assert len(symbols) == len(set(symbols)) == before + 3000
    order = binance.ok("POST", "/api/v3/order", symbol="GEN3000USDT", side="BUY", type="MARKET", quantity="1")
    assert order["status"] == "FILLED"


def test_the_book_is_best_first_and_does_not_cross(binance: Caller) -> None:
    book = get(binance, "depth", "symbol=BTCUSDT&limit=20")
    bids, asks = ([float(price) for price, _ in book[side]] for side in ("bids", "asks"))
    assert len(bids) == len(asks) == 20
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]


def test_tickers_follow_the_price(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    fresh_sandbox.price("binance", "BTC/USDT", "61234.567")
    assert get(binance, "ticker/price", "symbol=BTCUSDT") == {"symbol": "BTCUSDT", "price": "61234.56000000"}
    best = get(binance, "ticker/bookTicker", "symbol=BTCUSDT")
    assert (best["bidPrice"], best["askPrice"]) == ("61234.56000000", "61234.57000000")
    day = get(binance, "ticker/24hr", "symbol=BTCUSDT")
    assert float(day["lowPrice"]) <= float(day["lastPrice"]) <= float(day["highPrice"])
    assert day["closeTime"] - day["openTime"] == DAY
    mini = get(binance, "ticker/24hr", "symbol=BTCUSDT&type=MINI")
    assert "bidPrice" not in mini
    assert get(binance, "ticker/24hr", "type=HUGE")["code"] == -1139
    assert len(get(binance, "ticker/price")) > 30


@pytest.mark.parametrize(("interval", "length"), [("1m", 60_000), ("1h", HOUR), ("1d", DAY), ("1w", 7 * DAY)])
def test_candles_join_up_and_end_at_the_last_price(binance: Caller, interval: str, length: int) -> None:
    rows = get(binance, "klines", f"symbol=BTCUSDT&interval={interval}&limit=12")
    assert len(rows) == 12
    assert all(later[0] - earlier[0] == length for earlier, later in pairwise(rows))
    assert all(later[1] == earlier[4] for earlier, later in pairwise(rows))
    assert all(float(row[3]) <= min(float(row[1]), float(row[4])) for row in rows)
    assert all(float(row[2]) >= max(float(row[1]), float(row[4])) for row in rows)
    assert all(row[6] == row[0] + length - 1 for row in rows)
    assert rows[-1][4] == "60000.00000000"


def test_past_candles_are_the_same_at_every_look(binance: Caller) -> None:
    query = f"symbol=BTCUSDT&interval=1h&startTime={1_700_000_000_000}&endTime={1_700_000_000_000 + 5 * HOUR}"
    rows = get(binance, "klines", query)
    assert len(rows) == 5
    assert rows == get(binance, "klines", query)
    months = get(binance, "klines", "symbol=BTCUSDT&interval=1M&limit=3")
    assert len(months) == 3
    assert get(binance, "klines", "symbol=BTCUSDT&interval=7m")["code"] == -1120


def test_the_account_lists_every_asset_unless_zeros_are_left_out(binance: Caller) -> None:
    every = binance.ok("GET", "/api/v3/account")
    assert {"XRP", "DOGE", "EUR"} <= {row["asset"] for row in every["balances"]}
    assert every["commissionRates"]["taker"] == "0.00100000"
    assert set(binance.balances()) == {"USDT", "BTC", "ETH"}
    fees = binance.ok("GET", "/api/v3/account/commission", symbol="BTCUSDT")
    assert fees["standardCommission"]["maker"] == "0.00100000"


def test_futures_positions_are_those_that_were_set(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    assert binance.ok("GET", "/fapi/v3/positionRisk") == []
    fresh_sandbox.control(
        "positions",
        exchange="binance",
        api_key=binance.keys.api_key,
        margin="1000",
        positions=[{"symbol": "BTC/USDT", "quantity": "-0.01", "entry_price": "61000"}],
    )
    (position,) = binance.ok("GET", "/fapi/v3/positionRisk", symbol="BTCUSDT")
    assert (position["positionAmt"], position["unRealizedProfit"]) == ("-0.01000000", "10.00000000")
    (margin,) = binance.ok("GET", "/fapi/v3/balance")
    assert (margin["balance"], margin["availableBalance"]) == ("1000.00000000", "1010.00000000")
