"""A sale that cannot come about leaves the position guarded, and says so."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.accounts import Environment
from app.domain.markets import Ticker
from app.domain.orders import OrderRequest, OrderStatus, OrderType, PriceOrPercent, Side, TargetWish
from app.exchanges import NAMES, capabilities
from app.extensions import db
from app.models import OrderRole, OrderRow, PositionStatus, TargetStatus, utc_now
from app.services import (
    catalog,
    connections,
    execution,
    positions,
    prices,
    protection,
    reconciliation,
    watch,
    wishes,
)
from tests.services.signals import Signals
from tests.services.trader import BTC, PRICE, Trader, stop_at

ON_ONE = pytest.mark.parametrize("trader", ["binance"], indirect=True)

UNPAIRED = [name for name in NAMES if not capabilities(name).pairs_exits(None)]

#: Percent of a position of 600 USDT that the exchange takes no order for.
CRUMB = Decimal("0.8")


def sales(trader: Trader) -> list[OrderRow]:
    """What was to be sold at the market for the position, oldest first."""
    query = db.select(OrderRow).where(OrderRow.role == OrderRole.EXIT).order_by(OrderRow.id)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def is_guarded(trader: Trader) -> bool:
    return trader.stopped() >= trader.lot(trader.position().quantity) > 0


def hear(trader: Trader, price: Decimal = PRICE) -> None:
    prices.remember(trader.name, Environment.SANDBOX, [Ticker(BTC, price)])


def test_a_share_below_the_least_order_is_refused_before_anything_gives_way(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    hear(trader)

    with pytest.raises(wishes.WishRefused, match="below the minimum"):
        wishes.close(trader.position(), CRUMB)

    assert trader.position().close_quantity is None
    assert is_guarded(trader)


@ON_ONE
def test_a_sale_that_has_become_too_small_is_dropped_with_its_reason_and_the_stop_stays(
    trader: Trader,
) -> None:
    trader.buy(**stop_at(58_000))
    [stop] = trader.resting()
    wishes.close(trader.position(), CRUMB)  # no price is known that would tell
    hear(trader)

    execution.guard(trader.position().id)

    assert trader.resting() == [stop]
    assert trader.position().close_quantity is None
    [sale] = sales(trader)
    assert sale.status is OrderStatus.DENIED
    assert "below the minimum" in (sale.reason or "")


def test_a_sale_that_the_exchange_turns_down_for_good_gives_way_to_the_stop_again(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    market, held = catalog.known(trader.broker, BTC), trader.position().quantity
    if market is not None and (market.min_quantity or 0) > held * CRUMB / 100:
        pytest.skip("the least size is in base here, and known without a price: nothing is sent")
    wishes.close(trader.position(), CRUMB)  # no price is known that would tell

    execution.guard(trader.position().id)

    assert is_guarded(trader)
    assert (trader.position().close_quantity, trader.position().alarm) == (None, None)
    [sale] = sales(trader)
    assert sale.status is OrderStatus.REJECTED
    assert "given up" in sale.events[-1].cause


@pytest.mark.parametrize("trader", UNPAIRED, indirect=True)
def test_a_target_too_small_for_a_sale_is_sold_with_the_next(trader: Trader) -> None:
    targets = tuple(
        TargetWish(PriceOrPercent(price=Decimal(price)), share)
        for price, share in ((63_000, Decimal("0.5")), (65_000, Decimal(50)))
    )
    trader.buy(**stop_at(58_000), targets=targets)
    bought = trader.position().quantity

    trader.price(63_100)
    trader.later()
    assert [target.status for target in trader.position().targets] == [TargetStatus.WAITING] * 2
    assert is_guarded(trader)

    trader.price(65_100)
    trader.later()
    position = trader.position()
    assert [target.status for target in position.targets] == [TargetStatus.TAKEN] * 2
    assert position.quantity < bought / 2
    assert is_guarded(trader)


@ON_ONE
def test_a_refused_sale_that_is_still_wished_is_tried_again_without_haste(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    soon = []
    monkeypatch.setattr(execution.dispatch, "manage_position", lambda *args, **kwargs: soon.append(args))
    trader.buy()
    trader.may_trade(False)
    wishes.close(trader.position())
    soon.clear()

    for _ in range(6):
        execution.guard(trader.position().id)
    assert len(sales(trader)) == 6
    assert len(soon) == 3, "the rest is left to the sweep"

    trader.may_trade(True)
    trader.later()
    assert trader.position().status is PositionStatus.CLOSED


@ON_ONE
def test_a_sale_that_is_turned_down_takes_nothing_from_what_was_wished_meanwhile(trader: Trader) -> None:
    trader.buy()
    wishes.close(trader.position(), Decimal(30))
    [sale_id] = protection.next_orders(trader.position().id).submit  # a worker is about to send it
    wishes.close(trader.position())
    trader.may_trade(False)

    execution.submit(sale_id)

    assert trader.position().close_quantity == trader.position().quantity
    trader.may_trade(True)
    trader.later()
    assert trader.position().status is PositionStatus.CLOSED


@ON_ONE
def test_a_sale_that_ends_before_all_is_sold_is_followed_by_one_of_the_rest(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    wishes.close(trader.position())
    trader.sandbox.fault(
        trader.name, "place_order", "partial_fill", fraction="0.3", api_key=trader.keys.api_key
    )

    execution.guard(trader.position().id)

    assert [sale.status for sale in sales(trader)] == [OrderStatus.EXPIRED, OrderStatus.FILLED]
    assert trader.position().status is PositionStatus.CLOSED
    assert trader.resting() == []


@ON_ONE
def test_a_stop_loss_that_is_not_confirmed_raises_the_alarm_and_a_price_below_it_sells_once(
    trader: Trader,
) -> None:
    trader.buy(**stop_at(58_000))
    wishes.move(trader.position(), **stop_at(59_000))
    trader.sandbox.fault(trader.name, "place_order", "rate_limit", api_key=trader.keys.api_key)

    execution.guard(trader.position().id)

    assert trader.resting() == []
    assert "not guarded" in protection.how_held(trader.position())
    position_id = trader.position().id
    assert watch.consider(position_id, Decimal(58_900)), "nothing rests that would sell"
    execution.guard(position_id)
    assert sales(trader) == [], "what waits to be sent may sell it yet"

    trader.price(58_900)
    trader.later()
    [stop] = [order for order in positions.orders_of(trader.position()) if not order.status.is_final]
    stop.next_attempt_at = None  # the wait that the exchange wished for is over
    db.session.commit()
    execution.submit(stop.id)
    assert trader.position().status is PositionStatus.CLOSED
    assert trader.resting() == []
    [sold] = [
        order
        for order in positions.orders_of(trader.position())
        if order.side is Side.SELL and order.filled_quantity
    ]
    assert sold.role is OrderRole.EXIT


@ON_ONE
def test_a_sale_that_an_alert_asked_for_is_dropped_when_it_is_late_and_the_stop_stays(
    signals: Signals,
) -> None:
    trader = signals.trader
    signals.done(action="BuyMarket", quantity="0.01", sl="58000")
    [stop] = trader.resting()
    alert = signals.fresh(signals.store(action="Close"))
    position = trader.position()
    position.wish_sale(position.quantity, alert.id)  # and then all of our workers are down
    alert.expires_at = utc_now()
    db.session.commit()

    execution.guard(position.id)

    assert trader.resting() == [stop]
    assert trader.position().close_quantity is None
    [sale] = signals.orders(alert)
    assert (sale.status, sale.reason) == (OrderStatus.EXPIRED, "not sold: past the expiry of its alert")


@ON_ONE
def test_a_sale_that_a_person_asked_for_does_not_grow_stale(signals: Signals) -> None:
    trader = signals.trader
    entry = signals.done(action="BuyMarket", quantity="0.01", sl="58000")
    entry.expires_at = utc_now()
    db.session.commit()
    wishes.close(trader.position())
    trader.sandbox.fault(
        trader.name, "place_order", "partial_fill", fraction="0.3", api_key=trader.keys.api_key
    )

    execution.guard(trader.position().id)

    assert trader.position().status is PositionStatus.CLOSED


@ON_ONE
def test_an_alert_gives_no_expiry_to_what_a_person_had_asked_for_before(signals: Signals) -> None:
    signals.done(action="BuyMarket", quantity="0.01", sl="58000")
    wishes.close(signals.trader.position(), Decimal(30))  # no worker has come to it yet

    signals.done(action="Close", percent="50")

    [sale] = sales(signals.trader)
    assert sale.expires_at is None


@ON_ONE
def test_a_sale_whose_client_id_another_order_has_is_wished_again_under_one_of_its_own(
    trader: Trader,
) -> None:
    trader.buy()
    wishes.close(trader.position())
    [sale_id] = protection.next_orders(trader.position().id).submit
    [sale] = sales(trader)
    other = OrderRequest(
        BTC,
        Side.BUY,
        OrderType.LIMIT,
        Decimal("0.02"),
        price=Decimal(30_000),
        client_order_id=sale.client_order_id,
    )
    with connections.calling(trader.broker) as exchange:
        exchange.place_order(other)

    execution.submit(sale_id)
    reconciliation.reconcile(sale_id)

    [sale] = sales(trader)
    assert sale.status is OrderStatus.REJECTED
    assert trader.position().close_quantity == sale.quantity
    trader.later()
    assert trader.position().status is PositionStatus.CLOSED
