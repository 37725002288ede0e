"""What backs futures, read from recorded answers: open losses are never told as free."""

from __future__ import annotations

from decimal import Decimal

from app.domain import Balance
from app.exchanges.binance import parse as binance
from app.exchanges.bitget import parse as bitget
from app.exchanges.kucoin import parse as kucoin
from app.exchanges.rest import margin_balance
from tests.exchanges.recorded import body


def test_binance_tells_the_wallet_with_its_open_loss_and_leaves_empty_assets_out() -> None:
    assert binance.parse_futures_balances(body("binance", "futures_balance")) == {
        "USDT": Balance("USDT", Decimal("100.5"), Decimal("19.62345677"), Decimal("120.12345677"))
    }


def test_bitget_tells_the_equity_and_what_of_it_is_usable() -> None:
    assert bitget.parse_futures_balances(body("bitget", "futures_accounts")["data"]) == {
        "USDT": Balance("USDT", Decimal(900), Decimal("110.12345678"), Decimal("1010.12345678"))
    }


def test_kucoins_json_numbers_are_read_exactly_and_a_loss_is_not_free() -> None:
    assert kucoin.parse_futures_balance(body("kucoin", "futures_overview")["data"]) == {
        "USDT": Balance("USDT", Decimal("90.5"), Decimal(0), Decimal("90.5"))
    }


def test_free_locked_and_total_always_add_up() -> None:
    for equity, available in ((10, 4), (10, 10), (10, 12), (-3, 0)):
        balance = margin_balance("USDT", equity=Decimal(equity), available=Decimal(available))
        assert balance.free + balance.locked == balance.total == equity
        assert balance.free <= available
