"""Bitget's recorded answers become our values, digit for digit."""

from __future__ import annotations

import contextlib
import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import Grant, Market, MarketKind, OrderReport, OrderStatus, OrderType, Side, to_decimal
from app.exchanges import presets
from app.exchanges.bitget import parse
from app.exchanges.rest import UNREADABLE
from tests.exchanges.bitget_client import bitget
from tests.exchanges.recorded import body

SYMBOL = "BTC/USDT"


def data(name: str) -> Any:
    return body("bitget", name)["data"]


def read_order(name: str) -> OrderReport:
    return parse.parse_order(data(name)[0], SYMBOL)


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)


def test_precisions_are_digit_counts_and_become_grids() -> None:
    markets = {market.symbol: market for market in map(parse.parse_market, data("symbols"))}
    assert markets[SYMBOL] == Market(
        symbol="BTC/USDT",
        exchange_symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        kind=MarketKind.SPOT,
        active=True,
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.000001"),
        min_notional=Decimal(1),
        quote_lot_size=Decimal("0.00000001"),
    )
    assert markets["SHIB/USDT"].lot_size == 1
    assert markets["SHIB/USDT"].tick_size == Decimal("1E-9")
    assert markets["ETH/BTC"].min_notional is None, "the minimum is told in USDT, not in BTC"
    assert markets["币安人生/USDT"].active is False, "gray: only for those on a list"
    assert markets[SYMBOL].max_quantity is None, "the bounds of the record are obsolete"


def test_balances_are_exact_and_count_what_is_frozen_and_locked() -> None:
    balances = parse.parse_balances(data("assets"))
    assert set(balances) == {"USDT", "BTC", "SHIB"}
    assert balances["USDT"] == ("USDT", Decimal("900.12345678"), Decimal("99.87654322"), Decimal(1000))
    assert balances["BTC"].locked == Decimal("0.000000000001")
    assert str(balances["SHIB"].total) == "123456789012.12"


@pytest.mark.parametrize(
    ("authorities", "trade", "withdraw"),
    [
        (["stow", "cpor"], Grant.YES, Grant.NO),
        (["stor", "wwow"], Grant.NO, Grant.YES),
        (["trade", "readonly"], Grant.YES, Grant.NO),
        ([], Grant.NO, Grant.NO),
    ],
)
def test_the_words_of_a_key_tell_what_it_may_do(
    authorities: list[str], trade: Grant, withdraw: Grant
) -> None:
    permissions, restricted = parse.parse_permissions({"authorities": authorities, "ips": ""})
    assert (permissions.read, permissions.trade, permissions.withdraw) == (Grant.YES, trade, withdraw)
    assert restricted is Grant.NO


def test_positions_have_the_sign_of_their_side_and_closed_ones_are_left_out() -> None:
    short, long = parse.parse_positions(data("all_position"))
    assert (short.symbol, short.quantity, short.entry_price) == (SYMBOL, Decimal("-0.25"), Decimal(61000))
    assert (short.unrealised_pnl, short.liquidation_price, short.margin_asset) == (
        Decimal("-12.5"),
        Decimal("70000.5"),
        "USDT",
    )
    assert (long.symbol, long.quantity, long.liquidation_price) == ("ETH/USDT", Decimal("1.5"), None)


def test_a_resting_order_has_filled_nothing_and_has_no_average() -> None:
    order = read_order("order_live")
    assert (order.exchange_order_id, order.client_order_id) == ("1098394344925597696", "mybot-0001")
    assert (order.type, order.status, order.price) == (OrderType.LIMIT, OrderStatus.OPEN, Decimal(50000))
    assert (order.quantity, order.filled_quantity, order.cost) == (Decimal("0.001"), 0, 0)
    assert order.average_price is None
    assert order.trigger_price is None
    assert order.fees == {}
    assert order.created_at == at(1700000000200)


def test_a_partial_fill_tells_what_is_left_and_what_it_cost() -> None:
    order = read_order("order_partial")
    assert (order.status, order.filled_quantity, order.remaining) == (
        OrderStatus.PARTIALLY_FILLED,
        Decimal("0.001"),
        Decimal("0.002"),
    )
    assert (order.cost, order.average_price, order.fees) == (49, 49000, {"BTC": Decimal("0.000001")})


def test_a_market_buy_is_told_in_base_although_its_size_is_in_quote() -> None:
    order = read_order("order_market_filled")
    assert (order.type, order.status, order.price) == (OrderType.MARKET, OrderStatus.FILLED, None)
    assert (order.quantity, order.filled_quantity, order.remaining) == (Decimal("0.003"), Decimal("0.003"), 0)
    assert (order.cost, order.average_price) == (Decimal("150.00003"), Decimal("50000.01"))


def test_fees_are_what_was_paid_in_each_coin() -> None:
    assert read_order("order_market_filled").fees == {"BTC": Decimal("0.000003")}
    assert read_order("order_market_sold").fees == {"USDT": Decimal("0.05"), "BGB": Decimal("0.000432")}
    assert read_order("order_old_fees").fees == {"BGB": Decimal("0.0041")}


def test_among_open_orders_the_limit_price_goes_by_the_name_of_the_average() -> None:
    fresh, partial = (parse.parse_order(row, SYMBOL) for row in data("unfilled_orders"))
    assert (fresh.price, fresh.average_price, fresh.status) == (Decimal(48000), None, OrderStatus.OPEN)
    assert (partial.price, partial.average_price) == (Decimal(49000), Decimal("48999.5"))


def test_an_exit_is_a_stop_or_a_take_profit_by_the_side_of_the_market_it_waits_on() -> None:
    exits = [parse.parse_order(row, SYMBOL) for row in data("unfilled_tpsl")]
    assert [exit_.type for exit_ in exits] == [None, None], "no market, no way to tell"
    above, below = (presets.typed(exit_, Decimal(50000)) for exit_ in exits)
    assert (above.type, above.trigger_price) == (OrderType.TAKE_PROFIT, Decimal(60000))
    assert (below.type, below.trigger_price) == (OrderType.STOP_LOSS, Decimal(48000))
    assert below.exchange_order_id == "tpsl-1098394344925597901"


def test_plan_orders_are_told_by_status() -> None:
    rows = data("current_plan")["orderList"]
    target, stop = (presets.typed(parse.parse_plan(row, SYMBOL), Decimal(50000)) for row in rows)
    assert (target.type, target.price, target.trigger_price) == (OrderType.TAKE_PROFIT, None, Decimal(52000))
    assert (stop.type, stop.price, stop.status) == (OrderType.STOP_LIMIT, Decimal(47900), OrderStatus.OPEN)
    assert stop.exchange_order_id == "plan-1098394344925597700"
    failed, cancelled = (parse.parse_plan(row, SYMBOL) for row in data("history_plan")["orderList"][:2])
    assert (failed.status, cancelled.status) == (OrderStatus.EXPIRED, OrderStatus.CANCELED)


def test_fills_are_exact_with_the_fee_paid_positive() -> None:
    later, first = (parse.parse_fill(row, SYMBOL) for row in data("fills"))
    assert (first.trade_id, first.price, first.quantity, first.cost) == (
        "1098394347000000077",
        Decimal(50000),
        Decimal("0.001"),
        Decimal(50),
    )
    assert (first.fee, first.fee_asset, first.maker) == (Decimal("0.0041"), "BGB", False)
    assert (later.fee, later.fee_asset, later.maker) == (Decimal("0.000002"), "BTC", True)
    assert later.at == at(1700000000300)


def test_prices_that_nobody_made_are_absent() -> None:
    ticker = parse.parse_ticker(data("tickers")[2], "ETH/BTC")
    assert (ticker.last, ticker.bid, ticker.ask, ticker.high) == (None, None, None, None)
    assert ticker.base_volume == 0


def test_the_book_is_told_with_its_time() -> None:
    book = parse.parse_order_book(data("orderbook"), SYMBOL, 2)
    assert [(level.price, level.quantity) for level in book.asks] == [
        (Decimal("50000.01"), Decimal("0.2")),
        (Decimal("50000.50"), Decimal("0.3")),
    ]
    assert book.at == at(1700000000123)


# -- through the client ----------------------------------------------------------------------------------------


def test_everything_that_rests_is_an_open_order() -> None:
    with bitget(
        unfilled_orders="unfilled_orders",
        unfilled_orders__tpsl="unfilled_tpsl",
        current_plan_order="current_plan",
    ) as (exchange, _):
        found = exchange.open_orders()
    assert [(order.exchange_order_id, order.symbol, order.type) for order in found] == [
        ("1098394344925597801", SYMBOL, OrderType.LIMIT),
        ("1098394344925597696", SYMBOL, OrderType.LIMIT),
        ("tpsl-1098394344925597902", SYMBOL, OrderType.TAKE_PROFIT),
        ("tpsl-1098394344925597901", SYMBOL, OrderType.STOP_LOSS),
        ("plan-1098394344925597701", SYMBOL, OrderType.TAKE_PROFIT),
        ("plan-1098394344925597700", SYMBOL, OrderType.STOP_LIMIT),
    ]


def test_an_executed_plan_order_is_told_by_the_spot_order_it_became() -> None:
    with bitget(orderInfo="order_market_sold", history_plan_order="history_plan") as (exchange, server):
        by_id = exchange.get_order(SYMBOL, exchange_order_id="plan-1098394344925597699")
        fills = exchange.fills(SYMBOL, exchange_order_id="plan-1098394344925597699")
    assert (by_id.exchange_order_id, by_id.client_order_id) == ("plan-1098394344925597699", "mybot-0005")
    assert (by_id.status, by_id.filled_quantity) == (OrderStatus.FILLED, Decimal("0.003"))
    assert by_id.trigger_price == 48000
    assert len(fills) == 2
    assert "orderId=1098394344925597696" in server.received[-1].target


def test_a_plan_order_is_found_by_its_client_id() -> None:
    with bitget(orderInfo="order_none", current_plan_order="current_plan") as (exchange, _):
        order = exchange.get_order(SYMBOL, client_order_id="mybot-0004")
    assert (order.exchange_order_id, order.type) == ("plan-1098394344925597701", OrderType.TAKE_PROFIT)


def test_the_history_holds_orders_of_every_kind_once_and_oldest_first() -> None:
    with bitget(history_orders="history_orders", history_plan_order="history_plan") as (exchange, _):
        history = exchange.order_history(SYMBOL)
    assert [(order.exchange_order_id, order.status) for order in history] == [
        ("1098394344925597696", OrderStatus.FILLED),
        ("plan-1098394344925597703", OrderStatus.EXPIRED),
        ("plan-1098394344925597702", OrderStatus.CANCELED),
        ("1098394344925597803", OrderStatus.CANCELED),
    ]


# -- whatever comes --------------------------------------------------------------------------------------------

PARSERS = {
    "order_market_filled": lambda found: [parse.parse_order(row, SYMBOL) for row in found],
    "unfilled_tpsl": lambda found: [parse.parse_order(row, SYMBOL) for row in found],
    "current_plan": lambda found: [parse.parse_plan(row, SYMBOL) for row in found["orderList"]],
    "fills": lambda found: [parse.parse_fill(row, SYMBOL) for row in found],
    "assets": parse.parse_balances,
    "symbols": lambda found: [parse.parse_market(row) for row in found],
    "all_position": parse.parse_positions,
}

junk = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=2)


@pytest.mark.parametrize("name", PARSERS)
@given(chosen=st.data())
def test_an_answer_of_another_shape_is_unreadable_and_nothing_else(name: str, chosen: st.DataObject) -> None:
    answer = copy.deepcopy(data(name))
    rows = answer["orderList"] if isinstance(answer, dict) else answer
    row = rows[chosen.draw(st.integers(0, len(rows) - 1))]
    key = chosen.draw(st.sampled_from(sorted(row)))
    row[key] = chosen.draw(junk)
    with contextlib.suppress(*UNREADABLE):
        PARSERS[name](answer)


@given(
    price=st.decimals("0.00000001", "999999", places=8), quantity=st.decimals("0.00000001", "9999", places=8)
)
def test_no_digit_of_an_amount_is_lost(price: Decimal, quantity: Decimal) -> None:
    row = {**data("order_live")[0], "price": f"{price:f}", "size": f"{quantity:f}"}
    order = parse.parse_order(row, SYMBOL)
    assert (order.price, order.quantity) == (to_decimal(f"{price:f}"), to_decimal(f"{quantity:f}"))
    assert order.side is Side.BUY
