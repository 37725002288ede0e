"""Symbols, prices, books and candles."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kucoin_caller import Caller

CANDLES = "/api/v1/market/candles"
BOOK = "/api/v1/market/orderbook"


def public(kucoin: Caller, path: str) -> Any:
    """The data of a call without any header of a key."""
    none = dict.fromkeys(("key", "sign", "passphrase", "key_version"))
    body = kucoin.send_raw("GET", path, **none).json()
    assert body["code"] == "200000", body
    return body["data"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/timestamp",
        "/api/v1/status",
        "/api/v2/symbols",
        "/api/v3/currencies",
        "/api/v1/market/allTickers",
        f"{BOOK}/level1?symbol=BTC-USDT",
        f"{BOOK}/level2_20?symbol=BTC-USDT",
        f"{BOOK}/level2_100?symbol=BTC-USDT",
        f"{CANDLES}?symbol=BTC-USDT&type=1min",
        "/api/v1/contracts/active",
    ],
)
def test_market_data_needs_no_key(kucoin: Caller, path: str) -> None:
    assert public(kucoin, path)


def test_the_whole_book_needs_a_signature(kucoin: Caller) -> None:
    path = "/api/v3/market/orderbook/level2?symbol=BTC-USDT"
    assert kucoin.send_raw("GET", path, sign="x").json()["code"] == "400005"
    assert len(kucoin.get("/api/v3/market/orderbook/level2", symbol="BTC-USDT")["asks"]) == 500


def test_the_time_is_a_number_of_milliseconds_by_the_exchanges_clock(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    before = kucoin.get("/api/v1/timestamp")
    fresh_sandbox.control("skew", exchange="kucoin", milliseconds=3_600_000)
    after = public(kucoin, "/api/v1/timestamp")
    assert isinstance(before, int)
    assert 3_600_000 <= after - before < 3_660_000


def test_a_symbol_states_its_steps_and_bounds_as_text(kucoin: Caller) -> None:
    symbol = kucoin.get("/api/v2/symbols/BTC-USDT")
    assert symbol in kucoin.get("/api/v2/symbols")
    assert (symbol["baseCurrency"], symbol["quoteCurrency"], symbol["feeCurrency"]) == ("BTC", "USDT", "USDT")
    assert (symbol["priceIncrement"], symbol["baseIncrement"], symbol["quoteIncrement"]) == (
        "0.01",
        "0.00001",
        "0.000001",
    )
    assert (symbol["baseMinSize"], symbol["quoteMinSize"], symbol["minFunds"]) == ("0.00001", "5", "5")
    assert (symbol["enableTrading"], symbol["priceLimitRate"]) == (True, "0.1")
    crosses = kucoin.get("/api/v2/symbols", market="BTC")
    assert {row["quoteCurrency"] for row in crosses} == {"BTC"}


def test_every_asset_is_a_currency(kucoin: Caller) -> None:
    assert {"BTC", "USDT", "EUR"} <= {row["currency"] for row in kucoin.get("/api/v3/currencies")}


def test_the_best_ticker_shows_both_sides(kucoin: Caller) -> None:
    ticker = kucoin.get(f"{BOOK}/level1", symbol="BTC-USDT")
    assert (ticker["price"], ticker["bestBid"], ticker["bestAsk"]) == ("60000", "60000", "60000.01")


def test_the_statistics_of_one_symbol_are_those_among_all_tickers(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    fresh_sandbox.price("kucoin", "BTC/USDT", "62000")
    stats = kucoin.get("/api/v1/market/stats", symbol="BTC-USDT")
    assert (stats["last"], stats["high"], stats["buy"], stats["sell"]) == (
        "62000",
        "62000",
        "62000",
        "62000.01",
    )
    assert Decimal(stats["low"]) <= Decimal(stats["averagePrice"]) <= Decimal(stats["high"])
    (row,) = (x for x in kucoin.get("/api/v1/market/allTickers")["ticker"] if x["symbol"] == "BTC-USDT")
    assert row["symbolName"] == "BTC-USDT"
    assert (row["last"], row["vol"], row["takerFeeRate"]) == ("62000", stats["vol"], "0.001")


@pytest.mark.parametrize(("path", "depth"), [("level2_20", 20), ("level2_100", 100)])
def test_a_book_has_so_many_levels_best_first(kucoin: Caller, path: str, depth: int) -> None:
    book = kucoin.get(f"{BOOK}/{path}", symbol="BTC-USDT")
    bids, asks = ([Decimal(price) for price, _ in book[side]] for side in ("bids", "asks"))
    assert (len(bids), len(asks)) == (depth, depth)
    assert bids == sorted(bids, reverse=True)
    assert asks == sorted(asks)
    assert bids[0] < asks[0]


def test_an_empty_book_has_no_best_price(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    fresh_sandbox.control("books", exchange="kucoin", symbol="BTC/USDT", bids=[], asks=[])
    assert kucoin.get("/api/v1/market/stats", symbol="BTC-USDT")["buy"] is None
    assert kucoin.get(f"{BOOK}/level2_20", symbol="BTC-USDT")["asks"] == []


def test_candles_come_newest_first_with_the_close_before_the_high(kucoin: Caller) -> None:
    rows = kucoin.get(CANDLES, symbol="BTC-USDT", type="1hour")
    starts = [int(row[0]) for row in rows]
    assert len(rows) == 100
    assert starts == sorted(starts, reverse=True)
    assert {start % 3600 for start in starts} == {0}
    assert rows[0][2] == "60000"
    for _, opening, close, high, low, volume, turnover in rows:
        assert Decimal(low) <= min(Decimal(opening), Decimal(close))
        assert Decimal(high) >= max(Decimal(opening), Decimal(close))
        assert Decimal(turnover) == Decimal(volume) * Decimal(close)


def test_candles_are_asked_for_by_seconds_and_are_at_most_1500(kucoin: Caller) -> None:
    start = 1_700_000_100
    rows = kucoin.get(CANDLES, symbol="BTC-USDT", type="1min", startAt=start, endAt=start + 300)
    assert [int(row[0]) for row in rows] == [start + 60 * n for n in (5, 4, 3, 2, 1, 0)]
    many = kucoin.get(CANDLES, symbol="BTC-USDT", type="1min", startAt=start, endAt=start + 60 * 3000)
    assert len(many) == 1500
    assert int(many[0][0]) == start + 60 * 3000


def test_weeks_begin_on_monday_and_months_on_the_first(kucoin: Caller) -> None:
    weeks = kucoin.get(CANDLES, symbol="BTC-USDT", type="1week", startAt=1_700_000_000)
    assert {datetime.fromtimestamp(int(row[0]), UTC).weekday() for row in weeks} == {0}
    months = kucoin.get(CANDLES, symbol="BTC-USDT", type="1month", startAt=1_700_000_000)
    assert {datetime.fromtimestamp(int(row[0]), UTC).day for row in months} == {1}


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"{CANDLES}?symbol=BTC-USDT&type=7min", "400100"),
        (f"{CANDLES}?symbol=BTC-USDT", "400100"),
        (f"{CANDLES}?symbol=BTC-USDT&type=1min&startAt=soon", "400100"),
        (f"{CANDLES}?symbol=BTC-USDT&type=1month&endAt=-99999999999999", "400100"),
        (f"{BOOK}/level1?symbol=NO-SUCH", "900001"),
        (f"{BOOK}/level2_20", "400100"),
        ("/api/v2/symbols/NO-SUCH", "900001"),
    ],
)
def test_a_wrong_question_is_refused(kucoin: Caller, path: str, code: str) -> None:
    assert kucoin.send_raw("GET", path).json()["code"] == code
