"""How SQLite is made to behave as a server's database: WAL, full durability, writers that queue fairly."""

from __future__ import annotations

import fcntl
import os
import threading
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, Engine, event

#: True while only reads are meant, as in a page view: such a transaction need not wait for a writer.
reading: ContextVar[bool] = ContextVar("reading", default=False)

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA foreign_keys=ON",
    "PRAGMA busy_timeout=15000",
    "PRAGMA cache_size=-16000",
)

#: What a connection keeps in its ``info``: the descriptor of its lock, and the thread that writes through it.
_LOCK, _WRITER = "writer_lock", "writer"

_writing_threads: set[int] = set()

#: Threads of one process queue here first, so that processes take turns as equals: the one writer of a web process
#: must not stand behind every thread of a worker.
_our_turn = threading.Lock()


class NestedWrite(RuntimeError):
    """A thread began a second write transaction inside its first, which would wait for itself for ever."""


def prepare(engine: Engine) -> None:
    """Attach the pragmas, the transaction mode and the writers' queue to a SQLite engine.

    Transactions begin IMMEDIATE unless `reading` says otherwise: a deferred transaction that reads first and
    writes later fails at once with "database is locked" when another process wrote in between, where an immediate
    one waits its turn. It waits for a lock on a file beside the database, in the kernel, which wakes it the moment
    its turn comes; SQLite's own waiting looks again after 1, 2, 5, 10, 15 … ms, and sleeps while the lock is free.
    The lock goes with the process that holds it, however that ends.
    """
    path = f"{engine.url.database}-writer"

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # we emit BEGIN ourselves, below
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()
        record.info[_LOCK] = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if reading.get():
            connection.exec_driver_sql("BEGIN")
            return
        _take_turn(connection.info)
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "checkin")
    def _checkin(_connection: Any, record: Any) -> None:
        _give_turn(record.info)

    @event.listens_for(engine, "close")
    def _close(_connection: Any, record: Any) -> None:
        _give_turn(record.info)
        os.close(record.info.pop(_LOCK))


def _take_turn(info: dict[Any, Any]) -> None:
    if _WRITER in info:
        return  # one connection may run several transactions before it is given back
    thread = threading.get_ident()
    if thread in _writing_threads:
        raise NestedWrite("a write transaction is open in this thread already")
    _our_turn.acquire()
    fcntl.flock(info[_LOCK], fcntl.LOCK_EX)
    info[_WRITER] = thread
    _writing_threads.add(thread)


def _give_turn(info: dict[Any, Any]) -> None:
    thread = info.pop(_WRITER, None)
    if thread is not None:
        _writing_threads.discard(thread)
        fcntl.flock(info[_LOCK], fcntl.LOCK_UN)
        _our_turn.release()
