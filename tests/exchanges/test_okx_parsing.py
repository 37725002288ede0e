"""OKX's recorded answers become our values, digit for digit; orders that wait are told by what they placed."""

from __future__ import annotations

import contextlib
import copy
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import Balance, Grant, Market, MarketKind, OrderStatus, OrderType, Side
from app.exchanges.okx import algos, parse
from app.exchanges.okx.algos import AlgoId
from app.exchanges.rest import UNREADABLE
from tests.exchanges.okx_client import okx
from tests.exchanges.recorded import body


def data(name: str) -> Any:
    return body("okx", name)["data"]


def test_instruments_have_grids_and_a_least_size_but_no_least_value() -> None:
    markets = {market.symbol: market for market in map(parse.parse_market, data("instruments"))}
    assert markets["BTC/USDT"] == Market(
        symbol="BTC/USDT",
        exchange_symbol="BTC-USDT",
        base="BTC",
        quote="USDT",
        kind=MarketKind.SPOT,
        active=True,
        tick_size=Decimal("0.1"),
        lot_size=Decimal("0.00000001"),
        min_quantity=Decimal("0.00001"),
        max_quantity=Decimal(9999999999),
        quote_lot_size=Decimal("0.1"),
    )
    assert [markets[f"{name}/USDT"].active for name in ("OLD", "NEW")] == [False, False]


def test_balances_are_exact_and_of_the_trading_account() -> None:
    assert parse.parse_balances(data("balance")) == {
        "USDT": Balance("USDT", Decimal("100.000000000001"), Decimal(900), Decimal("1000.000000000001")),
        "BTC": Balance("BTC", Decimal("0.12345678"), Decimal(0), Decimal("0.12345678")),
    }


def test_what_backs_futures_is_the_equity_of_the_same_wallet_and_nothing_in_spot_mode() -> None:
    assert parse.parse_futures_balances(data("balance")) == {}
    assert parse.parse_futures_balances(data("balance_futures")) == {
        "USDT": Balance("USDT", Decimal("900.25"), Decimal("87.25"), Decimal("987.5"))
    }


def test_positions_are_told_in_base_with_the_sign_of_their_side() -> None:
    with okx(payloads={"GET instruments": "swap"}) as (exchange, _):
        net, short = exchange.positions()
    assert (net.symbol, net.quantity, net.entry_price) == ("BTC/USDT", Decimal("-0.25"), Decimal("91000.5"))
    assert (net.unrealised_pnl, net.liquidation_price, net.margin_asset) == (
        Decimal("250.125"),
        Decimal("120000.1"),
        "USDT",
    )
    assert short.quantity == Decimal("-0.1")


@pytest.mark.parametrize(
    ("perm", "trade", "withdraw"),
    [("read_only", Grant.NO, Grant.NO), ("read_only,withdraw,trade", Grant.YES, Grant.YES)],
)
def test_the_words_of_a_key_tell_what_it_may_do(perm: str, trade: Grant, withdraw: Grant) -> None:
    permissions, restricted = parse.parse_permissions({"perm": perm, "ip": ""})
    assert (permissions.trade, permissions.withdraw, restricted) == (trade, withdraw, Grant.NO)


def test_a_partial_fill_tells_what_is_left_and_what_it_cost() -> None:
    order = parse.parse_order(data("order_partial")[0])
    assert (order.exchange_order_id, order.client_order_id) == ("2400000000000000001", "mybot0001")
    assert (order.status, order.filled_quantity, order.remaining) == (
        OrderStatus.PARTIALLY_FILLED,
        Decimal("0.004"),
        Decimal("0.006"),
    )
    assert (order.cost, order.average_price, order.fees) == (360, 90000, {"BTC": Decimal("0.000004")})
    assert order.created_at == datetime(2026, 1, 1, 0, 0, 0, 400_000, tzinfo=UTC)


def test_a_market_buy_is_told_in_base_although_its_size_is_in_quote() -> None:
    row = data("order_market_filled")[0]
    order = parse.parse_order(row)
    assert (order.type, order.price, order.quantity, order.remaining) == (
        OrderType.MARKET,
        None,
        Decimal("0.00333"),
        0,
    )
    assert parse.parse_order({**row, "state": "canceled"}).quantity is None, "what it would have come to"


def test_a_rebate_lessens_the_fee() -> None:
    assert parse.parse_order(data("order_rebated")[0]).fees == {"USDT": Decimal("0.07")}


def test_fills_tell_price_fee_and_who_took() -> None:
    taken, made = map(parse.parse_fill, data("fills"))
    assert (taken.side, taken.maker, taken.fee, taken.fee_asset) == (
        Side.SELL,
        False,
        Decimal("0.299700333"),
        "USDT",
    )
    assert (made.maker, made.cost, made.client_order_id) == (True, 360, "mybot0001")


# -- orders that wait ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["algo-12", "algo-12-sl", "attached-abcx", "attached-abcx-tp"])
def test_the_id_of_an_algo_order_is_read_as_it_is_written(text: str) -> None:
    asked = AlgoId.read(text)
    assert asked is not None
    assert str(asked) == text
    assert AlgoId.read("2400000000000000001") is None


def test_a_stop_at_the_market_is_told_with_its_trigger() -> None:
    stop = algos.parse_algo(data("algo_stop")[0])
    assert (stop.exchange_order_id, stop.client_order_id) == ("algo-2420000000000000009", "mybot0001")
    assert (stop.type, stop.status, stop.price, stop.trigger_price) == (
        OrderType.STOP_LOSS,
        OrderStatus.OPEN,
        None,
        85000,
    )
    failed = algos.parse_algo(data("algo_stop_limit_failed")[0])
    assert (failed.type, failed.status, failed.price) == (OrderType.STOP_LIMIT, OrderStatus.EXPIRED, 84900)


def test_an_entry_tells_its_exits_as_asked_for_until_they_are_born_and_then_as_they_rest() -> None:
    ids = {}
    for entry, algo in (("entry_live", "order_missing"), ("entry_filled", "algo_pair")):
        with okx(payloads={"GET order": entry, "GET order-algo": algo}) as (exchange, _):
            told = exchange.get_order("BTC/USDT", exchange_order_id="2400000000000000001")
        assert [leg.client_order_id for leg in told.children] == ["mybot0001xsl", "mybot0001xtp"]
        assert [leg.side for leg in told.children] == [Side.SELL, Side.SELL]
        ids[entry] = {leg.exchange_order_id: (leg.type, leg.status, leg.quantity) for leg in told.children}
    waits, rests, size = OrderStatus.PENDING, OrderStatus.OPEN, Decimal("0.00999")
    assert ids["entry_live"] == {
        "attached-mybot0001x-sl": (OrderType.STOP_LOSS, waits, Decimal("0.01")),
        "attached-mybot0001x-tp": (OrderType.TAKE_PROFIT_LIMIT, waits, Decimal("0.01")),
    }
    assert ids["entry_filled"] == {
        "algo-2420000000000000009-sl": (OrderType.STOP_LOSS, rests, size),
        "algo-2420000000000000009-tp": (OrderType.TAKE_PROFIT_LIMIT, rests, size),
    }


def test_exits_that_an_entry_never_got_have_ended() -> None:
    with okx(payloads={"GET order": "entry_filled"}) as (exchange, _):
        told = exchange.get_order("BTC/USDT", exchange_order_id="attached-mybot0001x-tp")
    assert (told.status, told.client_order_id) == (OrderStatus.CANCELED, "mybot0001xtp")


@pytest.mark.parametrize("asked", ["algo-2420000000000000009", "2410000000000000007"])
def test_a_pair_that_has_fired_is_told_by_the_order_it_placed(asked: str) -> None:
    with okx(payloads={"GET order": "order_of_algo", "GET order-algo": "algo_pair_fired"}) as (exchange, _):
        pair = exchange.get_order("BTC/USDT", exchange_order_id=asked)
    assert (pair.exchange_order_id, pair.status) == ("algo-2420000000000000009", OrderStatus.FILLED)
    stop, target = pair.children
    assert (stop.status, stop.filled_quantity) == (OrderStatus.CANCELED, 0)
    assert (target.status, target.filled_quantity, target.average_price) == (
        OrderStatus.FILLED,
        Decimal("0.00999"),
        98991,
    )
    assert target.fees == {"USDT": Decimal("0.98892009")}


def test_what_an_algo_order_placed_is_in_the_history_once() -> None:
    payloads = {
        "GET orders-history": "order_of_algo",
        "GET orders-algo-history": "algo_pair_fired",
    }
    with okx(payloads=payloads) as (exchange, _):
        history = exchange.order_history("BTC/USDT")
    told = {order.exchange_order_id: order.status for order in history}
    assert told == {
        "algo-2420000000000000009-sl": OrderStatus.CANCELED,
        "algo-2420000000000000009-tp": OrderStatus.FILLED,
    }


ROWS = {
    parse.parse_order: "order_partial",
    parse.parse_fill: "fills",
    algos.parse_algo: "algo_pair",
    parse.parse_market: "instruments",
}


@given(
    case=st.sampled_from(sorted(ROWS.items(), key=lambda item: item[1])),
    field=st.integers(0, 100),
    junk=st.none() | st.text(max_size=5) | st.integers() | st.lists(st.none(), max_size=1),
)
@settings(deadline=None)
def test_a_row_of_another_shape_is_read_or_raises_what_the_client_understands(
    case: Any, field: int, junk: Any
) -> None:
    read, name = case
    row = copy.deepcopy(dict(data(name)[0]))
    names = sorted(row)
    row[names[field % len(names)]] = junk
    with contextlib.suppress(UNREADABLE):
        read(row)
