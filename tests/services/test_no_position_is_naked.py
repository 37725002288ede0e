"""A position that should have a stop-loss has one on the exchange, of the right size, on every exchange."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.accounts import Environment
from app.domain.errors import InsufficientFunds
from app.domain.markets import Ticker
from app.domain.orders import OrderRequest, OrderStatus, OrderType, PriceOrPercent, Side
from app.extensions import db
from app.models import NakedPolicy, OrderRow, PositionStatus
from app.services import connections, execution, hand_trades, orders, positions, prices, protection, wishes
from tests.services.trader import BTC, PRICE, QUANTITY, Trader, stop_at


def test_what_is_bought_is_guarded_whole_and_the_position_knows_what_it_holds(trader: Trader) -> None:
    entry = trader.buy(**stop_at(58_000))

    position = trader.position()
    assert entry.position_id == position.id
    assert (position.status, position.alarm) == (PositionStatus.OPEN, None)
    assert position.quantity == trader.own(), "fees taken in base shrink it"
    assert trader.stopped() >= trader.lot(position.quantity)
    assert sum(Decimal(order["quantity"]) for order in trader.resting()) <= position.quantity


def test_a_partial_fill_is_guarded_and_the_rest_of_it_enlarges_the_guard(trader: Trader) -> None:
    """30 % fill, then 70 %: at both times a stop-loss for what is held."""
    trader.sandbox.fault(
        trader.name, "place_order", "partial_fill", fraction="0.3", api_key=trader.keys.api_key
    )
    entry = trader.buy(OrderType.LIMIT, price=PRICE + 1000, **stop_at(58_000))
    trader.later()
    entry = db.session.get_one(OrderRow, entry.id, populate_existing=True)
    assert entry.status is OrderStatus.PARTIALLY_FILLED
    held = trader.position().quantity
    assert Decimal(0) < held < QUANTITY / 2
    assert trader.stopped() >= trader.lot(held)

    trader.price(PRICE - 1)
    trader.later()

    position = trader.position()
    assert position.quantity == trader.own()
    assert position.quantity > QUANTITY * Decimal("0.99")
    assert trader.stopped() >= trader.lot(position.quantity)
    assert sum(Decimal(order["quantity"]) for order in trader.resting()) <= trader.own()


def test_a_stop_loss_that_is_turned_down_is_tried_again(trader: Trader) -> None:
    trader.buy()
    position = trader.position()
    trader.may_trade(False)
    wishes.move(position, **stop_at(58_000))
    execution.guard(position.id)
    assert (trader.position().stop_failures, trader.resting()) == (1, [])
    assert "not guarded" in (trader.position().alarm or "")

    trader.may_trade(True)
    execution.guard(position.id)

    position = trader.position()
    assert (position.status, position.stop_failures, position.alarm) == (PositionStatus.OPEN, 0, None)
    assert trader.stopped() >= trader.lot(position.quantity)


@pytest.mark.parametrize("policy", list(NakedPolicy))
def test_a_stop_loss_that_cannot_be_placed_ends_as_the_broker_wishes(
    trader: Trader, policy: NakedPolicy
) -> None:
    trader.broker.naked_policy = policy
    db.session.commit()
    trader.buy()
    position = trader.position()
    trader.may_trade(False)
    wishes.move(position, **stop_at(58_000))
    for _ in range(protection.MAX_STOP_FAILURES):
        execution.guard(position.id)
    assert trader.position().alarm is not None

    trader.may_trade(True)
    trader.later()

    position = trader.position()
    if policy is NakedPolicy.FLATTEN:
        assert (position.status, trader.resting()) == (PositionStatus.CLOSED, [])
    else:
        assert position.status is PositionStatus.OPEN
        assert trader.stopped() >= trader.lot(position.quantity)


def test_a_stop_loss_that_the_market_has_passed_sells_at_once(trader: Trader) -> None:
    """The price falls through the stop between the purchase and the placing of its guard."""
    trader.buy()
    position = trader.position()
    wishes.move(position, **stop_at(58_000))
    trader.price(57_000)

    execution.guard(position.id)
    trader.later()

    position = trader.position()
    assert position.status is PositionStatus.CLOSED
    assert trader.own() < trader.lot(QUANTITY) / 100
    assert trader.resting() == []


def test_moving_the_stop_loss_leaves_one_of_the_right_size(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    position = trader.position()

    wishes.move(position, **stop_at(59_000))
    execution.guard(position.id)

    [stop] = trader.resting()
    assert Decimal(stop["trigger_price"]) == 59_000
    assert trader.stopped() >= trader.lot(trader.position().quantity)


def test_closing_half_sells_half_and_guards_the_rest(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    position = trader.position()
    before = position.quantity

    wishes.close(position, Decimal(50))
    execution.guard(position.id)

    position = trader.position()
    assert position.quantity == trader.own()
    assert abs(position.quantity - before / 2) < before / 100
    assert trader.stopped() >= trader.lot(position.quantity)
    assert position.close_quantity is None


def test_closing_it_all_leaves_nothing_on_the_exchange(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))

    wishes.close(trader.position())
    execution.guard(trader.position().id)

    position = trader.position()
    assert position.status is PositionStatus.CLOSED
    assert position.closed_because is not None
    assert trader.resting() == []


def test_an_exit_that_fills_while_it_is_changed_leads_to_no_second_sale(trader: Trader) -> None:
    """The price falls through the old stop after the wish was written and before a worker comes to it."""
    trader.buy(**stop_at(58_000))
    position = trader.position()
    wishes.move(position, **stop_at(59_000))
    trader.price(57_500)

    execution.guard(position.id)

    assert trader.position().status is PositionStatus.CLOSED
    assert trader.resting() == []
    sold = [o for o in trader.sandbox.orders(trader.name, trader.keys) if o["side"].upper() == "SELL"]
    assert sum(Decimal(order["filled_quantity"]) for order in sold) <= QUANTITY


def test_a_take_profit_sells_and_no_stop_loss_is_left_behind(trader: Trader) -> None:
    trader.buy(**stop_at(58_000), take_profit=PriceOrPercent(price=Decimal(63_000)))
    trader.price(63_100)
    trader.later()

    assert trader.position().status is PositionStatus.CLOSED
    assert trader.resting() == []
    assert trader.position().realised > 0


def test_a_stop_loss_that_trails_follows_the_price_up_and_never_down(trader: Trader) -> None:
    trader.buy()
    position = trader.position()
    wishes.move(position, trailing_percent=Decimal(2))
    levels = []
    for price in (61_000, 64_000, 63_000):
        trader.price(price)
        trader.later()
        levels.append(trader.position().stop_loss)
        assert len(trader.resting()) == 1
    assert levels == [Decimal(59_780), Decimal(62_720), Decimal(62_720)]

    trader.price(62_000)
    trader.later()

    assert trader.position().status is PositionStatus.CLOSED


def test_a_close_by_hand_is_noticed_and_nothing_is_placed_again(trader: Trader) -> None:
    """Pain of old: bots that put the stop back after a person has sold."""
    trader.buy(**stop_at(58_000))
    position = trader.position()
    with connections.calling(trader.broker) as exchange:
        exchange.cancel_all(BTC)
    _sell_by_hand(trader, "1")
    assert trader.own() < trader.lot(QUANTITY) / 100

    trader.later()
    trader.later()

    position = trader.position()
    assert position.status is PositionStatus.CLOSED
    assert "by hand" in (position.closed_because or "")
    assert trader.resting() == []


def test_a_stop_loss_cancelled_by_hand_is_placed_again_while_the_coins_are_there(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    with connections.calling(trader.broker) as exchange:
        exchange.cancel_all(BTC)
    assert trader.resting() == []

    trader.later()

    assert trader.stopped() >= trader.lot(trader.position().quantity)


def test_a_stop_loss_that_its_owner_cancels_here_stays_cancelled(trader: Trader) -> None:
    entry = trader.buy(**stop_at(58_000))
    [stop] = [order for order in positions.orders_of(trader.position()) if order.status.is_live]
    assert entry.position_id is not None
    orders.cancel(stop)
    execution.cancel(stop.id)
    trader.later()

    assert trader.resting() == []
    assert trader.position().stop_loss is None


def test_break_even_waits_for_the_price_and_pays_for_both_fees(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    prices.remember(trader.name, Environment.SANDBOX, [Ticker(BTC, PRICE)])
    with pytest.raises(wishes.WishRefused, match="would sell at once"):
        wishes.break_even(trader.position())
    trader.price(63_000)
    prices.remember(trader.name, Environment.SANDBOX, [Ticker(BTC, Decimal(63_000))])

    wishes.break_even(trader.position())
    execution.guard(trader.position().id)
    stop = trader.position().stop_loss
    assert stop is not None
    trader.price(stop)
    trader.later()

    position = trader.position()
    assert position.status is PositionStatus.CLOSED
    assert abs(position.realised) < 2, (
        "neither gained nor lost, but for the last tick and the slip of the sale"
    )


def test_a_stop_loss_left_behind_by_a_worker_that_died_is_cancelled(trader: Trader) -> None:
    """All was sold by hand and that was booked, but the worker died before it took the stop-loss away."""
    trader.buy(**stop_at(58_000))
    _sell_by_hand(trader, "1")
    hand_trades.account_for(trader.position().id)
    assert trader.position().status is PositionStatus.CLOSED
    assert trader.resting() != []

    trader.later()

    assert trader.resting() == []


def test_a_part_sold_by_hand_leaves_the_rest_guarded_and_unsold(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    with connections.calling(trader.broker) as exchange:
        exchange.cancel_all(BTC)
    _sell_by_hand(trader, "0.4")
    execution.guard(trader.position().id)  # before anybody has noticed the sale

    trader.later()
    trader.later()

    position = trader.position()
    assert position.status is PositionStatus.OPEN
    assert trader.own() > QUANTITY / 2, "what is left was not sold"
    assert trader.stopped() >= trader.lot(position.quantity) > 0


def _sell_by_hand(trader: Trader, share: str) -> None:
    request = OrderRequest(
        BTC, Side.SELL, OrderType.MARKET, trader.lot(trader.own() * Decimal(share)), client_order_id="byhand1"
    )
    try:
        with connections.calling(trader.broker) as exchange:
            exchange.place_order(request)
    except InsufficientFunds:
        pytest.skip("a stop-loss that rests holds what it sells here")
