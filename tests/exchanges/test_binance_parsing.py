"""Binance's recorded answers become our values, digit for digit."""

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
from app.exchanges.binance import parse
from app.exchanges.rest import UNREADABLE
from tests.exchanges.recorded import body

NAMES = {"BTCUSDT": "BTC/USDT", "ETHBTC": "ETH/BTC", "SHIBUSDT": "SHIB/USDT", "1000SATSUSDT": "1000SATS/USDT"}


def read_order(name: str) -> OrderReport:
    return parse.parse_order(body("binance", name), NAMES.__getitem__)


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)


def test_markets_carry_every_rule_that_sizes_an_order() -> None:
    markets = {market.symbol: market for market in parse.parse_markets(body("binance", "exchange_info"))}
    assert markets["BTC/USDT"] == Market(
        symbol="BTC/USDT",
        exchange_symbol="BTCUSDT",
        base="BTC",
        quote="USDT",
        kind=MarketKind.SPOT,
        active=True,
        tick_size=Decimal("0.01"),
        lot_size=Decimal("0.00001"),
        min_quantity=Decimal("0.00001"),
        max_quantity=Decimal(9000),
        min_notional=Decimal(5),
        max_market_quantity=Decimal("71.95659691"),
        quote_lot_size=Decimal("0.00000001"),
    )
    assert markets["ETH/BTC"].min_notional == Decimal("0.0001"), "the older form of the filter"
    assert markets["SHIB/USDT"].tick_size == Decimal("0.00000001")
    assert markets["1000SATS/USDT"].active is False, "halted"
    assert markets["1000SATS/USDT"].max_market_quantity is None, "zero means that nothing is set"
    assert markets["币安人生/USDT"].base == "币安人生"


def test_published_limits_are_read_for_the_windows_we_count() -> None:
    assert parse.parse_limits(body("binance", "exchange_info")) == {
        "weight": 6000,
        "orders-10s": 100,
        "orders-1d": 200_000,
    }


def test_balances_are_exact_and_empty_assets_left_out() -> None:
    balances = parse.parse_balances(body("binance", "account"))
    assert set(balances) == {"BTC", "USDT", "SHIB", "EOS"}
    assert balances["BTC"] == ("BTC", Decimal("0.12345678"), Decimal("0.00000001"), Decimal("0.12345679"))
    assert balances["USDT"].total == Decimal("1000")
    assert str(balances["SHIB"].total) == "123456789012.12"
    assert (balances["EOS"].free, balances["EOS"].locked) == (0, Decimal("3.2"))


def test_the_fee_on_a_purchase_is_the_larger_of_maker_and_taker() -> None:
    assert parse.parse_base_fee(body("binance", "account")) == Decimal("0.0012")
    assert parse.parse_base_fee({"balances": []}) is None


def test_a_filled_market_order_comes_with_its_fills_and_fees_by_asset() -> None:
    order = read_order("order_market_filled")
    assert (order.exchange_order_id, order.client_order_id, order.symbol) == (
        "1001",
        "mybot-0001",
        "BTC/USDT",
    )
    assert (order.side, order.type, order.status) == (Side.BUY, OrderType.MARKET, OrderStatus.FILLED)
    assert order.price is None, "0.00 means that there is none"
    assert order.trigger_price is None
    assert (order.quantity, order.filled_quantity, order.remaining) == (Decimal("0.003"), Decimal("0.003"), 0)
    assert order.cost == Decimal("150.00003000")
    assert order.average_price == Decimal("50000.01")
    assert order.fees == {"BTC": Decimal("0.00000100"), "BNB": Decimal("0.00004321")}
    assert order.created_at == order.updated_at == at(1700000000200)
    first, second = order.fills
    assert (first.trade_id, first.price, first.quantity, first.cost) == ("77", 50000, Decimal("0.001"), 50)
    assert (second.fee, second.fee_asset, second.maker) == (Decimal("0.00004321"), "BNB", False)
    assert sum(fill.cost for fill in order.fills) == order.cost


def test_a_market_order_short_of_liquidity_is_expired_with_what_it_filled() -> None:
    order = read_order("order_market_expired")
    assert (order.status, order.filled_quantity, order.remaining) == (
        OrderStatus.EXPIRED,
        Decimal("1.25"),
        Decimal("3.75"),
    )
    assert order.fees == {"USDT": Decimal("62.5")}


def test_a_resting_order_has_filled_nothing_and_has_no_average() -> None:
    order = read_order("order_limit_new")
    assert (order.status, order.filled_quantity, order.cost) == (OrderStatus.OPEN, 0, 0)
    assert order.average_price is None
    assert order.fees == {}


def test_an_untriggered_stop_is_open_with_both_its_prices() -> None:
    order = read_order("order_stop_new")
    assert (order.type, order.status) == (OrderType.STOP_LIMIT, OrderStatus.OPEN)
    assert (order.price, order.trigger_price) == (Decimal(47900), Decimal(48000))
    assert order.created_at == at(1700000000500), "workingTime -1 is no time"


def test_a_trailing_stop_tells_its_distance_and_no_trigger() -> None:
    order = read_order("order_trailing_new")
    assert (order.type, order.trailing_percent) == (OrderType.TRAILING_STOP, Decimal("1.5"))
    assert (order.trigger_price, order.price, order.status) == (None, None, OrderStatus.OPEN)
    at_a_limit = body("binance", "order_stop_new") | {"trailingDelta": 150}
    assert parse.parse_order(at_a_limit, NAMES.__getitem__).type is OrderType.STOP_LIMIT


def test_a_query_tells_when_the_order_was_placed_and_last_touched() -> None:
    order = read_order("order_query")
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert (order.created_at, order.updated_at) == (at(1700000000400), at(1700000000900))
    assert (order.average_price, order.remaining) == (Decimal(49000), Decimal("0.002"))


def test_a_cancelled_order_goes_by_its_own_id_and_not_by_that_of_the_cancellation() -> None:
    order = read_order("order_canceled")
    assert (order.client_order_id, order.status) == ("mybot-0003", OrderStatus.CANCELED)
    assert order.filled_quantity == Decimal("0.001")


def test_an_amended_order_spells_its_fields_differently() -> None:
    order = parse.parse_order(body("binance", "order_amended")["amendedOrder"], NAMES.__getitem__)
    assert (order.quantity, order.cost, order.client_order_id) == (
        Decimal("0.002"),
        Decimal(49),
        "mybot-0003",
    )


def test_an_unknown_cost_is_none_and_never_negative() -> None:
    oldest = parse.parse_order(body("binance", "all_orders")[0], NAMES.__getitem__)
    assert (oldest.cost, oldest.average_price) == (None, None)
    assert oldest.filled_quantity == 1


def test_open_orders_tell_waiting_exits_from_resting_orders() -> None:
    orders = [parse.parse_order(row, NAMES.__getitem__) for row in body("binance", "open_orders")]
    assert [order.status for order in orders] == ["PARTIALLY_FILLED", "PENDING", "OPEN"]
    assert [order.type for order in orders] == ["LIMIT", "STOP_LOSS", "LIMIT"]
    assert orders[1].symbol == "ETH/BTC"


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("PENDING_NEW", OrderStatus.PENDING),
        ("NEW", OrderStatus.OPEN),
        ("PARTIALLY_FILLED", OrderStatus.PARTIALLY_FILLED),
        ("FILLED", OrderStatus.FILLED),
        ("CANCELED", OrderStatus.CANCELED),
        ("PENDING_CANCEL", OrderStatus.CANCELED),
        ("REJECTED", OrderStatus.REJECTED),
        ("EXPIRED", OrderStatus.EXPIRED),
        ("EXPIRED_IN_MATCH", OrderStatus.EXPIRED),
    ],
)
def test_every_documented_status_has_its_meaning(theirs: str, ours: OrderStatus) -> None:
    row = body("binance", "order_query") | {"status": theirs}
    assert parse.parse_order(row, NAMES.__getitem__).status is ours


def test_a_pair_of_exits_is_one_order_whose_legs_are_its_children() -> None:
    pair = parse.parse_list(body("binance", "oco_placed"), NAMES.__getitem__)
    assert (pair.exchange_order_id, pair.client_order_id) == ("list-5", "exit")
    assert (pair.status, pair.side, pair.type, pair.quantity) == (
        OrderStatus.OPEN,
        "SELL",
        None,
        Decimal("0.005"),
    )
    assert [(leg.type, leg.trigger_price, leg.price) for leg in pair.children] == [
        ("STOP_LOSS", Decimal(48000), None),
        ("TAKE_PROFIT_LIMIT", Decimal(60000), Decimal(61000)),
    ]


def test_a_cancelled_pair_is_cancelled_and_its_legs_keep_their_ids() -> None:
    pair = parse.parse_list(body("binance", "oco_canceled"), NAMES.__getitem__)
    assert pair.status is OrderStatus.CANCELED
    assert [leg.client_order_id for leg in pair.children] == ["exit-sl", "exit-tp"]


def test_a_pair_is_filled_when_one_leg_is() -> None:
    data = body("binance", "oco_placed")
    stop, target = data["orderReports"]
    stop["status"] = "EXPIRED"
    target |= {"status": "FILLED", "executedQty": "0.00500000", "cummulativeQuoteQty": "305.00000000"}
    pair = parse.parse_list(data, NAMES.__getitem__)
    assert (pair.status, pair.filled_quantity, pair.cost) == (
        OrderStatus.FILLED,
        Decimal("0.005"),
        Decimal(305),
    )
    assert pair.average_price == Decimal(61000)


def test_an_entry_with_exits_is_the_entry_with_its_exits_as_children() -> None:
    entry = parse.parse_list(body("binance", "otoco_placed"), NAMES.__getitem__)
    assert (entry.client_order_id, entry.status, entry.quantity) == (
        "entry",
        OrderStatus.OPEN,
        Decimal("0.1"),
    )
    assert [(leg.client_order_id, leg.status) for leg in entry.children] == [
        ("entry-sl", OrderStatus.PENDING),
        ("entry-tp", OrderStatus.PENDING),
    ]


def test_trades_tell_side_fee_and_who_made_the_price() -> None:
    buy, sell = (parse.parse_fill(row, "BTC/USDT") for row in body("binance", "my_trades"))
    assert (buy.trade_id, buy.exchange_order_id, buy.side, buy.maker) == ("77", "1001", Side.BUY, False)
    assert (sell.side, sell.maker, sell.fee, sell.fee_asset) == (Side.SELL, True, Decimal("62.5"), "USDT")
    assert sell.cost == Decimal(62500)
    assert sell.at == at(1700000000300)


def test_prices_of_a_market_nobody_trades_are_none() -> None:
    tickers = parse.parse_tickers(body("binance", "tickers"), NAMES.__getitem__)
    assert tickers["SHIB/USDT"].last == Decimal("0.00002311")
    assert tickers["BTC/USDT"].quote_volume == Decimal("617283945.12345678")
    idle = tickers["1000SATS/USDT"]
    assert (idle.last, idle.bid, idle.ask, idle.high) == (None, None, None, None)
    assert idle.base_volume == 0


def test_the_order_book_is_best_first_and_cut_to_the_depth_asked_for() -> None:
    book = parse.parse_order_book(body("binance", "depth"), "BTC/USDT", 1)
    assert [(level.price, level.quantity) for level in book.bids + book.asks] == [
        (Decimal(50000), Decimal("0.4")),
        (Decimal("50000.01"), Decimal("0.2")),
    ]


def test_candles_begin_at_their_time_and_count_in_base() -> None:
    candle = parse.parse_candle(body("binance", "klines")[0])
    assert candle.at == at(1700000000000)
    assert (candle.open, candle.high, candle.low, candle.close) == (50000, 50100, 49900, 50050)
    assert candle.volume == Decimal("12.345")


def test_only_open_positions_are_told_and_a_short_one_is_negative() -> None:
    [position] = parse.parse_positions(body("binance", "position_risk"))
    assert (position.symbol, position.quantity, position.entry_price) == (
        "BTC/USDT",
        Decimal("-0.010"),
        Decimal("50000.5"),
    )
    assert (position.unrealised_pnl, position.liquidation_price) == (Decimal("-0.995"), None)


def test_permissions_that_are_not_told_are_unknown() -> None:
    permissions, restricted = parse.parse_permissions(body("binance", "api_restrictions"))
    assert (permissions.read, permissions.trade, permissions.withdraw) == (Grant.YES, Grant.YES, Grant.NO)
    assert restricted is Grant.NO
    unknown, restricted = parse.parse_permissions({})
    assert {unknown.read, unknown.trade, unknown.withdraw, restricted} == {Grant.UNKNOWN}


amounts = st.decimals(min_value=0, max_value=10**18, places=8, allow_nan=False)


@given(free=amounts, locked=amounts)
def test_no_digit_of_a_balance_is_lost(free: Decimal, locked: Decimal) -> None:
    row = {"asset": "X", "free": f"{free:f}", "locked": f"{locked:f}"}
    balances = parse.parse_balances({"balances": [row]})
    if free or locked:
        assert balances["X"] == ("X", free, locked, to_decimal(free) + locked)
    else:
        assert balances == {}


@given(st.data())
def test_an_order_with_anything_missing_is_unreadable_or_read_but_never_another_error(
    data: st.DataObject,
) -> None:
    row: dict[str, Any] = copy.deepcopy(body("binance", "order_market_filled"))
    for name in data.draw(st.sets(st.sampled_from(sorted(row)), min_size=1)):
        if data.draw(st.booleans()):
            del row[name]
        else:
            row[name] = data.draw(st.none() | st.text(max_size=5) | st.integers() | st.lists(st.integers()))
    with contextlib.suppress(UNREADABLE):
        parse.parse_order(row, lambda symbol: "BTC/USDT")
