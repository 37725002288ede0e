"""An exchange that shuts us out for longer than an order may wait: the order ends at its expiry, not after the ban."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask

from app.domain.accounts import Credential, Environment, TradingMode
from app.domain.orders import OrderDraft, OrderStatus, OrderType, Side
from app.extensions import db
from app.models import Broker, OrderOrigin, OrderRow, utc_now
from app.services import brokers, connections, execution, markets, orders
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.sandbox import SandboxServer

#: Its lockout lasts a quarter of an hour, a ticket's patience a minute.
EXCHANGE = "kraken"


@pytest.fixture
def app(make_app: AppFactory, fresh_sandbox: SandboxServer) -> Flask:
    return make_app(SANDBOX_URL=fresh_sandbox.url)


@pytest.fixture
def broker(app: Flask, make_user: MakeUser, fresh_sandbox: SandboxServer) -> Iterator[Broker]:
    user = make_user()
    keys = fresh_sandbox.account(EXCHANGE)
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


def test_the_next_try_comes_no_later_than_the_expiry(broker: Broker, fresh_sandbox: SandboxServer) -> None:
    fresh_sandbox.fault(EXCHANGE, "place_order", "ban")
    draft = OrderDraft("BTC/USDT", Side.BUY, OrderType.MARKET, quantity=Decimal("0.01"))
    order = orders.place(broker, draft, OrderOrigin.TICKET)

    execution.submit(order.id)

    order = db.session.get_one(OrderRow, order.id, populate_existing=True)
    assert order.status is OrderStatus.PENDING
    assert order.next_attempt_at is not None
    assert order.expires_at is not None
    assert order.next_attempt_at <= order.expires_at

    order.next_attempt_at = order.expires_at = utc_now() - timedelta(seconds=1)
    db.session.commit()
    execution.submit(order.id)

    order = db.session.get_one(OrderRow, order.id, populate_existing=True)
    assert order.status is OrderStatus.EXPIRED
    assert "past its expiry" in str(order.reason)


def test_an_order_that_was_tried_thousands_of_times_is_tried_again_as_soon_as_any(
    broker: Broker, fresh_sandbox: SandboxServer
) -> None:
    """An exit has no expiry: while its exchange is down for a night, it is tried and tried."""
    fresh_sandbox.fault(EXCHANGE, "place_order", "rate_limit", retry_after=1)
    draft = OrderDraft("BTC/USDT", Side.BUY, OrderType.MARKET, quantity=Decimal("0.01"))
    order = orders.place(broker, draft, OrderOrigin.TICKET)
    order.attempts = 5_000
    db.session.commit()
    before = utc_now()

    execution.submit(order.id)

    order = db.session.get_one(OrderRow, order.id, populate_existing=True)
    assert (order.status, order.attempts) == (OrderStatus.PENDING, 5_001)
    assert order.next_attempt_at is not None
    assert timedelta(seconds=10) <= order.next_attempt_at - before <= timedelta(seconds=25)
