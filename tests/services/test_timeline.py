"""Whose time each step of an order was."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.domain.orders import OrderStatus, OrderType
from app.models import Alert, OrderRow
from app.services import timeline
from app.services.timeline import Owner

START = datetime(2026, 1, 1, tzinfo=UTC)


def _at(milliseconds: float) -> datetime:
    return START + timedelta(milliseconds=milliseconds)


def _ticket_order(**stamps: float) -> OrderRow:
    order = OrderRow(type=OrderType.LIMIT, status=OrderStatus.FILLED)
    for name, milliseconds in stamps.items():
        setattr(order, name, _at(milliseconds))
    return order


def test_the_wait_in_the_market_is_written_and_in_no_total() -> None:
    order = _ticket_order(
        received_at=0,
        created_at=1,
        queued_at=2,
        picked_up_at=4,
        sent_at=5,
        acknowledged_at=25,
        closed_at=90_025,
    )
    way = timeline.of(order)
    assert [hop.name for hop in way.hops] == [
        "received",
        "stored",
        "queued",
        "picked_up",
        "sent",
        "acknowledged",
        "filled",
    ]
    assert (way.ours_ms, way.exchange_ms, way.total_ms) == (5, 20, 25)
    assert (way.hops[-1].ms, way.hops[-1].owner) == (90_000, Owner.MARKET)


def test_an_alerts_order_begins_with_the_delivery_and_was_stored_before_it_was_decided() -> None:
    order = _ticket_order(
        received_at=0, created_at=7, queued_at=3, picked_up_at=8, sent_at=9, acknowledged_at=20, closed_at=21
    )
    order.type = OrderType.MARKET
    order.alert = Alert(received_at=_at(0), picked_up_at=_at(5))
    way = timeline.of(order)
    reached = {hop.name: (hop.at - START) / timedelta(milliseconds=1) for hop in way.hops}
    assert reached == {
        "received": 0,
        "stored": 3,
        "queued": 3,
        "picked_up": 5,
        "sent": 9,
        "acknowledged": 20,
        "filled": 21,
    }
    assert (way.ours_ms, way.exchange_ms) == (10, 11)


def test_a_refusal_by_the_exchange_is_the_exchanges_time() -> None:
    order = _ticket_order(received_at=0, created_at=1, queued_at=2, picked_up_at=3, sent_at=4, closed_at=30)
    order.status = OrderStatus.REJECTED
    assert timeline.of(order).hops[-1].name == "rejected"
    assert timeline.of(order).exchange_ms == 26


def test_the_wait_for_a_look_up_is_ours_and_nobody_knows_the_exchanges_share() -> None:
    order = _ticket_order(
        received_at=0, created_at=1, queued_at=2, picked_up_at=4, sent_at=5, found_at=30_005, closed_at=30_006
    )
    order.type = OrderType.MARKET
    way = timeline.of(order)
    assert [hop.name for hop in way.hops][-3:] == ["sent", "found", "filled"]
    assert way.exchange_ms is None
    assert way.ours_ms == way.total_ms == 30_006


def test_an_order_tried_again_tells_the_last_try_and_that_it_was_queued_again() -> None:
    order = _ticket_order(
        received_at=0, created_at=1, queued_at=7_000, picked_up_at=7_001, sent_at=7_002, acknowledged_at=7_022
    )
    order.attempts = 2
    way = timeline.of(order)
    again = next(hop for hop in way.hops if hop.name == "queued_again")
    assert (again.ms, again.owner) == (6_999, Owner.OURS)
    assert way.exchange_ms == 20


def test_an_order_that_was_never_answered_has_no_share_of_the_exchange() -> None:
    order = _ticket_order(
        received_at=0, created_at=1, queued_at=2, picked_up_at=3, sent_at=4, closed_at=60_000
    )
    order.status = OrderStatus.EXPIRED
    assert timeline.of(order).exchange_ms is None


def test_an_order_that_never_left_has_no_share_of_the_exchange() -> None:
    order = _ticket_order(received_at=0, created_at=1, queued_at=2, closed_at=9)
    order.status = OrderStatus.DENIED
    assert timeline.of(order).exchange_ms is None
    assert timeline.of(order).total_ms == 9


def test_a_timeline_is_plain_json() -> None:
    told = json.loads(json.dumps(timeline.of(_ticket_order(received_at=0, created_at=1.5)).as_json()))
    assert told["hops"][1] == {
        "name": "stored",
        "at": "2026-01-01T00:00:00.001500+00:00",
        "start_ms": 0.0,
        "ms": 1.5,
        "owner": "ours",
    }


@given(st.lists(st.none() | st.integers(0, 10_000), min_size=7, max_size=7))
def test_no_step_takes_negative_time_whatever_clocks_say(stamps: list[int | None]) -> None:
    names = ("created_at", "queued_at", "picked_up_at", "sent_at", "acknowledged_at", "found_at", "closed_at")
    given_stamps = {name: stamp for name, stamp in zip(names, stamps, strict=True) if stamp is not None}
    way = timeline.of(_ticket_order(**{"received_at": 0, "created_at": 0, **given_stamps}))
    assert all(hop.ms >= 0 for hop in way.hops)
    assert way.total_ms == way.ours_ms + (way.exchange_ms or 0)
    assert [hop.at for hop in way.hops] == sorted(hop.at for hop in way.hops)
