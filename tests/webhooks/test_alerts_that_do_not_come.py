"""Silence where alerts are expected, and gaps between numbered ones, are recorded once each."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import update

from app.extensions import db
from app.models import Alert, User, utc_now
from app.services import events, misses, sources
from app.services.events import Topic
from app.services.sources import SourceSettings
from tests.fixtures.app import LogIn
from tests.webhooks.conftest import Line, MakeLine

HOURLY = SourceSettings(heartbeat_seconds=3600, duplicate_window=0)
NUMBERED = SourceSettings(numbered=True, duplicate_window=0)


def _look(app: Flask) -> int:
    with app.app_context():
        return misses.look()


def _later(line: Line, **passed: float) -> None:
    """Let time pass: everything that is noted happened so much earlier."""
    before = timedelta(**passed)
    with line.app.app_context():
        for alert in db.session.query(Alert):
            alert.received_at -= before
        source = db.session.get_one(sources.Source, line.source_id)
        source.heard_at = None if source.heard_at is None else source.heard_at - before
        source.missed_at = None if source.missed_at is None else source.missed_at - before
        db.session.commit()


def _misses(line: Line) -> list[str]:
    return [alert.reason or "" for alert in line.alerts() if alert.status == "MISS"]


def test_a_silence_longer_than_the_heartbeat_is_recorded_once_until_it_is_heard_again(
    app: Flask, make_line: MakeLine
) -> None:
    line = make_line(settings=HOURLY)
    line.send("action=PING")
    assert _look(app) == 0

    _later(line, minutes=61)
    assert _look(app) == 1
    assert _look(app) == 0
    _later(line, hours=5)
    assert _look(app) == 0

    line.send("action=PING")
    assert _look(app) == 0
    _later(line, minutes=61)
    assert _look(app) == 1
    assert len(_misses(line)) == 2
    assert all("every 3600 s" in reason for reason in _misses(line))


def test_a_source_that_never_said_anything_is_missed_as_well(app: Flask, make_line: MakeLine) -> None:
    line = make_line(settings=HOURLY)
    assert _look(app) == 0
    _later(line, minutes=61)
    assert _look(app) == 1
    (alert,) = line.alerts()
    assert (alert.action, alert.status, alert.body) == ("MISS", "MISS", "")
    assert alert.processed_at is not None


def test_any_delivery_counts_as_heard_even_one_that_is_not_understood(
    app: Flask, make_line: MakeLine
) -> None:
    line = make_line(settings=HOURLY)
    _later(line, minutes=50)
    line.send("gibberish")
    _later(line, minutes=50)
    assert _look(app) == 0


def test_a_stranger_who_is_denied_at_the_door_is_not_the_sender(
    app: Flask, trader: User, make_line: MakeLine
) -> None:
    guarded = replace(HOURLY, senders=("203.0.113.0/24",))
    line = make_line(settings=guarded, secret="correct horse")
    _later(line, minutes=50)
    assert line.send("action=PING").status_code == 403
    assert line.send("action=PING; secret=guessed wrong", sender="203.0.113.9").status_code == 401
    with app.app_context():
        assert sources.last_alerts(trader) == {}
    _later(line, minutes=20)

    assert _look(app) == 1
    with app.app_context():
        assert sources.last_alerts(trader) == {}, "that nothing came is no alert of the sender"


def test_the_newest_alert_of_a_source_is_its_senders_and_no_replay(
    app: Flask, trader: User, line: Line
) -> None:
    first = line.send("action=PING").get_json()["id"]
    with app.app_context():
        came = db.session.get_one(Alert, first)
        kept = ("user_id", "source_id", "broker_id", "status", "body", "content_type", "sender")
        same = {name: getattr(came, name) for name in (*kept, "received_at", "expires_at")}
        db.session.add(Alert(**same, fingerprint="replay", replayed_from_id=first))
        db.session.commit()

        assert sources.last_alerts(trader)[line.source_id].id == first


def test_nothing_is_missed_of_a_source_that_is_switched_off_nor_held_against_it_afterwards(
    app: Flask, trader: User, make_line: MakeLine
) -> None:
    line = make_line(settings=SourceSettings(heartbeat_seconds=3600, numbered=True, duplicate_window=0))
    line.send(json.dumps({"action": "PING", "number": 1}))
    with app.app_context():
        sources.set_enabled(sources.find(trader, line.source_id), False)  # type: ignore[arg-type]
    _later(line, hours=5)
    assert _look(app) == 0

    with app.app_context():
        sources.set_enabled(sources.find(trader, line.source_id), True)  # type: ignore[arg-type]
    assert _look(app) == 0
    line.send(json.dumps({"action": "PING", "number": 9}))
    _later(line, minutes=1)
    assert _look(app) == 0


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([1, 2, 3], []),
        ([1, 2, 4], ["alert 3 did not come"]),
        ([7, 8, 12, 14], ["alerts 9 to 11 did not come", "alert 13 did not come"]),
        ([1, 3, 2, 4], []),
        ([5, 6, 1, 2], []),
        ([5, 6, 0, 1, 3], ["alert 2 did not come"]),
        ([3, 3, 4], []),
        (["x", "2", "4"], ["alert 3 did not come"]),
    ],
)
def test_a_run_of_missing_numbers_is_one_miss(
    numbers: list[object], expected: list[str], app: Flask, make_line: MakeLine
) -> None:
    line = make_line(settings=NUMBERED)
    for number in numbers:
        line.send(json.dumps({"action": "PING", "number": number}))
    assert _look(app) == 0, "what has just come may come out of order"

    _later(line, seconds=11)

    assert _look(app) == len(expected)
    assert _misses(line) == expected
    assert _look(app) == 0


def test_gaps_are_seen_across_looks_and_by_ids_that_are_numbers(app: Flask, make_line: MakeLine) -> None:
    line = make_line(settings=NUMBERED)
    buy = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "1"}
    line.send(json.dumps({**buy, "id": "41"}))
    _later(line, seconds=11)
    assert _look(app) == 0
    line.send(json.dumps({**buy, "id": "41"}))  # a duplicate is no gap
    line.send(json.dumps({**buy, "id": 43}))
    _later(line, seconds=11)
    assert _look(app) == 1
    assert _misses(line) == ["alert 42 did not come"]
    line.send(json.dumps({**buy, "id": "42"}))  # late, after it was missed
    _later(line, seconds=11)
    assert _look(app) == 0


def test_an_ordinary_source_misses_nothing(app: Flask, line: Line) -> None:
    line.send(json.dumps({"action": "PING", "number": 1}))
    line.send(json.dumps({"action": "PING", "number": 9}))
    _later(line, days=9)
    assert _look(app) == 0


def test_a_miss_is_told_to_open_pages_and_shown_among_the_alerts(
    app: Flask, trader: User, make_line: MakeLine, log_in: LogIn
) -> None:
    line = make_line(settings=HOURLY)
    _later(line, minutes=61)
    with app.app_context():
        heard = events.listen(turn=5)
        assert next(heard) == []
        assert misses.look() == 1
        assert [(change.user_id, change.topic) for change in next(heard)] == [(trader.id, Topic.ALERTS)]

    browser, (alert,) = log_in(trader), line.alerts()
    assert "MISS" in browser.get("/webhooks/").text
    assert "nothing was heard since" in browser.get(f"/webhooks/alerts/{alert.id}").text.lower()


def test_a_miss_does_not_make_a_later_alert_a_duplicate(app: Flask, make_line: MakeLine) -> None:
    line = make_line(settings=SourceSettings(heartbeat_seconds=3600))
    _later(line, minutes=61)
    assert _look(app) == 1
    with app.app_context():
        db.session.execute(update(Alert).values(received_at=utc_now()))
        db.session.commit()
    assert line.send("").get_json()["status"] == "ERROR"
