"""The ledger's sum is the exchange account's balance, to the last digit, whatever a month of trading does."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
import requests
from flask import Flask
from sqlalchemy import select

from app.domain.ledger import EntryKind
from app.domain.money import EXACT
from app.domain.orders import OrderStatus
from app.exchanges import NAMES
from app.extensions import db
from app.models import BalanceRow, LedgerEntry, OrderRole, OrderRow, User
from app.sandbox.server import create_sandbox, serving
from app.services import connections, ledger, users
from tests.fixtures.app import PASSWORD, AppFactory
from tests.fixtures.sandbox import SandboxServer
from tests.services.trading_month import DAYS, OPENING, ORDERS_A_DAY, Month

SEED = 20


@pytest.fixture(scope="module")
def sandbox() -> Iterator[SandboxServer]:
    """A sandbox whose prices this module may move, and which bears a month in seconds."""
    served = create_sandbox(limits=False)
    for exchange in served.world.exchanges.values():
        for name, limit in exchange.dialect.limits.items():
            exchange.dialect.limits[name] = 1000 * limit
    with requests.Session() as http, serving(served) as url:
        yield SandboxServer(url, http)


@pytest.fixture
def app(make_app: AppFactory, sandbox: SandboxServer) -> Iterator[Flask]:
    app = make_app(SANDBOX_URL=sandbox.url)
    with app.app_context():
        yield app
        connections.close()


@pytest.fixture
def postgres_app(make_app: AppFactory, sandbox: SandboxServer, postgres_url: str) -> Iterator[Flask]:
    app = make_app(SANDBOX_URL=sandbox.url, DATABASE_URL=postgres_url)
    with app.app_context():
        yield app
        connections.close()


def a_person() -> User:
    return users.sign_up("ada@example.org", PASSWORD)


def assert_to_the_last_digit(month: Month) -> None:
    """Opening and all that was booked since is what the exchange's own books say, and nothing drifts."""
    held = month.sandbox.balances(month.exchange, month.keys)
    at_exchange = {
        asset: EXACT.add(Decimal(row["free"]), Decimal(row["locked"])) for asset, row in held.items()
    }
    accounts = ledger.accounts(month.broker)
    assert {account.asset: account.total for account in accounts} == at_exchange
    assert [account.asset for account in accounts if account.drift or account.carried_wrongly] == []
    assert [row.asset for row in db.session.scalars(select(BalanceRow)) if row.drift != 0] == []
    openings = {account.asset: account.amounts[EntryKind.OPENING] for account in accounts}
    assert openings == {asset: Decimal(amount) for asset, amount in OPENING.items()}
    kinds = set(db.session.scalars(select(LedgerEntry.kind)))
    assert kinds == {EntryKind.OPENING, EntryKind.TRADE, EntryKind.FEE}, "nothing was taken for external"


def assert_it_was_a_month(month: Month) -> None:
    """The month held what it should: a quiet one would prove nothing."""
    orders = db.session.scalars(select(OrderRow)).all()
    assert len(orders) > DAYS * ORDERS_A_DAY * 3 / 4
    filled = [order for order in orders if order.fills]
    assert len(filled) > 80
    assert any(len(order.fills) > 1 for order in filled)
    assert any(order.role is OrderRole.PROTECTION for order in filled)
    assert any(order.status is OrderStatus.CANCELED and order.fills for order in orders)
    assert month.seen["cancelled"] > 10
    for fault in ("place_order reset_after", "place_order partial_fill", "fills error_before"):
        assert month.seen[fault] > 5


@pytest.mark.parametrize("exchange", NAMES)
def test_the_ledger_adds_up_to_the_account(app: Flask, sandbox: SandboxServer, exchange: str) -> None:
    month = Month(sandbox, exchange, a_person(), SEED)
    month.run()
    assert_it_was_a_month(month)
    assert_to_the_last_digit(month)


@pytest.mark.postgres
def test_the_ledger_adds_up_on_postgresql(postgres_app: Flask, sandbox: SandboxServer) -> None:
    month = Month(sandbox, NAMES[0], a_person(), SEED)
    month.run()
    assert_it_was_a_month(month)
    assert_to_the_last_digit(month)
