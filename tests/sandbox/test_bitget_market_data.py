"""Instruments, prices, books, candles, and the accounts as they are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.bitget_caller import Caller, accepted, refusal

HOUR = 3_600_000
DAY = 24 * HOUR
CANDLES = "/api/v2/spot/market/candles"
#: a Wednesday
NOON = int(datetime(2026, 7, 15, 12, tzinfo=UTC).timestamp()) * 1000


def ask(bitget: Caller, path: str, query: str = "") -> Any:
    """What anybody is told."""
    return accepted(bitget.raw("GET", f"{path}?{query}" if query else path))


def test_an_instrument_states_decimals_and_the_least_value(bitget: Caller) -> None:
    records = ask(bitget, "/api/v2/spot/public/symbols")
    assert {"BTCUSDT", "ETHBTC", "BTCEUR"} <= {record["symbol"] for record in records}
    (record,) = ask(bitget, "/api/v2/spot/public/symbols", "symbol=BTCUSDT")
    assert (record["pricePrecision"], record["quantityPrecision"], record["quotePrecision"]) == (
        "2",
        "5",
        "8",
    )
    assert (record["minTradeAmount"], record["minTradeUSDT"], record["status"]) == ("0", "5", "online")
    assert (record["takerFeeRate"], record["buyLimitPriceRatio"]) == ("0.001", "0.05")


def test_an_instrument_that_is_listed_later_is_there(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    fresh_sandbox.control("instruments", exchange="bitget", symbol="NEW/USDT", price="2")
    (record,) = ask(bitget, "/api/v2/spot/public/symbols", "symbol=NEWUSDT")
    assert record["baseCoin"] == "NEW"


def test_tickers_are_an_array_even_of_one(bitget: Caller) -> None:
    (ticker,) = ask(bitget, "/api/v2/spot/market/tickers", "symbol=BTCUSDT")
    assert (ticker["lastPr"], ticker["bidPr"], ticker["askPr"]) == ("60000", "60000", "60000.01")
    assert float(ticker["low24h"]) <= 60000 <= float(ticker["high24h"])
    assert abs(int(ticker["ts"]) - bitget.now()) < 10_000
    assert len(ask(bitget, "/api/v2/spot/market/tickers")) > 20
    assert refusal(bitget.raw("GET", "/api/v2/spot/market/tickers?symbol=NONE")) == (400, "40102")


def test_the_book_is_cut_to_its_limit_and_merged_by_steps(bitget: Caller) -> None:
    path = "/api/v2/spot/market/orderbook"
    book = ask(bitget, path, "symbol=BTCUSDT&limit=2")
    assert book["bids"] == [["60000", "0.83333"], ["59994", "2.49999"]]
    assert [price for price, _ in book["asks"]] == ["60000.01", "60006.01"]
    assert len(ask(bitget, path, "symbol=BTCUSDT")["asks"]) == 150
    merged = ask(bitget, path, "symbol=BTCUSDT&type=step4&limit=2")
    assert merged["bids"][0] == ["60000", "0.83333"]
    assert [price for price, _ in merged["asks"]] == ["60100", "60200"]
    assert refusal(bitget.raw("GET", f"{path}?symbol=BTCUSDT&limit=151")) == (400, "40020")
    assert refusal(bitget.raw("GET", f"{path}?symbol=BTCUSDT&type=step6")) == (400, "40020")


def test_the_merged_book_says_what_it_was_merged_to(bitget: Caller) -> None:
    book = ask(bitget, "/api/v2/spot/market/merge-depth", "symbol=BTCUSDT&precision=scale3&limit=max")
    assert (book["precision"], book["scale"], book["isMaxPrecision"]) == ("scale3", "10", "NO")
    assert [price for price, _ in book["asks"]][:2] == ["60010", "60020"]


@pytest.mark.parametrize(
    ("granularity", "opens"),
    [
        ("1min", NOON),
        ("4h", NOON),
        ("6h", NOON - 2 * HOUR),
        ("6Hutc", NOON),
        ("12h", NOON - 8 * HOUR),
        ("1day", NOON - 20 * HOUR),
        ("1Dutc", NOON - 12 * HOUR),
        ("1week", NOON - 2 * DAY - 20 * HOUR),
        ("1Wutc", NOON - 2 * DAY - 12 * HOUR),
        ("1M", NOON - 14 * DAY - 20 * HOUR),
        ("1Mutc", NOON - 14 * DAY - 12 * HOUR),
    ],
)
def test_long_candles_open_by_the_clock_of_utc_plus_8_unless_they_say_utc(
    fresh_sandbox: SandboxServer, bitget: Caller, granularity: str, opens: int
) -> None:
    fresh_sandbox.control("skew", exchange="bitget", milliseconds=NOON + 10 * 60_000 - bitget.now())
    rows = ask(bitget, CANDLES, f"symbol=BTCUSDT&granularity={granularity}&limit=2&endTime={NOON + 1}")
    assert [len(row) for row in rows] == [8, 8]
    assert int(rows[1][0]) == opens
    assert rows[0][4] == rows[1][1]


def test_candles_are_oldest_first_within_the_range_asked_for(bitget: Caller) -> None:
    now = bitget.now()
    rows = ask(bitget, CANDLES, f"symbol=BTCUSDT&granularity=1h&startTime={now - 5 * HOUR}")
    times = [int(row[0]) for row in rows]
    assert times == sorted(times)
    assert len(times) == 5
    assert rows[-1][4] == "60000"
    assert len(ask(bitget, CANDLES, "symbol=BTCUSDT&granularity=1min")) == 100
    old = f"symbol=BTCUSDT&granularity=1h&limit=200&endTime={now - DAY}"
    history = ask(bitget, "/api/v2/spot/market/history-candles", old)
    assert len(history) == 200
    assert int(history[-1][0]) <= now - DAY


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        (CANDLES, "symbol=BTCUSDT", "40019"),
        (CANDLES, "symbol=BTCUSDT&granularity=2h", "40020"),
        (CANDLES, "symbol=BTCUSDT&granularity=1h&limit=1001", "40020"),
        (CANDLES, "symbol=BTCUSDT&granularity=1h&endTime=yesterday", "40020"),
        ("/api/v2/spot/market/history-candles", "symbol=BTCUSDT&granularity=1h", "40019"),
    ],
)
def test_questions_that_make_no_sense_are_refused(bitget: Caller, path: str, query: str, code: str) -> None:
    assert refusal(bitget.raw("GET", f"{path}?{query}")) == (400, code)


def test_coins_are_listed_and_contracts_are_not(bitget: Caller) -> None:
    (coin,) = ask(bitget, "/api/v2/spot/public/coins", "coin=BTC")
    assert coin["coin"] == "BTC"
    assert ask(bitget, "/api/v2/mix/market/contracts", "productType=USDT-FUTURES") == []


def test_balances_are_those_held_unless_all_or_one_is_asked_for(bitget: Caller) -> None:
    path = "/api/v2/spot/account/assets"
    bitget.limit("buy", "50000", "0.1")
    held = {row["coin"]: row for row in bitget.read(path)}
    assert held.keys() == {"USDT", "BTC", "ETH"}
    row = held["USDT"]
    assert (row["available"], row["frozen"], row["locked"]) == ("95000", "5000", "0")
    assert "DOGE" in {row["coin"] for row in bitget.read(path, assetType="all")}
    (one,) = bitget.read(path, coin="DOGE")
    assert one["available"] == "0"


def test_the_fee_rates_are_stated(bitget: Caller) -> None:
    rate = bitget.read("/api/v2/common/trade-rate", symbol="BTCUSDT", businessType="spot")
    assert rate == {"makerFeeRate": "0.001", "takerFeeRate": "0.001"}


def test_futures_positions_have_a_side_and_a_positive_size(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    fresh_sandbox.control(
        "positions",
        exchange="bitget",
        api_key=bitget.keys.api_key,
        margin="1000",
        positions=[
            {"symbol": "BTC/USDT", "quantity": "0.01", "entry_price": "59000"},
            {"symbol": "ETH/USDT", "quantity": "-1", "entry_price": "2990"},
        ],
    )
    usdt = {"productType": "USDT-FUTURES"}
    long, short = bitget.read("/api/v2/mix/position/all-position", marginCoin="USDT", **usdt)
    assert (long["symbol"], long["holdSide"], long["total"], long["unrealizedPL"]) == (
        "BTCUSDT",
        "long",
        "0.01",
        "10",
    )
    assert (short["holdSide"], short["total"], short["unrealizedPL"]) == ("short", "1", "-10")
    assert short["markPrice"] == "3000"
    (account,) = bitget.read("/api/v2/mix/account/accounts", **usdt)
    assert (account["accountEquity"], account["available"], account["unrealizedPL"]) == ("1000", "1000", "0")
    for path in ("position/all-position", "account/accounts"):
        assert bitget.read(f"/api/v2/mix/{path}", productType="COIN-FUTURES") == []
    assert refusal(bitget.get("/api/v2/mix/account/accounts")) == (400, "40019")
