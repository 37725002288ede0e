"""What becomes of deliveries that wait for the one writer: none is answered with one thing and treated as another."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from flask import Flask
from sqlalchemy import event

from app.domain.alert_format import parse_alert
from app.domain.alerts import Signal
from app.extensions import db
from app.models import utc_now
from app.services import intake
from app.services.intake import Delivery, Intake
from app.services.tally import Tally
from tests.fixtures.stack import until
from tests.webhooks.conftest import Line


@dataclass
class Hold:
    """Stops the writer in the middle of storing until it is let go."""

    reached: threading.Event = field(default_factory=threading.Event)
    let_go: threading.Event = field(default_factory=threading.Event)

    def __call__(self, *_: object) -> None:
        if threading.current_thread().name == "intake":
            self.reached.set()
            assert self.let_go.wait(60)


@pytest.fixture
def hold(app: Flask) -> Iterator[Hold]:
    """A writer that stops at its first look into the database."""
    holding = Hold()
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", holding)
    yield holding
    holding.let_go.set()
    event.remove(engine, "before_cursor_execute", holding)


@pytest.fixture
def desk(app: Flask) -> Intake:
    """Where deliveries are taken in."""
    return Intake(app, Tally(app.extensions["redis"]))


def _delivery(line: Line, body: str) -> Delivery:
    return Delivery(line.token, body.encode(), "text/plain", "192.0.2.7", utc_now())


def test_what_was_answered_as_not_stored_is_not_stored_later_and_what_is_being_stored_is_waited_for(
    line: Line, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the sender sends it again, and it is traded twice."""
    monkeypatch.setattr(intake, "_PATIENCE_SECONDS", 0.05)
    with ThreadPoolExecutor() as senders:
        begun = senders.submit(line.send, "action=PING; id=begun")
        assert hold.reached.wait(60)

        assert line.send("action=PING; id=queued").status_code == 503
        assert not begun.done()

        hold.let_go.set()
        assert begun.result().status_code == 202
    monkeypatch.undo()
    assert line.send("action=PING; id=last").status_code == 202
    assert [alert.body for alert in line.alerts()] == ["action=PING; id=begun", "action=PING; id=last"]


def test_of_those_stored_together_only_the_one_at_fault_fails(
    line: Line, hold: Hold, desk: Intake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def poisoned(text: str) -> Signal:
        if "poison" in text:
            raise ZeroDivisionError
        return parse_alert(text)

    monkeypatch.setattr(intake, "parse_alert", poisoned)
    with ThreadPoolExecutor() as senders:
        first = senders.submit(desk.accept, _delivery(line, "action=PING; id=1"))
        assert hold.reached.wait(60)
        bodies = ("action=PING; id=2", "poison", "action=PING; id=3")
        together = [senders.submit(desk.accept, _delivery(line, body)) for body in bodies]
        until(lambda: desk._waiting.qsize() == len(bodies), "all of them to wait")
        hold.let_go.set()

        assert first.result()
        assert [type(each.exception()) for each in together] == [type(None), ZeroDivisionError, type(None)]
    assert sorted(alert.body for alert in line.alerts()) == [f"action=PING; id={id_}" for id_ in (1, 2, 3)]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_writer_that_died_is_replaced_by_the_next_delivery(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[threading.Thread] = []

    def dies(_: Intake) -> None:
        died.append(threading.current_thread())
        raise SystemExit

    assert line.send("action=PING; id=1").status_code == 202
    with monkeypatch.context() as dying:
        dying.setattr(intake, "_PATIENCE_SECONDS", 0.05)
        dying.setattr(Intake, "_next_batch", dies)
        assert line.send("action=PING; id=2").status_code == 202  # for this one it was waiting already
        until(lambda: bool(died), "the writer to die")
        died[0].join(60)
        assert line.send("action=PING; id=3").status_code == 503

    assert line.send("action=PING; id=4").status_code == 202
    assert [alert.body for alert in line.alerts()] == [f"action=PING; id={id_}" for id_ in (1, 2, 4)]
