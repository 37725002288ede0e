"""An exit cancelled while nobody has learned yet that its entry has filled."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask import Flask

from app.domain.accounts import Credential, Environment, TradingMode
from app.domain.orders import OrderDraft, OrderStatus, OrderType, PriceOrPercent, Side
from app.exchanges import NAMES, capabilities
from app.extensions import db
from app.models import Broker, OrderOrigin, OrderRow
from app.services import brokers, connections, execution, markets, orders, reconciliation
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.sandbox import SandboxServer

ATTACHING = [name for name in NAMES if OrderType.LIMIT in capabilities(name).attached_both]


@pytest.fixture
def app(make_app: AppFactory, fresh_sandbox: SandboxServer) -> Iterator[Flask]:
    app = make_app(SANDBOX_URL=fresh_sandbox.url)
    with app.app_context():
        yield app
        connections.close()


@pytest.mark.parametrize("exchange", ATTACHING)
@pytest.mark.parametrize("cancelled", [OrderType.STOP_LOSS, OrderType.TAKE_PROFIT])
def test_it_ends_and_the_entry_is_booked(
    app: Flask, make_user: MakeUser, fresh_sandbox: SandboxServer, exchange: str, cancelled: OrderType
) -> None:
    keys = fresh_sandbox.account(exchange)
    credential = Credential(keys.api_key, keys.api_secret, keys.passphrase)
    broker = brokers.add(
        make_user(),
        name="Practice",
        exchange=exchange,
        environment=Environment.SANDBOX,
        credential=credential,
        mode=TradingMode.OFF,
    )
    markets.load(broker.id)
    placed = orders.place(
        db.session.get_one(Broker, broker.id),
        OrderDraft(
            "BTC/USDT",
            Side.BUY,
            OrderType.LIMIT,
            quantity=Decimal("0.01"),
            price=Decimal(59000),
            stop_loss=PriceOrPercent(price=Decimal(57000)),
            take_profit=PriceOrPercent(price=Decimal(66000)),
        ),
        OrderOrigin.TICKET,
    )
    execution.submit(placed.id)
    entry = db.session.get_one(OrderRow, placed.id, populate_existing=True)
    exits = {leg.type: leg for leg in entry.children}
    fresh_sandbox.price(exchange, "BTC/USDT", "58900")

    orders.cancel(exits[cancelled])
    execution.cancel(exits[cancelled].id)
    reconciliation.sync_open(broker.id)

    db.session.expire_all()
    assert entry.status is OrderStatus.FILLED
    assert sum(fill.quantity for fill in entry.fills) == Decimal("0.01")
    assert exits[cancelled].status is OrderStatus.CANCELED
