"""Bybit's recorded answers become our values, digit for digit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain import Balance, Grant, OrderStatus, OrderType, Side
from app.exchanges.bybit import parse
from tests.exchanges.bybit_client import bybit
from tests.exchanges.recorded import body

SYMBOL = "BTC/USDT"


def result(name: str) -> Any:
    return body("bybit", name)["result"]


def test_markets_tell_their_steps_and_leave_out_bounds_that_are_not_enforced() -> None:
    btc, eth, sats = (parse.parse_market(row) for row in result("instruments")["list"])
    assert (btc.symbol, btc.active, btc.tick_size, btc.lot_size, btc.quote_lot_size) == (
        SYMBOL,
        True,
        Decimal("0.1"),
        Decimal("0.000001"),
        Decimal("0.0000001"),
    )
    assert (btc.min_notional, btc.min_quantity, btc.max_quantity, btc.max_market_quantity) == (
        Decimal(5),
        None,
        Decimal(83),
        Decimal("41.5"),
    )
    assert (eth.symbol, eth.active) == ("ETH/BTC", False)
    assert (sats.symbol, sats.max_quantity) == ("1000SATS/USDT", None), "older records lack the new bounds"


def test_tickers_are_of_the_moment_of_the_whole_answer() -> None:
    with bybit(payloads={"tickers": "tickers"}) as (exchange, _):
        found = exchange.tickers(["BTC/USDT", "ETH/BTC"])
    assert found[SYMBOL].quote_volume == Decimal("61728394.12345678")
    assert found["ETH/BTC"].bid is None
    assert {ticker.at for ticker in found.values()} == {datetime(2023, 11, 14, 22, 13, 20, 200_000, UTC)}


def test_balances_and_what_backs_futures_tell_every_coin_once() -> None:
    assert parse.parse_balances(result("wallet")) == {
        "USDT": Balance("USDT", Decimal("940.12345678"), Decimal(60), Decimal("1000.12345678")),
        "BTC": Balance("BTC", Decimal("0.00000001"), Decimal(0), Decimal("0.00000001")),
    }
    assert parse.parse_futures_balances(result("wallet")) == {}
    spot, futures = (
        read(result("wallet_futures"))["USDT"]
        for read in (parse.parse_balances, parse.parse_futures_balances)
    )
    assert spot == Balance("USDT", Decimal("824.5"), Decimal(65), Decimal("889.5"))
    assert futures == Balance("USDT", Decimal(0), Decimal("90.25"), Decimal("90.25"))
    assert spot.total + futures.total == Decimal("979.75"), "the equity of the whole wallet"


def test_the_key_tells_what_it_may_do() -> None:
    permissions, bound = parse.parse_permissions(result("key"))
    assert (permissions.read, permissions.trade, permissions.withdraw, bound) == (
        Grant.YES,
        Grant.YES,
        Grant.NO,
        Grant.YES,
    )
    unbound = {**result("key"), "readOnly": 1, "ips": ["*"], "permissions": {"Wallet": ["Withdraw"]}}
    permissions, bound = parse.parse_permissions(unbound)
    assert (permissions.trade, permissions.withdraw, bound) == (Grant.NO, Grant.YES, Grant.NO)


def test_positions_have_a_sign_and_closed_ones_are_left_out() -> None:
    long, short = parse.parse_positions(result("positions"))
    assert (long.symbol, long.quantity, long.liquidation_price) == (SYMBOL, Decimal("0.01"), Decimal(54000))
    assert (short.quantity, short.unrealised_pnl, short.liquidation_price) == (
        Decimal(-2),
        Decimal("-12.5"),
        None,
    )


#: what is recorded: type, status, quantity, filled, average, fees
ORDERS: dict[str, tuple[Any, ...]] = {
    "order_new": ("LIMIT", "OPEN", "0.001", "0", None, {}),
    "order_partial": ("LIMIT", "PARTIALLY_FILLED", "0.001", "0.0004", "49999.5", {"BTC": "0.0000004"}),
    "order_filled": ("LIMIT", "FILLED", "0.001", "0.001", "50000", {"BTC": "0.000001"}),
    "order_market_bought": ("MARKET", "FILLED", "0.002999", "0.002999", "50000.01", {"BTC": "0.000002999"}),
    "order_market_sold": ("MARKET", "FILLED", "0.001", "0.001", "50000", {"USDT": "0.04", "MNT": "0.0123"}),
    "order_cancelled": ("LIMIT", "CANCELED", "0.001", "0", None, {}),
    "stop": ("STOP_LIMIT", "OPEN", "0.001", "0", None, {}),
}


@pytest.mark.parametrize("name", ORDERS)
def test_orders_of_every_kind_are_read(name: str) -> None:
    type_, status, quantity, filled, average, fees = ORDERS[name]
    order = parse.parse_order(result(name)["list"][0], SYMBOL)
    assert (order.type, order.status, order.symbol) == (type_, status, SYMBOL)
    assert (order.quantity, order.filled_quantity) == (Decimal(quantity), Decimal(filled))
    assert order.average_price == (None if average is None else Decimal(average))
    assert order.fees == {asset: Decimal(fee) for asset, fee in fees.items()}
    assert order.client_order_id in ("mybot-0001", "mybot-0002")


def test_why_an_order_ended_tells_what_became_of_it() -> None:
    orders = [parse.parse_order(row, SYMBOL) for row in result("history")["list"]]
    assert [(order.client_order_id, order.status) for order in orders] == [
        (None, OrderStatus.CANCELED),
        ("mybot-0000", OrderStatus.FILLED),
        ("mybot-post", OrderStatus.REJECTED),
        ("mybot-fok", OrderStatus.EXPIRED),
        ("mybot-thin", OrderStatus.EXPIRED),
        ("mybot-bad", OrderStatus.REJECTED),
    ]
    conditional = orders[0]
    assert (conditional.type, conditional.trigger_price, conditional.price) == (
        OrderType.STOP_LOSS,
        Decimal(45000),
        None,
    )
    assert orders[4].filled_quantity == Decimal("0.0004")


def test_an_order_by_quote_that_fell_far_short_has_expired_and_its_size_stays_unknown() -> None:
    row = result("order_market_bought")["list"][0] | {"cumExecQty": "0.001", "cumExecValue": "50"}
    order = parse.parse_order(row, SYMBOL)
    assert (order.status, order.quantity, order.filled_quantity) == (
        OrderStatus.EXPIRED,
        None,
        Decimal("0.001"),
    )


def test_a_waiting_order_that_failed_has_expired_and_one_nobody_can_place_has_no_type() -> None:
    row = result("stop")["list"][0] | {"orderStatus": "Rejected", "basePrice": ""}
    order = parse.parse_order(row, SYMBOL)
    assert (order.status, order.type, order.side) == (OrderStatus.EXPIRED, None, Side.SELL)


def test_fills_tell_the_coin_of_their_fee_or_leave_it_to_the_side() -> None:
    with bybit() as (exchange, _):
        first, second = exchange.fills(SYMBOL)
    assert (first.trade_id, first.maker, first.cost, first.fee, first.fee_asset) == (
        "2290000000067523361",
        False,
        Decimal(20),
        Decimal("0.0000004"),
        "BTC",
    )
    assert second.maker is True
    row = result("fills")["list"][0] | {"feeCurrency": "", "side": "Sell", "execValue": ""}
    fill = parse.parse_fill(row, SYMBOL)
    assert (fill.fee_asset, fill.cost) == ("USDT", Decimal(30))
