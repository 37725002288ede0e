"""Where orders that wait for a price have no client id, one whose answer was lost is known by its terms."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.domain.orders import OrderStatus
from app.extensions import db
from app.models import OrderRole, OrderRow, utc_now
from app.services import execution, reconciliation, wishes
from tests.services.trader import Trader, stop_at

NAMELESS = ["gateio"]


@pytest.mark.parametrize("trader", NAMELESS, indirect=True)
def test_a_stop_whose_answer_was_lost_is_found_by_its_terms_and_not_placed_again(trader: Trader) -> None:
    trader.buy()
    position = trader.position()
    trader.sandbox.fault(trader.name, "place_order", "reset_after", api_key=trader.keys.api_key)
    wishes.move(position, **stop_at(58_000))
    execution.guard(position.id)
    [stop] = db.session.scalars(db.select(OrderRow).where(OrderRow.role == OrderRole.PROTECTION))
    assert (stop.status, stop.exchange_order_id) == (OrderStatus.SUBMITTED, None)

    reconciliation.reconcile(stop.id)
    assert stop.status is OrderStatus.SUBMITTED, (
        "it may still be on its way, and could not be told from another"
    )
    stop.picked_up_at = utc_now() - timedelta(minutes=3)
    db.session.commit()
    reconciliation.reconcile(stop.id)
    trader.later()

    [stop] = db.session.scalars(
        db.select(OrderRow).where(OrderRow.role == OrderRole.PROTECTION),
        execution_options={"populate_existing": True},
    )
    assert stop.status is OrderStatus.OPEN
    assert [order["exchange_order_id"] for order in trader.resting()] == [
        (stop.exchange_order_id or "").removeprefix("trigger-")
    ]
    assert trader.stopped() >= trader.lot(trader.position().quantity)
