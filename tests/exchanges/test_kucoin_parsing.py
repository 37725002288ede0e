"""KuCoin's recorded answers become our values, digit for digit."""

from __future__ import annotations

import contextlib
import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import (
    Grant,
    Market,
    MarketKind,
    OrderNotFound,
    OrderReport,
    OrderStatus,
    OrderType,
    Side,
    to_decimal,
)
from app.exchanges.kucoin import parse, waiting
from app.exchanges.rest import UNREADABLE
from tests.exchanges.kucoin_client import kucoin, path_of, recorded, sent
from tests.exchanges.local_server import Received, Reply, reply
from tests.exchanges.recorded import body

NAMES = {"BTC-USDT": "BTC/USDT"}
BTC = "BTC/USDT"
MISSING = "order_missing"


def data(name: str) -> Any:
    return body("kucoin", name)["data"]


def read_order(name: str, **changes: Any) -> OrderReport:
    return parse.parse_order(data(name) | changes, NAMES.__getitem__)


def at(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(milliseconds // 1000, UTC).replace(microsecond=milliseconds % 1000 * 1000)


# -- markets and prices ----------------------------------------------------------------------------------------


def test_markets_carry_every_rule_that_sizes_an_order() -> None:
    markets = {market.symbol: market for market in map(parse.parse_market, data("symbols"))}
    assert markets[BTC] == Market(
        symbol=BTC,
        exchange_symbol="BTC-USDT",
        base="BTC",
        quote="USDT",
        kind=MarketKind.SPOT,
        active=True,
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.00000001"),
        min_quantity=Decimal("0.00001"),
        max_quantity=Decimal(10_000_000_000),
        min_notional=Decimal("0.1"),
        quote_lot_size=Decimal("0.000001"),
    )
    assert markets["SHIB/USDT"].min_notional == Decimal("0.1"), "without a least worth that of market orders"
    assert markets["SHIB/USDT"].tick_size == Decimal("1E-9")
    assert "BCHSV/USDT" in markets, "a coin goes by its code, as in balances, not by the name shown for it"
    assert markets["BCHSV/USDT"].active is False


def test_prices_of_a_market_nobody_trades_are_none() -> None:
    answers = {"GET /api/v2/symbols": "symbols", "GET /api/v1/market/allTickers": "all_tickers"}
    with kucoin(recorded(answers)) as (exchange, _):
        tickers = exchange.tickers()
    assert tickers["SHIB/USDT"].last == Decimal("0.000008123")
    assert tickers[BTC].quote_volume == Decimal("617283945.123456789")
    assert tickers[BTC].at == at(1700000000790)
    idle = tickers["BCHSV/USDT"]
    assert (idle.last, idle.bid, idle.ask, idle.high) == (None, None, None, None)
    assert idle.base_volume == 0


def test_the_order_book_is_cut_to_the_depth_asked_for_and_tells_its_time() -> None:
    book = parse.parse_order_book(data("book"), BTC, 1)
    assert [(level.price, level.quantity) for level in book.bids + book.asks] == [
        (Decimal(50000), Decimal("0.4")),
        (Decimal("50000.1"), Decimal("0.2")),
    ]
    assert book.at == at(1700000000791)


def test_a_candle_tells_its_close_before_its_high_and_its_time_in_seconds() -> None:
    candle = parse.parse_candle(data("candles")[1])
    assert candle.at == at(1699999980000)
    assert (candle.open, candle.high, candle.low, candle.close) == (50000, 50100, 49900, 50050)
    assert candle.volume == Decimal("12.345")


def test_candles_come_oldest_first_though_told_newest_first() -> None:
    with kucoin(recorded({"GET /api/v1/market/candles": "candles"})) as (exchange, server):
        candles = exchange.candles(BTC, "1m", limit=2)
    assert [candle.close for candle in candles] == [50050, Decimal("50075.5")]
    asked = sent(server.received[0])
    assert asked["type"] == "1min"
    assert 120 <= int(asked["endAt"]) - int(asked["startAt"]) <= 122, "in seconds"


# -- the account -----------------------------------------------------------------------------------------------


def test_balances_are_what_can_be_traded_summed_over_both_kinds_of_trading_account() -> None:
    balances = parse.parse_balances(data("accounts"))
    assert set(balances) == {"USDT", "BTC", "SHIB"}
    assert balances["USDT"].total == Decimal("1000.12345678"), "what lies in main cannot be traded"
    assert balances["BTC"] == ("BTC", Decimal("0.87345678"), Decimal("0.25000001"), Decimal("1.12345679"))
    assert str(balances["SHIB"].free) == "123456789012.1234"


def test_permissions_are_read_from_their_list() -> None:
    permissions, restricted = parse.parse_permissions(data("api_key"))
    assert (permissions.read, permissions.trade, permissions.withdraw) == (Grant.YES, Grant.YES, Grant.NO)
    assert restricted is Grant.YES


def test_positions_are_counted_in_coins_and_named_as_elsewhere() -> None:
    answers = {"GET /api/v1/positions": "positions", "GET /api/v1/contracts": "contracts"}
    with kucoin(recorded(answers)) as (exchange, _):
        [position] = exchange.positions()
    assert (position.symbol, position.quantity, position.entry_price) == (
        BTC,
        Decimal("-0.010"),
        Decimal("50000.5"),
    )
    assert (position.unrealised_pnl, position.liquidation_price) == (Decimal("-0.995"), Decimal("61234.5"))
    assert position.margin_asset == "USDT"


# -- orders ----------------------------------------------------------------------------------------------------


def test_a_filled_order_tells_its_average_its_cost_and_its_fee_in_quote() -> None:
    order = read_order("order_market_filled")
    assert (order.exchange_order_id, order.client_order_id, order.symbol) == (
        "6700000000000000000002",
        "mybot-0002",
        BTC,
    )
    assert (order.side, order.type, order.status) == (Side.BUY, OrderType.MARKET, OrderStatus.FILLED)
    assert order.price is None, "0 means that there is none"
    assert (order.quantity, order.filled_quantity, order.remaining) == (Decimal("0.003"), Decimal("0.003"), 0)
    assert (order.cost, order.average_price) == (Decimal("150.00003"), Decimal("50000.01"))
    assert order.fees == {"USDT": Decimal("0.15000003")}, "a purchase, too, pays in quote"
    assert (order.created_at, order.updated_at) == (at(1700000000200), at(1700000000201))


def test_an_order_sized_in_quote_is_filled_though_it_stopped_short_of_its_funds() -> None:
    order = read_order("order_market_by_funds")
    assert order.raw["cancelExist"] is True
    assert order.status is OrderStatus.FILLED
    assert (order.quantity, order.remaining) == (None, None)
    assert (order.filled_quantity, order.cost) == (Decimal("0.00099999"), Decimal("49.9995"))


def test_a_resting_order_has_filled_nothing_and_has_no_average() -> None:
    order = read_order("order_open")
    assert (order.status, order.filled_quantity, order.cost) == (OrderStatus.OPEN, 0, 0)
    assert (order.average_price, order.fees) == (None, {})


#: active, in the book, a cancellation, size, executed -> status
FLAGS = [
    (True, False, False, "1", "0", OrderStatus.OPEN),
    (True, True, False, "1", "0", OrderStatus.OPEN),
    (True, True, False, "1", "0.4", OrderStatus.PARTIALLY_FILLED),
    (True, True, True, "1", "0.4", OrderStatus.PARTIALLY_FILLED),
    (False, False, False, "1", "1", OrderStatus.FILLED),
    (False, False, True, "1", "1", OrderStatus.FILLED),
    (False, False, True, "1", "0.4", OrderStatus.CANCELED),
    (False, False, True, "1", "0", OrderStatus.CANCELED),
    (False, False, True, "0", "0", OrderStatus.CANCELED),
    (False, False, True, "0", "0.4", OrderStatus.FILLED),
]


@pytest.mark.parametrize(("active", "in_book", "canceled", "size", "executed", "status"), FLAGS)
def test_the_status_follows_from_flags_and_amounts(
    active: bool, in_book: bool, canceled: bool, size: str, executed: str, status: OrderStatus
) -> None:
    order = read_order(
        "order_open",
        active=active,
        inOrderBook=in_book,
        cancelExist=canceled,
        size=size,
        dealSize=executed,
        dealFunds="50",
    )
    assert order.status is status


def test_a_cancelled_order_keeps_what_it_filled() -> None:
    order = read_order("order_canceled")
    assert (order.status, order.filled_quantity) == (OrderStatus.CANCELED, Decimal("0.0004"))
    assert order.average_price == Decimal(52000)


def test_the_answer_to_a_cancellation_is_enough_when_the_record_cannot_be_read() -> None:
    with kucoin(recorded({"DELETE ": "canceled", "GET ": MISSING})) as (exchange, _):
        report = exchange.cancel_order(BTC, exchange_order_id="6700000000000000000004")
    assert (report.status, report.filled_quantity, report.remaining) == (
        OrderStatus.CANCELED,
        Decimal("0.0004"),
        Decimal("0.0006"),
    )


def test_a_cancellation_that_came_too_late_is_a_filled_order() -> None:
    filled = data("canceled") | {"dealSize": "0.001", "canceledSize": "0"}
    assert parse.parse_canceled(filled, BTC, "67", None).status is OrderStatus.FILLED


def test_fills_tell_side_fee_and_who_made_the_price() -> None:
    sell, buy = (parse.parse_fill(row, BTC) for row in data("fills")["items"])
    assert (buy.trade_id, buy.exchange_order_id, buy.side, buy.maker) == (
        "77",
        "6700000000000000000002",
        Side.BUY,
        False,
    )
    assert (buy.fee, buy.fee_asset, buy.cost) == (Decimal("0.15000003"), "USDT", Decimal("150.00003"))
    assert (sell.side, sell.maker, sell.at) == (Side.SELL, True, at(1700000000800))


# -- orders that wait for a price ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("side", "direction", "becomes", "type_"),
    [
        ("sell", "loss", "market", OrderType.STOP_LOSS),
        ("sell", "loss", "limit", OrderType.STOP_LIMIT),
        ("sell", "entry", "market", OrderType.TAKE_PROFIT),
        ("sell", "entry", "limit", OrderType.TAKE_PROFIT_LIMIT),
        ("buy", "entry", "market", OrderType.STOP_LOSS),
        ("buy", "loss", "limit", OrderType.TAKE_PROFIT_LIMIT),
    ],
)
def test_a_stop_is_of_the_kind_that_its_side_and_direction_make_it(
    side: str, direction: str, becomes: str, type_: OrderType
) -> None:
    row = data("stop") | {"side": side, "stop": direction, "type": becomes}
    order = waiting.parse_stop(row, NAMES.__getitem__)
    assert (order.type, order.status) == (type_, OrderStatus.OPEN)
    assert (order.trigger_price, order.quantity, order.price) == (Decimal(48000), Decimal("0.001"), None)


@pytest.mark.parametrize("told", [1700000000700, 1700000000700123456])
def test_the_time_of_a_trigger_is_read_in_either_unit(told: int) -> None:
    row = data("stop_triggered") | {"stopTriggerTime": told}
    assert waiting.parse_stop(row, NAMES.__getitem__).updated_at == at(1700000000700)


def became(**changes: Any) -> str:
    """The order that the recorded stop became."""
    order = data("order_market_filled") | {"clientOid": "mybot-0006", "side": "sell"} | changes
    return json.dumps({"code": "200000", "data": order})


def test_a_triggered_stop_is_told_as_the_order_it_became() -> None:
    answers = {"GET /api/v1/stop-order/vs": "stop_triggered", "GET /api/v1/hf/orders/client-order/": became()}
    with kucoin(recorded(answers)) as (exchange, server):
        order = exchange.get_order(BTC, exchange_order_id="vs8hoo8q2ceshiue003b67c0")
    assert path_of(server.received[1]).endswith("/mybot-0006")
    assert (order.status, order.type, order.trigger_price) == (
        OrderStatus.FILLED,
        OrderType.STOP_LOSS,
        Decimal(48000),
    )
    assert order.exchange_order_id == "6700000000000000000002", "its fills are told under this id"


def test_fills_of_a_stop_are_those_of_the_order_it_became() -> None:
    answers = {
        "GET /api/v1/stop-order/vs": "stop_triggered",
        "GET /api/v1/hf/orders/client-order/": became(),
        "GET /api/v1/hf/fills": "fills",
    }
    with kucoin(recorded(answers)) as (exchange, server):
        exchange.fills(BTC, exchange_order_id="vs8hoo8q2ceshiue003b67c0")
    assert sent(server.received[-1])["orderId"] == "6700000000000000000002"


def triggered(milliseconds_ago: int) -> str:
    now = int(datetime.now(UTC).timestamp() * 1000)
    stop = data("stop_triggered") | {"stopTriggerTime": now - milliseconds_ago}
    return json.dumps({"code": "200000", "data": stop})


@pytest.mark.parametrize(
    ("milliseconds_ago", "status"), [(1_000, OrderStatus.PENDING), (3_600_000, OrderStatus.REJECTED)]
)
def test_a_triggered_stop_of_which_no_order_came_waits_for_it_and_was_turned_down_then(
    milliseconds_ago: int, status: OrderStatus
) -> None:
    answers = {"GET /api/v1/stop-order/vs": triggered(milliseconds_ago), "GET ": MISSING}
    with kucoin(recorded(answers)) as (exchange, _):
        order = exchange.get_order(BTC, exchange_order_id="vs8hoo8q2ceshiue003b67c0")
    assert order.status is status


def test_what_became_of_a_stop_that_triggered_long_ago_is_not_guessed() -> None:
    answers = {"GET /api/v1/stop-order/vs": triggered(3 * 86_400_000), "GET ": MISSING}
    with kucoin(recorded(answers)) as (exchange, _), pytest.raises(OrderNotFound):
        exchange.get_order(BTC, exchange_order_id="vs8hoo8q2ceshiue003b67c0")


def test_a_stop_is_found_by_its_client_id_among_stops() -> None:
    answers = {"GET /api/v1/stop-order/query": "stop_by_client", "GET ": MISSING}
    with kucoin(recorded(answers)) as (exchange, _):
        order = exchange.get_order(BTC, client_order_id="mybot-0006")
    assert (order.exchange_order_id, order.status) == ("vs8hoo8q2ceshiue003b67c0", OrderStatus.OPEN)


# -- exits in pairs --------------------------------------------------------------------------------------------

PAIR = "oco-6572fdd65723280007deb5e0"
TARGET, STOP = f"{PAIR}:vs8hoo98rathe3bk003s5ved", f"{PAIR}:vs8hoo98rathe3bk003s5vee"


def test_a_pair_is_one_order_whose_legs_are_its_children() -> None:
    pair = waiting.parse_pair(data("pair"), NAMES.__getitem__)
    assert (pair.exchange_order_id, pair.client_order_id) == (PAIR, "exit")
    assert (pair.status, pair.side, pair.type, pair.quantity, pair.filled_quantity) == (
        OrderStatus.OPEN,
        Side.SELL,
        None,
        Decimal("0.005"),
        0,
    )
    assert [
        (leg.exchange_order_id, leg.client_order_id, leg.type, leg.trigger_price, leg.price)
        for leg in pair.children
    ] == [
        (STOP, "exit-sl", OrderType.STOP_LIMIT, Decimal(48000), Decimal(44160)),
        (TARGET, "exit-tp", OrderType.TAKE_PROFIT_LIMIT, Decimal(60000), Decimal(60000)),
    ]


def test_a_purchase_takes_its_profit_below_its_stop() -> None:
    rows = data("pair")
    for row in rows["orders"]:
        row["side"] = "buy"
    stop, target = waiting.parse_pair(rows, NAMES.__getitem__).children
    assert (stop.exchange_order_id, target.exchange_order_id) == (TARGET, STOP)


@pytest.mark.parametrize(
    ("payload", "acting", "price"), [("pair_triggered", STOP, "44160"), ("pair_done", TARGET, "60000")]
)
def test_the_leg_that_became_an_order_fares_as_that_order_does(payload: str, acting: str, price: str) -> None:
    order = became(clientOid="exit", type="limit", price=price, size="0.005", dealSize="0.005")
    answers = {"GET /api/v3/oco/order/details/": payload, "GET /api/v1/hf/orders/client-order/exit": order}
    with kucoin(recorded(answers)) as (exchange, _):
        pair = exchange.get_order(BTC, exchange_order_id=PAIR)
        leg = exchange.get_order(BTC, exchange_order_id=acting)
    assert (pair.status, pair.filled_quantity, pair.cost) == (
        OrderStatus.FILLED,
        Decimal("0.005"),
        Decimal("150.00003"),
    )
    fared = {child.exchange_order_id: child for child in pair.children}
    assert fared.pop(acting) == leg
    assert (leg.status, leg.fees) == (OrderStatus.FILLED, {"USDT": Decimal("0.15000003")})
    [other] = fared.values()
    assert (other.status, other.filled_quantity) == (OrderStatus.CANCELED, 0)


def test_of_legs_that_tell_nothing_the_one_at_the_order_s_price_has_acted() -> None:
    pair = waiting.parse_pair(data("pair") | {"status": "TRIGGERED"}, NAMES.__getitem__)
    target = waiting.executed(pair, read_order("order_open", price="60000"))
    assert [leg.status for leg in target.children] == [OrderStatus.CANCELED, OrderStatus.OPEN]


def test_a_pair_that_is_done_is_filled_even_when_its_order_is_not_seen() -> None:
    with kucoin(recorded({"GET /api/v3/": "pair_done", "GET ": MISSING})) as (exchange, _):
        pair = exchange.get_order(BTC, exchange_order_id=PAIR)
    assert (pair.status, pair.filled_quantity, pair.cost) == (OrderStatus.FILLED, Decimal("0.005"), None)


def test_fills_of_a_leg_are_those_of_the_order_it_became() -> None:
    answers = {
        "GET /api/v3/oco/order/details/": "pair_done",
        "GET /api/v1/hf/orders/client-order/exit": became(clientOid="exit"),
        "GET /api/v1/hf/fills": "fills",
    }
    with kucoin(recorded(answers)) as (exchange, server):
        exchange.fills(BTC, exchange_order_id=TARGET)
    assert sent(server.received[-1])["orderId"] == "6700000000000000000002"


def test_open_orders_are_orders_stops_and_legs_and_no_leg_twice() -> None:
    answers = {
        "GET /api/v1/hf/orders/active": "active",
        "GET /api/v1/stop-order": "stops",
        "GET /api/v3/oco/orders": "pairs",
        "GET /api/v3/oco/order/details/6572fdd65723280007deb5e0": "pair",
    }
    with kucoin(recorded(answers)) as (exchange, _):
        orders = exchange.open_orders(BTC)
    assert [order.exchange_order_id for order in orders] == [
        "6700000000000000000001",
        "vs8hoo8q2ceshiue003b67c0",
        "vs8hoo8q2ceshiue003b67c1",
        STOP,
        TARGET,
    ], "the stop list repeats a leg, and a pair that is done rests no more"


# -- pages -----------------------------------------------------------------------------------------------------


def paged(request: Received) -> Reply:
    """Two hundred and thirty fills, a hundred at a time, newest first."""
    asked = sent(request)
    newest = int(asked.get("lastId", 231)) - 1
    numbers = range(newest, max(newest - int(asked["limit"]), 0), -1)
    row = data("fills")["items"][0]
    items = [row | {"id": n, "tradeId": n, "createdAt": 1700000000000 + n} for n in numbers]
    last = items[-1]["id"] if items else None
    return reply(json.dumps({"code": "200000", "data": {"lastId": last, "items": items}}, default=str))


def test_pages_are_walked_to_the_end_and_told_oldest_first() -> None:
    with kucoin(paged) as (exchange, server):
        fills = exchange.fills(BTC, exchange_order_id="67")
    assert [fill.trade_id for fill in fills] == [str(number) for number in range(1, 231)]
    assert len(server.received) == 3


def test_without_a_time_only_the_latest_are_told() -> None:
    with kucoin(paged) as (exchange, server):
        fills = exchange.fills(BTC, limit=2)
    assert [fill.trade_id for fill in fills] == ["229", "230"]
    assert len(server.received) == 1


def test_the_history_begins_with_what_is_done_and_ends_with_what_rests() -> None:
    answers = {"GET /api/v1/hf/orders/done": "done", "GET /api/v1/hf/orders/active": "active"}
    with kucoin(recorded(answers)) as (exchange, _):
        history = exchange.order_history(BTC)
        latest = exchange.order_history(BTC, limit=1)
    assert [order.client_order_id for order in history] == [
        "mybot-0002",
        "mybot-0003",
        "mybot-0004",
        "mybot-0001",
    ]
    assert [order.client_order_id for order in latest] == ["mybot-0001"]


# -- whatever comes --------------------------------------------------------------------------------------------

amounts = st.decimals(min_value=0, max_value=10**18, places=8, allow_nan=False)


@given(free=amounts, locked=amounts)
def test_no_digit_of_a_balance_is_lost(free: Decimal, locked: Decimal) -> None:
    total = to_decimal(free) + locked
    row = {"currency": "X", "type": "trade", "available": f"{free:f}", "holds": f"{locked:f}"}
    balances = parse.parse_balances([row | {"balance": f"{total:f}"}])
    assert balances == ({"X": ("X", free, locked, total)} if total else {})


@given(st.data())
def test_an_order_with_anything_missing_is_unreadable_or_read_but_never_another_error(
    draws: st.DataObject,
) -> None:
    row: dict[str, Any] = copy.deepcopy(data("order_market_filled"))
    for name in draws.draw(st.sets(st.sampled_from(sorted(row)), min_size=1)):
        if draws.draw(st.booleans()):
            del row[name]
        else:
            row[name] = draws.draw(st.none() | st.text(max_size=5) | st.integers() | st.lists(st.integers()))
    with contextlib.suppress(UNREADABLE):
        parse.parse_order(row, lambda symbol: BTC)
