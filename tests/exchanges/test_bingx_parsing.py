"""BingX's recorded answers become our values, digit for digit, whether they come as numbers or as texts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from app.domain import Balance, OrderType
from app.exchanges.bingx import parse
from tests.exchanges.bingx_client import bingx
from tests.exchanges.recorded import body

SYMBOL = "BTC/USDT"


def data(name: str) -> Any:
    return body("bingx", name)["data"]


def test_markets_tell_their_steps_and_whether_they_may_be_traded_by_api() -> None:
    btc, eth, sats = (parse.parse_market(row) for row in data("symbols")["symbols"])
    assert (btc.symbol, btc.active, btc.tick_size, btc.lot_size, btc.quote_lot_size) == (
        SYMBOL,
        True,
        Decimal("0.01"),
        Decimal("0.000001"),
        Decimal("0.01"),
    )
    assert (btc.min_notional, btc.min_quantity, btc.max_quantity) == (Decimal(5), None, None)
    assert (eth.symbol, eth.active) == ("ETH/BTC", False)
    assert (sats.symbol, sats.active, sats.tick_size) == ("1000SATS/USDT", False, Decimal("1.826E-7"))


def test_prices_books_and_candles_are_exact_and_in_our_order() -> None:
    with bingx(payloads={"ticker/24hr": "tickers"}) as (exchange, _):
        found = exchange.tickers([SYMBOL, "ETH/BTC"])
        book = exchange.order_book(SYMBOL, 2)
        candles = exchange.candles(SYMBOL, "1h", limit=2)
    assert found[SYMBOL].base_volume == Decimal("1234.567891")
    assert found[SYMBOL].at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)
    assert found["ETH/BTC"].bid is None
    assert [level.price for level in book.asks] == [Decimal("50000.01"), Decimal("50000.02")]
    assert [level.price for level in book.bids] == [Decimal(50000), Decimal("49999.99")]
    assert [candle.open for candle in candles] == [Decimal(49900), Decimal("50000.01")]


def test_balances_leave_out_what_is_not_there_and_simulated_money() -> None:
    assert parse.parse_balances(data("balances")) == {
        "USDT": Balance("USDT", Decimal("940.12345678"), Decimal(60), Decimal("1000.12345678")),
        "BTC": Balance("BTC", Decimal("0.00000001"), Decimal(0), Decimal("0.00000001")),
    }
    assert parse.parse_futures_balances(data("futures_balance")) == {
        "USDT": Balance("USDT", Decimal("193.7609"), Decimal("2.9822"), Decimal("196.7431"))
    }


def test_positions_have_a_sign_and_closed_ones_are_left_out() -> None:
    long, short, netted = parse.parse_positions(data("positions"))
    assert (long.symbol, long.quantity, long.liquidation_price) == (
        SYMBOL,
        Decimal("0.01"),
        Decimal("54000.1"),
    )
    assert (short.quantity, short.unrealised_pnl, short.liquidation_price) == (
        Decimal(-2),
        Decimal("-12.5"),
        None,
    )
    assert netted.quantity == -3
    assert parse.parse_positions(None) == []


#: what is recorded: type, status, quantity, filled, average, fees
ORDERS: dict[str, tuple[Any, ...]] = {
    "placed": ("LIMIT", "OPEN", "0.001", "0", None, {}),
    "placed_stop": (None, "OPEN", "0.001", "0", None, {}),
    "order_new": ("LIMIT", "OPEN", "0.001", "0", None, {}),
    "order_partial": ("LIMIT", "PARTIALLY_FILLED", "0.001", "0.0004", "49999.51", {"BTC": "4E-7"}),
    "order_filled": ("LIMIT", "FILLED", "0.001", "0.001", "50000.01", {"BTC": "0.000001"}),
    "order_market_thin": ("MARKET", "EXPIRED", "0.001", "0.0004", "50000", {"USDT": "0.02"}),
    "order_cancelled": ("LIMIT", "CANCELED", "0.001", "0", None, {}),
    "order_failed": ("LIMIT", "REJECTED", "0.001", "0", None, {}),
    "stop": (None, "OPEN", "0.001", "0", None, {}),
    "stop_failed": (None, "EXPIRED", "0.001", "0", None, {}),
}


@pytest.mark.parametrize("name", ORDERS)
def test_orders_of_every_kind_are_read(name: str) -> None:
    type_, status, quantity, filled, average, fees = ORDERS[name]
    order = parse.parse_order(data(name), SYMBOL)
    assert (order.type, order.status, order.symbol) == (type_, status, SYMBOL)
    assert (order.quantity, order.filled_quantity) == (Decimal(quantity), Decimal(filled))
    assert order.average_price == (None if average is None else Decimal(average))
    assert order.fees == {asset: Decimal(fee) for asset, fee in fees.items()}
    assert order.created_at is not None
    assert order.created_at.year == 2023, "some times are in seconds"


def test_a_market_order_by_quote_tells_what_it_came_to() -> None:
    order = parse.parse_order(data("order_market_bought"), SYMBOL)
    assert (order.status, order.quantity, order.remaining, order.price) == (
        "FILLED",
        Decimal("0.002999"),
        0,
        None,
    )


def test_what_waits_for_a_price_is_told_by_the_side_of_the_market_it_waits_on() -> None:
    with bingx(payloads={"trade/openOrders": "open_orders"}) as (exchange, _):
        limit, stop, target = exchange.open_orders(SYMBOL)
    assert (limit.type, stop.type, target.type) == (
        OrderType.LIMIT,
        OrderType.STOP_LIMIT,
        OrderType.TAKE_PROFIT,
    )
    assert (stop.trigger_price, stop.price, target.trigger_price, target.price) == (48000, 47990, 60000, None)
    assert stop.exchange_order_id == "1735963671248581235"


def test_fills_tell_what_was_paid_as_a_positive_fee() -> None:
    with bingx() as (exchange, _):
        first, second = exchange.fills(SYMBOL)
    assert (first.trade_id, first.maker, first.cost, first.fee, first.fee_asset) == (
        "36767057",
        False,
        Decimal("20.000004"),
        Decimal("0.0000004"),
        "BTC",
    )
    assert second.maker is True
    rebate = parse.parse_fill({**data("fills")["fills"][0], "commission": "0.01"}, SYMBOL)
    assert rebate.fee == Decimal("-0.01")
