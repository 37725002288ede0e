"""Gate.io's recorded answers become our values, digit for digit."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain import Balance, OrderStatus, OrderType
from app.exchanges.gateio import parse
from tests.exchanges.gateio_client import gateio
from tests.exchanges.recorded import body

SYMBOL = "BTC/USDT"


def recorded(name: str) -> Any:
    return body("gateio", name)


def test_markets_tell_their_decimals_as_steps() -> None:
    btc, eth, new = (parse.parse_market(row) for row in recorded("pairs"))
    assert (btc.symbol, btc.exchange_symbol, btc.active, btc.tick_size, btc.lot_size, btc.quote_lot_size) == (
        SYMBOL,
        "BTC_USDT",
        True,
        Decimal("0.1"),
        Decimal("0.000001"),
        Decimal("0.1"),
    )
    assert (btc.min_quantity, btc.min_notional, btc.max_quantity, btc.max_market_quantity) == (
        Decimal("0.000001"),
        Decimal(3),
        None,
        Decimal(100),
    )
    assert (eth.active, new.active, new.min_quantity, new.lot_size) == (False, False, None, Decimal(1))


def test_candles_are_read_in_their_own_order_of_columns() -> None:
    first, second = (parse.parse_candle(row) for row in recorded("candles"))
    assert (first.open, first.high, first.low, first.close, first.volume) == (
        Decimal(49990),
        Decimal(50002),
        Decimal("49980.1"),
        Decimal(50000),
        Decimal(2),
    )
    assert second.at == datetime(2025, 12, 31, 23, tzinfo=UTC)


def test_balances_leave_out_what_is_not_there() -> None:
    assert parse.parse_balances(recorded("accounts")) == {
        "USDT": Balance("USDT", Decimal("940.12345678"), Decimal(60), Decimal("1000.12345678")),
        "BTC": Balance("BTC", Decimal("0.00000001"), Decimal(0), Decimal("0.00000001")),
    }


def test_futures_are_told_in_coins_with_open_losses_and_not_at_all_before_anything_was_moved_there() -> None:
    with gateio() as (exchange, _):
        long, short = exchange.positions()
        assert exchange.futures_balances() == {
            "USDT": Balance("USDT", Decimal("850.5"), Decimal("129.25"), Decimal("979.75"))
        }
    assert (long.symbol, long.quantity, long.liquidation_price) == (SYMBOL, Decimal("0.01"), Decimal(54000))
    assert (short.quantity, short.liquidation_price) == (Decimal("-0.00125"), None)
    absent = {"GET futures/usdt/accounts": "no_futures", "GET futures/usdt/positions": "no_futures"}
    with gateio(payloads=absent) as (exchange, _):
        assert (exchange.futures_balances(), exchange.positions()) == ({}, [])


#: what is recorded: type, status, quantity, filled, average, fees
ORDERS: dict[str, tuple[Any, ...]] = {
    "order_open": ("LIMIT", "OPEN", "0.001", "0", None, {}),
    "order_partial": ("LIMIT", "PARTIALLY_FILLED", "0.001", "0.0004", "49999.5", {"BTC": "0.0000008"}),
    "order_filled": ("LIMIT", "FILLED", "0.001", "0.001", "50000", {"BTC": "0.000002"}),
    "order_market_bought": ("MARKET", "FILLED", "0.002999", "0.002999", None, {"BTC": "0.000005998"}),
    "order_market_sold": ("MARKET", "FILLED", "0.001", "0.001", "50000", {"GT": "0.0123"}),
    "order_cancelled": ("LIMIT", "CANCELED", "0.001", "0", None, {}),
}


@pytest.mark.parametrize("name", ORDERS)
def test_orders_of_every_kind_are_read(name: str) -> None:
    type_, status, quantity, filled, average, fees = ORDERS[name]
    order = parse.parse_order(recorded(name), SYMBOL)
    assert (order.type, order.status, order.client_order_id) == (type_, status, "mybot-0001")
    assert (order.quantity, order.filled_quantity) == (Decimal(quantity), Decimal(filled))
    if average is not None:
        assert order.average_price == Decimal(average)
    assert order.fees == {asset: Decimal(fee) for asset, fee in fees.items()}
    assert order.created_at == datetime(2026, 1, 1, 0, 0, 0, 73_000, UTC)


def test_how_an_order_ended_is_judged_by_what_is_left_and_why() -> None:
    orders = [parse.parse_order(row, SYMBOL) for row in recorded("finished")]
    assert [(order.client_order_id, order.status) for order in orders] == [
        (None, OrderStatus.CANCELED),
        ("mybot-post", OrderStatus.REJECTED),
        ("mybot-fok", OrderStatus.EXPIRED),
        ("mybot-thin", OrderStatus.EXPIRED),
        ("mybot-done", OrderStatus.FILLED),
    ]
    short = recorded("order_market_bought") | {"left": "100", "filled_amount": "0.001", "filled_total": "50"}
    order = parse.parse_order(short, SYMBOL)
    assert (order.status, order.quantity, order.cost) == (OrderStatus.EXPIRED, None, Decimal(50))


def test_triggers_tell_what_they_wait_for_and_how_they_ended() -> None:
    target, stop = (parse.parse_trigger(row, SYMBOL) for row in recorded("triggers"))
    assert (target.type, target.price, target.trigger_price) == (
        OrderType.TAKE_PROFIT_LIMIT,
        Decimal(51990),
        Decimal(52000),
    )
    assert (stop.exchange_order_id, stop.client_order_id, stop.type, stop.price, stop.status) == (
        "trigger-900001",
        None,
        OrderType.STOP_LOSS,
        None,
        OrderStatus.OPEN,
    )
    ended = [parse.parse_trigger(row, SYMBOL).status for row in recorded("triggers_finished")[:3]]
    assert ended == [OrderStatus.EXPIRED, OrderStatus.EXPIRED, OrderStatus.CANCELED]


def test_the_history_tells_what_a_trigger_has_placed_as_that_trigger() -> None:
    lists = {"GET spot/orders finished": "finished", "GET spot/price_orders finished": "triggers_finished"}
    with gateio(payloads=lists) as (exchange, _):
        history = exchange.order_history(SYMBOL)
    assert [order.exchange_order_id for order in history] == [
        "1799999996",
        "trigger-899996",
        "1799999998",
        "1799999999",
        "1800000000",
        "trigger-899999",
        "trigger-899998",
        "trigger-899997",
    ]
    fired = history[1]
    assert (fired.type, fired.trigger_price, fired.filled_quantity, fired.client_order_id) == (
        OrderType.STOP_LOSS,
        Decimal(48000),
        Decimal("0.0004"),
        None,
    )


def test_fills_tell_the_coin_of_their_fee() -> None:
    with gateio() as (exchange, _):
        first, second = exchange.fills(SYMBOL)
    assert (first.trade_id, first.maker, first.cost, first.fee, first.fee_asset, first.client_order_id) == (
        "55501",
        False,
        Decimal(20),
        Decimal("0.0000008"),
        "BTC",
        "mybot-0001",
    )
    assert (second.maker, second.at) == (True, datetime(2026, 1, 1, 0, 0, 0, 223_000, UTC))
    paid_in_token = recorded("fills")[0] | {"fee": "0", "gt_fee": "0.01"}
    fill = parse.parse_fill(paid_in_token, SYMBOL)
    assert (fill.fee, fill.fee_asset) == (Decimal("0.01"), "GT")
