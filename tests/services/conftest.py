"""A person's funded broker on any exchange of the sandbox, used as the workers' services use it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update

from app.domain.accounts import Credential, Environment, TradingMode
from app.domain.orders import OrderDraft, OrderType, Side
from app.exchanges import NAMES
from app.extensions import db
from app.models import Broker, OrderOrigin, OrderRow
from app.services import brokers, connections, execution, markets, orders, users
from tests.fixtures.app import AppFactory
from tests.fixtures.sandbox import Keys, SandboxServer
from tests.services.signals import Signals
from tests.services.trader import PRICE, Trader

BTC = "BTC/USDT"
QUANTITY = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Desk:
    """A broker, the keys it uses and the sandbox it talks to; its application's context is entered."""

    app: Flask
    broker_id: int
    exchange: str
    keys: Keys
    sandbox: SandboxServer

    def intend(self, type_: OrderType = OrderType.MARKET, **fields: Any) -> OrderRow:
        """The committed intent of a purchase, not yet taken by a worker."""
        if type_ is OrderType.LIMIT:
            fields.setdefault("price", Decimal(30_000))
        draft = OrderDraft(BTC, Side.BUY, type_, **{"quantity": QUANTITY, **fields})
        return orders.place(db.session.get_one(Broker, self.broker_id), draft, OrderOrigin.TICKET)

    def submit(self, type_: OrderType = OrderType.MARKET, **fields: Any) -> OrderRow:
        """An order as one worker leaves it."""
        order = self.intend(type_, **fields)
        execution.submit(order.id)
        return self.fresh(order)

    def fresh(self, order: OrderRow) -> OrderRow:
        """An order as the database has it."""
        found = db.session.get_one(OrderRow, order.id, populate_existing=True)
        db.session.commit()
        return found

    def write(self, order: OrderRow, **values: Any) -> OrderRow:
        """Put values into an order's row, as another process would."""
        db.session.execute(update(OrderRow).where(OrderRow.id == order.id).values(**values))
        db.session.commit()
        return self.fresh(order)

    def age(self, order: OrderRow, by: timedelta) -> OrderRow:
        """Move what has happened to an order back in time, its expiry excepted."""
        order = self.fresh(order)
        names = ("created_at", "queued_at", "picked_up_at", "sent_at", "next_attempt_at")
        stamps = {name: getattr(order, name) for name in names}
        return self.write(order, **{name: at - by for name, at in stamps.items() if at is not None})

    def fault(self, operation: str, kind: str, **fields: object) -> None:
        """Lay a fault that strikes this account only."""
        self.sandbox.fault(self.exchange, operation, kind, api_key=self.keys.api_key, **fields)

    def received(self) -> list[str]:
        """The client ids of the orders that the exchange's engine has accepted."""
        return [str(order["client_order_id"]) for order in self.sandbox.orders(self.exchange, self.keys)]

    @contextmanager
    def another_worker(self) -> Iterator[None]:
        """A block that runs with a database session of its own."""
        with self.app.app_context():
            yield
            db.session.remove()


OpenDesk = Callable[..., Desk]


@pytest.fixture
def open_desk(make_app: AppFactory, sandbox: SandboxServer) -> Iterator[OpenDesk]:
    """Opens one desk a test, on a given exchange."""
    app = make_app(SANDBOX_URL=sandbox.url)
    with app.app_context():

        def open_(exchange: str) -> Desk:
            keys = sandbox.account(exchange)
            return Desk(app, _connect(exchange, keys).id, exchange, keys, sandbox)

        yield open_
        connections.close()


@pytest.fixture(params=NAMES)
def desk(request: pytest.FixtureRequest, open_desk: OpenDesk) -> Desk:
    """A desk on every exchange there is a client of."""
    return open_desk(request.param)


@pytest.fixture(params=NAMES)
def trader(
    request: pytest.FixtureRequest, make_app: AppFactory, calm_sandbox: SandboxServer
) -> Iterator[Trader]:
    """A trader on every exchange, who owns no coins yet, at a price of `PRICE`."""
    app = make_app(SANDBOX_URL=calm_sandbox.url)
    keys = calm_sandbox.account(request.param, {"USDT": "100000", "BTC": "0"})
    with app.app_context():
        found = Trader(_connect(request.param, keys), calm_sandbox, keys)
        found.price(PRICE)
        yield found
        connections.close()


@pytest.fixture
def signals(trader: Trader) -> Signals:
    """A source of a trader's broker, to which alerts come."""
    return Signals.of(trader)


def _connect(exchange: str, keys: Keys) -> Broker:
    """A new person's broker with loaded markets; the application's context is entered."""
    broker = brokers.add(
        users.sign_up("trader@example.org", "correct horse battery"),
        name="Practice",
        exchange=exchange,
        environment=Environment.SANDBOX,
        credential=Credential(keys.api_key, keys.api_secret, keys.passphrase),
        mode=TradingMode.OFF,
    )
    markets.load(broker.id)
    return db.session.get_one(Broker, broker.id)
