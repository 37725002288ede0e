"""An exchange that once does not tell of an exit that rests: it is looked for everywhere, and found again later."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.domain.orders import OrderStatus
from app.extensions import db
from app.models import OrderRole, OrderRow, PositionStatus
from app.services import execution, wishes
from tests.services.trader import QUANTITY, Trader, stop_at


def the_exit(trader: Trader) -> OrderRow:
    query = select(OrderRow).where(OrderRow.role == OrderRole.PROTECTION, ~OrderRow.children.any())
    found = db.session.scalars(query.execution_options(populate_existing=True)).all()
    assert len(found) == 1
    return found[0]


def test_an_exit_that_two_lists_do_not_show_is_looked_for_in_the_others(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    for operation in ("open_orders", "get_order"):
        trader.sandbox.fault(trader.name, operation, "unseen", api_key=trader.keys.api_key)

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
