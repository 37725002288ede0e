"""Assets, pairs, prices, books, candles and trades."""

from __future__ import annotations

import time

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kraken_caller import Caller


def test_old_assets_carry_a_prefix_and_two_a_ticker_of_krakens_own(kraken: Caller) -> None:
    assets = kraken.get("Assets")["result"]
    names = {code: row["altname"] for code, row in assets.items()}
    assert {"XXBT": "XBT", "XXDG": "XDG", "XETH": "ETH", "ZUSD": "USD", "SOL": "SOL"}.items() <= names.items()
    assert assets["XXBT"] == {
        "aclass": "currency",
        "altname": "XBT",
        "decimals": 10,
        "display_decimals": 5,
        "status": "enabled",
    }
    assert list(kraken.get("Assets", asset="XBT,ZUSD")["result"]) == ["XXBT", "ZUSD"]
    assert kraken.get("Assets", asset="NOPE")["error"] == ["EQuery:Unknown asset"]


@pytest.mark.parametrize(
    ("pair_id", "altname", "wsname", "base", "quote"),
    [
        ("XXBTZUSD", "XBTUSD", "XBT/USD", "XXBT", "ZUSD"),
        ("XETHXXBT", "ETHXBT", "ETH/XBT", "XETH", "XXBT"),
        ("XBTUSDT", "XBTUSDT", "XBT/USDT", "XXBT", "USDT"),
        ("XDGUSDT", "XDGUSDT", "XDG/USDT", "XXDG", "USDT"),
        ("SOLXBT", "SOLXBT", "SOL/XBT", "SOL", "XXBT"),
    ],
)
def test_a_pair_has_three_names_and_answers_by_its_id(
    kraken: Caller, pair_id: str, altname: str, wsname: str, base: str, quote: str
) -> None:
    for name in (pair_id, altname, wsname):
        ((key, row),) = kraken.get("AssetPairs", pair=name)["result"].items()
        found = (key, row["altname"], row["wsname"], row["base"], row["quote"])
        assert found == (pair_id, altname, wsname, base, quote)


def test_a_pair_states_its_grid_its_minimums_and_its_fees_in_percent(kraken: Caller) -> None:
    row = kraken.get("AssetPairs", pair="XXBTZUSD")["result"]["XXBTZUSD"]
    assert (row["tick_size"], row["pair_decimals"], row["lot_decimals"]) == ("0.01", 2, 5)
    assert (row["ordermin"], row["costmin"], row["cost_decimals"]) == ("0.00001", "5", 5)
    assert (row["fees"], row["fees_maker"]) == ([[0, 0.4]], [[0, 0.25]])


def test_a_pair_that_is_closed_is_in_cancel_only_mode(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.control("instruments", exchange="kraken", symbol="BTC/USDT", trading=False)
    assert kraken.get("AssetPairs", pair="XBTUSDT")["result"]["XBTUSDT"]["status"] == "cancel_only"
    refusal = kraken.refused_order(type="buy", ordertype="market")
    assert refusal == "EService:Market in cancel_only mode"


def test_a_pair_listed_later_is_found(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.control("instruments", exchange="kraken", symbol="NEW/EUR", price="3")
    assert kraken.get("AssetPairs", pair="NEWEUR")["result"]["NEWEUR"]["quote"] == "ZEUR"


def test_an_unknown_pair_is_refused(kraken: Caller) -> None:
    for name in ("AssetPairs", "Ticker", "Depth", "OHLC", "Trades"):
        assert kraken.get(name, pair="XBTNOPE")["error"] == ["EQuery:Unknown asset pair"]
    assert kraken.get("Depth")["error"] == ["EGeneral:Invalid arguments:pair"]


def test_a_ticker_is_keyed_by_id_and_the_second_number_is_of_24_hours(kraken: Caller) -> None:
    rows = kraken.get("Ticker", pair="XBTUSD,ETHUSDT")["result"]
    assert list(rows) == ["XXBTZUSD", "ETHUSDT"]
    row = rows["XXBTZUSD"]
    assert (row["c"][0], row["b"][0], row["a"][0]) == ("60000.00", "60000.00", "60000.01")
    assert row["a"][1:] == ["0", "0.833"]
    assert float(row["v"][0]) < float(row["v"][1])
    assert float(row["l"][1]) <= float(row["c"][0]) <= float(row["h"][1])
    assert len(kraken.get("Ticker")["result"]) == 33


def test_an_empty_side_of_the_book_shows_zeros(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.control("books", exchange="kraken", symbol="BTC/USDT", bids=[], asks=[["60000", "0.4"]])
    row = kraken.get("Ticker", pair="XBTUSDT")["result"]["XBTUSDT"]
    assert (row["b"], row["a"]) == (["0.00", "0", "0.000"], ["60000.00", "0", "0.400"])


def test_a_book_has_the_best_first_and_at_most_as_many_as_asked(kraken: Caller) -> None:
    book = kraken.get("Depth", pair="XBT/USDT", count=3)["result"]["XBTUSDT"]
    assert [len(book["asks"]), len(book["bids"])] == [3, 3]
    assert [row[0] for row in book["bids"]] == ["60000.00", "59994.00", "59988.00"]
    assert book["asks"][0][:2] == ["60000.01", "0.83333000"]
    assert abs(book["asks"][0][2] - time.time()) < 5
    assert len(kraken.get("Depth", pair="XBTUSDT")["result"]["XBTUSDT"]["asks"]) == 100
    assert kraken.get("Depth", pair="XBTUSDT", count=501)["error"] == ["EGeneral:Invalid arguments:count"]


def test_candles_end_with_the_one_that_is_not_over_and_reach_720_back(kraken: Caller) -> None:
    result = kraken.get("OHLC", pair="XBTUSD", interval=60, since=0)["result"]
    rows = result["XXBTZUSD"]
    assert len(rows) == 720
    assert rows[-1][0] == int(time.time()) // 3600 * 3600
    assert rows[-1][4] == "60000.00"
    assert result["last"] == rows[-2][0]
    for row in rows[:10]:
        opening, high, low, close, vwap = map(float, row[1:6])
        assert low <= min(opening, close, vwap) <= max(opening, close, vwap) <= high


def test_candles_come_after_the_time_asked_for(kraken: Caller) -> None:
    hour = int(time.time()) // 3600 * 3600
    rows = kraken.get("OHLC", pair="XBTUSDT", interval=60, since=hour - 3 * 3600)["result"]["XBTUSDT"]
    assert [row[0] for row in rows] == [hour - 2 * 3600, hour - 3600, hour]
    later = kraken.get("OHLC", pair="XBTUSDT", interval=60, since=hour + 7200)["result"]["XBTUSDT"]
    assert [row[0] for row in later] == [hour]


def test_an_interval_that_is_none_of_krakens_is_refused(kraken: Caller) -> None:
    answer = kraken.get("OHLC", pair="XBTUSDT", interval=7)
    assert answer == {"error": ["EGeneral:Invalid arguments:interval"]}


def test_public_trades_continue_from_the_last(kraken: Caller) -> None:
    first = kraken.get("Trades", pair="XBTUSDT", count=5)["result"]
    assert len(first["XBTUSDT"]) == 5
    assert {row[3] for row in first["XBTUSDT"]} == {"b", "s"}
    since = int(first["XBTUSDT"][2][2] * 1_000_000_000)
    again = kraken.get("Trades", pair="XBTUSDT", since=since)["result"]
    assert again["XBTUSDT"][:2] == first["XBTUSDT"][3:]
    assert int(again["last"]) >= int(first["last"])


def test_the_system_is_online_and_knows_the_time(kraken: Caller) -> None:
    assert kraken.get("SystemStatus")["result"]["status"] == "online"
    now = kraken.get("Time")["result"]
    assert abs(now["unixtime"] - time.time()) < 5
    assert now["rfc1123"].endswith("+0000")
