"""SQLite admits one writer: ours wait for their turn in the kernel, and none waits for itself."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, text

from app.models import sqlite
from app.models.sqlite import NestedWrite, prepare, reading

WRITERS, ROUNDS = 6, 30


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    made = create_engine(f"sqlite:///{tmp_path / 'queue.db'}")
    prepare(made)
    with made.begin() as connection:
        connection.execute(text("CREATE TABLE counter (value INTEGER NOT NULL)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))
    return made


def _read_then_write(engine: Engine) -> None:
    with engine.begin() as connection:
        value = connection.scalar(text("SELECT value FROM counter"))
        connection.execute(text("UPDATE counter SET value = :value"), {"value": value + 1})


def _count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.scalar(text("SELECT value FROM counter")))


def test_writers_that_read_first_lose_no_update_and_are_never_told_locked(engine: Engine) -> None:
    def work() -> None:
        for _ in range(ROUNDS):
            _read_then_write(engine)

    threads = [threading.Thread(target=work) for _ in range(WRITERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert _count(engine) == WRITERS * ROUNDS
    engine.dispose()


def test_a_second_write_inside_the_first_is_refused_instead_of_waiting_for_itself(engine: Engine) -> None:
    with engine.begin(), pytest.raises(NestedWrite), engine.begin():
        pass

    _read_then_write(engine)
    engine.dispose()


def test_a_reader_waits_for_no_writer(engine: Engine) -> None:
    with engine.begin() as writer:
        writer.execute(text("UPDATE counter SET value = 5"))
        token = reading.set(True)
        try:
            assert _count(engine) == 0
        finally:
            reading.reset(token)
    engine.dispose()


def test_the_turn_of_a_killed_process_passes_to_the_next(engine: Engine, tmp_path: Path) -> None:
    script = (
        "import os, signal; from sqlalchemy import create_engine, text; from app.models.sqlite import prepare\n"
        f"engine = create_engine('sqlite:///{tmp_path / 'queue.db'}'); prepare(engine)\n"
        "connection = engine.connect(); connection.begin()\n"
        "connection.execute(text('UPDATE counter SET value = 99'))\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", script], check=False)
    assert killed.returncode == -9

    _read_then_write(engine)

    assert _count(engine) == 1
    assert not sqlite._writing_threads
    engine.dispose()
