"""Placing, looking up, changing and cancelling orders."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain import (
    DuplicateOrder,
    InsufficientFunds,
    InvalidOrder,
    OrderDenied,
    OrderNotFound,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    WouldTrigger,
)
from app.exchanges.base import AmendMode, PassedTrigger, ReusedId
from tests.exchanges.conformance.conftest import BTC, Account, Opening
from tests.fixtures.sandbox import SandboxServer


def test_a_market_order_is_filled_and_tells_at_what_cost(account: Account) -> None:
    placed = account.place(OrderType.MARKET, client_order_id="m1")
    order = account.exchange.get_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert order.status is OrderStatus.FILLED
    assert order.client_order_id == "m1"
    assert (order.symbol, order.side, order.type) == (BTC, Side.BUY, OrderType.MARKET)
    assert order.filled_quantity == Decimal("0.01")
    assert order.average_price is not None
    assert order.cost == order.average_price * Decimal("0.01")
    assert order.price is None
    assert order.created_at is not None
    assert order.created_at.tzinfo is UTC


def test_a_market_order_may_be_sized_in_quote(account: Account) -> None:
    if not account.able.quote_quantity_market_buy:
        with pytest.raises(OrderDenied):
            account.place(OrderType.MARKET, quantity=None, quote_quantity=Decimal(500))
        return
    placed = account.place(OrderType.MARKET, quantity=None, quote_quantity=Decimal(500))
    order = account.exchange.get_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert order.status is OrderStatus.FILLED
    assert order.cost is not None
    assert 450 < order.cost <= 500


def test_a_limit_order_rests_and_can_be_found_by_either_id(account: Account) -> None:
    placed = account.rest(client_order_id="rest1")
    assert placed.status is OrderStatus.OPEN
    found = account.exchange.get_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert (found.status, found.filled_quantity, found.remaining) == (OrderStatus.OPEN, 0, Decimal("0.01"))
    assert found.average_price is None
    assert found.price == placed.price or placed.price is None
    if account.able.client_id_lookup:
        assert (
            account.exchange.get_order(BTC, client_order_id="rest1").exchange_order_id
            == placed.exchange_order_id
        )
    assert [order.client_order_id for order in account.exchange.open_orders(BTC)] == ["rest1"]
    assert [order.symbol for order in account.exchange.open_orders()] == [BTC]


def test_quantities_and_prices_go_out_on_the_grid_and_never_enlarged(account: Account) -> None:
    market = account.markets[BTC]
    quantity, price = Decimal("0.0123456789123"), account.last() / 3
    account.place(OrderType.LIMIT, quantity=quantity, price=price)
    [order] = account.exchange.open_orders(BTC)
    assert order.quantity == market.quantize_quantity(quantity)
    assert order.price == market.quantize_price(price)


@pytest.mark.parametrize("tif", [TimeInForce.IOC, TimeInForce.FOK])
def test_an_order_that_may_not_rest_ends_unfilled(account: Account, tif: TimeInForce) -> None:
    placed = account.rest(time_in_force=tif)
    order = account.exchange.get_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert order.status in (OrderStatus.EXPIRED, OrderStatus.CANCELED)
    assert order.filled_quantity == 0


def test_a_post_only_order_rests_and_never_takes(account: Account) -> None:
    assert account.rest(post_only=True).status is OrderStatus.OPEN
    try:
        crossing = account.place(OrderType.LIMIT, price=account.last() * 2, post_only=True)
    except InvalidOrder:
        return
    order = account.exchange.get_order(BTC, exchange_order_id=crossing.exchange_order_id)
    assert order.status in (OrderStatus.CANCELED, OrderStatus.EXPIRED, OrderStatus.REJECTED)
    assert order.filled_quantity == 0


TRIGGERS = {
    OrderType.STOP_LOSS: ("0.9", None),
    OrderType.STOP_LIMIT: ("0.9", "0.89"),
    OrderType.TAKE_PROFIT: ("1.1", None),
    OrderType.TAKE_PROFIT_LIMIT: ("1.1", "1.09"),
}


@pytest.mark.parametrize("type_", TRIGGERS)
def test_an_order_that_waits_for_a_price_rests_until_it_comes(account: Account, type_: OrderType) -> None:
    trigger, limit = TRIGGERS[type_]
    fields = {"trigger_price": account.last() * Decimal(trigger)}
    if limit:
        fields["price"] = account.last() * Decimal(limit)
    if type_ not in account.able.order_types:
        with pytest.raises(OrderDenied):
            account.place(type_, Side.SELL, **fields)
        return
    account.place(type_, Side.SELL, **fields)
    [order] = account.exchange.open_orders(BTC)
    assert (order.type, order.side, order.status) == (type_, Side.SELL, OrderStatus.OPEN)
    assert order.trigger_price == account.markets[BTC].quantize_price(fields["trigger_price"])


@pytest.mark.parametrize(("type_", "share"), [(OrderType.STOP_LOSS, 2), (OrderType.TAKE_PROFIT, "0.5")])
def test_a_trigger_that_has_passed_is_refused_as_such_or_fires_at_once_as_declared(
    account: Account, type_: OrderType, share: str
) -> None:
    passed = account.last() * Decimal(share)
    if account.able.passed_trigger is PassedTrigger.REFUSED:
        with pytest.raises(WouldTrigger) as caught:
            account.place(type_, Side.SELL, trigger_price=passed)
        assert caught.value.exchange == account.name
        assert account.accepted() == []
        return
    placed = account.place(type_, Side.SELL, trigger_price=passed)
    order = account.exchange.get_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert (order.status, order.filled_quantity) == (OrderStatus.FILLED, Decimal("0.01"))


def test_a_stop_that_follows_the_price_fires_once_it_has_turned_by_its_distance(
    open_account: Opening, fresh_sandbox: SandboxServer
) -> None:
    account = open_account(server=fresh_sandbox)
    if OrderType.TRAILING_STOP not in account.able.order_types:
        with pytest.raises(OrderDenied):
            account.place(OrderType.TRAILING_STOP, Side.SELL, trailing_percent=Decimal(2))
        assert account.accepted() == []
        return
    start = account.last()
    placed = account.place(OrderType.TRAILING_STOP, Side.SELL, trailing_percent=Decimal(2))
    [order] = account.exchange.open_orders(BTC)
    assert (order.type, order.side, order.status) == (OrderType.TRAILING_STOP, Side.SELL, OrderStatus.OPEN)
    assert (order.trailing_percent, order.filled_quantity) == (2, 0)
    for share, status in [
        ("0.99", OrderStatus.OPEN),
        ("1.1", OrderStatus.OPEN),
        ("1.0791", OrderStatus.OPEN),
        ("1.078", OrderStatus.FILLED),
    ]:
        fresh_sandbox.price(account.name, BTC, str(start * Decimal(share)))
        order = account.exchange.get_order(BTC, exchange_order_id=placed.exchange_order_id)
        assert order.status is status, share
    assert (order.type, order.trailing_percent) == (OrderType.TRAILING_STOP, 2)
    assert order.average_price is not None
    assert order.average_price > start


def test_a_distance_out_of_range_is_refused_before_the_wire(account: Account) -> None:
    range_ = account.able.trailing
    if range_ is None:
        pytest.skip("no stops that follow the price here")
    for percent in (range_.least - range_.step, range_.most + range_.step, range_.least + range_.step / 2):
        with pytest.raises(OrderDenied):
            account.place(OrderType.TRAILING_STOP, Side.SELL, trailing_percent=percent)
    account.place(OrderType.TRAILING_STOP, Side.SELL, trailing_percent=range_.least)
    account.place(OrderType.TRAILING_STOP, Side.SELL, trailing_percent=range_.most)
    assert {order.trailing_percent for order in account.exchange.open_orders(BTC)} == {
        range_.least,
        range_.most,
    }


# -- refusals --------------------------------------------------------------------------------------------------


def test_more_than_the_balance_is_refused_for_lack_of_funds(open_account: Opening) -> None:
    account = open_account({"USDT": "100"})
    with pytest.raises(InsufficientFunds) as caught:
        account.place(OrderType.MARKET, quantity=Decimal(1))
    assert caught.value.exchange == account.name
    assert caught.value.code
    assert account.accepted() == []


def test_an_order_under_a_client_id_in_use_comes_to_what_is_declared(account: Account) -> None:
    first = account.rest(client_order_id="twice1")
    match account.able.reused_id:
        case ReusedId.REFUSED:
            with pytest.raises(DuplicateOrder):
                account.rest(client_order_id="twice1")
        case ReusedId.FIRST_AGAIN:
            assert account.rest(client_order_id="twice1").exchange_order_id == first.exchange_order_id
            with pytest.raises(DuplicateOrder):
                account.rest(client_order_id="twice1", quantity=Decimal("0.02"))
        case ReusedId.PLACED:
            account.rest(client_order_id="twice1")
            assert account.accepted() == ["twice1", "twice1"]
            return
    assert account.accepted() == ["twice1"]


def test_an_order_below_the_minimum_is_denied_before_the_wire(account: Account) -> None:
    with pytest.raises(OrderDenied) as caught:
        account.place(OrderType.LIMIT, quantity=account.markets[BTC].lot_size, price=Decimal(10))
    assert {violation.rule for violation in caught.value.violations} & {"min_notional", "min_quantity"}
    assert account.accepted() == []


def test_an_order_that_nobody_placed_is_not_found(account: Account) -> None:
    placed = account.rest()
    assert placed.exchange_order_id is not None
    account.exchange.cancel_order(BTC, exchange_order_id=placed.exchange_order_id)
    if account.able.client_id_lookup:
        with pytest.raises(OrderNotFound):
            account.exchange.get_order(BTC, client_order_id="nobody1")
        with pytest.raises(OrderNotFound):
            account.exchange.cancel_order(BTC, client_order_id="nobody1")


def test_an_order_needs_an_id_to_be_looked_up(account: Account) -> None:
    with pytest.raises(OrderDenied):
        account.exchange.get_order(BTC)
    with pytest.raises(OrderDenied):
        account.exchange.cancel_order(BTC)


# -- cancelling and amending -----------------------------------------------------------------------------------


def test_a_cancelled_order_is_cancelled_and_its_balance_free(account: Account) -> None:
    placed = account.rest(client_order_id="gone1")
    report = account.exchange.cancel_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert (report.client_order_id, report.status) == ("gone1", OrderStatus.CANCELED)
    order = account.exchange.get_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert (order.client_order_id, order.status) == ("gone1", OrderStatus.CANCELED)
    assert account.exchange.balances()["USDT"].locked == 0


def test_an_order_can_be_cancelled_by_its_client_id(account: Account) -> None:
    account.rest(client_order_id="byid1")
    account.exchange.cancel_order(BTC, client_order_id="byid1")
    assert account.exchange.open_orders(BTC) == []


def test_a_filled_order_cannot_be_cancelled_and_stays_filled(account: Account) -> None:
    placed = account.place(OrderType.MARKET)
    with pytest.raises(OrderNotFound):
        account.exchange.cancel_order(BTC, exchange_order_id=placed.exchange_order_id)
    order = account.exchange.get_order(BTC, exchange_order_id=placed.exchange_order_id)
    assert order.status is OrderStatus.FILLED


def test_everything_is_cancelled_at_once(account: Account) -> None:
    account.rest("0.5", client_order_id="all1")
    account.rest("0.6", client_order_id="all2")
    reports = account.exchange.cancel_all(BTC)
    assert {report.client_order_id for report in reports} == {"all1", "all2"}
    assert {report.status for report in reports} == {OrderStatus.CANCELED}
    assert account.exchange.open_orders() == []
    assert account.exchange.cancel_all(BTC) == []


def test_everything_is_cancelled_on_every_market(account: Account) -> None:
    account.rest(client_order_id="here1")
    price = account.exchange.ticker("ETH/USDT").last
    assert price is not None
    account.place(OrderType.LIMIT, symbol="ETH/USDT", price=price / 2, client_order_id="there1")
    reports = account.exchange.cancel_all()
    assert {(report.symbol, report.client_order_id) for report in reports} == {
        (BTC, "here1"),
        ("ETH/USDT", "there1"),
    }
    assert account.exchange.open_orders() == []


def test_a_resting_order_is_made_smaller_where_that_is_offered(account: Account) -> None:
    placed = account.rest(quantity=Decimal("0.02"), client_order_id="amend1")
    ids = {"exchange_order_id": placed.exchange_order_id}
    if account.able.amend is AmendMode.NONE:
        with pytest.raises(OrderDenied):
            account.exchange.amend_order(BTC, quantity=Decimal("0.01"), **ids)
        return
    account.exchange.amend_order(BTC, quantity=Decimal("0.010009"), **ids)
    [order] = account.exchange.open_orders(BTC)
    assert (order.quantity, order.client_order_id) == (
        account.markets[BTC].quantize_quantity(Decimal("0.010009")),
        "amend1",
    )


# -- history ---------------------------------------------------------------------------------------------------


def test_the_history_tells_orders_in_every_state_oldest_first(account: Account) -> None:
    before = datetime.now(UTC) - timedelta(minutes=5)
    account.place(OrderType.MARKET, client_order_id="h1")
    resting = account.rest(client_order_id="h2")
    account.exchange.cancel_order(BTC, exchange_order_id=resting.exchange_order_id)
    for history in (account.exchange.order_history(BTC), account.exchange.order_history(BTC, since=before)):
        assert [(order.client_order_id, order.status) for order in history] == [
            ("h1", OrderStatus.FILLED),
            ("h2", OrderStatus.CANCELED),
        ]
    assert len(account.exchange.order_history(BTC, since=before, limit=1)) == 1
    assert account.exchange.order_history(BTC, since=datetime.now(UTC) + timedelta(hours=1)) == []


def test_fills_tell_price_fee_and_order(account: Account) -> None:
    before = datetime.now(UTC) - timedelta(minutes=5)
    bought = account.place(OrderType.MARKET, client_order_id="f1")
    account.place(OrderType.MARKET, Side.SELL, client_order_id="f2")
    fills = account.exchange.fills(BTC, since=before)
    assert [fill.side for fill in fills] == [Side.BUY, Side.SELL]
    for fill in fills:
        assert fill.quantity == Decimal("0.01")
        assert fill.cost == fill.price * fill.quantity
        assert fill.fee is not None
        assert fill.fee > 0
        assert fill.fee_asset in ("BTC", "USDT")
        assert fill.at is not None
    only = account.exchange.fills(BTC, exchange_order_id=bought.exchange_order_id)
    assert [fill.trade_id for fill in only] == [fills[0].trade_id]
    assert len(account.exchange.fills(BTC, limit=1)) == 1


def test_what_was_paid_and_received_is_what_the_balance_shows(account: Account) -> None:
    account.place(OrderType.MARKET, quantity=Decimal("0.5"))
    [fill] = account.exchange.fills(BTC)
    assert fill.fee is not None
    change = {"BTC": Decimal("0.5"), "USDT": -fill.cost}
    assert fill.fee_asset is not None
    change[fill.fee_asset] -= fill.fee
    balances = account.exchange.balances()
    assert balances["BTC"].total == 2 + change["BTC"]
    assert balances["USDT"].total == 100_000 + change["USDT"]
