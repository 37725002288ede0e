"""What programs are told of alerts and positions: whole, in pages, of the caller alone, and at little cost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import update
from werkzeug.test import TestResponse

from app.domain.alerts import AlertStatus
from app.domain.orders import OrderStatus, OrderType, Side
from app.extensions import db
from app.models import Alert, FillRow, OrderOrigin, OrderRole, OrderRow, User, utc_now
from app.services import tokens
from app.services.tokens import Scope
from tests.fixtures.app import MakeBroker, MakeUser
from tests.fixtures.history import History
from tests.web.test_every_page import counted_queries

Ask = Callable[..., TestResponse]


@pytest.fixture
def ask(app: Flask) -> Ask:
    """Ask the API as a person's program that may only look."""
    tokens_of: dict[int, str] = {}

    def get(user: User, path: str) -> TestResponse:
        with app.app_context():
            if user.id not in tokens_of:
                _, tokens_of[user.id] = tokens.create(user, "bot", [Scope.READ], days=1)
        headers = {"Authorization": f"Bearer {tokens_of[user.id]}"}
        return app.test_client().get(f"/api/v1{path}", headers=headers)

    return get


def _ids(answer: TestResponse, rows: str = "alerts") -> list[int]:
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.get_json()[rows]]


def test_alerts_come_newest_first_and_in_pages(ask: Ask, user: User, history: History) -> None:
    newest_first = list(reversed(history.alert_ids))
    whole = ask(user, "/alerts").get_json()
    assert [row["id"] for row in whole["alerts"]] == newest_first
    assert (whole["page"], whole["per_page"], whole["pages"], whole["total"]) == (1, 20, 1, 4)
    second = ask(user, "/alerts?per_page=3&page=2").get_json()
    assert [row["id"] for row in second["alerts"]] == newest_first[3:]
    assert (second["pages"], second["total"]) == (2, 4)
    assert ask(user, "/alerts?page=9").get_json()["alerts"] == []
    assert _ids(ask(user, "/alerts/recent?limit=2")) == newest_first[:2]


def test_an_alert_in_a_list_says_what_it_asked_for_and_which_order_came_of_it(
    ask: Ask, user: User, history: History
) -> None:
    by_id = {row["id"]: row for row in ask(user, "/alerts").get_json()["alerts"]}
    acted_on, broken, *_, repeated = (by_id[alert_id] for alert_id in history.alert_ids)
    assert (acted_on["action"], acted_on["symbol"], acted_on["percent"]) == ("BuyMarket", "BTCUSDT", "10")
    assert (acted_on["source"], acted_on["broker"]) == ("EMA cross", "Practice 1")
    assert acted_on["order_id"] == history.filled_order_id
    assert datetime.fromisoformat(acted_on["received_at"]).utcoffset() == timedelta(0)
    assert (broken["status"], broken["action"], broken["price"], broken["order_id"]) == (
        "ERROR",
        None,
        None,
        None,
    )
    assert repeated["duplicate_of"] == acted_on["id"]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("status=error", [1]),
        ("status=PROCESSED&action=buymarket", [0]),
        ("action=PING", []),
        ("broker_id={broker}&source_id={source}", [0, 1, 2, 3]),
        ("period=24h", [0, 1, 2, 3]),
        ("since=2100-01-01T00:00:00Z", []),
        ("until=2100-01-01", [0, 1, 2, 3]),
        ("since=2000-01-01T00:00:00%2B02:00&until=2001-01-01T00:00:00Z", []),
    ],
)
def test_alerts_are_filtered(ask: Ask, user: User, history: History, query: str, places: list[int]) -> None:
    query = query.format(broker=history.broker_id, source=history.source_id)
    assert sorted(_ids(ask(user, f"/alerts?{query}"))) == [history.alert_ids[place] for place in places]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("per_page=101", "per_page"),
        ("per_page=many", "per_page"),
        ("broker_id=x", "broker_id"),
        ("source_id=99999999999999999999", "source_id"),
        ("status=DONE", "status"),
        ("action=HODL", "action"),
        ("period=1y", "period"),
        ("period=24h&since=2026-01-01", "period"),
        ("since=yesterday", "since"),
        ("since=0001-01-01T00:00:00%2B14:00", "since"),
        ("until=9999-12-31T23:59:59-14:00", "until"),
        ("since=2026-01-02&until=2026-01-01", "until"),
        ("colour=red", "colour"),
    ],
)
def test_a_query_that_means_nothing_is_refused_naming_what_is_wrong(
    ask: Ask, user: User, query: str, field: str
) -> None:
    answer = ask(user, f"/alerts?{query}")
    assert answer.status_code == 422
    assert list(answer.get_json()["fields"]) == [field]
    assert answer.get_json()["remedy"]


def test_one_alert_is_told_whole(ask: Ask, user: User, history: History) -> None:
    told = ask(user, f"/alerts/{history.alert_ids[0]}").get_json()
    assert told["body"].startswith('{"action": "BuyMarket"')
    assert told["signal"]["extras"] == {"strategy": "ema"}
    assert [order["id"] for order in told["orders"]] == [history.filled_order_id]
    assert (told["orders"][0]["quantity"], told["orders"][0]["status"]) == ("0.01", "FILLED")
    assert told["timeline"]["hops"][0]["name"] == "received"
    undecided = ask(user, f"/alerts/{history.alert_ids[2]}").get_json()
    assert (undecided["processed_at"], undecided["orders"]) == (None, [])


def test_one_alert_tells_where_it_is_at_fault_and_which_others_its_delivery_made(
    app: Flask, ask: Ask, user: User, history: History
) -> None:
    first = history.alert_ids[0]
    with app.app_context():
        like = db.session.get_one(Alert, first)
        other = _alert_like(like, status=AlertStatus.DENIED, delivery_id=first)
        db.session.add(other)
        db.session.commit()
    assert ask(user, f"/alerts/{first}").get_json()["same_delivery"] == [other.id]
    assert ask(user, f"/alerts/{other.id}").get_json()["same_delivery"] == [first]
    broken = ask(user, f"/alerts/{history.alert_ids[1]}").get_json()
    assert (broken["fault"], broken["signal"]) == ({"line": 1, "column": 9}, None)


@pytest.mark.parametrize("number", [0, 999_999, 2**63, 10**30])
def test_an_id_that_no_row_can_have_is_not_found(ask: Ask, user: User, number: int) -> None:
    assert ask(user, f"/alerts/{number}").status_code == 404
    assert ask(user, f"/positions/{number}").status_code == 404


def test_the_figures_tell_success_errors_and_how_long_orders_took(
    app: Flask, ask: Ask, user: User, make_broker: MakeBroker, history: History
) -> None:
    _received(app, history, {AlertStatus.PROCESSED: 6, AlertStatus.DENIED: 1, AlertStatus.ERROR: 1})
    _placed_after(app, history, range(1, 101), age=timedelta(days=3))
    stats = ask(user, "/alerts/stats").get_json()
    day, week = stats["24h"], stats["7d"]
    assert day["by_status"] == {"PROCESSED": 7, "ERROR": 2, "RECEIVED": 1, "DUPLICATE": 1, "DENIED": 1}
    assert (day["total"], day["errors"], day["success_rate"]) == (12, 2, 70.0)
    assert day["latency_ms"]["orders"] == 1
    assert week["latency_ms"]["orders"] == 101
    assert abs(week["latency_ms"]["p50"] - 51) <= 1
    assert abs(week["latency_ms"]["p95"] - 96) <= 1
    assert stats["30d"] == week
    other = make_broker(user)
    nothing = ask(user, f"/alerts/stats?broker_id={other.id}").get_json()["24h"]
    assert (nothing["total"], nothing["success_rate"], nothing["latency_ms"]["p99"]) == (0, None, None)


def test_positions_tell_how_they_stand(ask: Ask, user: User, history: History) -> None:
    held, naked, over = history.position_ids
    assert _ids(ask(user, "/positions"), "positions") == [over, naked, held]
    assert _ids(ask(user, "/positions?status=closed"), "positions") == [over]
    assert _ids(ask(user, "/positions?symbol=eth/usdt&per_page=1&page=2"), "positions") == [naked]
    assert _ids(ask(user, "/positions/open"), "positions") == [naked, held]
    told = ask(user, f"/positions/{held}").get_json()
    assert (told["side"], told["quantity"], told["current_price"]) == ("LONG", "0.00999", "50000")
    assert (told["unrealised"], told["stop_loss"], told["trailing_percent"]) == ("-0.5", "48000", "4")
    assert [target["status"] for target in told["take_profits"]] == ["WAITING", "TAKEN"]
    assert [order["id"] for order in told["orders"]] == list(history.order_ids[:2])
    assert [fill["trade_id"] for fill in told["fills"]] == ["t1"]
    assert ask(user, f"/positions/{naked}").get_json()["unrealised"] is None


def test_a_position_tells_the_fees_that_are_in_none_of_its_amounts(
    app: Flask, ask: Ask, user: User, history: History
) -> None:
    path = f"/positions/{history.position_ids[0]}"
    assert ask(user, path).get_json()["fees_left_out"] == {}

    with app.app_context():
        db.session.execute(update(FillRow).values(fee=Decimal("0.00075"), fee_asset="BNB"))
        db.session.commit()

    assert ask(user, path).get_json()["fees_left_out"] == {"BNB": "0.00075"}


def test_positions_are_summed_for_each_quote_asset(ask: Ask, user: User, history: History) -> None:
    summary = ask(user, "/positions/summary").get_json()
    assert (summary["open"], summary["alarms"]) == (2, 1)
    assert summary["by_quote"] == [
        {
            "quote": "USDT",
            "positions": 2,
            "cost": "1000",
            "unrealised": "-0.5",
            "realised": "0",
            "fees": "1",
            "unpriced": 1,
        }
    ]


def test_another_persons_ids_do_not_exist(ask: Ask, history: History, make_user: MakeUser) -> None:
    stranger = make_user()
    for path in (
        f"/alerts/{history.alert_ids[0]}",
        f"/alerts?broker_id={history.broker_id}",
        f"/alerts?source_id={history.source_id}",
        f"/alerts/stats?broker_id={history.broker_id}",
        f"/positions/{history.position_ids[0]}",
        f"/positions?broker_id={history.broker_id}",
        f"/positions/open?broker_id={history.broker_id}",
        f"/positions/summary?broker_id={history.broker_id}",
    ):
        assert ask(stranger, path).status_code == 404, path
    assert ask(stranger, "/alerts").get_json()["total"] == 0
    assert ask(stranger, "/positions").get_json()["total"] == 0


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/alerts", 4),
        ("/alerts/recent", 3),
        ("/alerts/{alert}", 6),
        ("/alerts/stats", 7),
        ("/positions", 5),
        ("/positions/open", 4),
        ("/positions/summary", 4),
        ("/positions/{position}", 7),
    ],
)
def test_a_call_asks_the_database_little_however_many_rows_there_are(
    app: Flask, ask: Ask, user: User, history: History, path: str, most: int
) -> None:
    path = path.format(alert=history.alert_ids[0], position=history.position_ids[0])
    ask(user, path)  # notes the token's use and reads the markets, once
    with counted_queries(app) as statements:
        assert ask(user, path).status_code == 200
    assert len(statements) <= most, "\n".join(statements)


def _received(app: Flask, history: History, numbers: dict[AlertStatus, int]) -> None:
    """Let so many more alerts of each status have come."""
    with app.app_context():
        like = db.session.get_one(Alert, history.alert_ids[0])
        for status, number in numbers.items():
            db.session.add_all(_alert_like(like, status=status) for _ in range(number))
        db.session.commit()


def _alert_like(like: Alert, **changed: Any) -> Alert:
    names = ("user_id", "source_id", "broker_id", "body", "content_type", "sender", "fingerprint")
    same = {name: getattr(like, name) for name in (*names, "received_at", "expires_at")}
    return Alert(**{**same, **changed})


def _placed_after(app: Flask, history: History, milliseconds: range, *, age: timedelta) -> None:
    """Let an order have been acknowledged each so many milliseconds after its alert had come."""
    received_at = utc_now() - age
    with app.app_context():
        alert = db.session.get_one(Alert, history.alert_ids[0])
        db.session.add_all(
            OrderRow(
                user_id=alert.user_id,
                broker_id=alert.broker_id,
                alert_id=alert.id,
                role=OrderRole.ENTRY,
                origin=OrderOrigin.ALERT,
                symbol="BTC/USDT",
                side=Side.BUY,
                type=OrderType.MARKET,
                status=OrderStatus.FILLED,
                received_at=received_at,
                acknowledged_at=received_at + timedelta(milliseconds=each),
            )
            for each in milliseconds
        )
        db.session.commit()
