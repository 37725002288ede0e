"""An exchange that once does not tell of an order that rests: it is looked for everywhere, and found again later."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select, update

from app.domain.orders import OrderStatus, OrderType
from app.extensions import db
from app.models import OrderEvent, OrderRole, OrderRow, PositionStatus, utc_now
from app.services import execution, wishes
from tests.services.trader import QUANTITY, Trader, stop_at


def the_exit(trader: Trader) -> OrderRow:
    query = select(OrderRow).where(OrderRow.role == OrderRole.PROTECTION, ~OrderRow.children.any())
    found = db.session.scalars(query.execution_options(populate_existing=True)).all()
    assert len(found) == 1
    return found[0]


def unseen(trader: Trader, *operations: str) -> None:
    """Have each of these look-ups once tell of no order."""
    for operation in operations:
        trader.sandbox.fault(trader.name, operation, "unseen", api_key=trader.keys.api_key)


def test_an_exit_that_two_lists_do_not_show_is_looked_for_in_the_others(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    unseen(trader, "open_orders", "get_order")

    trader.later()

    assert the_exit(trader).status is OrderStatus.OPEN
    assert trader.position().alarm is None
    assert QUANTITY * 99 / 100 < trader.stopped() <= QUANTITY


def test_an_exit_that_was_thought_to_have_ended_is_cancelled_when_it_holds_what_is_to_be_sold(
    trader: Trader,
) -> None:
    trader.buy(**stop_at(58_000))
    stop = the_exit(trader)
    stop.move_to(OrderStatus.CANCELED, "the exchange knows it no more")
    db.session.commit()

    position = trader.position()
    wishes.close(position)
    execution.guard(position.id)
    if db.session.scalar(select(OrderRow.id).where(OrderRow.status == OrderStatus.REJECTED)) is None:
        pytest.skip("a stop-loss that rests holds nothing here")
    trader.later()

    assert trader.position().status is PositionStatus.CLOSED
    assert trader.resting() == []
    assert trader.own() < QUANTITY / 100


@pytest.mark.parametrize(
    "blind", [["get_order"], ["get_order", "order_history"]], ids=["history", "fills_alone"]
)
def test_an_entry_that_was_missed_and_executes_is_found_in_any_list_and_never_ended(
    trader: Trader, blind: list[str]
) -> None:
    entry = trader.buy(OrderType.LIMIT, price=Decimal(50_000))
    unseen(trader, "open_orders", "get_order")
    trader.later()
    missed_at = update(OrderEvent).where(OrderEvent.cause.contains("not on the exchange"))
    db.session.execute(missed_at.values(at=utc_now() - timedelta(minutes=1)))
    db.session.commit()

    trader.price("49000")
    unseen(trader, *blind)
    trader.later()
    assert db.session.get_one(OrderRow, entry.id, populate_existing=True).status is not OrderStatus.EXPIRED
    trader.later()

    entry = db.session.get_one(OrderRow, entry.id, populate_existing=True)
    assert (entry.status, entry.reason) == (OrderStatus.FILLED, None)
    assert QUANTITY * 99 / 100 < trader.position().quantity <= QUANTITY
