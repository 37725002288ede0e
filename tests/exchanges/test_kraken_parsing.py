"""What Kraken's documented answers become, digit for digit."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import Fill, OrderReport, OrderStatus, OrderType, Side
from app.exchanges.kraken import parse
from app.exchanges.rest import UNREADABLE
from tests.exchanges.kraken_client import ORDER_ID, SYMBOL, kraken, recorded
from tests.exchanges.local_server import reply
from tests.exchanges.recorded import body, body_text

NAMES = {
    "XBTUSD": SYMBOL,
    "XXBTZUSD": SYMBOL,
    "ETHXBT": "ETH/BTC",
    "XETHXXBT": "ETH/BTC",
    "ZEUSUSD": "ZEUS/USD",
}


def at(seconds: str) -> datetime:
    return datetime.fromtimestamp(0, UTC) + timedelta(microseconds=int(Decimal(seconds) * 1_000_000))


def read_order(name: str) -> OrderReport:
    [report] = parse.parse_orders(body("kraken", name)["result"], NAMES.__getitem__).values()
    return report


def row_of(name: str, **fields: Any) -> Mapping[str, Any]:
    [row] = body("kraken", name)["result"].values()
    return {**row, **fields}


# -- markets and prices ----------------------------------------------------------------------------------------


def test_markets_go_by_our_names_and_keep_the_id_they_are_traded_by() -> None:
    markets = {market.symbol: market for market in parse.parse_markets(body("kraken", "asset_pairs"))}
    assert {symbol: market.exchange_symbol for symbol, market in markets.items()} == {
        "BTC/USD": "XXBTZUSD",
        "ETH/BTC": "XETHXXBT",
        "DOGE/USDT": "XDGUSDT",
        "SOL/EUR": "SOLEUR",
        "ZEUS/USD": "ZEUSUSD",
    }, "a dark pool trades the same pair and is left out"
    bitcoin = markets["BTC/USD"]
    assert (bitcoin.tick_size, bitcoin.lot_size, bitcoin.quote_lot_size) == (
        Decimal("0.1"),
        Decimal("1E-8"),
        Decimal("1E-5"),
    )
    assert (bitcoin.min_quantity, bitcoin.min_notional) == (Decimal("0.00005"), Decimal("0.5"))
    assert (bitcoin.max_quantity, bitcoin.max_market_quantity) == (None, None), "Kraken sets no such bounds"
    assert [market.symbol for market in markets.values() if not market.active] == ["SOL/EUR"]


@pytest.mark.parametrize(
    ("fields", "tick"),
    [({"tick_size": "0.5"}, "0.5"), ({"tick_size": None}, "0.1"), ({"pair_decimals": 3}, "0.1")],
)
def test_the_tick_that_orders_are_checked_against_goes_before_the_decimals_of_prices(
    fields: dict[str, Any], tick: str
) -> None:
    row = {**body("kraken", "asset_pairs")["result"]["XXBTZUSD"], **fields}
    assert parse.parse_market("XXBTZUSD", row).tick_size == Decimal(tick)


def test_a_ticker_tells_24_hours_and_not_the_day() -> None:
    ticker = parse.parse_ticker(parse.only(body("kraken", "ticker")), SYMBOL)
    assert (ticker.last, ticker.bid, ticker.ask) == (Decimal("60000.5"), Decimal("60000.9"), Decimal(60001))
    assert (ticker.high, ticker.low) == (Decimal("60500.2"), Decimal("58100.1"))
    assert ticker.base_volume == Decimal("2210.87654321")
    assert ticker.quote_volume == Decimal("2210.87654321") * Decimal("59500.54321")
    assert ticker.at is None


def test_a_market_nobody_trades_has_no_price() -> None:
    tickers = parse.parse_tickers(body("kraken", "tickers"), NAMES.__getitem__)
    assert set(tickers) == {SYMBOL, "ETH/BTC", "ZEUS/USD"}
    quiet = tickers["ZEUS/USD"]
    assert (quiet.last, quiet.bid, quiet.ask, quiet.high, quiet.low) == (None,) * 5
    assert quiet.base_volume == 0


@pytest.mark.parametrize("name", ["depth", "depth_by_wsname"])
def test_a_book_is_read_by_whatever_name_it_is_keyed(name: str) -> None:
    book = parse.parse_order_book(body("kraken", name), SYMBOL, 1)
    assert [(level.price, level.quantity) for level in book.asks] == [(Decimal(60001), Decimal("0.5"))]
    assert [(level.price, level.quantity) for level in book.bids] == [(Decimal("60000.9"), Decimal("0.75"))]


def test_the_volume_of_a_candle_is_not_its_average_price() -> None:
    first, last = (parse.parse_candle(row) for row in parse.only(body("kraken", "ohlc")))
    assert (first.open, first.high, first.low, first.close) == (
        Decimal(60000),
        Decimal("60010.5"),
        Decimal("59990.1"),
        Decimal("60005.2"),
    )
    assert (first.volume, last.volume) == (Decimal("1.23456789"), 0)
    assert last.at - first.at == timedelta(minutes=1)


# -- the account -----------------------------------------------------------------------------------------------


def test_balances_are_net_of_holds_and_told_as_text_or_as_numbers() -> None:
    balances = parse.parse_balances(body("kraken", "balance_ex"))
    assert set(balances) == {"USD", "BTC", "DOGE", "BTC.M", "EUR"}, "nothing is held of USDT"
    usd, doge = balances["USD"], balances["DOGE"]
    assert (usd.total, usd.locked, usd.free) == (Decimal("1000.5"), Decimal("100.25"), Decimal("900.25"))
    assert (doge.total, doge.locked, doge.free) == (12, Decimal("0.5"), Decimal("11.5"))
    assert balances["BTC"].total == Decimal("0.1234567890")
    assert balances["BTC.M"].free == Decimal("0.00000001"), "what earns is told apart from what can be traded"


def test_a_credit_line_counts_as_far_as_it_is_not_used() -> None:
    euro = parse.parse_balances(body("kraken", "balance_ex"))["EUR"]
    assert euro.free == Decimal(10) + Decimal(500) - Decimal(20) - Decimal(90)
    assert euro.total == euro.free + euro.locked


# -- orders ----------------------------------------------------------------------------------------------------


def test_a_resting_order_has_filled_nothing_and_has_no_average() -> None:
    order = read_order("order_resting")
    assert (order.exchange_order_id, order.client_order_id, order.symbol) == (ORDER_ID, "bot-0001", SYMBOL)
    assert (order.side, order.type, order.status) == (Side.BUY, OrderType.LIMIT, OrderStatus.OPEN)
    assert (order.quantity, order.filled_quantity, order.remaining) == (Decimal("0.001"), 0, Decimal("0.001"))
    assert (order.price, order.average_price, order.trigger_price, order.cost) == (60000, None, None, 0)
    assert order.fees == {}
    assert (order.created_at, order.updated_at) == (at("1700000000.123456"), None)


def test_the_price_of_an_order_is_what_was_asked_and_not_what_it_executed_at() -> None:
    order = read_order("order_partial")
    assert order.status is OrderStatus.PARTIALLY_FILLED
    assert (order.price, order.average_price) == (60000, Decimal("59999.9"))
    assert order.remaining == Decimal("0.0006")


def test_a_cost_that_came_cut_off_is_made_whole() -> None:
    order = read_order("order_partial")
    assert order.raw["cost"] == "23.99996"
    assert order.cost == Decimal("59999.9") * Decimal("0.0004")


def test_a_market_order_has_no_price_and_its_fee_is_in_quote_unless_its_flag_says_otherwise() -> None:
    order = read_order("order_market")
    assert (order.status, order.type, order.price) == (OrderStatus.FILLED, OrderType.MARKET, None)
    assert order.fees == {"USD": Decimal("0.24001")}
    assert order.updated_at == at("1700000000.456789")
    in_base = parse.parse_order(ORDER_ID, row_of("order_market", oflags="fcib"), NAMES.__getitem__)
    assert in_base.fees == {"BTC": Decimal("0.24001")}


def test_what_an_order_sized_in_quote_bought_is_not_guessed() -> None:
    order = read_order("order_in_quote")
    assert (order.status, order.quantity, order.filled_quantity, order.remaining) == (
        OrderStatus.FILLED,
        None,
        None,
        None,
    )
    assert order.cost == Decimal("60.0006")
    unfilled = parse.parse_order(
        ORDER_ID, row_of("order_in_quote", vol_exec="0.0", cost="0", price="0"), NAMES.__getitem__
    )
    assert unfilled.filled_quantity == 0, "nothing is nothing in either unit"


def test_an_untriggered_stop_is_open_with_both_its_prices() -> None:
    order = read_order("order_stop")
    assert (order.type, order.status) == (OrderType.STOP_LIMIT, OrderStatus.OPEN)
    assert (order.trigger_price, order.price) == (55000, 54900)


STATES = [
    ("pending", None, "0", OrderStatus.PENDING),
    ("open", None, "0", OrderStatus.OPEN),
    ("open", None, "0.0004", OrderStatus.PARTIALLY_FILLED),
    ("closed", None, "0.001", OrderStatus.FILLED),
    ("canceled", "User requested", "0", OrderStatus.CANCELED),
    ("canceled", "User requested", "0.0004", OrderStatus.CANCELED),
    ("canceled", "Post only order", "0", OrderStatus.REJECTED),
    ("canceled", "Insufficient funds", "0", OrderStatus.REJECTED),
    ("canceled", "Insufficient funds", "0.0004", OrderStatus.CANCELED),
    ("canceled", None, "0", OrderStatus.CANCELED),
    ("expired", None, "0.0004", OrderStatus.EXPIRED),
]


@pytest.mark.parametrize(("status", "reason", "executed", "ours"), STATES)
def test_every_documented_status_has_its_meaning(
    status: str, reason: str | None, executed: str, ours: OrderStatus
) -> None:
    row = row_of("order_resting", status=status, reason=reason, vol_exec=executed)
    assert parse.parse_order(ORDER_ID, row, NAMES.__getitem__).status is ours


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("order_canceled", OrderStatus.CANCELED),
        ("order_post_only", OrderStatus.REJECTED),
        ("order_expired", OrderStatus.EXPIRED),
    ],
)
def test_orders_that_ended_without_filling_tell_how(name: str, status: OrderStatus) -> None:
    assert read_order(name).status is status


def test_a_trailing_stop_tells_its_distance_and_no_price() -> None:
    order = read_order("order_trailing")
    assert (order.type, order.trailing_percent) == (OrderType.TRAILING_STOP, Decimal("1.5"))
    assert (order.trigger_price, order.price, order.status) == (None, None, OrderStatus.OPEN)


def test_a_distance_in_quote_as_a_person_may_place_it_is_not_taken_for_a_percent() -> None:
    descr = {**row_of("order_trailing")["descr"], "price": "+500.0"}
    order = parse.parse_order(ORDER_ID, row_of("order_trailing", descr=descr), NAMES.__getitem__)
    assert (order.type, order.trailing_percent) == (OrderType.TRAILING_STOP, None)


def test_an_order_of_a_kind_that_we_never_place_does_not_hide_the_others() -> None:
    rows = body("kraken", "open_orders")["result"]["open"]
    rows["OTRAIL-BBBBB-CCCCCC"]["descr"]["ordertype"] = "trailing-stop-limit"
    orders = parse.parse_orders(rows, NAMES.__getitem__)
    assert [(order.type, order.trigger_price, order.price) for order in orders.values()] == [
        (OrderType.STOP_LOSS, 55000, None),
        (None, None, None),
        (OrderType.TAKE_PROFIT, 70000, None),
    ]


def test_fills_take_the_fee_s_asset_and_our_id_from_their_order() -> None:
    first, second = parse.parse_fills(body("kraken", "query_trades")["result"], NAMES.__getitem__).values()
    assert (first.trade_id, first.exchange_order_id, first.symbol, first.side) == (
        "TAAAAA-BBBBB-CCCCCC",
        ORDER_ID,
        SYMBOL,
        Side.BUY,
    )
    assert (second.price, second.quantity, second.cost) == (60001, Decimal("0.0006"), Decimal("36.0006"))
    assert (first.fee, first.fee_asset, first.client_order_id) == (Decimal("0.096"), None, None)
    known = parse.with_order(first, read_order("order_market"))
    assert (known.fee_asset, known.client_order_id, known.maker) == ("USD", "bot-0001", False)
    assert parse.with_order(first, None) == first


def test_an_order_is_the_sum_of_its_fills() -> None:
    order = read_order("order_in_quote")
    found = parse.parse_fills(body("kraken", "query_trades")["result"], NAMES.__getitem__)
    fills = [parse.with_order(fill, order) for fill in found.values()]
    whole = parse.with_fills(order, fills)
    assert (whole.filled_quantity, whole.cost) == (Decimal("0.001"), Decimal("60.0006"))
    assert whole.average_price == Decimal("60000.6")
    assert whole.fees == {"USD": Decimal("0.24001")}
    assert whole.fills == tuple(fills)
    assert parse.with_fills(order, []) is order


AMOUNTS = st.decimals("0.00000001", "999999", places=8)


@given(st.lists(st.tuples(AMOUNTS, AMOUNTS), min_size=1, max_size=5))
def test_the_sums_of_fills_are_exact(parts: list[tuple[Decimal, Decimal]]) -> None:
    fills = [
        Fill(
            str(number),
            ORDER_ID,
            None,
            SYMBOL,
            Side.BUY,
            cost / quantity,
            quantity,
            cost,
            cost,
            "USD",
            None,
            None,
        )
        for number, (quantity, cost) in enumerate(parts)
    ]
    whole = parse.with_fills(read_order("order_in_quote"), fills)
    assert whole.filled_quantity == sum(quantity for quantity, _ in parts)
    assert whole.cost == whole.fees["USD"] == sum(cost for _, cost in parts)


@given(st.decimals("0", "4000000000", places=6))
def test_times_keep_their_microseconds(seconds: Decimal) -> None:
    moment = parse.moment(seconds)
    assert (moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1) == seconds * 1_000_000
    assert moment.tzinfo is UTC


# -- an entry and its exit -------------------------------------------------------------------------------------


def test_an_executed_entry_tells_the_exits_that_name_it_as_their_parent() -> None:
    answer = recorded(
        QueryOrders="order_with_exit", OpenOrders="open_orders", ClosedOrders="no_closed_orders"
    )
    with kraken(answer) as (exchange, _):
        entry = exchange.get_order(SYMBOL, exchange_order_id=ORDER_ID)
    [stop] = entry.children
    assert (entry.status, stop.exchange_order_id) == (OrderStatus.FILLED, "OEXITA-BBBBB-CCCCCC")
    assert (stop.side, stop.type, stop.trigger_price) == (Side.SELL, OrderType.STOP_LOSS, 55000)


@pytest.mark.parametrize(
    ("seconds_ago", "status"), [(1, OrderStatus.PARTIALLY_FILLED), (60, OrderStatus.FILLED)]
)
def test_an_entry_is_not_told_to_be_filled_while_its_exit_may_still_show(
    seconds_ago: int, status: OrderStatus
) -> None:
    closed = f"{datetime.now(UTC).timestamp() - seconds_ago:.4f}"
    answers = {
        "QueryOrders": body_text("kraken", "order_with_exit").replace("1700000000.456789", closed),
        "OpenOrders": body_text("kraken", "no_open_orders"),
        "ClosedOrders": body_text("kraken", "no_closed_orders"),
    }
    with kraken(lambda request: reply(answers[request.target.rpartition("/")[2]])) as (exchange, _):
        entry = exchange.get_order(SYMBOL, exchange_order_id=ORDER_ID)
    assert (entry.status, entry.filled_quantity, entry.children) == (status, Decimal("0.001"), ())


# -- answers of another shape ----------------------------------------------------------------------------------


@given(st.data())
def test_an_order_with_anything_missing_is_unreadable_or_read_but_never_another_error(
    data: st.DataObject,
) -> None:
    row: dict[str, Any] = copy.deepcopy(dict(row_of("order_market")))
    part = row if data.draw(st.booleans()) else row["descr"]
    for name in data.draw(st.sets(st.sampled_from(sorted(part)), min_size=1)):
        if data.draw(st.booleans()):
            del part[name]
        else:
            part[name] = data.draw(st.none() | st.text(max_size=5) | st.integers() | st.lists(st.integers()))
    with contextlib.suppress(UNREADABLE):
        parse.parse_order(ORDER_ID, row, lambda name: SYMBOL)
