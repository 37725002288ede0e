"""Balances, positions and the check-up of keys."""

from __future__ import annotations

import socket
from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain import AuthenticationFailed, Credential, Grant, OrderDenied, plain
from app.exchanges import connect
from tests.exchanges.conformance.conftest import Account, Opening
from tests.fixtures.sandbox import SandboxServer


def test_balances_are_exact_and_leave_out_what_is_not_there(open_account: Opening) -> None:
    account = open_account({"USDT": "1234.56789012", "BTC": "0.00000001"})
    balances = account.exchange.balances()
    assert {asset: balance.total for asset, balance in balances.items()} == {
        "USDT": Decimal("1234.56789012"),
        "BTC": Decimal("0.00000001"),
    }
    assert all(balance.asset == asset and not balance.locked for asset, balance in balances.items())


def test_a_resting_order_locks_what_it_needs(account: Account) -> None:
    order = account.rest()
    assert order.price is not None
    usdt = account.exchange.balances()["USDT"]
    assert usdt.locked >= Decimal("0.01") * order.price
    assert usdt.free + usdt.locked == usdt.total == 100_000


def test_positions_are_told_or_refused_before_the_wire(account: Account) -> None:
    if account.able.futures_positions:
        assert account.exchange.positions() == []
    else:
        with pytest.raises(OrderDenied):
            account.exchange.positions()


def test_the_check_up_of_good_keys(account: Account) -> None:
    report = account.exchange.check_connection()
    assert report.connected
    assert (report.reason, report.remedy) == (None, None)
    assert report.permissions.read is Grant.YES
    assert report.clock_skew_ms is not None
    assert abs(report.clock_skew_ms) < 5_000
    assert report.balances["BTC"].total == 2
    assert report.checked_at is not None
    assert report.rate_budget is not None
    assert 0 < report.rate_budget.used <= report.rate_budget.limit


def test_an_open_position_is_told_with_its_sign(account: Account) -> None:
    if not account.able.futures_positions:
        pytest.skip("no futures here")
    account.sandbox.control(
        "positions",
        exchange=account.name,
        api_key=account.keys.api_key,
        positions=[{"symbol": "BTC/USDT", "quantity": "-0.25", "entry_price": "61000"}],
    )
    [position] = account.exchange.positions()
    assert (position.symbol, position.quantity, position.entry_price) == (
        "BTC/USDT",
        Decimal("-0.25"),
        Decimal(61000),
    )


def test_what_backs_futures_is_told_with_the_open_loss_taken_off(account: Account) -> None:
    if not account.able.futures_positions:
        with pytest.raises(OrderDenied):
            account.exchange.futures_balances()
        return
    price = account.last()
    shared = account.exchange.balances()["USDT"].total if account.able.one_wallet else 0
    account.sandbox.control(
        "positions",
        exchange=account.name,
        api_key=account.keys.api_key,
        positions=[{"symbol": "BTC/USDT", "quantity": "1", "entry_price": plain(price + 100)}],
        margin="1000",
    )
    usdt = account.exchange.futures_balances()["USDT"]
    assert usdt.free + usdt.locked == usdt.total
    assert usdt.free <= usdt.total < shared + 1000
    account.sandbox.control(
        "positions", exchange=account.name, api_key=account.keys.api_key, positions=[], margin="0"
    )
    assert account.exchange.futures_balances() == {}


def test_the_check_up_tells_what_a_key_may_do(account: Account) -> None:
    account.sandbox.control(
        "permissions", exchange=account.name, api_key=account.keys.api_key, trade=False, withdraw=True
    )
    report = account.exchange.check_connection()
    assert report.connected
    assert report.permissions.trade in (Grant.NO, Grant.UNKNOWN)
    assert report.permissions.withdraw in (Grant.YES, Grant.UNKNOWN)


@pytest.mark.parametrize("wrong", ["api_key", "api_secret"])
def test_the_check_up_of_wrong_keys_tells_what_to_do_and_no_secret(
    open_account: Opening, account: Account, wrong: str
) -> None:
    keys = replace(account.keys, **{wrong: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="})
    report = open_account(keys=keys).exchange.check_connection()
    assert not report.connected
    assert report.reason
    assert report.remedy
    for secret in (keys.api_key, keys.api_secret, keys.passphrase):
        assert secret not in report.reason + report.remedy
    with pytest.raises(AuthenticationFailed):
        open_account(keys=keys).exchange.balances()


def test_the_check_up_of_an_exchange_that_is_away(name: str) -> None:
    nobody = Credential("key-of-nobody", "c2VjcmV0LW9mLW5vYm9keQ==", "phrase")
    exchange = connect(name, nobody, base_url=f"http://127.0.0.1:{_port_of_nobody()}")
    report = exchange.check_connection()
    assert not report.connected
    assert report.clock_skew_ms is None
    assert "refused" in (report.reason or "")
    exchange.close()


def _port_of_nobody() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


@pytest.mark.parametrize("ahead_ms", [-90_000, 90_000])
def test_a_clock_that_is_off_is_measured_and_corrected(
    fresh_sandbox: SandboxServer, open_account: Opening, name: str, ahead_ms: int
) -> None:
    account = open_account(server=fresh_sandbox)
    fresh_sandbox.control("skew", exchange=name, milliseconds=ahead_ms)
    assert account.exchange.balances()["BTC"].total == 2
    report = account.exchange.check_connection()
    assert report.connected
    assert report.clock_skew_ms is not None
    assert abs(report.clock_skew_ms + ahead_ms) < 2_000


def test_keys_never_show(account: Account) -> None:
    keys = account.keys
    for secret in (keys.api_key, keys.api_secret, keys.passphrase):
        assert secret not in repr(account.exchange)
