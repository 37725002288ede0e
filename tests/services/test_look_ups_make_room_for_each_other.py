"""Orders in doubt share one small allowance: a look that ran out of it is not begun again at once.

Proving that an order is absent takes several questions in a row. Where every sweep spent what had come in meanwhile
on first questions, none was ever answered whole, and the order stayed in doubt.
"""

from __future__ import annotations

from datetime import timedelta

from app.dispatch import sync_queue
from app.domain.orders import OrderStatus
from app.exchanges import exchange_class
from app.extensions import redis as store
from app.models import OrderRow, utc_now
from app.services import connections, execution, reconciliation
from tests.services.conftest import Desk, OpenDesk

#: Asks most for a look-up, of the smallest allowance.
EXCHANGE = "kraken"
LONG = timedelta(minutes=4)


def in_doubt(desk: Desk) -> OrderRow:
    """An order that never arrived, long ago, of which nobody could learn anything since."""
    desk.fault("place_order", "reset_before")
    order = desk.submit()
    order = desk.age(order, LONG)
    desk.fault("*", "rate_limit")
    reconciliation.reconcile(order.id)
    order = desk.fresh(order)
    assert order.status is OrderStatus.SUBMITTED
    return order


def test_the_longer_it_was_in_doubt_the_later_it_is_looked_for_again(open_desk: OpenDesk) -> None:
    desk = open_desk(EXCHANGE)
    order = in_doubt(desk)

    assert order.next_attempt_at is not None
    wait = order.next_attempt_at - utc_now()
    assert timedelta(seconds=30) < wait <= timedelta(minutes=1)
    assert reconciliation.sweep() == 0, "not before its time"

    desk.age(order, wait + reconciliation.PICKED_UP_WITHIN)

    assert reconciliation.sweep() == 1


def test_once_proven_absent_it_is_sent_without_further_waiting(open_desk: OpenDesk) -> None:
    desk = open_desk(EXCHANGE)
    order = in_doubt(desk)
    desk.write(order, expires_at=utc_now() + LONG)
    store.flushall()  # what we believed of the allowance goes with it

    reconciliation.reconcile(order.id)
    order = desk.fresh(order)
    assert (order.status, order.next_attempt_at) == (OrderStatus.PENDING, None)

    execution.submit(order.id)

    assert desk.fresh(order).status is OrderStatus.FILLED
    assert len(desk.received()) == 1


def test_a_search_that_ran_out_of_its_allowance_goes_on_where_it_ended(open_desk: OpenDesk) -> None:
    desk = open_desk(EXCHANGE)
    order = in_doubt(desk)
    store.flushall()
    desk.fault("fills", "rate_limit")
    reconciliation.reconcile(order.id)
    assert desk.fresh(order).status is OrderStatus.SUBMITTED
    store.flushall()
    for answered_before in ("get_order", "order_history"):
        desk.fault(answered_before, "error_before")

    reconciliation.reconcile(order.id)

    assert desk.fresh(order).status is OrderStatus.PENDING


def test_what_was_ruled_out_of_one_attempt_is_looked_through_again_after_the_next(
    open_desk: OpenDesk,
) -> None:
    desk = open_desk(EXCHANGE)
    order = desk.write(in_doubt(desk), ruled_out=2, expires_at=utc_now() + LONG)
    store.flushall()
    reconciliation.reconcile(order.id)
    assert desk.fresh(order).status is OrderStatus.PENDING
    desk.fault("place_order", "reset_before")

    execution.submit(order.id)

    assert (desk.fresh(order).status, desk.fresh(order).ruled_out) == (OrderStatus.SUBMITTED, 0)


def test_executions_that_cannot_be_read_are_asked_for_at_once_but_once(open_desk: OpenDesk) -> None:
    desk = open_desk(EXCHANGE)
    desk.fault("fills", "rate_limit", times=2)
    store.delete(sync_queue(EXCHANGE))
    order = desk.submit()
    assert (order.status, order.filled_quantity) == (OrderStatus.OPEN, None)
    assert store.llen(sync_queue(EXCHANGE)) == 1
    store.flushall()

    reconciliation.sync_open(desk.broker_id)

    assert desk.fresh(order).status is OrderStatus.OPEN
    assert store.llen(sync_queue(EXCHANGE)) == 0


def test_what_an_order_executed_is_read_when_looking_has_used_up_what_it_may(open_desk: OpenDesk) -> None:
    desk = open_desk(EXCHANGE)
    desk.fault("fills", "rate_limit")
    order = desk.submit()
    assert (order.status, order.filled_quantity) == (OrderStatus.OPEN, None)
    store.flushall()
    counter = next(limit for limit in exchange_class(EXCHANGE).limits if limit.name == "counter")
    a_look_at_what_rests_and_one_at_the_order = 2
    for _ in range(counter.capacity - counter.reserved - a_look_at_what_rests_and_one_at_the_order):
        with connections.calling(order.broker) as exchange:
            exchange.open_orders()

    reconciliation.sync_open(desk.broker_id)

    assert desk.fresh(order).status is OrderStatus.FILLED
