"""Panic on the simulated exchange: nothing is bought any more, what would buy is cancelled, what is held is sold."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from app.dispatch import TaskName, orders_queue
from app.domain.accounts import Credential, Environment
from app.domain.alerts import AlertStatus
from app.domain.orders import OrderDraft, OrderStatus, OrderType, PriceOrPercent, Side
from app.extensions import celery, db
from app.models import Broker, HaltCause, OrderOrigin, OrderRole, OrderRow, Position, User
from app.services import (
    alerts,
    balances,
    brokers,
    connections,
    execution,
    halts,
    markets,
    orders,
    panic,
    reconciliation,
)
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.sandbox import Keys, SandboxServer
from tests.services.signals import Signals
from tests.services.trader import Trader

EXCHANGE = (
    "binance"  # where the stop of a market buy rests as an order of its own, and holds what is to be sold
)
BTC = "BTC/USDT"
LESS_THAN_ONE_LOT = Decimal("0.00001")


@pytest.fixture(params=["sqlite"])
def app(
    request: pytest.FixtureRequest, make_app: AppFactory, calm_sandbox: SandboxServer, redis_url: str
) -> Flask:
    environ = {"SANDBOX_URL": calm_sandbox.url, "REDIS_URL": redis_url}
    if request.param == "postgresql":
        environ["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    return make_app(**environ)


@pytest.fixture
def user(app: Flask, make_user: MakeUser) -> Iterator[User]:
    made = make_user()
    with app.app_context():
        yield made
        connections.close()


@pytest.fixture
def keys(calm_sandbox: SandboxServer) -> Keys:
    return calm_sandbox.account(EXCHANGE, {"USDT": "100000", "BTC": "0"})


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


def held(sandbox: SandboxServer, keys: Keys) -> Decimal:
    """What the account holds of the base, free or not."""
    balance = sandbox.balances(EXCHANGE, keys)["BTC"]
    return Decimal(balance["free"]) + Decimal(balance["locked"])


def test_panic_halts_cancels_and_sells_and_only_within_its_reach(
    user: User, keys: Keys, calm_sandbox: SandboxServer
) -> None:
    broker = connect(user, keys, "Practice")
    other = connect(user, calm_sandbox.account(EXCHANGE, {"USDT": "100000"}), "Other")
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
    assert held(calm_sandbox, keys) < LESS_THAN_ONE_LOT


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


def test_what_was_being_bought_unanswered_at_the_press_is_sold_when_it_is_found(
    user: User, keys: Keys, calm_sandbox: SandboxServer
) -> None:
    broker = connect(user, keys, "Practice")
    calm_sandbox.fault(EXCHANGE, "place_order", "reset_after", api_key=keys.api_key)
    draft = OrderDraft(BTC, Side.BUY, OrderType.MARKET, quantity=Decimal("0.01"))
    entry = orders.place(broker, draft, OrderOrigin.TICKET)
    execution.submit(entry.id)
    assert again(entry).status is OrderStatus.SUBMITTED

    panic.press(halts.only(broker), user, "get me out")
    work_off(user)
    reconciliation.reconcile(entry.id)
    work_off(user)

    assert again(entry).status is OrderStatus.FILLED
    assert held(calm_sandbox, keys) < LESS_THAN_ONE_LOT


def test_what_a_limit_order_buys_before_it_is_cancelled_is_sold_as_well(
    user: User, keys: Keys, calm_sandbox: SandboxServer
) -> None:
    calm_sandbox.price(EXCHANGE, BTC, "60000")
    broker = connect(user, keys, "Practice")
    order = resting(broker)
    panic.press(halts.only(broker), user, "get me out")
    calm_sandbox.price(EXCHANGE, BTC, "29000")

    work_off(user)
    work_off(user)

    assert again(order).status is OrderStatus.FILLED
    assert held(calm_sandbox, keys) < LESS_THAN_ONE_LOT


def test_what_is_bought_after_the_panic_was_lifted_stays(
    user: User, keys: Keys, calm_sandbox: SandboxServer
) -> None:
    calm_sandbox.price(EXCHANGE, BTC, "60000")
    broker = connect(user, keys, "Practice")
    panic.press(halts.only(broker), user, "get me out")
    halts.lift(halts.only(broker), user)
    order = resting(broker)
    calm_sandbox.price(EXCHANGE, BTC, "29000")

    reconciliation.sync_open(broker.id)
    work_off(user)

    assert again(order).status is OrderStatus.FILLED
    assert held(calm_sandbox, keys) > LESS_THAN_ONE_LOT


@pytest.mark.postgres
@pytest.mark.parametrize("app", ["postgresql"], indirect=True)
def test_an_alert_that_passed_the_gate_and_is_not_committed_yet_at_the_press_leaves_nothing_held(
    app: Flask, user: User, keys: Keys, calm_sandbox: SandboxServer
) -> None:
    broker = connect(user, keys, "Practice")
    signals = Signals.of(Trader(broker, calm_sandbox, keys))
    alert_id = signals.store(action="BuyMarket", quantity="0.01")
    decided, pressed = threading.Event(), threading.Event()

    def commit_late(session: Session) -> None:
        """Hold what the alert led to back until the press waits for it, or has missed it."""
        if decided.is_set() or threading.current_thread() is not worker:
            return
        session.flush()
        decided.set()
        waits = text("SELECT count(*) FROM pg_locks WHERE NOT granted")
        while not session.scalar(waits) and not pressed.wait(0.01):
            pass

    def work() -> None:
        with app.app_context():
            alerts.process(alert_id)
            db.session.remove()

    worker = threading.Thread(target=work)
    event.listen(db.session, "before_commit", commit_late)
    try:
        worker.start()
        assert decided.wait(10)
        _, toll = panic.press(halts.only(broker), user, "get me out")
        pressed.set()
        worker.join()
    finally:
        event.remove(db.session, "before_commit", commit_late)
    work_off(user)

    assert signals.fresh(alert_id).status is AlertStatus.PROCESSED
    assert toll.orders + toll.positions >= 1
    assert held(calm_sandbox, keys) < LESS_THAN_ONE_LOT
