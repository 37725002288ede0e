"""Percentiles of how long orders took, ranked by either database."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import timedelta

import pytest
from flask import Flask

from app.domain.accounts import Credential, Environment
from app.domain.orders import OrderStatus, OrderType, Side
from app.exchanges import NAMES
from app.extensions import db
from app.models import Broker, OrderOrigin, OrderRole, OrderRow, utc_now
from app.services import alert_figures, brokers, users
from app.services.alert_figures import Latency
from tests.fixtures.app import PASSWORD, AppFactory

DAY = timedelta(days=1)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def broker(request: pytest.FixtureRequest, make_app: AppFactory) -> Iterator[Broker]:
    """A broker on either database, its application's context entered."""
    environ = {"DATABASE_URL": request.getfixturevalue("postgres_url")} if request.param != "sqlite" else {}
    app: Flask = make_app(**environ)
    with app.app_context():
        yield brokers.add(
            users.sign_up("ada@example.org", PASSWORD),
            name="main",
            exchange=NAMES[0],
            environment=Environment.SANDBOX,
            credential=Credential("key", "secret"),
        )


def _placed_after(broker: Broker, milliseconds: Iterable[float], **changed: object) -> None:
    """Let an order have been acknowledged each so long after its alert came."""
    received_at = utc_now().replace(microsecond=0) - timedelta(hours=1)
    for each in milliseconds:
        order = OrderRow(
            user_id=broker.user_id,
            broker_id=broker.id,
            role=OrderRole.ENTRY,
            origin=OrderOrigin.ALERT,
            symbol="BTC/USDT",
            side=Side.BUY,
            type=OrderType.MARKET,
            status=OrderStatus.FILLED,
            received_at=received_at,
            acknowledged_at=received_at + timedelta(milliseconds=each),
        )
        for name, value in changed.items():
            setattr(order, name, value)
        db.session.add(order)
    db.session.commit()


def _latency(broker: Broker) -> Latency:
    return alert_figures.since(broker.user, utc_now() - DAY).latency


def test_a_percentile_is_the_least_time_that_so_many_percent_do_not_exceed(broker: Broker) -> None:
    assert _latency(broker) == Latency(0, None, None, None)
    times = list(range(1, 102))
    random.Random(1).shuffle(times)
    there = 0
    for number in (1, 2, 3, 19, 20, 100, 101):
        _placed_after(broker, times[there:number])
        there = number
        ordered = sorted(times[:number])
        wanted = [ordered[-(-number * percent // 100) - 1] for percent in (50, 95, 99)]
        assert _latency(broker) == Latency(number, *wanted)


def test_only_what_an_alert_had_placed_counts_in_whole_milliseconds(broker: Broker) -> None:
    _placed_after(broker, [12.4])
    _placed_after(broker, [900.0], role=OrderRole.PROTECTION)
    _placed_after(broker, [900.0], origin=OrderOrigin.TICKET)
    _placed_after(broker, [900.0], received_at=utc_now() - 2 * DAY)
    _placed_after(broker, [900.0], acknowledged_at=None)
    assert _latency(broker) == Latency(1, 12, 12, 12)
