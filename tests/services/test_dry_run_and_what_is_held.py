"""Dry run switched on while a position is held: of one broker it is about entries, of the whole server about all."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from flask import current_app

from app.domain.orders import OrderStatus, OrderType
from app.extensions import db, settings
from app.models import OrderRole, OrderRow, PositionStatus
from app.services import execution, orders, protection, wishes
from tests.services.trader import BTC, Trader, stop_at

pytestmark = pytest.mark.parametrize("trader", ["binance"], indirect=True)


def run_dry(dry: bool = True) -> None:
    """What a restart with another DRY_RUN does."""
    current_app.extensions["settings"] = replace(current_app.extensions["settings"], dry_run=dry)
    assert settings.dry_run is dry


def number_of_orders() -> int:
    return db.session.query(OrderRow).count()


def guard_again(trader: Trader) -> None:
    """What sweeps do with what they find unattended, a few times."""
    for _ in range(3):
        for position_id, _ in protection.unattended(500):
            execution.guard(position_id)


def test_dry_run_of_a_broker_denies_entries_and_still_moves_and_sells_what_is_held(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    trader.broker.dry_run = True
    db.session.commit()

    assert trader.buy().status is OrderStatus.DENIED
    wishes.move(trader.position(), **stop_at(59_000))
    execution.guard(trader.position().id)

    [stop] = trader.resting()
    assert Decimal(stop["trigger_price"]) == 59_000

    wishes.close(trader.position())
    execution.guard(trader.position().id)
    assert (trader.position().status, trader.resting()) == (PositionStatus.CLOSED, [])


def test_dry_run_of_the_server_leaves_the_stop_loss_and_says_so_and_moves_it_when_it_is_over(
    trader: Trader,
) -> None:
    trader.buy(**stop_at(58_000))
    there_were = number_of_orders()
    run_dry()

    wishes.move(trader.position(), **stop_at(59_000))
    execution.guard(trader.position().id)
    guard_again(trader)

    [stop] = trader.resting()
    assert Decimal(stop["trigger_price"]) == 58_000
    assert "DRY_RUN=1" in protection.how_held(trader.position())
    assert number_of_orders() == there_were

    run_dry(False)
    guard_again(trader)
    [stop] = trader.resting()
    assert Decimal(stop["trigger_price"]) == 59_000
    assert trader.position().alarm is None


def test_dry_run_of_the_server_keeps_the_wish_to_sell(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    run_dry()

    wishes.close(trader.position())
    execution.guard(trader.position().id)
    guard_again(trader)

    position = trader.position()
    assert (position.status, position.close_quantity) == (PositionStatus.OPEN, position.quantity)
    assert len(trader.resting()) == 1

    run_dry(False)
    guard_again(trader)
    assert (trader.position().status, trader.resting()) == (PositionStatus.CLOSED, [])


def test_a_sale_that_waited_to_be_sent_when_the_dry_run_began_is_denied_and_stays_wished(
    trader: Trader,
) -> None:
    trader.buy()
    wishes.close(trader.position())
    [sale_id] = protection.next_orders(trader.position().id).submit
    run_dry()

    execution.submit(sale_id)
    guard_again(trader)

    position = trader.position()
    assert db.session.get_one(OrderRow, sale_id, populate_existing=True).status is OrderStatus.DENIED
    assert position.close_quantity == trader.lot(position.quantity)
    assert "DRY_RUN=1" in protection.how_held(position)
    assert db.session.query(OrderRow).filter_by(role=OrderRole.EXIT).count() == 1


def test_what_rests_is_not_cancelled_in_a_dry_run_of_the_server_and_says_so(trader: Trader) -> None:
    entry = trader.buy(OrderType.LIMIT, price=Decimal(30_000))
    run_dry()

    orders.cancel(entry)
    execution.cancel(entry.id)

    entry = db.session.get_one(OrderRow, entry.id, populate_existing=True)
    assert (entry.status, entry.cancel_requested) == (OrderStatus.OPEN, False)
    assert "not cancelled: dry run" in [event.cause for event in entry.events]
    [resting] = [
        order for order in trader.sandbox.orders(trader.name, trader.keys) if order["state"] == "open"
    ]
    assert resting["client_order_id"] == entry.client_order_id
    assert resting["symbol"].replace("/", "") == BTC.replace("/", "")
