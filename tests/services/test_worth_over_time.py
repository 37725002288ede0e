"""The worth of accounts is kept over time: exact, thinned as it ages, and quick to read after years."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import event, func, select

from app.domain.accounts import Balance
from app.domain.history import Grain
from app.extensions import db
from app.models import BalancePoint, BalanceRow, Broker, EquityPoint, User, utc_now
from app.services import balances, history
from tests.fixtures.app import MakeBroker, MakeUser

PRICES = {"BTC/USDT": Decimal("50000.123456789")}
DAY = timedelta(days=1)


@pytest.fixture
def user(make_user: MakeUser) -> User:
    return make_user()


@pytest.fixture
def pair(app: Flask, user: User, make_broker: MakeBroker) -> Iterator[tuple[Broker, Broker]]:
    made = make_broker(user), make_broker(user)
    with app.app_context():
        yield db.session.get_one(Broker, made[0].id), db.session.get_one(Broker, made[1].id)


@pytest.fixture
def broker(pair: tuple[Broker, Broker]) -> Broker:
    return pair[0]


@contextmanager
def counted() -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    yield statements
    event.remove(db.engine, "before_cursor_execute", note)


def hold(broker: Broker, prices: dict[str, Decimal] | None = None, **amounts: str) -> None:
    held = {
        asset: Balance(asset, Decimal(amount), Decimal(0), Decimal(amount))
        for asset, amount in amounts.items()
    }
    balances.store(broker, held, PRICES if prices is None else prices, asked_at=utc_now())


def test_a_sync_keeps_what_everything_is_worth_to_the_last_digit_once_a_quarter_of_an_hour(
    broker: Broker, user: User
) -> None:
    for _ in range(3):
        hold(broker, USDT="0.1", BTC="0.3", XYZ="7")
    (point,) = db.session.scalars(select(EquityPoint)).all()
    assert (point.usd, point.unpriced, point.grain) == (Decimal("15000.1370370367"), 1, Grain.DAY)
    kept = {row.asset: (row.total, row.usd) for row in db.session.scalars(select(BalancePoint))}
    assert kept == {
        "USDT": (Decimal("0.1"), Decimal("0.1")),
        "BTC": (Decimal("0.3"), Decimal("15000.0370370367")),
        "XYZ": (Decimal(7), None),
    }
    course = history.of_equity(user, DAY, [])
    assert [(worth.usd, worth.unpriced) for worth in course.curve] == [(point.usd, 1)]
    assert course.day_ago is None


def live_through(broker: Broker, start: datetime, end: datetime, every: timedelta) -> None:
    """Note the worth of a quarter of a bitcoin and of some dust, as the syncs of that time would have."""
    rows = [
        BalanceRow(asset="BTC", total=Decimal("0.25"), usd_value=Decimal(10000)),
        BalanceRow(asset="DUST", total=Decimal(3), usd_value=Decimal("0.02")),
    ]
    while start < end:
        history.note(broker, rows, start)
        start += every
    db.session.commit()


def test_years_of_history_stay_small_and_are_read_by_few_questions(broker: Broker, user: User) -> None:
    now = utc_now()
    live_through(broker, now - timedelta(days=400), now - timedelta(days=34), DAY)
    live_through(broker, now - timedelta(days=34), now - 2 * DAY, timedelta(minutes=55))
    live_through(broker, now - 2 * DAY, now, timedelta(minutes=14))

    points = {
        grain: db.session.scalar(select(func.count(EquityPoint.id)).where(EquityPoint.grain == grain)) or 0
        for grain in Grain
    }
    assert 399 <= points[Grain.DAY] <= 401
    assert 700 <= points[Grain.HOUR] <= 32 * 24
    assert 100 <= points[Grain.QUARTER] <= 3 * 96
    of_dust = select(func.count(BalancePoint.id)).where(BalancePoint.asset == "DUST")
    assert db.session.scalar(of_dust) == points[Grain.DAY]
    for days, most, least in ((1, 98, 90), (7, 170, 160), (30, 722, 700), (365, 366, 360)):
        with counted() as statements:
            curve = history.of_equity(user, timedelta(days=days), []).curve
            asset = history.of_asset(broker, "BTC", timedelta(days=days), None)
        assert least <= len(curve) <= most
        assert least <= len(asset) <= most
        assert len(statements) == 3
        assert {worth.usd for worth in curve} == {Decimal("10000.02")}


def test_several_accounts_add_up_from_the_first_point_on(pair: tuple[Broker, Broker], user: User) -> None:
    at = utc_now().replace(minute=1) - timedelta(hours=30)
    for index in range(60):
        for each, usd in zip(pair, (Decimal(100), Decimal(11)), strict=True):
            moment = at + timedelta(minutes=30 * index, seconds=each.id)
            history.note(each, [BalanceRow(asset="USDT", total=usd, usd_value=usd)], moment)
    db.session.commit()

    course = history.of_equity(user, timedelta(hours=20), [])
    assert {worth.usd for worth in course.curve} == {Decimal(111)}
    assert course.day_ago is not None
    assert course.day_ago.usd == 111


def test_a_price_that_is_missing_is_missing_and_not_nothing(broker: Broker) -> None:
    at = datetime(2026, 5, 1, tzinfo=UTC)
    priced = BalanceRow(asset="BTC", total=Decimal(1), usd_value=Decimal(50000))
    history.note(broker, [priced], at)
    history.note(broker, [BalanceRow(asset="BTC", total=Decimal(1), usd_value=None)], at + DAY)
    db.session.commit()

    points = db.session.scalars(select(BalancePoint).order_by(BalancePoint.at)).all()
    assert [point.usd for point in points] == [Decimal(50000), None]
    totals = db.session.scalars(select(EquityPoint).order_by(EquityPoint.at)).all()
    assert [total.unpriced for total in totals] == [0, 1]
