"""Exits in pairs and exits attached to an entry, where the exchange offers them; refused where it does not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain import (
    Leg,
    OcoRequest,
    OrderDenied,
    OrderReport,
    OrderStatus,
    OrderType,
    Side,
    WouldTrigger,
)
from tests.exchanges.conformance.conftest import BTC, Account, Opening
from tests.fixtures.sandbox import SandboxServer

QUANTITY = Decimal("0.1")


#: What each kind of leg is for, whether the exchange executes it at the market or at a limit.
PURPOSE = {
    OrderType.STOP_LOSS: "stop",
    OrderType.STOP_LIMIT: "stop",
    OrderType.TAKE_PROFIT: "target",
    OrderType.TAKE_PROFIT_LIMIT: "target",
}


def pair(account: Account, client_order_id: str = "exit") -> OcoRequest:
    last = account.last()
    return OcoRequest(
        BTC, Side.SELL, QUANTITY, Leg(last * Decimal("0.9")), Leg(last * Decimal("1.1")), client_order_id
    )


@pytest.fixture
def moving(open_account: Opening, fresh_sandbox: SandboxServer) -> Account:
    """An account on a sandbox whose prices this test may move."""
    return open_account(server=fresh_sandbox)


def able_pair(account: Account) -> None:
    if not account.able.oco:
        with pytest.raises(OrderDenied):
            account.exchange.place_oco(pair(account))
        pytest.skip("no pairs of exits here: refused before the wire")


def test_a_pair_rests_with_both_legs_and_holds_the_balance_once_at_most(account: Account) -> None:
    able_pair(account)
    report = account.exchange.place_oco(pair(account))
    assert report.client_order_id == "exit"
    assert report.status is OrderStatus.OPEN
    assert len(report.children) == 2
    assert {PURPOSE[leg.type] for leg in report.children if leg.type} == {"stop", "target"}
    assert account.exchange.balances()["BTC"].locked in (0, QUANTITY)
    found = account.exchange.get_order(BTC, client_order_id="exit")
    assert (found.exchange_order_id, found.status) == (report.exchange_order_id, OrderStatus.OPEN)
    assert len(found.children) == 2


@pytest.mark.parametrize(("stop", "target"), [("1.05", "1.1"), ("0.9", "0.95")])
def test_a_pair_one_of_whose_prices_has_passed_is_refused_as_such(
    account: Account, stop: str, target: str
) -> None:
    able_pair(account)
    last = account.last()
    legs = {"stop_loss": Leg(last * Decimal(stop)), "take_profit": Leg(last * Decimal(target))}
    with pytest.raises(WouldTrigger):
        account.exchange.place_oco(replace(pair(account), **legs))
    assert account.accepted() == []


def test_a_pair_whose_legs_are_the_wrong_way_round_is_refused_before_the_wire(account: Account) -> None:
    able_pair(account)
    right = pair(account)
    with pytest.raises(OrderDenied, match="must lie above"):
        account.exchange.place_oco(replace(right, stop_loss=right.take_profit, take_profit=right.stop_loss))


def test_the_stop_of_a_pair_trails_where_that_is_offered(moving: Account) -> None:
    wanted = replace(pair(moving), trailing_percent=Decimal(10))
    if not moving.able.trailing_in_pairs:
        with pytest.raises(OrderDenied):
            moving.exchange.place_oco(wanted)
        pytest.skip("no pairs of exits of which one trails: refused before the wire")
    with pytest.raises(OrderDenied, match="follows here at"):
        moving.exchange.place_oco(replace(wanted, trailing_percent=Decimal("99.9999")))
    report, start = moving.exchange.place_oco(wanted), moving.last()
    found = moving.exchange.get_order(BTC, exchange_order_id=report.exchange_order_id)
    for told in (report, found):
        [stop] = [leg for leg in told.children if leg.type is OrderType.TRAILING_STOP]
        assert stop.trailing_percent == 10
    alone = moving.exchange.get_order(BTC, exchange_order_id=stop.exchange_order_id)
    assert (alone.type, alone.children) == (OrderType.TRAILING_STOP, ())
    moving.sandbox.price(moving.name, BTC, str(start * Decimal("1.05")))
    moving.sandbox.price(moving.name, BTC, str(start * Decimal("0.94")))
    ended = moving.exchange.get_order(BTC, exchange_order_id=report.exchange_order_id)
    assert (ended.status, ended.filled_quantity) == (OrderStatus.FILLED, QUANTITY)


@pytest.mark.parametrize(("price", "filled"), [("0.86", "stop"), ("1.15", "target")])
def test_the_leg_that_executes_cancels_the_other(moving: Account, price: str, filled: str) -> None:
    able_pair(moving)
    report = moving.exchange.place_oco(pair(moving))
    moving.sandbox.price(moving.name, BTC, str(moving.last() * Decimal(price)))
    found = moving.exchange.get_order(BTC, exchange_order_id=report.exchange_order_id)
    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, QUANTITY)
    states = {PURPOSE[leg.type]: leg.status for leg in found.children if leg.type}
    assert states.pop(filled) is OrderStatus.FILLED
    assert set(states.values()) <= {OrderStatus.EXPIRED, OrderStatus.CANCELED}
    assert moving.exchange.open_orders(BTC) == []


@pytest.mark.parametrize("by", ["exchange_order_id", "client_order_id", "leg"])
def test_a_pair_is_cancelled_as_one(account: Account, by: str) -> None:
    able_pair(account)
    report = account.exchange.place_oco(pair(account))
    if by == "leg":
        asked = report.children[0]
        cancelled = account.exchange.cancel_order(BTC, exchange_order_id=asked.exchange_order_id)
        assert cancelled.exchange_order_id == asked.exchange_order_id
    else:
        cancelled = account.exchange.cancel_order(BTC, **{by: getattr(report, by)})
        assert cancelled.exchange_order_id == report.exchange_order_id
    assert cancelled.status is OrderStatus.CANCELED
    assert account.exchange.open_orders(BTC) == []
    assert account.exchange.balances()["BTC"].locked == 0


LEGS = {"stop_loss": "0.8", "take_profit": "1.2"}


@pytest.mark.parametrize("carried", [("stop_loss",), ("take_profit",), ("stop_loss", "take_profit")])
def test_an_entry_carries_its_exits_and_they_work_once_it_is_filled(
    moving: Account, carried: tuple[str, ...]
) -> None:
    able = {
        ("stop_loss",): moving.able.attached_stop_loss,
        ("take_profit",): moving.able.attached_take_profit,
        ("stop_loss", "take_profit"): moving.able.attached_both,
    }[carried]
    last = moving.last()
    legs = {name: Leg(last * Decimal(LEGS[name])) for name in carried}
    fields = {"quantity": QUANTITY, "price": last * Decimal("0.95"), "client_order_id": "entry", **legs}
    if OrderType.LIMIT not in able:
        with pytest.raises(OrderDenied):
            moving.place(OrderType.LIMIT, **fields)
        pytest.skip("no such exits on an entry here: refused before the wire")
    entry = moving.place(OrderType.LIMIT, **fields)
    assert entry.client_order_id == "entry"
    assert entry.status is OrderStatus.OPEN
    moving.sandbox.price(moving.name, BTC, str(last * Decimal("0.94")))
    assert moving.exchange.get_order(BTC, client_order_id="entry").status is OrderStatus.FILLED
    exits = moving.exchange.open_orders(BTC)
    assert len(exits) == len(carried)
    for order in exits:
        assert (order.side, order.status) == (Side.SELL, OrderStatus.OPEN)
        assert order.quantity is not None
        assert QUANTITY * Decimal("0.99") < order.quantity <= QUANTITY
        assert order.quantity <= moving.exchange.balances()["BTC"].total - 2, "no more than the entry left"


def guarded_entry(account: Account) -> OrderReport:
    """A limit order to buy that rests below the market, with a stop attached."""
    if OrderType.LIMIT not in account.able.attached_stop_loss:
        pytest.skip("an entry carries no stop here")
    last = account.last()
    return account.rest("0.95", quantity=QUANTITY, stop_loss=Leg(last * Decimal("0.8")))


def offer(account: Account, quantity: Decimal) -> None:
    """Let so much be sold to what rests, and no more."""
    price = account.last() * Decimal("0.95")
    account.sandbox.control(
        "books", exchange=account.name, symbol=BTC, bids=[], asks=[[str(price), str(quantity)]]
    )


def resting_stops(account: Account) -> list[OrderReport]:
    return [
        order
        for order in account.exchange.open_orders(BTC)
        if (order.side, order.status) == (Side.SELL, OrderStatus.OPEN)
    ]


def test_attached_exits_go_live_with_each_fill_or_once_the_entry_is_filled_as_declared(
    moving: Account,
) -> None:
    entry = guarded_entry(moving)
    offer(moving, QUANTITY * Decimal("0.3"))
    found = moving.exchange.get_order(BTC, exchange_order_id=entry.exchange_order_id)
    assert (found.status, found.filled_quantity) == (OrderStatus.PARTIALLY_FILLED, Decimal("0.03"))
    first = sum(order.quantity or 0 for order in resting_stops(moving))
    assert first == (Decimal("0.03") if moving.able.attached_per_fill else 0)
    offer(moving, QUANTITY * Decimal("0.7"))
    found = moving.exchange.get_order(BTC, exchange_order_id=entry.exchange_order_id)
    assert (found.status, found.filled_quantity) == (OrderStatus.FILLED, QUANTITY)
    whole = sum(order.quantity or 0 for order in resting_stops(moving))
    assert QUANTITY * Decimal("0.99") < whole <= QUANTITY


def test_an_attached_exit_whose_coins_another_order_holds_is_told_to_rest_or_to_have_ended(
    open_account: Opening, fresh_sandbox: SandboxServer
) -> None:
    account = open_account({"USDT": "100000"}, server=fresh_sandbox)
    if account.able.attached_per_fill:
        pytest.skip("each fill has an exit of its own here: none waits for the others")
    [leg] = guarded_entry(account).children
    offer(account, QUANTITY * Decimal("0.3"))
    free = account.exchange.balances()["BTC"].free
    account.place(OrderType.LIMIT, Side.SELL, quantity=free, price=account.last() * Decimal("1.04"))
    offer(account, QUANTITY * Decimal("0.7"))
    found = account.exchange.get_order(BTC, exchange_order_id=leg.exchange_order_id)
    if found.status is OrderStatus.OPEN:
        assert found.quantity is not None
        assert found.quantity > QUANTITY * Decimal("0.99")
    else:
        assert (found.status, found.filled_quantity) == (OrderStatus.EXPIRED, 0)
        assert len(account.exchange.open_orders(BTC)) == 1, "only what holds the coins"


def test_a_cancelled_entry_takes_its_waiting_exits_along(account: Account) -> None:
    if OrderType.LIMIT not in account.able.attached_both:
        pytest.skip("an entry carries no exits here")
    last = account.last()
    entry = account.rest(
        quantity=QUANTITY,
        client_order_id="entry2",
        stop_loss=Leg(last * Decimal("0.4")),
        take_profit=Leg(last * Decimal("1.2")),
    )
    report = account.exchange.cancel_order(BTC, exchange_order_id=entry.exchange_order_id)
    assert (report.client_order_id, report.exchange_order_id, report.status) == (
        "entry2",
        entry.exchange_order_id,
        OrderStatus.CANCELED,
    )
    assert account.exchange.open_orders(BTC) == []
