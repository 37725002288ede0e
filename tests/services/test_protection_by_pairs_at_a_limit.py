"""What guards a position on an exchange whose pairs are families of their own and trigger into further orders."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask import Flask

from app.domain.accounts import Credential, Environment, TradingMode
from app.domain.orders import OrderDraft, OrderStatus, OrderType, PriceOrPercent, Side
from app.extensions import db
from app.models import Broker, OrderOrigin, OrderRow
from app.services import brokers, connections, execution, markets, orders, reconciliation
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.sandbox import Keys, SandboxServer

EXCHANGE = "kucoin"
BTC = "BTC/USDT"
QUANTITY = Decimal("0.01")


@pytest.fixture
def app(make_app: AppFactory, fresh_sandbox: SandboxServer) -> Flask:
    return make_app(SANDBOX_URL=fresh_sandbox.url)


@pytest.fixture
def keys(fresh_sandbox: SandboxServer) -> Keys:
    return fresh_sandbox.account(EXCHANGE)


@pytest.fixture
def broker(app: Flask, make_user: MakeUser, keys: Keys) -> Iterator[Broker]:
    user = make_user()
    with app.app_context():
        added = brokers.add(
            user,
            name="Practice",
            exchange=EXCHANGE,
            environment=Environment.SANDBOX,
            credential=Credential(keys.api_key, keys.api_secret, keys.passphrase),
            mode=TradingMode.OFF,
        )
        markets.load(added.id)
        yield db.session.get_one(Broker, added.id)
        connections.close()


def buy(broker: Broker, **wishes: str) -> OrderRow:
    draft = OrderDraft(
        BTC,
        Side.BUY,
        OrderType.MARKET,
        quantity=QUANTITY,
        **{name: PriceOrPercent(percent=Decimal(percent)) for name, percent in wishes.items()},
    )
    order = orders.place(broker, draft, OrderOrigin.TICKET)
    execution.submit(order.id)
    return fresh(order)


def fresh(order: OrderRow) -> OrderRow:
    return db.session.get_one(OrderRow, order.id, populate_existing=True)


def test_a_filled_entry_is_booked_with_its_fills_and_guarded_by_a_pair(broker: Broker) -> None:
    entry = buy(broker, stop_loss="2", take_profit="5")

    assert (entry.status, entry.filled_quantity) == (OrderStatus.FILLED, QUANTITY)
    assert sum(fill.quantity for fill in entry.fills) == QUANTITY
    assert {fill.fee_asset for fill in entry.fills} == {"USDT"}, "the coins arrive whole"
    [pair] = entry.children
    assert (pair.status, pair.quantity) == (OrderStatus.OPEN, QUANTITY)
    assert {(leg.type, leg.status) for leg in pair.children} == {
        (OrderType.STOP_LIMIT, OrderStatus.OPEN),
        (OrderType.TAKE_PROFIT_LIMIT, OrderStatus.OPEN),
    }


def test_a_pair_that_rests_is_left_alone(broker: Broker) -> None:
    [pair] = buy(broker, stop_loss="2", take_profit="5").children
    before = len(pair.events)

    reconciliation.sync_open(broker.id)

    assert (fresh(pair).status, len(fresh(pair).events)) == (OrderStatus.OPEN, before)


@pytest.mark.parametrize(
    ("price", "acting"), [("58000", OrderType.STOP_LIMIT), ("64000", OrderType.TAKE_PROFIT_LIMIT)]
)
def test_the_leg_that_executes_is_booked_and_ends_the_other(
    broker: Broker, fresh_sandbox: SandboxServer, price: str, acting: OrderType
) -> None:
    [pair] = buy(broker, stop_loss="2", take_profit="5").children
    fresh_sandbox.price(EXCHANGE, BTC, price)

    reconciliation.sync_open(broker.id)

    legs = {leg.type: leg for leg in fresh(pair).children}
    assert fresh(pair).status is OrderStatus.FILLED
    acted = legs.pop(acting)
    assert (acted.status, acted.filled_quantity) == (OrderStatus.FILLED, QUANTITY)
    assert sum(fill.quantity for fill in acted.fills) == QUANTITY
    assert [leg.status for leg in legs.values()] == [OrderStatus.CANCELED]


def test_a_single_exit_is_booked_through_the_order_it_became(
    broker: Broker, fresh_sandbox: SandboxServer
) -> None:
    [stop] = buy(broker, stop_loss="2").children
    assert (stop.type, stop.status) == (OrderType.STOP_LOSS, OrderStatus.OPEN)
    fresh_sandbox.price(EXCHANGE, BTC, "58000")

    reconciliation.sync_open(broker.id)

    stop = fresh(stop)
    assert (stop.status, stop.filled_quantity) == (OrderStatus.FILLED, QUANTITY)
    assert sum(fill.quantity for fill in stop.fills) == QUANTITY


@pytest.mark.parametrize("wishes", [{"stop_loss": "2"}, {"stop_loss": "2", "take_profit": "5"}])
def test_what_guards_can_be_cancelled(broker: Broker, wishes: dict[str, str]) -> None:
    [guard] = buy(broker, **wishes).children

    execution.cancel(guard.id)

    assert fresh(guard).status is OrderStatus.CANCELED
    assert {leg.status for leg in fresh(guard).children} <= {OrderStatus.CANCELED}


def test_an_entry_whose_answer_was_lost_is_found_by_its_client_id_booked_and_guarded(
    broker: Broker, fresh_sandbox: SandboxServer, keys: Keys
) -> None:
    fresh_sandbox.fault(EXCHANGE, "place_order", "error_after", status=504, api_key=keys.api_key)
    entry = buy(broker, stop_loss="2", take_profit="5")
    assert entry.status is OrderStatus.SUBMITTED

    reconciliation.reconcile(entry.id)

    entry = fresh(entry)
    assert entry.status is OrderStatus.FILLED
    assert sum(fill.quantity for fill in entry.fills) == QUANTITY
    [pair] = entry.children
    assert (pair.status, len(pair.children)) == (OrderStatus.OPEN, 2)
