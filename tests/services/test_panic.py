"""Panic on the simulated exchange: nothing is bought any more, what would buy is cancelled, what is held is sold."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask import Flask

from app.dispatch import TaskName, orders_queue
from app.domain.accounts import Credential, Environment
from app.domain.orders import OrderDraft, OrderStatus, OrderType, PriceOrPercent, Side
from app.extensions import celery, db
from app.models import Broker, HaltCause, OrderOrigin, OrderRole, OrderRow, Position, User
from app.services import balances, brokers, connections, execution, halts, markets, orders, panic
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.sandbox import Keys, SandboxServer

EXCHANGE = (
    "binance"  # where the stop of a market buy rests as an order of its own, and holds what is to be sold
)
BTC = "BTC/USDT"


@pytest.fixture
def app(make_app: AppFactory, sandbox: SandboxServer, redis_url: str) -> Flask:
    return make_app(SANDBOX_URL=sandbox.url, REDIS_URL=redis_url)


@pytest.fixture
def user(app: Flask, make_user: MakeUser) -> Iterator[User]:
    made = make_user()
    with app.app_context():
        yield made
        connections.close()


@pytest.fixture
def keys(sandbox: SandboxServer) -> Keys:
    return sandbox.account(EXCHANGE, {"USDT": "100000"})


def connect(user: User, keys: Keys, name: str) -> Broker:
    """A broker with its markets and prices."""
    added = brokers.add(
        user,
        name=name,
        exchange=EXCHANGE,
        environment=Environment.SANDBOX,
        credential=Credential(keys.api_key, keys.api_secret),
    )
    markets.load(added.id)
    balances.sync(added.id)
    return db.session.get_one(Broker, added.id)


def bought(broker: Broker) -> Position:
    """A position of 0.01 BTC whose stop-loss rests on the exchange."""
    draft = OrderDraft(
        BTC,
        Side.BUY,
        OrderType.MARKET,
        quantity=Decimal("0.01"),
        stop_loss=PriceOrPercent(percent=Decimal(5)),
    )
    entry = orders.place(broker, draft, OrderOrigin.TICKET)
    execution.submit(entry.id)
    position = again(entry).position
    assert position is not None
    return position


def resting(broker: Broker) -> OrderRow:
    """A limit order far below the price."""
    draft = OrderDraft(BTC, Side.BUY, OrderType.LIMIT, quantity=Decimal("0.01"), price=Decimal(30000))
    order = orders.place(broker, draft, OrderOrigin.TICKET)
    execution.submit(order.id)
    assert again(order).status is OrderStatus.OPEN
    return order


def again(order: OrderRow) -> OrderRow:
    return db.session.get_one(OrderRow, order.id, populate_existing=True)


def work_off(user: User) -> None:
    """Do what a worker does with what a panic left to it."""
    for order in db.session.query(OrderRow).filter_by(user_id=user.id, cancel_requested=True).all():
        execution.cancel(order.id)
    for position in db.session.query(Position).filter_by(user_id=user.id).all():
        execution.guard(position.id)
        execution.guard(position.id)  # a task may come twice


def open_at(broker: Broker) -> list[OrderType | None]:
    """What rests on the exchange."""
    with connections.calling(broker) as exchange:
        return [order.type for order in exchange.open_orders(BTC)]


def test_panic_halts_cancels_and_sells_and_only_within_its_reach(
    user: User, keys: Keys, sandbox: SandboxServer
) -> None:
    broker = connect(user, keys, "Practice")
    other = connect(user, sandbox.account(EXCHANGE, {"USDT": "100000"}), "Other")
    resting(broker)
    bought(broker)
    resting(other)
    waiting = orders.place(
        broker, OrderDraft(BTC, Side.BUY, OrderType.MARKET, quantity=Decimal("0.01")), OrderOrigin.TICKET
    )

    halt, toll = panic.press(halts.only(broker), user, "get me out")
    work_off(user)

    assert (halt.cause, halt.broker_id) == (HaltCause.PANIC, broker.id)
    assert (toll.orders, toll.positions) == (2, 1)
    assert again(waiting).status is OrderStatus.CANCELED
    assert open_at(broker) == []
    assert open_at(other) == [OrderType.LIMIT]
    [exit_] = db.session.query(OrderRow).filter_by(broker_id=broker.id, role=OrderRole.EXIT).all()
    assert (exit_.status, exit_.filled_quantity) == (OrderStatus.FILLED, Decimal("0.00999"))
    assert Decimal(sandbox.balances(EXCHANGE, keys)["BTC"]["free"]) < Decimal("0.00001")  # less than one lot


def test_panic_leaves_the_selling_to_the_queue_of_orders(user: User, keys: Keys) -> None:
    broker = connect(user, keys, "Practice")
    position = bought(broker)
    halted = panic.foresee(halts.all_of(user))

    panic.press(halts.all_of(user), user, "get me out")

    assert halted == panic.Toll(orders=0, positions=1)
    assert position.close_quantity == position.quantity
    with celery.connection_for_read() as connection:
        queue = connection.SimpleQueue(orders_queue(EXCHANGE))
        sent = [queue.get_nowait() for _ in range(queue.qsize())]
    assert TaskName.MANAGE_POSITION in {message.headers["task"] for message in sent}
