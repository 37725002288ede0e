"""One order at the exchange for each intent, whatever is lost, delivered twice, held up or forgotten on the way."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest
from redis import Redis
from sqlalchemy import update

from app import dispatch
from app.domain.orders import OrderReport, OrderStatus, OrderType, PriceOrPercent
from app.exchanges import Exchange, capabilities, exchange_class
from app.exchanges.base import ReusedId
from app.extensions import db
from app.models import Broker, OrderEvent, OrderRow, utc_now
from app.services import connections, execution, order_requests, orders, reconciliation, whereabouts
from tests.services.conftest import BTC, QUANTITY, Desk, OpenDesk

LATER = timedelta(minutes=10)

#: fault, its fields, whether the order was executed all the same
LOST = [
    ("refuse", {}, False),
    ("reset_before", {}, False),
    ("reset_after", {}, True),
    ("accept_then_timeout", {"seconds": "0.3"}, True),
    ("garbage", {"executed": True}, True),
    ("garbage", {"executed": False}, False),
    ("error_before", {"status": 502}, False),
    ("error_after", {"status": 504}, True),
]


def still_wanted(desk: Desk, order: OrderRow) -> OrderRow:
    """The order, its expiry so far away that no test reaches it."""
    return desk.write(order, expires_at=utc_now() + timedelta(hours=1))


def after_the_window(desk: Desk, order: OrderRow) -> OrderRow:
    """The order when its absence can be proven."""
    return still_wanted(desk, desk.age(order, LATER))


def budget_returns(redis_client: Redis) -> None:
    """Forget what was asked of the exchange, as time would: some allow a few questions a minute only."""
    for key in redis_client.scan_iter("rate:*"):
        redis_client.delete(key)


# -- lost answers ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "fields", "executed"), LOST, ids=[f"{kind}-{done}" for kind, _, done in LOST]
)
def test_a_time_out_is_not_taken_for_a_failure_and_the_order_is_not_sent_twice(
    desk: Desk, kind: str, fields: dict[str, object], executed: bool
) -> None:
    """Time-out taken for failure and sent again: the oldest pain of the field (spec 8)."""
    desk.fault("place_order", kind, **fields)
    order = desk.submit()
    assert order.status is OrderStatus.SUBMITTED
    assert any("outcome unknown" in event.cause for event in order.events)

    reconciliation.reconcile(order.id)
    order = desk.fresh(order)
    if not executed:
        assert order.status is OrderStatus.SUBMITTED, "it may still show"
        order = after_the_window(desk, order)
        reconciliation.reconcile(order.id)
        order = desk.fresh(order)
        assert order.status is OrderStatus.PENDING, "proven absent"
        execution.submit(order.id)

    finish(desk, order)
    order = desk.fresh(order)
    assert (order.status, order.filled_quantity) == (OrderStatus.FILLED, QUANTITY)
    assert sum(fill.quantity for fill in order.fills) == QUANTITY
    assert desk.received() == [order.client_order_id]


def finish(desk: Desk, order: OrderRow) -> None:
    """What the next look at the open orders adds, where an order's answer did not tell everything."""
    if desk.fresh(order).status.is_live:
        reconciliation.sync_open(desk.broker_id)


def test_an_order_too_old_to_be_sent_when_it_is_proven_absent_expires_with_the_reason(desk: Desk) -> None:
    desk.fault("place_order", "reset_before")
    order = desk.age(desk.submit(), LATER)
    desk.write(order, expires_at=utc_now())

    reconciliation.reconcile(order.id)

    order = desk.fresh(order)
    assert order.status is OrderStatus.EXPIRED
    assert "never reached the exchange" in (order.reason or "")
    assert desk.received() == []


def test_what_no_look_up_shows_is_not_absent_before_the_exchanges_windows_have_passed(desk: Desk) -> None:
    desk.fault("place_order", "reset_after")
    order = still_wanted(desk, desk.submit())
    margin = timedelta(seconds=2)
    desk.age(order, whereabouts.provable_from(order) - utc_now() - margin)
    desk.fault("*", "unseen", times=4)

    reconciliation.reconcile(order.id)
    assert desk.fresh(order).status is OrderStatus.SUBMITTED

    able = capabilities(desk.exchange)
    claimed_at = desk.fresh(order).picked_up_at
    assert claimed_at is not None
    least = able.request_window + able.visibility_delay + execution.SEND_WITHIN
    assert whereabouts.provable_from(desk.fresh(order)) - claimed_at >= least


@pytest.mark.parametrize("blind", [["get_order"], ["get_order", "open_orders", "order_history"]], ids=str)
def test_what_one_place_does_not_show_and_another_does_is_never_sent_again(
    desk: Desk, blind: list[str], redis_client: Redis
) -> None:
    """Look-ups that lag are hidden one by one: in the end the fills alone tell that there is an order."""
    desk.fault("place_order", "reset_after")
    order = after_the_window(desk, desk.submit())
    for operation in blind:
        desk.fault(operation, "unseen", times=4)

    seen = set()
    for _ in range(8):
        reconciliation.reconcile(order.id)
        budget_returns(redis_client)
        seen.add(desk.fresh(order).status)

    assert OrderStatus.PENDING not in seen
    finish(desk, order)
    assert desk.fresh(order).status is OrderStatus.FILLED
    assert desk.received() == [order.client_order_id]


def test_an_order_that_ended_unfilled_and_that_the_history_alone_tells_of_is_never_sent_again(
    desk: Desk, redis_client: Redis
) -> None:
    desk.fault("place_order", "reset_after")
    order = after_the_window(desk, desk.submit(OrderType.LIMIT))
    with connections.calling(db.session.get_one(Broker, desk.broker_id)) as exchange:
        exchange.cancel_all(BTC)
    desk.fault("get_order", "unseen", times=4)

    seen = set()
    for _ in range(6):
        reconciliation.reconcile(order.id)
        budget_returns(redis_client)
        seen.add(desk.fresh(order).status)

    assert OrderStatus.PENDING not in seen
    assert desk.fresh(order).status is OrderStatus.CANCELED
    assert desk.received() == [order.client_order_id]


def test_an_order_whose_look_up_by_client_id_has_passed_is_still_found_in_the_history(
    desk: Desk, redis_client: Redis
) -> None:
    """The server was off for three hours, and the exchange finds client ids for two of them."""
    desk.fault("place_order", "reset_after")
    order = still_wanted(desk, desk.age(desk.submit(), timedelta(hours=3)))
    desk.fault("get_order", "unseen", times=2)

    for _ in range(4):
        reconciliation.reconcile(order.id)
        budget_returns(redis_client)

    finish(desk, order)
    assert desk.fresh(order).status is OrderStatus.FILLED
    assert desk.received() == [order.client_order_id]


def test_an_order_that_nobody_could_look_for_in_time_is_never_sent_again_and_says_what_to_do(
    desk: Desk,
) -> None:
    desk.fault("place_order", "reset_before")
    order = desk.submit()
    able = capabilities(desk.exchange)
    longest = max(able.history_kept, able.client_id_lookup or timedelta(0))
    order = still_wanted(desk, desk.age(order, longest + timedelta(days=1)))

    reconciliation.reconcile(order.id)

    order = desk.fresh(order)
    assert order.status is OrderStatus.EXPIRED
    assert "too old for the exchange to tell" in (order.reason or "")
    assert "order history" in (order.remedy or "")
    assert desk.received() == []


def test_an_order_in_doubt_that_cannot_be_looked_up_says_so_once(desk: Desk) -> None:
    desk.fault("place_order", "reset_before")
    order = desk.submit()
    before = len(order.events)
    desk.fault("*", "error_before", times=20)

    for _ in range(3):
        reconciliation.reconcile(order.id)

    order = desk.fresh(order)
    assert order.status is OrderStatus.SUBMITTED
    assert "could not be looked up" in (order.reason or "")
    assert len(order.events) == before


def test_an_entry_found_by_look_up_is_guarded_once_whether_its_exit_went_with_it_or_not(desk: Desk) -> None:
    desk.fault("place_order", "reset_after")
    order = desk.submit(
        OrderType.LIMIT, price=Decimal(61_000), stop_loss=PriceOrPercent(price=Decimal(57_000))
    )

    reconciliation.reconcile(order.id)
    reconciliation.sync_open(desk.broker_id)
    reconciliation.sync_open(desk.broker_id)

    assert desk.fresh(order).status is OrderStatus.FILLED
    assert [row["state"] for row in desk.sandbox.orders(desk.exchange, desk.keys)].count("open") == 1
    assert desk.fresh(order).reason is None


def missed_long_ago(desk: Desk, order: OrderRow) -> None:
    """Move the moment back at which an order was first missed, as time would."""
    missed = OrderEvent.order_id == order.id, OrderEvent.cause.contains("not on the exchange")
    db.session.execute(update(OrderEvent).where(*missed).values(at=utc_now() - LATER))
    db.session.commit()


def test_an_open_order_that_the_exchange_does_not_know_is_not_passed_over_in_silence(desk: Desk) -> None:
    order = desk.submit(OrderType.LIMIT)
    desk.fault("*", "unseen", times=12)

    reconciliation.sync_open(desk.broker_id)

    order = desk.fresh(order)
    assert order.status is OrderStatus.OPEN
    assert "not on the exchange" in (order.reason or "")
    assert "order history" in (order.remedy or "")


@pytest.mark.parametrize(
    ("asked", "ended"), [(False, OrderStatus.EXPIRED), (True, OrderStatus.CANCELED)], ids=str
)
def test_an_open_order_that_no_list_of_the_exchange_tells_of_ends_and_says_what_to_do(
    desk: Desk, redis_client: Redis, asked: bool, ended: OrderStatus
) -> None:
    order = desk.submit(OrderType.LIMIT)
    desk.fault("*", "unseen", times=40)
    if asked:
        orders.cancel(order)

    reconciliation.sync_open(desk.broker_id)
    assert desk.fresh(order).status is OrderStatus.OPEN, "it may have executed just now, and show later"
    missed_long_ago(desk, order)
    for _ in range(3):
        budget_returns(redis_client)
        reconciliation.sync_open(desk.broker_id)

    order = desk.fresh(order)
    assert order.status is ended
    assert order.reason == "the exchange knows it no more"
    assert "order history" in (order.remedy or "")
    assert db.session.get_one(Broker, desk.broker_id).orders_seen_at is not None


def test_an_open_order_that_was_missed_once_and_rests_again_says_so_no_more(
    desk: Desk, redis_client: Redis
) -> None:
    order = desk.submit(OrderType.LIMIT)
    desk.fault("*", "unseen", times=3)
    reconciliation.sync_open(desk.broker_id)
    desk.sandbox.take_faults_back()

    budget_returns(redis_client)
    reconciliation.sync_open(desk.broker_id)

    order = desk.fresh(order)
    assert (order.status, order.reason, order.remedy) == (OrderStatus.OPEN, None, None)


# -- a client id that is taken ---------------------------------------------------------------------------------


def place_under(desk: Desk, order: OrderRow, quantity: Decimal) -> None:
    """Have an order of this size rest on the exchange under the client id of another."""
    if capabilities(desk.exchange).reused_id is ReusedId.PLACED:
        pytest.skip("two orders may go by one client id here")
    with connections.calling(db.session.get_one(Broker, desk.broker_id)) as exchange:
        request = order_requests.of(order)
        exchange.place_order(type(request)(BTC, order.side, order.type, quantity, price=order.price,
                                           client_order_id=order.client_order_id))  # fmt: skip


def test_a_client_id_that_is_taken_by_our_own_earlier_try_is_no_rejection(desk: Desk) -> None:
    order = desk.intend(OrderType.LIMIT)
    place_under(desk, order, QUANTITY)

    execution.submit(order.id)
    refused = capabilities(desk.exchange).reused_id is ReusedId.REFUSED
    assert desk.fresh(order).status is (OrderStatus.SUBMITTED if refused else OrderStatus.OPEN)
    reconciliation.reconcile(order.id)

    assert desk.fresh(order).status is OrderStatus.OPEN
    assert desk.received() == [order.client_order_id]


def test_a_client_id_that_is_taken_by_another_order_is_a_rejection(desk: Desk) -> None:
    order = desk.intend(OrderType.LIMIT)
    place_under(desk, order, QUANTITY * 3)

    execution.submit(order.id)
    reconciliation.reconcile(order.id)

    order = desk.fresh(order)
    assert order.status is OrderStatus.REJECTED
    assert "another order" in (order.reason or "")
    assert order.remedy


# -- delivered twice, held up, overtaken -----------------------------------------------------------------------


def test_a_task_that_redis_gives_out_again_after_its_visibility_time_out_does_nothing(desk: Desk) -> None:
    """The same task run twice after Redis' visibility time-out (spec 8)."""
    order = desk.submit()
    for _ in range(3):
        execution.submit(order.id)
    assert desk.received() == [order.client_order_id]
    assert desk.fresh(order).attempts == 1


def test_two_workers_that_get_the_same_task_at_once_place_one_order(desk: Desk) -> None:
    order = desk.intend()
    together = threading.Barrier(4)

    def work() -> None:
        with desk.another_worker():
            together.wait()
            execution.submit(order.id)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert desk.received() == [order.client_order_id]


@pytest.mark.parametrize("first_expires", [False, True])
def test_a_worker_that_was_stopped_until_another_had_placed_its_order_changes_nothing(
    desk: Desk, first_expires: bool
) -> None:
    order = still_wanted(desk, desk.intend())
    with desk.another_worker():
        mine = db.session.get_one(OrderRow, order.id)
        assert execution.take(mine)
        mine.picked_up_at = utc_now() - LATER  # the process stood still for so long
        db.session.commit()
        assert mine.broker.id == desk.broker_id  # read while it may be
        db.session.commit()
        with desk.another_worker():
            if first_expires:
                desk.write(order, expires_at=utc_now())
            reconciliation.reconcile(order.id)
            execution.submit(order.id)
            finish(desk, order)
            settled = desk.fresh(order).status

        execution.send(mine)

    assert settled is (OrderStatus.EXPIRED if first_expires else OrderStatus.FILLED)
    assert desk.fresh(order).status is settled
    assert desk.received() == ([] if first_expires else [order.client_order_id])


def test_a_search_that_is_overtaken_by_the_answer_gives_nothing_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = still_wanted(desk, desk.intend())
    with desk.another_worker():
        mine = db.session.get_one(OrderRow, order.id)
        assert execution.take(mine)
        mine.picked_up_at = utc_now() - LATER
        db.session.commit()
    meanwhile(desk, monkeypatch, lambda: desk.write(order, status=OrderStatus.OPEN, exchange_order_id="1"))

    reconciliation.reconcile(order.id)

    assert desk.fresh(order).status is OrderStatus.OPEN


def meanwhile(desk: Desk, monkeypatch: pytest.MonkeyPatch, deed: Callable[[], object]) -> None:
    """Have something done by another process while the exchange is asked for its fills."""
    client = exchange_class(desk.exchange)
    ask = client.fills

    def asked(*args: object, **fields: object) -> object:
        with desk.another_worker():
            deed()
        return ask(*args, **fields)  # type: ignore[arg-type]

    monkeypatch.setattr(client, "fills", asked)


def test_a_claim_is_not_written_to_the_exchange_after_its_time_and_is_released(desk: Desk) -> None:
    order = still_wanted(desk, desk.intend())
    mine = desk.fresh(order)
    assert execution.take(mine)
    mine.picked_up_at = utc_now() - execution.SEND_WITHIN
    db.session.commit()

    execution.send(mine)

    order = desk.fresh(order)
    assert order.status is OrderStatus.PENDING
    assert "nothing was sent" in (order.reason or "")
    assert desk.received() == []


def test_an_order_that_reaches_its_expiry_on_the_way_is_not_executed_stale(desk: Desk) -> None:
    mine = desk.fresh(desk.intend())
    assert execution.take(mine)
    mine.expires_at = utc_now()
    db.session.commit()

    execution.send(mine)
    execution.submit(mine.id)

    order = desk.fresh(mine)
    assert order.status is OrderStatus.EXPIRED
    assert desk.received() == []


def test_an_order_reported_from_the_exchange_is_not_sent_again_even_if_it_was_given_back(desk: Desk) -> None:
    order = desk.intend(OrderType.LIMIT)
    report = OrderReport("1", order.client_order_id, BTC, order.side, order.type, OrderStatus.OPEN)

    execution.book(desk.fresh(order), report, "the exchange answered late")
    execution.submit(order.id)

    assert desk.fresh(order).status is OrderStatus.OPEN
    assert desk.received() == []


# -- tried again -----------------------------------------------------------------------------------------------


def test_a_refusal_for_too_many_requests_is_tried_again_when_it_is_due_and_not_by_every_delivery(
    desk: Desk, redis_client: Redis
) -> None:
    desk.fault("place_order", "rate_limit", retry_after=7)
    order = still_wanted(desk, desk.submit())
    assert (order.status, order.attempts) == (OrderStatus.PENDING, 1)
    assert order.next_attempt_at is not None
    desk.write(order, next_attempt_at=utc_now() + LATER)

    execution.submit(order.id)
    assert desk.fresh(order).attempts == 1, "delivered again before its time"

    budget_returns(redis_client)
    desk.write(order, next_attempt_at=utc_now())
    execution.submit(order.id)
    finish(desk, order)
    assert (desk.fresh(order).status, desk.fresh(order).attempts) == (OrderStatus.FILLED, 2)
    assert desk.received() == [order.client_order_id]


def test_an_order_that_a_ban_outlasts_is_dropped_at_its_expiry_and_not_when_the_ban_ends(desk: Desk) -> None:
    desk.fault("place_order", "ban", retry_after=3600)
    order = desk.submit()
    assert order.status is OrderStatus.PENDING
    assert order.next_attempt_at is not None
    assert order.expires_at is not None
    assert order.next_attempt_at <= order.expires_at

    desk.write(order, expires_at=utc_now(), next_attempt_at=utc_now())
    execution.submit(order.id)

    assert desk.fresh(order).status is OrderStatus.EXPIRED


# -- cancelling ------------------------------------------------------------------------------------------------


def swept(redis_client: Redis, exchange: str) -> dict[str, int]:
    """What waits in the queues of an exchange after a sweep, by the queue's name."""
    reconciliation.sweep()
    names = (dispatch.orders_queue(exchange), dispatch.sync_queue(exchange))
    return {name: redis_client.llen(name) for name in names}  # type: ignore[misc]


@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "error_before", "error_after", "rate_limit"])
def test_a_cancellation_that_was_not_confirmed_is_tried_again_by_the_sweep(
    desk: Desk, kind: str, redis_client: Redis
) -> None:
    order = desk.submit(OrderType.LIMIT)
    desk.fault("cancel_order", kind)
    desk.fault("get_order", "error_before")
    orders.cancel(desk.fresh(order))
    execution.cancel(order.id)
    order = desk.fresh(order)
    assert (order.status, order.cancel_requested) == (OrderStatus.OPEN, True)

    redis_client.flushall()
    desk.age(order, LATER)
    assert swept(redis_client, desk.exchange)[dispatch.orders_queue(desk.exchange)] == 1
    for _ in range(4):
        execution.cancel(order.id)
        budget_returns(redis_client)
    finish(desk, order)

    assert desk.fresh(order).status is OrderStatus.CANCELED


def test_a_cancellation_whose_task_was_lost_is_picked_up_by_the_sweep(
    desk: Desk, redis_client: Redis
) -> None:
    """The wish was committed, and the process killed before it could dispatch the task."""
    order = desk.write(desk.submit(OrderType.LIMIT), cancel_requested=True)
    desk.age(order, LATER)
    redis_client.flushall()

    assert swept(redis_client, desk.exchange)[dispatch.orders_queue(desk.exchange)] == 1
    execution.cancel(order.id)

    assert desk.fresh(order).status is OrderStatus.CANCELED


def test_an_order_cancelled_while_it_was_in_doubt_is_not_sent_when_it_is_proven_absent(desk: Desk) -> None:
    desk.fault("place_order", "reset_before")
    order = desk.submit()
    orders.cancel(order)
    execution.cancel(order.id)
    after_the_window(desk, order)

    reconciliation.reconcile(order.id)
    execution.submit(order.id)

    assert desk.fresh(order).status is OrderStatus.CANCELED
    assert desk.received() == []


def test_a_cancellation_that_comes_as_a_worker_claims_the_order_does_not_hide_what_is_sent(
    desk: Desk, redis_client: Redis
) -> None:
    seen_by_the_page = desk.intend(OrderType.LIMIT)
    with desk.another_worker():
        execution.submit(seen_by_the_page.id)
    assert seen_by_the_page.status is OrderStatus.PENDING, "as it was when the page was loaded"

    orders.cancel(seen_by_the_page)

    order = desk.fresh(seen_by_the_page)
    assert (order.status, order.cancel_requested) == (OrderStatus.OPEN, True)
    execution.cancel(order.id)
    assert desk.fresh(order).status is OrderStatus.CANCELED


# -- the sweep -------------------------------------------------------------------------------------------------


def test_a_row_that_nobody_settles_waits_once_in_the_queue_however_often_it_is_swept(
    open_desk: OpenDesk, redis_client: Redis
) -> None:
    desk = open_desk("binance")
    desk.age(desk.intend(), LATER)
    desk.fault("place_order", "reset_before")
    in_doubt = desk.age(desk.submit(), LATER)
    redis_client.flushall()

    first = swept(redis_client, "binance")
    again = swept(redis_client, "binance")
    assert first == again == {"orders.binance": 1, "sync.binance": 1}

    redis_client.flushall()
    assert swept(redis_client, "binance") == first, "what is lost with Redis is sent again"
    assert desk.fresh(in_doubt).status is OrderStatus.SUBMITTED


def test_open_orders_are_asked_for_at_once_where_that_is_cheaper_than_market_by_market(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    markets = {"BTC/USDT": Decimal(30_000), "ETH/USDT": Decimal(1_000)}
    for symbol, price in markets.items():
        desk.write(order := desk.intend(OrderType.LIMIT), symbol=symbol, price=price)
        execution.submit(order.id)
    client = exchange_class(desk.exchange)
    ask, asked = client.open_orders, list[str | None]()

    def listening(self: Exchange, symbol: str | None = None) -> list[OrderReport]:
        asked.append(symbol)
        return ask(self, symbol)

    monkeypatch.setattr(client, "open_orders", listening)
    reconciliation.sync_open(desk.broker_id)

    at_once = capabilities(desk.exchange).all_open_orders_from <= len(markets)
    assert asked == ([None] if at_once else sorted(markets))
    assert len(desk.received()) == len(markets)
