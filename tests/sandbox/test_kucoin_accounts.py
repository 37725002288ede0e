"""Balances, fees, the key itself, the futures account, and the calls that ccxt adds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kucoin_caller import Caller

ACCOUNTS = "/api/v1/accounts"
TRANSFER = "/api/v3/accounts/universal-transfer"


def rows_of(kucoin: Caller, **query: object) -> dict[tuple[str, str], tuple[str, str, str]]:
    rows = kucoin.get(ACCOUNTS, **query)
    return {(row["type"], row["currency"]): (row["balance"], row["available"], row["holds"]) for row in rows}


def test_a_balance_is_what_is_available_and_what_is_held(kucoin: Caller) -> None:
    kucoin.limit("sell", "61000", "0.5")
    assert rows_of(kucoin, type="trade", currency="BTC") == {("trade", "BTC"): ("2", "1.5", "0.5")}


def test_what_can_trade_goes_by_two_names(kucoin: Caller) -> None:
    assert rows_of(kucoin, type="trade_hf", currency="BTC") == {("trade_hf", "BTC"): ("2", "2", "0")}
    assert rows_of(kucoin, currency="BTC") == {("trade", "BTC"): ("2", "2", "0")}
    assert kucoin.refusal("GET", ACCOUNTS, type="savings")[0] == "400100"


def test_deposits_cannot_trade_until_they_are_transferred(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    keys = kucoin.keys
    fresh_sandbox.control(
        "accounts",
        exchange="kucoin",
        api_key=keys.api_key,
        api_secret=keys.api_secret,
        passphrase=keys.passphrase,
        balances={},
        funding={"USDT": "1000"},
    )
    assert rows_of(kucoin, currency="USDT") == {
        ("main", "USDT"): ("1000", "1000", "0"),
        ("trade", "USDT"): ("0", "0", "0"),
    }
    assert kucoin.refused_order(side="buy", type="market", funds="50")[0] == "200004"
    move = {"clientOid": "t1", "type": "INTERNAL", "currency": "USDT"}
    there = {"fromAccountType": "MAIN", "toAccountType": "TRADE"}
    assert kucoin.ok("POST", TRANSFER, amount="400", **move, **there)["orderId"]
    assert rows_of(kucoin, type="main") == {("main", "USDT"): ("600", "600", "0")}
    assert kucoin.balances()["USDT"] == ("400", "0")
    back = {"fromAccountType": "TRADE", "toAccountType": "MAIN"}
    assert kucoin.refusal("POST", TRANSFER, amount="401", **move, **back)[0] == "200004"
    assert kucoin.refusal("POST", TRANSFER, **move, **back)[0] == "400100"
    kucoin.ok("POST", TRANSFER, amount="400", **move, **back)
    told = fresh_sandbox.look("accounts", exchange="kucoin", api_key=keys.api_key)
    assert told["funding"] == {"USDT": "1000"}


def test_the_fees_of_symbols_are_told(kucoin: Caller) -> None:
    rows = kucoin.get("/api/v1/trade-fees", symbols="BTC-USDT,ETH-USDT")
    assert rows[1] == {"symbol": "ETH-USDT", "takerFeeRate": "0.001", "makerFeeRate": "0.001"}
    assert kucoin.refusal("GET", "/api/v1/trade-fees", symbols="NO-SUCH")[0] == "900001"
    assert kucoin.refusal("GET", "/api/v1/trade-fees", symbols=",".join(["BTC-USDT"] * 11))[0] == "400100"


def test_a_key_tells_its_version_and_what_it_may_do(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    info = kucoin.get("/api/v1/user/api-key")
    assert (info["apiKey"], info["apiVersion"]) == (kucoin.keys.api_key, 3)
    assert (info["permission"], info["ipWhitelist"]) == ("General,Spot", "127.0.0.1")
    fresh_sandbox.control(
        "permissions",
        exchange="kucoin",
        api_key=kucoin.keys.api_key,
        trade=False,
        withdraw=True,
        ip_restricted=False,
    )
    info = kucoin.get("/api/v1/user/api-key")
    assert "Spot" not in info["permission"]
    assert "Withdrawal" in info["permission"]
    assert "ipWhitelist" not in info


@pytest.mark.parametrize(
    ("path", "data"),
    [
        ("/api/v1/hf/accounts/opened", True),
        ("/api/ua/v1/account/mode", {"selfAccountMode": "CLASSIC"}),
        ("/api/v1/isolated/symbols", []),
    ],
)
def test_what_a_client_asks_when_it_starts_is_answered(kucoin: Caller, path: str, data: Any) -> None:
    assert kucoin.get(path) == data
    assert kucoin.get("/api/v3/margin/symbols")["items"] == []


def test_positions_are_counted_in_contracts_and_told_in_numbers(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    fresh_sandbox.control(
        "positions",
        exchange="kucoin",
        api_key=kucoin.keys.api_key,
        positions=[{"symbol": "BTC/USDT", "quantity": "-0.25", "entry_price": "61000"}],
        margin="500",
    )
    (position,) = kucoin.get("/api/v1/positions", currency="USDT")
    assert (position["symbol"], position["currentQty"], position["avgEntryPrice"]) == (
        "XBTUSDTM",
        -250,
        61000,
    )
    assert (position["markPrice"], position["unrealisedPnl"], position["isOpen"]) == (60000, 250, True)
    assert kucoin.get("/api/v1/contracts/XBTUSDTM")["multiplier"] == 0.001
    overview = kucoin.get("/api/v1/account-overview", currency="USDT")
    assert (overview["accountEquity"], overview["marginBalance"], overview["currency"]) == (750, 500, "USDT")
    assert kucoin.get("/api/v1/account-overview", currency="XBT")["accountEquity"] == 0
    assert kucoin.get("/api/v1/positions", currency="XBT") == []
    assert kucoin.refusal("GET", "/api/v1/contracts/NOSUCHM")[0] == "900001"
