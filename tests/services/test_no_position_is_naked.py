"""A position that should have a stop-loss has one on the exchange, of the right size, on every exchange."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask

from app.domain.accounts import Credential, Environment, TradingMode
from app.domain.markets import Ticker
from app.domain.orders import OrderDraft, OrderRequest, OrderStatus, OrderType, PriceOrPercent, Side
from app.exchanges import NAMES
from app.extensions import db
from app.extensions import redis as store
from app.models import Broker, NakedPolicy, OrderOrigin, OrderRow, Position, PositionStatus, utc_now
from app.services import (
    brokers,
    connections,
    execution,
    markets,
    orders,
    positions,
    prices,
    protection,
    reconciliation,
    watch,
)
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.sandbox import Keys, SandboxServer

BTC = "BTC/USDT"
QUANTITY = Decimal("0.01")
PRICE = Decimal(60_000)


@dataclass
class Desk:
    """One broker on a sandbox of its own, whose prices the test moves."""

    broker: Broker
    sandbox: SandboxServer
    keys: Keys

    @property
    def name(self) -> str:
        return self.broker.exchange

    def later(self) -> None:
        """What beat does a minute later, when the counters of requests have run down."""
        store.flushdb()
        for order in db.session.scalars(db.select(OrderRow).where(OrderRow.acknowledged_at.is_not(None))):
            order.acknowledged_at = (order.acknowledged_at or utc_now()) - timedelta(minutes=1)
        db.session.commit()
        if db.session.scalar(db.select(Position.id).limit(1)) is not None:
            watch.look(self.broker.id)
        reconciliation.sync_open(self.broker.id)
        for position_id, _ in protection.unattended():
            execution.guard(position_id)

    def price(self, price: Decimal | str) -> None:
        self.sandbox.price(self.name, BTC, str(price))

    def buy(self, type_: OrderType = OrderType.MARKET, **fields: object) -> OrderRow:
        draft = OrderDraft(BTC, Side.BUY, type_, **{"quantity": QUANTITY, **fields})  # type: ignore[arg-type]
        order = orders.place(self.broker, draft, OrderOrigin.TICKET)
        execution.submit(order.id)
        return db.session.get_one(OrderRow, order.id, populate_existing=True)

    def position(self) -> Position:
        found = db.session.scalars(db.select(Position).order_by(Position.id.desc())).first()
        assert found is not None
        return db.session.get_one(Position, found.id, populate_existing=True)

    def resting(self) -> list[dict[str, str]]:
        """The sales that wait at the engine."""
        return [
            order
            for order in self.sandbox.orders(self.name, self.keys)
            if order["side"].upper() == "SELL" and order["state"] in ("open", "partially_filled")
        ]

    def stopped(self) -> Decimal:
        """How much waits under a stop-loss at the engine, in base."""
        return sum(
            (
                Decimal(order["quantity"])
                for order in self.resting()
                if order["trigger_price"] and Decimal(order["trigger_price"]) < PRICE
            ),
            Decimal(0),
        )

    def may_trade(self, allowed: bool) -> None:
        """Let the exchange take orders of these keys, or turn every one of them down."""
        self.sandbox.control("permissions", exchange=self.name, api_key=self.keys.api_key, trade=allowed)

    def own(self) -> Decimal:
        """What the account holds of the base, free or not."""
        held = self.sandbox.balances(self.name, self.keys)["BTC"]
        return Decimal(held["free"]) + Decimal(held["locked"])


@pytest.fixture(params=NAMES)
def desk(
    request: pytest.FixtureRequest, make_app: AppFactory, make_user: MakeUser, calm_sandbox: SandboxServer
) -> Iterator[Desk]:
    app: Flask = make_app(SANDBOX_URL=calm_sandbox.url)
    keys = calm_sandbox.account(request.param, {"USDT": "100000", "BTC": "0"})
    with app.app_context():
        from app.services import users

        user = users.sign_up("trader@example.org", "correct horse battery")
        broker = brokers.add(
            user,
            name="Practice",
            exchange=request.param,
            environment=Environment.SANDBOX,
            credential=Credential(keys.api_key, keys.api_secret, keys.passphrase),
            mode=TradingMode.OFF,
        )
        markets.load(broker.id)
        desk = Desk(db.session.get_one(Broker, broker.id), calm_sandbox, keys)
        desk.price(PRICE)
        yield desk
        connections.close()


def stop_at(price: int | str) -> dict[str, PriceOrPercent]:
    return {"stop_loss": PriceOrPercent(price=Decimal(price))}


def lot(desk: Desk, quantity: Decimal) -> Decimal:
    from app.services import catalog

    market = catalog.known(desk.broker, BTC)
    assert market is not None
    return market.quantize_quantity(quantity)


def test_what_is_bought_is_guarded_whole_and_the_position_knows_what_it_holds(desk: Desk) -> None:
    entry = desk.buy(**stop_at(58_000))

    position = desk.position()
    assert entry.position_id == position.id
    assert (position.status, position.alarm) == (PositionStatus.OPEN, None)
    assert position.quantity == desk.own(), "fees taken in base shrink it"
    assert desk.stopped() >= lot(desk, position.quantity)
    assert sum(Decimal(order["quantity"]) for order in desk.resting()) <= position.quantity


def test_a_partial_fill_is_guarded_and_the_rest_of_it_enlarges_the_guard(desk: Desk) -> None:
    """30 % fill, then 70 %: at both times a stop-loss for what is held."""
    desk.sandbox.fault(desk.name, "place_order", "partial_fill", fraction="0.3", api_key=desk.keys.api_key)
    entry = desk.buy(OrderType.LIMIT, price=PRICE + 1000, **stop_at(58_000))
    desk.later()
    entry = db.session.get_one(OrderRow, entry.id, populate_existing=True)
    assert entry.status is OrderStatus.PARTIALLY_FILLED
    held = desk.position().quantity
    assert Decimal(0) < held < QUANTITY / 2
    assert desk.stopped() >= lot(desk, held)

    desk.price(PRICE - 1)
    desk.later()

    position = desk.position()
    assert position.quantity == desk.own()
    assert position.quantity > QUANTITY * Decimal("0.99")
    assert desk.stopped() >= lot(desk, position.quantity)
    assert sum(Decimal(order["quantity"]) for order in desk.resting()) <= desk.own()


def test_a_stop_loss_that_is_turned_down_is_tried_again(desk: Desk) -> None:
    desk.buy()
    position = desk.position()
    desk.may_trade(False)
    positions.move(position, **stop_at(58_000))
    execution.guard(position.id)
    assert (desk.position().stop_failures, desk.resting()) == (1, [])
    assert "not guarded" in (desk.position().alarm or "")

    desk.may_trade(True)
    execution.guard(position.id)

    position = desk.position()
    assert (position.status, position.stop_failures, position.alarm) == (PositionStatus.OPEN, 0, None)
    assert desk.stopped() >= lot(desk, position.quantity)


@pytest.mark.parametrize("policy", list(NakedPolicy))
def test_a_stop_loss_that_cannot_be_placed_ends_as_the_broker_wishes(desk: Desk, policy: NakedPolicy) -> None:
    desk.broker.naked_policy = policy
    db.session.commit()
    desk.buy()
    position = desk.position()
    desk.may_trade(False)
    positions.move(position, **stop_at(58_000))
    for _ in range(protection.MAX_STOP_FAILURES):
        execution.guard(position.id)
    assert desk.position().alarm is not None

    desk.may_trade(True)
    desk.later()

    position = desk.position()
    if policy is NakedPolicy.FLATTEN:
        assert (position.status, desk.resting()) == (PositionStatus.CLOSED, [])
    else:
        assert position.status is PositionStatus.OPEN
        assert desk.stopped() >= lot(desk, position.quantity)


def test_a_stop_loss_that_the_market_has_passed_sells_at_once(desk: Desk) -> None:
    """The price falls through the stop between the purchase and the placing of its guard."""
    desk.buy()
    position = desk.position()
    positions.move(position, **stop_at(58_000))
    desk.price(57_000)

    execution.guard(position.id)
    desk.later()

    position = desk.position()
    assert position.status is PositionStatus.CLOSED
    assert desk.own() < lot(desk, QUANTITY) / 100
    assert desk.resting() == []


def test_moving_the_stop_loss_leaves_one_of_the_right_size(desk: Desk) -> None:
    desk.buy(**stop_at(58_000))
    position = desk.position()

    positions.move(position, **stop_at(59_000))
    execution.guard(position.id)

    [stop] = desk.resting()
    assert Decimal(stop["trigger_price"]) == 59_000
    assert desk.stopped() >= lot(desk, desk.position().quantity)


def test_closing_half_sells_half_and_guards_the_rest(desk: Desk) -> None:
    desk.buy(**stop_at(58_000))
    position = desk.position()
    before = position.quantity

    positions.close(position, Decimal(50))
    execution.guard(position.id)

    position = desk.position()
    assert position.quantity == desk.own()
    assert abs(position.quantity - before / 2) < before / 100
    assert desk.stopped() >= lot(desk, position.quantity)
    assert position.close_quantity is None


def test_closing_it_all_leaves_nothing_on_the_exchange(desk: Desk) -> None:
    desk.buy(**stop_at(58_000))

    positions.close(desk.position())
    execution.guard(desk.position().id)

    position = desk.position()
    assert position.status is PositionStatus.CLOSED
    assert position.closed_because is not None
    assert desk.resting() == []


def test_an_exit_that_fills_while_it_is_changed_leads_to_no_second_sale(desk: Desk) -> None:
    """The price falls through the old stop after the wish was written and before a worker comes to it."""
    desk.buy(**stop_at(58_000))
    position = desk.position()
    positions.move(position, **stop_at(59_000))
    desk.price(57_500)

    execution.guard(position.id)

    assert desk.position().status is PositionStatus.CLOSED
    assert desk.resting() == []
    sold = [o for o in desk.sandbox.orders(desk.name, desk.keys) if o["side"].upper() == "SELL"]
    assert sum(Decimal(order["filled_quantity"]) for order in sold) <= QUANTITY


def test_a_take_profit_sells_and_no_stop_loss_is_left_behind(desk: Desk) -> None:
    desk.buy(**stop_at(58_000), take_profit=PriceOrPercent(price=Decimal(63_000)))
    desk.price(63_100)
    desk.later()

    assert desk.position().status is PositionStatus.CLOSED
    assert desk.resting() == []
    assert desk.position().realised > 0


def test_a_stop_loss_that_trails_follows_the_price_up_and_never_down(desk: Desk) -> None:
    desk.buy()
    position = desk.position()
    positions.move(position, trailing_percent=Decimal(2))
    levels = []
    for price in (61_000, 64_000, 63_000):
        desk.price(price)
        desk.later()
        levels.append(desk.position().stop_loss)
        assert len(desk.resting()) == 1
    assert levels == [Decimal(59_780), Decimal(62_720), Decimal(62_720)]

    desk.price(62_000)
    desk.later()

    assert desk.position().status is PositionStatus.CLOSED


def test_a_close_by_hand_is_noticed_and_nothing_is_placed_again(desk: Desk) -> None:
    """Pain of old: bots that put the stop back after a person has sold."""
    desk.buy(**stop_at(58_000))
    position = desk.position()
    with connections.calling(desk.broker) as exchange:
        exchange.cancel_all(BTC)
        request = OrderRequest(BTC, Side.SELL, OrderType.MARKET, quantity=lot(desk, desk.own()))
        exchange.place_order(replace(request, client_order_id="byhand1"))
    assert desk.own() < lot(desk, QUANTITY) / 100

    desk.later()
    desk.later()

    position = desk.position()
    assert position.status is PositionStatus.CLOSED
    assert "by hand" in (position.closed_because or "")
    assert desk.resting() == []


def test_a_stop_loss_cancelled_by_hand_is_placed_again_while_the_coins_are_there(desk: Desk) -> None:
    desk.buy(**stop_at(58_000))
    with connections.calling(desk.broker) as exchange:
        exchange.cancel_all(BTC)
    assert desk.resting() == []

    desk.later()

    assert desk.stopped() >= lot(desk, desk.position().quantity)


def test_a_stop_loss_that_its_owner_cancels_here_stays_cancelled(desk: Desk) -> None:
    entry = desk.buy(**stop_at(58_000))
    [stop] = [order for order in positions.orders_of(desk.position()) if order.status.is_live]
    assert entry.position_id is not None
    orders.cancel(stop)
    execution.cancel(stop.id)
    desk.later()

    assert desk.resting() == []
    assert desk.position().stop_loss is None


def test_break_even_waits_for_the_price_and_pays_for_both_fees(desk: Desk) -> None:
    desk.buy(**stop_at(58_000))
    prices.remember(desk.name, Environment.SANDBOX, [Ticker(BTC, PRICE)])
    with pytest.raises(positions.WishRefused, match="would sell at once"):
        positions.break_even(desk.position())
    desk.price(63_000)
    prices.remember(desk.name, Environment.SANDBOX, [Ticker(BTC, Decimal(63_000))])

    positions.break_even(desk.position())
    execution.guard(desk.position().id)
    stop = desk.position().stop_loss
    assert stop is not None
    desk.price(stop)
    desk.later()

    position = desk.position()
    assert position.status is PositionStatus.CLOSED
    assert abs(position.realised) < 2, (
        "neither gained nor lost, but for the last tick and the slip of the sale"
    )
