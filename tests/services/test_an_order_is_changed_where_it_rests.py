"""An order that rests is changed within what its exchange allows, and once, also when the answer was lost."""

from __future__ import annotations

from decimal import Decimal

import pytest
from redis import Redis

from app.domain.errors import OrderDenied
from app.domain.orders import OrderStatus, OrderType
from app.exchanges import NAMES, capabilities
from app.exchanges.base import AmendMode
from app.models import OrderRow
from app.services import amending, orders, reconciliation
from app.services.amending import AmendRefused, Change
from tests.services.conftest import Desk, OpenDesk

HALF = Decimal("0.005")
ONLY_LESS = [name for name in NAMES if capabilities(name).amend is AmendMode.QUANTITY_DOWN]
ANYTHING = [name for name in NAMES if capabilities(name).amend is AmendMode.FULL]


def _resting(desk: Desk, **fields: object) -> OrderRow:
    order = desk.submit(OrderType.LIMIT, **fields)
    assert order.status is OrderStatus.OPEN
    return order


def _at_exchange(desk: Desk) -> tuple[Decimal, Decimal]:
    """Quantity and price of the one order that rests there."""
    [order] = [each for each in desk.sandbox.orders(desk.exchange, desk.keys) if each["state"] == "open"]
    return Decimal(order["quantity"]), Decimal(order["price"])


def test_an_order_becomes_what_was_asked_for_or_the_exchange_does_not_allow_it(desk: Desk) -> None:
    order, mode = _resting(desk), capabilities(desk.exchange).amend
    assert amending.may_change(order) is mode
    if mode is AmendMode.NONE:
        with pytest.raises(AmendRefused):
            amending.ask(order, Change(HALF, None))
        return

    price = Decimal(31_000) if mode is AmendMode.FULL else None
    amending.ask(order, Change(HALF, price))
    assert amending.may_change(order) is AmendMode.NONE, "one change at a time"
    amending.carry_out(order.id)

    order = desk.fresh(order)
    assert (order.status, order.quantity, order.price) == (OrderStatus.OPEN, HALF, price or Decimal(30_000))
    assert not order.is_being_amended
    assert _at_exchange(desk) == (order.quantity, order.price)
    reconciliation.sync_open(desk.broker_id)
    assert desk.fresh(order).status is OrderStatus.OPEN


@pytest.mark.parametrize("exchange", [*ONLY_LESS, *ANYTHING])
def test_a_change_whose_answer_was_lost_is_asked_for_again_and_made_once(
    open_desk: OpenDesk, redis_client: Redis, exchange: str
) -> None:
    desk = open_desk(exchange)
    order = _resting(desk)
    amending.ask(order, Change(HALF, None))
    desk.fault("amend_order", "reset_after")
    amending.carry_out(order.id)
    assert desk.fresh(order).is_being_amended

    waiting = redis_client.llen(f"orders.{exchange}")
    desk.write(order, created_at=order.created_at - 2 * reconciliation.PICKED_UP_WITHIN)
    assert reconciliation.sweep() == 1
    assert redis_client.llen(f"orders.{exchange}") == waiting + 1

    amending.carry_out(order.id)
    order = desk.fresh(order)
    assert (order.quantity, order.is_being_amended) == (HALF, False)
    assert _at_exchange(desk)[0] == HALF


def test_what_is_not_allowed_is_refused_before_anything_is_asked(open_desk: OpenDesk) -> None:
    desk = open_desk((ONLY_LESS or ANYTHING)[0])
    order = _resting(desk)
    for change in (Change(None, None), Change(order.quantity, order.price)):
        with pytest.raises(AmendRefused, match="leaves the order as it is"):
            amending.ask(order, change)
    with pytest.raises(OrderDenied, match="below the minimum"):
        amending.ask(order, Change(Decimal("0.0001"), None))
    if ONLY_LESS:
        for change in (Change(order.quantity + HALF, None), Change(HALF, Decimal(29_000))):
            with pytest.raises(AmendRefused, match="only lower"):
                amending.ask(order, change)
    orders.cancel(order)
    with pytest.raises(AmendRefused, match="cannot be changed"):
        amending.ask(order, Change(HALF, None))
    assert not desk.fresh(order).is_being_amended
