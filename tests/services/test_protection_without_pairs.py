"""What guards a position on an exchange that has no orders of which one cancels the other."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask import Flask

from app.domain.accounts import Credential, Environment, TradingMode
from app.domain.orders import OrderDraft, OrderReport, OrderStatus, OrderType, PriceOrPercent, Side
from app.extensions import db
from app.models import Broker, OrderOrigin, OrderRow
from app.services import (
    bookkeeping,
    brokers,
    connections,
    execution,
    markets,
    orders,
    protection,
    reconciliation,
)
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.sandbox import Keys, SandboxServer

EXCHANGE = "kraken"
BTC = "BTC/USDT"


@pytest.fixture
def app(make_app: AppFactory, sandbox: SandboxServer) -> Flask:
    return make_app(SANDBOX_URL=sandbox.url)


@pytest.fixture
def keys(sandbox: SandboxServer) -> Keys:
    return sandbox.account(EXCHANGE)


@pytest.fixture
def broker(app: Flask, make_user: MakeUser, keys: Keys) -> Iterator[Broker]:
    user = make_user()
    with app.app_context():
        added = brokers.add(
            user,
            name="Practice",
            exchange=EXCHANGE,
            environment=Environment.SANDBOX,
            credential=Credential(keys.api_key, keys.api_secret),
            mode=TradingMode.OFF,
        )
        markets.load(added.id)
        yield db.session.get_one(Broker, added.id)
        connections.close()


def buy(broker: Broker, stop_loss: str, take_profit: str | None = None) -> OrderRow:
    draft = OrderDraft(
        BTC,
        Side.BUY,
        OrderType.MARKET,
        quantity=Decimal("0.01"),
        stop_loss=PriceOrPercent(percent=Decimal(stop_loss)),
        take_profit=None if take_profit is None else PriceOrPercent(percent=Decimal(take_profit)),
    )
    order = orders.place(broker, draft, OrderOrigin.TICKET)
    execution.submit(order.id)
    return db.session.get_one(OrderRow, order.id, populate_existing=True)


def test_the_stop_loss_rests_on_the_exchange_alone_and_the_order_tells_that_the_take_profit_does_not(
    broker: Broker, sandbox: SandboxServer, keys: Keys
) -> None:
    entry = buy(broker, "2", "5")

    assert (entry.status, entry.filled_quantity) == (OrderStatus.FILLED, Decimal("0.01"))
    assert sum(fill.quantity for fill in entry.fills) == Decimal("0.01")
    [stop] = entry.children
    assert (stop.type, stop.status, stop.quantity) == (
        OrderType.STOP_LOSS,
        OrderStatus.OPEN,
        Decimal("0.01"),
    )
    assert stop.take_profit is None
    resting = [order for order in sandbox.orders(EXCHANGE, keys) if order["state"] == "open"]
    assert [order["client_order_id"] for order in resting] == [stop.client_order_id]
    [told] = [event.cause for event in stop.events if "take-profit" in event.cause]
    assert "does not rest on the exchange" in told
    assert entry.position is not None
    assert "watched here" in protection.how_held(entry.position)


def test_a_stop_loss_that_was_wished_for_alone_needs_no_words(broker: Broker) -> None:
    entry = buy(broker, "2")

    [stop] = entry.children
    assert (stop.type, stop.status) == (OrderType.STOP_LOSS, OrderStatus.OPEN)
    assert not [event.cause for event in (*entry.events, *stop.events) if "take-profit" in event.cause]


def test_an_exit_that_the_exchange_places_with_the_execution_is_adopted_and_no_second_one_is_placed(
    broker: Broker, sandbox: SandboxServer, keys: Keys
) -> None:
    draft = OrderDraft(
        BTC,
        Side.BUY,
        OrderType.LIMIT,
        quantity=Decimal("0.01"),
        price=Decimal(90_000),
        stop_loss=PriceOrPercent(price=Decimal(20_000)),
    )
    placed = orders.place(broker, draft, OrderOrigin.TICKET)
    execution.submit(placed.id)
    reconciliation.sync_open(broker.id)

    entry = db.session.get_one(OrderRow, placed.id, populate_existing=True)
    assert (entry.status, entry.filled_quantity) == (OrderStatus.FILLED, Decimal("0.01"))
    assert sum(fill.quantity for fill in entry.fills) == Decimal("0.01")
    [stop] = entry.children
    assert (stop.type, stop.status, stop.trigger_price) == (
        OrderType.STOP_LOSS,
        OrderStatus.OPEN,
        Decimal(20_000),
    )
    resting = [order for order in sandbox.orders(EXCHANGE, keys) if order["state"] == "open"]
    assert len(resting) == 1


def test_a_resting_order_that_the_exchange_turns_down_in_the_end_is_over(broker: Broker) -> None:
    [stop] = buy(broker, "2").children
    report = OrderReport(
        stop.exchange_order_id, stop.client_order_id, BTC, Side.SELL, stop.type, OrderStatus.REJECTED
    )

    bookkeeping.adopt(stop, report, "seen on the exchange")

    assert stop.status is OrderStatus.CANCELED
    assert "turned it down" in stop.events[-1].cause
