"""How SQLite is made to behave as a server's database: WAL, full durability, honest waiting for the writer."""

from __future__ import annotations

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


def prepare(engine: Engine) -> None:
    """Attach the pragmas and the transaction mode to a SQLite engine.

    Transactions begin IMMEDIATE unless `reading` says otherwise: a deferred transaction that reads first and
    writes later fails at once with "database is locked" when another process wrote in between, where an immediate
    one waits its turn.
    """

    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # we emit BEGIN ourselves, below
        cursor = connection.cursor()
        for pragma in _PRAGMAS:
            cursor.execute(pragma)
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN" if reading.get() else "BEGIN IMMEDIATE")
