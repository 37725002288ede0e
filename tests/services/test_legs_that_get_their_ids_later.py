"""Exits attached to an entry, on exchanges that give them an id only once the entry is filled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from flask import Flask

from app.domain.accounts import Credential, Environment, TradingMode
from app.domain.orders import OrderDraft, OrderReport, OrderStatus, OrderType, PriceOrPercent, Side
from app.extensions import db
from app.models import OrderOrigin, OrderRow
from app.services import bookkeeping, brokers, connections, markets, orders, protection
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.sandbox import SandboxServer

BTC = "BTC/USDT"


@pytest.fixture
def app(make_app: AppFactory, sandbox: SandboxServer) -> Flask:
    return make_app(SANDBOX_URL=sandbox.url)


@pytest.fixture
def entry(app: Flask, make_user: MakeUser, sandbox: SandboxServer) -> Iterator[OrderRow]:
    keys, user = sandbox.account("binance"), make_user()
    with app.app_context():
        broker = brokers.add(
            user,
            name="Practice",
            exchange="binance",
            environment=Environment.SANDBOX,
            credential=Credential(keys.api_key, keys.api_secret),
            mode=TradingMode.OFF,
        )
        markets.load(broker.id)
        draft = OrderDraft(
            BTC,
            Side.BUY,
            OrderType.LIMIT,
            quantity=Decimal("0.01"),
            price=Decimal(50000),
            stop_loss=PriceOrPercent(price=Decimal(48000)),
        )
        order = orders.place(broker, draft, OrderOrigin.TICKET)
        order.move_to(OrderStatus.SUBMITTED, "claimed by this test")
        yield order
        connections.close()


def test_a_leg_reported_under_another_id_is_the_same_leg_and_takes_that_id(entry: OrderRow) -> None:
    leg = OrderReport(
        "preset-1",
        f"{entry.client_order_id}-sl",
        BTC,
        Side.SELL,
        OrderType.STOP_LOSS,
        OrderStatus.PENDING,
        trigger_price=Decimal(48000),
    )
    report = OrderReport(
        "1", entry.client_order_id, BTC, Side.BUY, OrderType.LIMIT, OrderStatus.OPEN, children=(leg,)
    )
    bookkeeping.adopt(entry, report, "placed")
    [row] = entry.children
    assert (row.exchange_order_id, row.status) == ("preset-1", OrderStatus.OPEN)

    born = replace(leg, exchange_order_id="77", status=OrderStatus.OPEN)
    filled = replace(report, status=OrderStatus.FILLED, filled_quantity=Decimal("0.01"), children=(born,))
    bookkeeping.adopt(entry, filled, "seen")
    db.session.commit()

    assert entry.position_id is not None
    assert not protection.next_orders(entry.position_id), "the leg that rests guards it"
    [row] = entry.children
    assert row.exchange_order_id == "77"


def test_a_leg_that_sold_is_looked_at_until_its_executions_are_told(entry: OrderRow) -> None:
    """It is heard of with its entry, without executions; the next look could not read them, and told nothing."""
    leg = OrderReport(
        "77",
        f"{entry.client_order_id}-sl",
        BTC,
        Side.SELL,
        OrderType.STOP_LOSS,
        OrderStatus.FILLED,
        filled_quantity=Decimal("0.01"),
    )
    sold = OrderReport(
        "1",
        entry.client_order_id,
        BTC,
        Side.BUY,
        OrderType.LIMIT,
        OrderStatus.FILLED,
        filled_quantity=Decimal("0.01"),
        children=(leg,),
    )
    bookkeeping.adopt(entry, sold, "seen")
    [row] = entry.children
    assert row.fills_missing

    bookkeeping.adopt(row, replace(leg, status=OrderStatus.PENDING, filled_quantity=None), "seen")

    assert row.fills_missing
