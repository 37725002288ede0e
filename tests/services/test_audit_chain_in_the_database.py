"""The audit chain where it is kept: append-only, sealed by one at a time, and every change by SQL found."""

from __future__ import annotations

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import psycopg
import pytest
from flask import Flask
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError

from app.domain.audit import Action
from app.extensions import db
from app.models import AuditEntry, AuditSeal, utc_now
from app.services import acting, audit, sealing
from tests.fixtures.app import AppFactory

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=DATABASES)
def app(request: pytest.FixtureRequest, make_app: AppFactory) -> Iterator[Flask]:
    """An application in its context, on either database."""
    environ = {}
    if request.param == "postgresql":
        environ["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    app = make_app(**environ)
    with app.app_context():
        yield app


def write_down(number: int, *, age: timedelta = timedelta(0)) -> None:
    """As many entries, each about another order."""
    who, at = acting.Actor("ada@example.org", 1, "203.0.113.7"), utc_now() - age
    rows = [
        audit.entry(Action.ORDER_NOTED, f"order {count}", who, 1, at, {"cause": f"because of {count}"})
        for count in range(1, number + 1)
    ]
    audit.write(rows)
    db.session.commit()


def tamper(*commands: str) -> None:
    """Change the database as somebody does who may do everything in it, but has no master key."""
    db.session.commit()
    if db.engine.dialect.name == "sqlite":
        with closing(sqlite3.connect(str(db.engine.url.database), isolation_level=None)) as connection:
            for table in ("audit_entries", "audit_seals"):
                for verb in ("update", "delete"):
                    connection.execute(f"DROP TRIGGER {table}_no_{verb}")
            for command in commands:
                connection.execute(command)
        return
    url = db.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("SET session_replication_role = replica")  # neither triggers nor foreign keys
        for command in commands:
            server.execute(command.encode())


def broken() -> str | None:
    found = sealing.verify().broken
    db.session.rollback()
    return None if found is None else found.what


@pytest.mark.parametrize("table", ["audit_entries", "audit_seals"])
@pytest.mark.parametrize("command", ["UPDATE {} SET {} = 'x'", "DELETE FROM {}"])
def test_the_database_refuses_to_change_or_remove(app: Flask, table: str, command: str) -> None:
    write_down(2)
    sealing.seal()
    column = "actor" if table == "audit_entries" else "digest"

    with pytest.raises(DBAPIError, match="append-only"):
        db.session.execute(text(command.format(table, column)))

    db.session.rollback()
    assert broken() is None


def test_entries_are_sealed_in_order_and_each_once(app: Flask) -> None:
    write_down(3)
    assert sealing.seal() == sealing.seal()
    write_down(2)
    newest = sealing.seal()

    verdict = sealing.verify()

    assert newest is not None
    assert verdict.broken is None
    assert (verdict.links, verdict.head) == (5, newest.digest)


def test_an_entry_that_commits_late_gets_a_later_position(app: Flask) -> None:
    write_down(1)
    first = db.session.scalar(select(AuditEntry.id))
    assert first is not None
    row = audit.entry(Action.ORDER_NOTED, "order 9", acting.current(), 1, utc_now(), {})
    audit.write([{**row, "id": first + 100}])
    db.session.commit()
    sealing.seal()
    audit.write([{**row, "id": first + 50}])
    db.session.commit()
    sealing.seal()

    order = db.session.scalars(select(AuditSeal.entry_id).order_by(AuditSeal.position)).all()

    assert order == [first, first + 100, first + 50]
    assert broken() is None


def test_what_is_rolled_back_leaves_nothing(app: Flask) -> None:
    audit.record(Action.BROKER_PAUSED, "broker 1", user_id=1)
    db.session.rollback()
    audit.record(Action.BROKER_RESUMED, "broker 1", user_id=1)
    db.session.commit()

    assert db.session.scalars(select(AuditEntry.action)).all() == [Action.BROKER_RESUMED]


TAMPERINGS = {
    "UPDATE audit_entries SET actor = 'mallory' WHERE id = 3": "entry 3, sealed at 3, was changed",
    "UPDATE audit_entries SET user_id = NULL WHERE id = 3": "entry 3, sealed at 3, was changed",
    "UPDATE audit_entries SET subject = 'order 99' WHERE id = 5": "entry 5, sealed at 5, was changed",
    "UPDATE audit_entries SET detail = '{}' WHERE id = 1": "entry 1, sealed at 1, was changed",
    "DELETE FROM audit_entries WHERE id = 2": "entry 2 is missing, though seal 2 is about it",
    "DELETE FROM audit_entries WHERE id = 5": "entry 5 is missing, though seal 5 is about it",
    "DELETE FROM audit_seals WHERE position = 1": "seal 1 is missing",
    "DELETE FROM audit_seals WHERE position = 4": "seal 4 is missing",
    "UPDATE audit_seals SET digest = 'x' WHERE position = 2": "seal 2 was changed",
    "UPDATE audit_seals SET previous = 'x' WHERE position = 2": "seal 2 was changed",
    "UPDATE audit_seals SET position = 9 WHERE position = 2": "seal 2 is missing",
}


@pytest.mark.parametrize(("command", "found"), TAMPERINGS.items())
def test_a_change_by_sql_is_named_at_its_link(app: Flask, command: str, found: str) -> None:
    write_down(5)
    sealing.seal()
    assert broken() is None

    tamper(command)

    assert broken() == found


def test_an_end_without_its_seals_is_found_once_they_are_overdue(app: Flask) -> None:
    write_down(5, age=sealing.SEALED_WITHIN * 2)
    sealing.seal()

    tamper("DELETE FROM audit_seals WHERE position > 3")

    assert broken() == "entry 4 should have been sealed by now and is not"


def test_a_young_entry_may_wait_for_its_seal(app: Flask) -> None:
    write_down(5)
    assert broken() is None


def test_an_end_that_is_gone_altogether_is_found_by_the_noted_head(app: Flask) -> None:
    write_down(5)
    newest = sealing.seal()
    assert newest is not None

    tamper("DELETE FROM audit_seals WHERE position = 5", "DELETE FROM audit_entries WHERE id = 5")

    assert broken() is None
    assert sealing.verify(noted=newest.digest).broken is not None


def test_sealers_at_the_same_time_make_one_chain(app: Flask) -> None:
    write_down(1000)
    start = threading.Barrier(4)
    failures: list[BaseException] = []

    def work() -> None:
        start.wait()
        try:
            with app.app_context():
                sealing.seal()
        except Exception as error:  # noqa: BLE001 - a thread that fails must fail the test
            failures.append(error)

    sealers = [threading.Thread(target=work) for _ in range(4)]
    for sealer in sealers:
        sealer.start()
    for sealer in sealers:
        sealer.join()

    assert failures == []
    assert sealing.verify().links == 1000
    assert broken() is None


def test_ten_thousand_entries_are_proved_in_one_reading(app: Flask) -> None:
    write_down(10_000)
    sealing.seal()
    asked: Counter[str] = Counter()

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        asked[statement.split()[0]] += 1

    event.listen(db.engine, "before_cursor_execute", note)
    verdict = sealing.verify()
    event.remove(db.engine, "before_cursor_execute", note)

    assert (verdict.links, verdict.broken) == (10_000, None)
    assert asked["SELECT"] == 2
    assert db.session.scalar(select(func.count(AuditSeal.position))) == 10_000


def test_an_export_proves_itself_and_shows_what_was_done_to_it(app: Flask) -> None:
    write_down(5)
    newest = sealing.seal()
    assert newest is not None
    lines = list(sealing.export())

    assert sealing.verify_lines(lines) == sealing.verify()
    changed = [line.replace("because of 3", "because of 4") for line in lines]
    found = sealing.verify_lines(changed).broken
    assert found is not None
    assert found.what == "entry 3, sealed at 3, was changed"
    assert sealing.verify_lines(lines[:4], noted=newest.digest).broken is not None
    for nonsense in ("", "[]", "{}", "null", lines[1].replace('"entry"', '"entries"')):
        with pytest.raises(sealing.Unreadable, match="line 2"):
            sealing.verify_lines([lines[0], nonsense])
