"""The charts of the pages say what happened: by day in the person's zone, by asset, by how long it took."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.extensions import db
from app.models import Broker, OrderRow, Position, PositionStatus, User
from app.web import calendars, drawing
from tests.fixtures.app import AppFactory
from tests.fixtures.history import History
from tests.web.test_every_page import counted_queries


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def app(request: pytest.FixtureRequest, make_app: AppFactory) -> Flask:
    """The application on either database."""
    environ = {"DATABASE_URL": request.getfixturevalue("postgres_url")} if request.param != "sqlite" else {}
    return make_app(**environ)


def close_one(user: User, broker_id: int, at: datetime, realised: str, symbol: str = "BTC/USDT") -> None:
    db.session.add(
        Position(
            user_id=user.id,
            broker_id=broker_id,
            symbol=symbol,
            status=PositionStatus.CLOSED,
            quantity=Decimal(0),
            bought=Decimal(1),
            cost=Decimal(0),
            realised=Decimal(realised),
            fees=Decimal(0),
            closed_at=at,
        )
    )
    db.session.commit()


def cells(text: str) -> dict[int, str]:
    found = re.findall(r'<span class="date">(\d+)</span><span class="amount">([^<]+)</span>', text)
    return {int(day): amount for day, amount in found}


def test_what_was_earned_stands_on_the_day_of_the_persons_own_zone(
    app: Flask, browser: FlaskClient, user: User, history: History
) -> None:
    with app.app_context():
        close_one(user, history.broker_id, datetime(2026, 2, 10, 12, tzinfo=UTC), "100.25")
        close_one(user, history.broker_id, datetime(2026, 2, 10, 23, 30, tzinfo=UTC), "-40.5")
        close_one(user, history.broker_id, datetime(2026, 2, 28, 23, 30, tzinfo=UTC), "7")
        close_one(user, history.broker_id, datetime(2026, 2, 11, 1, tzinfo=UTC), "3", symbol="BTC/PLN")

    in_utc = browser.get("/performance?month=2026-02").text
    browser.set_cookie("zone", "Asia/Tokyo")
    in_tokyo = browser.get("/performance?month=2026-02").text

    assert cells(in_utc) == {10: "+59.75", 11: "0.00", 28: "+7.00"}
    assert cells(in_tokyo) == {10: "+100", 11: "−40.50"}
    assert "without PLN: no USD price" in in_utc
    assert "Earned in February 2026" in in_utc
    assert 'href="/performance?month=2026-01"' in in_utc
    assert cells(browser.get("/performance?month=2026-03").text) == {1: "+7.00"}
    for nonsense in ("0001-01", "9999-99", "-", "2026-1", "x" * 400):
        assert browser.get(f"/performance?month={nonsense}").status_code == 200


def test_the_way_from_an_alert_to_the_wire_is_counted_into_bars(
    app: Flask, browser: FlaskClient, history: History
) -> None:
    with app.app_context():
        order = db.session.get_one(OrderRow, history.filled_order_id)
        assert order.received_at is not None
        order.sent_at = order.received_at + timedelta(milliseconds=30)
        db.session.commit()
    text = browser.get("/performance").text
    bars = dict(re.findall(r'<td class="key"[^>]*>([^<]*ms)</td><td class="num"[^>]*>(\d+)</td>', text))
    assert bars["20–50 ms"] == "1"
    assert sum(map(int, bars.values())) == 1


def test_what_is_held_is_shared_out_by_asset_and_by_broker(browser: FlaskClient, history: History) -> None:
    text = browser.get("/").text
    shares = re.findall(r'<span>([^<]+)</span><span class="num">([\d.]+) %</span>', text)
    assert shares == [("BTC", "71.4"), ("USDT", "28.6"), ("Practice 1", "100")]


def test_pages_ask_as_often_for_a_hundred_rows_as_for_one(
    app: Flask, browser: FlaskClient, user: User, history: History
) -> None:
    paths = ("/", "/performance", "/balances/")

    def asked() -> list[int]:
        numbers = []
        for path in paths:
            with counted_queries(app) as statements:
                assert browser.get(path).status_code == 200
            numbers.append(len(statements))
        return numbers

    browser.get("/")  # the rules of the markets are read once
    before = asked()
    with app.app_context():
        broker = db.session.get_one(Broker, history.broker_id)
        for number in range(100):
            close_one(user, broker.id, datetime.now(UTC), "1", symbol=f"A{number}/USDT")
            position = db.session.get_one(Position, history.position_ids[0])
            db.session.add(_like(position, f"B{number}/USDT"))
            db.session.add(_order_like(db.session.get_one(OrderRow, history.open_order_id)))
        db.session.commit()
    assert asked() == before


def _like(position: Position, symbol: str) -> Position:
    names = ("user_id", "broker_id", "quantity", "bought", "cost", "realised", "fees", "stop_loss")
    return Position(symbol=symbol, **{name: getattr(position, name) for name in names})


def _order_like(order: OrderRow) -> OrderRow:
    names = ("user_id", "broker_id", "origin", "symbol", "side", "type", "quantity", "price", "status")
    return OrderRow(**{name: getattr(order, name) for name in names})


def test_a_line_is_interrupted_where_nothing_is_known() -> None:
    one, two, four = (Decimal(number) for number in (1, 2, 4))
    assert len(drawing.lines([one, two, None, four, two])) == 2
    assert drawing.lines([None, one, None]) == []
    assert drawing.lines([one, one]) == ["2.0,12.0 94.0,12.0"]


def test_amounts_in_a_calendar_are_short_and_keep_their_sign(app: Flask) -> None:
    amounts = ("0", "0.004", "-12.346", "1234", "-56789", "12345678")
    with app.test_request_context():
        shown = [calendars.short(Decimal(amount)) for amount in amounts]
    assert shown == ["0.00", "+0.00", "−12.35", "+1,234", "−56.8k", "+12.3M"]
