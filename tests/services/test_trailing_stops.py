"""A stop-loss that trails: moved by the exchange itself where it has such stops, and by us everywhere else."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.accounts import Environment
from app.domain.markets import Ticker
from app.domain.orders import OrderRequest, OrderStatus, OrderType, PriceOrPercent, Side, TargetWish
from app.exchanges import NAMES, capabilities
from app.extensions import db
from app.models import OrderRow, PositionStatus, TargetStatus
from app.services import connections, execution, positions, prices, protection, reconciliation, wishes
from tests.services.trader import BTC, PRICE, QUANTITY, Trader, stop_at

TWO = Decimal(2)
NATIVE = [name for name in NAMES if capabilities(name).trails_at(TWO)]
PAIRING = [name for name in NATIVE if capabilities(name).trailing_in_pairs]
BOUNDED = [name for name in NATIVE if not capabilities(name).trails_at(Decimal(25))]
EMULATED = [name for name in NAMES if name not in NATIVE]

on_native = pytest.mark.parametrize("trader", NATIVE, indirect=True)


def distances(trader: Trader) -> list[str | None]:
    """At which distances the stops trail that rest at the engine; None for one that stays where it is."""
    return [order["trailing_percent"] for order in trader.resting() if "stop" in order["type"]]


def at(price: int) -> dict[str, PriceOrPercent]:
    return {"take_profit": PriceOrPercent(price=Decimal(price))}


@on_native
def test_the_exchange_follows_the_price_and_sells_while_all_of_our_workers_are_down(trader: Trader) -> None:
    trader.buy(trailing_percent=TWO)
    trader.later()
    assert distances(trader) == ["2"]
    assert trader.stopped() >= trader.lot(trader.position().quantity)
    assert "moved by the exchange itself" in protection.how_held(trader.position())

    for price in (62_000, 64_000, 63_000, 62_700):  # nobody of us sees any of it
        trader.price(price)
    assert trader.resting() == []
    assert trader.own() < trader.lot(QUANTITY) / 100

    trader.later()
    position = trader.position()
    assert position.status is PositionStatus.CLOSED
    assert position.closed_because is not None
    assert "its stop-loss sold it" in position.closed_because
    assert position.realised > 0


@on_native
def test_the_watch_knows_where_the_stop_stands_and_leaves_it_to_the_exchange(trader: Trader) -> None:
    trader.buy(trailing_percent=TWO)
    trader.later()
    [placed] = trader.resting()
    levels = []
    for price in (61_000, 64_000, 63_000):
        trader.price(price)
        trader.later()
        [resting] = trader.resting()
        assert resting["exchange_order_id"] == placed["exchange_order_id"]
        assert Decimal(resting["trigger_price"]) == trader.position().stop_loss
        levels.append(trader.position().stop_loss)
    assert levels == [59_780, 62_720, 62_720]
    assert protection.settled(trader.position())


@on_native
def test_a_purchase_is_under_a_stop_loss_before_the_exchange_takes_over(trader: Trader) -> None:
    """No fresh price is known yet by which it could be told that a trailing stop begins high enough."""
    trader.buy(trailing_percent=TWO)

    [stop] = trader.resting()
    assert (stop["trailing_percent"], Decimal(stop["trigger_price"])) == (None, PRICE * Decimal("0.98"))
    assert trader.stopped() >= trader.lot(trader.position().quantity)

    trader.price(59_500)  # below its best: a trailing stop would begin lower than this one stands
    trader.later()
    assert distances(trader) == [None]

    trader.price(60_100)
    trader.later()
    assert distances(trader) == ["2"]


@on_native
def test_a_fresh_price_lets_the_exchange_follow_from_the_first_moment(trader: Trader) -> None:
    prices.remember(trader.name, Environment.SANDBOX, [Ticker(BTC, PRICE)])
    trader.buy(trailing_percent=TWO)

    assert distances(trader) == ["2"]
    stops = [order for order in positions.orders_of(trader.position()) if order.type.is_stop]
    assert [order.type for order in stops] == [OrderType.TRAILING_STOP]


@on_native
def test_a_stop_loss_above_where_it_would_trail_rests_until_the_price_has_come_so_far(trader: Trader) -> None:
    trader.buy(**stop_at(59_500), trailing_percent=TWO)
    trader.later()
    assert [Decimal(order["trigger_price"]) for order in trader.resting()] == [59_500]
    assert distances(trader) == [None]

    trader.price(61_000)
    trader.later()
    assert distances(trader) == ["2"]
    assert trader.position().stop_loss == 59_780


@on_native
def test_break_even_above_where_it_trails_takes_the_stop_back_from_the_exchange(trader: Trader) -> None:
    trader.buy(trailing_percent=Decimal(5))
    trader.later()
    trader.price(62_000)
    trader.later()
    assert distances(trader) == ["5"]

    wishes.break_even(trader.position())
    execution.guard(trader.position().id)
    assert distances(trader) == [None]
    assert trader.stopped() >= trader.lot(trader.position().quantity)
    assert (trader.position().stop_loss or 0) > PRICE

    trader.price(65_000)
    trader.later()
    assert distances(trader) == ["5"]


@on_native
def test_closing_half_after_a_fall_leaves_the_rest_no_lower_than_the_stop_had_come(trader: Trader) -> None:
    trader.buy(trailing_percent=TWO)
    for price in (60_000, 64_000, 63_000):
        trader.price(price)
        trader.later()

    wishes.close(trader.position(), Decimal(50))
    execution.guard(trader.position().id)

    [stop] = trader.resting()
    assert Decimal(stop["trigger_price"]) == 62_720
    position = trader.position()
    assert position.quantity == trader.own()
    assert trader.lot(position.quantity) <= Decimal(stop["quantity"]) <= position.quantity
    trader.price(64_100)
    trader.later()
    assert distances(trader) == ["2"]


@on_native
def test_another_distance_is_handed_to_the_exchange_in_place_of_the_first(trader: Trader) -> None:
    trader.buy(trailing_percent=TWO)
    trader.later()

    wishes.move(trader.position(), trailing_percent=Decimal("0.5"))
    execution.guard(trader.position().id)

    assert distances(trader) == ["0.5"]
    assert trader.stopped() >= trader.lot(trader.position().quantity)


@on_native
def test_reversing_cancels_the_trailing_stop_and_sells_it_all(trader: Trader) -> None:
    trader.buy(trailing_percent=TWO)
    trader.later()

    wishes.reverse(trader.position())
    execution.guard(trader.position().id)

    assert trader.position().status is PositionStatus.CLOSED
    assert trader.resting() == []


@on_native
def test_a_partial_fill_trails_and_what_fills_later_trails_as_well(trader: Trader) -> None:
    trader.sandbox.fault(
        trader.name, "place_order", "partial_fill", fraction="0.3", api_key=trader.keys.api_key
    )
    entry = trader.buy(OrderType.LIMIT, price=PRICE, trailing_percent=TWO)
    trader.later()
    assert db.session.get_one(OrderRow, entry.id, populate_existing=True).status is (
        OrderStatus.PARTIALLY_FILLED
    )
    assert trader.stopped() >= trader.lot(trader.position().quantity) > 0

    trader.price(PRICE - 1)
    trader.later()
    trader.price(PRICE + 100)
    trader.later()
    trader.later()

    position = trader.position()
    assert set(distances(trader)) == {"2"}
    assert position.quantity == trader.own() > QUANTITY * Decimal("0.99")
    assert trader.lot(position.quantity) <= trader.stopped() <= position.quantity


@on_native
def test_a_trailing_stop_that_is_turned_down_gives_way_to_one_that_we_move(trader: Trader) -> None:
    prices.remember(trader.name, Environment.SANDBOX, [Ticker(BTC, PRICE)])
    trader.buy()
    trader.may_trade(False)
    wishes.move(trader.position(), trailing_percent=TWO)
    execution.guard(trader.position().id)
    position = trader.position()
    assert (position.trailing_refused, position.stop_failures) == (True, 1), "the second was turned down, too"

    trader.may_trade(True)
    execution.guard(position.id)
    assert distances(trader) == [None]
    assert "moved by Switchyard" in protection.how_held(trader.position())
    trader.price(61_000)
    trader.later()
    assert [Decimal(order["trigger_price"]) for order in trader.resting()] == [59_780]

    wishes.move(trader.position(), trailing_percent=Decimal(3))
    execution.guard(trader.position().id)
    assert distances(trader) == [None], "it stands higher than three percent below the market"
    trader.price(64_000)
    trader.later()
    assert distances(trader) == ["3"]


@on_native
def test_a_trailing_stop_that_began_too_low_is_made_good_by_the_watch(trader: Trader) -> None:
    """As if the market had turned from 61,000 while the stop was handed over."""
    trader.buy(trailing_percent=TWO)
    trader.later()
    position = trader.position()
    position.high, position.stop_loss = Decimal(61_000), Decimal(59_780)
    db.session.commit()

    trader.price(59_700)
    assert trader.resting() != [], "the exchange would sell at 58,800"
    trader.later()

    assert trader.position().status is PositionStatus.CLOSED
    assert trader.resting() == []


@on_native
def test_a_trailing_stop_whose_answer_was_lost_is_found_and_stays_the_only_one(trader: Trader) -> None:
    trader.buy(trailing_percent=TWO)
    trader.sandbox.fault(trader.name, "place_order", "reset_after", api_key=trader.keys.api_key)
    trader.later()
    [lost] = [o for o in positions.orders_of(trader.position()) if o.status is OrderStatus.SUBMITTED]

    reconciliation.reconcile(lost.id)
    trader.later()

    assert distances(trader) == ["2"]
    assert trader.stopped() >= trader.lot(trader.position().quantity)
    assert protection.settled(trader.position())


@on_native
def test_a_close_by_hand_beside_a_trailing_stop_is_noticed(trader: Trader) -> None:
    trader.buy(trailing_percent=TWO)
    trader.later()
    with connections.calling(trader.broker) as exchange:
        exchange.cancel_all(BTC)
    sale = OrderRequest(BTC, Side.SELL, OrderType.MARKET, trader.lot(trader.own()), client_order_id="byhand1")
    with connections.calling(trader.broker) as exchange:
        exchange.place_order(sale)

    trader.later()
    trader.later()

    position = trader.position()
    assert position.status is PositionStatus.CLOSED
    assert "by hand" in (position.closed_because or "")
    assert trader.resting() == []


@pytest.mark.parametrize("trader", PAIRING, indirect=True)
def test_a_trailing_stop_in_a_pair_lets_the_take_profit_sell_while_our_workers_are_down(
    trader: Trader,
) -> None:
    trader.buy(trailing_percent=TWO, **at(63_000))
    trader.later()
    stop, target = sorted(trader.resting(), key=lambda order: Decimal(order["trigger_price"]))
    assert (stop["trailing_percent"], target["trailing_percent"]) == ("2", None)
    assert stop["group"] == target["group"] is not None
    assert protection.settled(trader.position())

    trader.price(63_100)
    assert trader.resting() == []
    trader.later()

    position = trader.position()
    assert position.status is PositionStatus.CLOSED
    assert position.closed_because is not None
    assert "its take-profit sold it" in position.closed_because


@pytest.mark.parametrize("trader", PAIRING, indirect=True)
def test_the_trailing_stop_of_a_pair_sells_and_takes_the_take_profit_along(trader: Trader) -> None:
    trader.buy(trailing_percent=TWO, **at(65_000))
    trader.later()

    trader.price(64_000)
    trader.price(62_500)
    assert trader.resting() == []
    trader.later()

    position = trader.position()
    assert position.status is PositionStatus.CLOSED
    assert "its stop-loss sold it" in (position.closed_because or "")


@on_native
def test_a_take_profit_beside_a_trailing_stop_sells_its_share_and_the_rest_trails_on(trader: Trader) -> None:
    half = TargetWish(PriceOrPercent(price=Decimal(63_000)), Decimal(50))
    trader.buy(trailing_percent=TWO, targets=(half,))
    trader.later()
    assert set(distances(trader)) == {"2"}
    assert trader.stopped() >= trader.lot(trader.position().quantity)

    trader.price(63_100)
    trader.later()
    trader.later()

    position = trader.position()
    assert [target.status for target in position.targets] == [TargetStatus.TAKEN]
    assert position.status is PositionStatus.OPEN
    assert distances(trader) == ["2"]
    assert trader.lot(position.quantity) <= trader.stopped() <= position.quantity == trader.own()


@pytest.mark.parametrize("trader", EMULATED, indirect=True)
def test_where_no_exchange_follows_the_price_the_watch_moves_the_stop(trader: Trader) -> None:
    trader.buy(trailing_percent=TWO)
    assert "moved by Switchyard" in protection.how_held(trader.position())
    for price, level in ((61_000, 59_780), (64_000, 62_720), (63_000, 62_720)):
        trader.price(price)
        trader.later()
        assert distances(trader) == [None]
        assert [Decimal(order["trigger_price"]) for order in trader.resting()] == [level]
        assert trader.stopped() >= trader.lot(trader.position().quantity)

    trader.price(62_700)
    trader.later()
    assert trader.position().status is PositionStatus.CLOSED


@pytest.mark.parametrize("trader", BOUNDED, indirect=True)
def test_a_distance_that_the_exchange_does_not_admit_is_followed_by_us(trader: Trader) -> None:
    trader.buy(trailing_percent=Decimal(25))
    trader.price(64_000)
    trader.later()

    assert distances(trader) == [None]
    assert [Decimal(order["trigger_price"]) for order in trader.resting()] == [48_000]
    assert "moved by Switchyard" in protection.how_held(trader.position())
