"""How Alembic reaches the database: through the Flask application that runs the command."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from app.models import types

db = current_app.extensions["migrate"].db


def render_item(kind: str, item: Any, autogen_context: Any) -> str | Literal[False]:
    """Write our column types by name, so that a migration stores what the model stores."""
    if kind != "type" or not isinstance(item, types.ExactDecimal | types.UtcDateTime | types.EnumText):
        return False
    if isinstance(item, types.EnumText):
        return "sa.String(length=32)"
    autogen_context.imports.add("from app.models import types")
    return f"types.{type(item).__name__}()"


@contextmanager
def nothing_deleted_by_reference(connection: Connection) -> Iterator[None]:
    """While SQLite rebuilds tables: it drops the old one, and with it, by its foreign keys, all that hangs on it.

    The pragma does nothing inside a transaction, so it is set before one begins.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    driver = connection.connection.dbapi_connection
    driver.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        driver.execute("PRAGMA foreign_keys=ON")


def run_migrations() -> None:
    """Run what the command asks for in one transaction."""
    with db.engine.connect() as connection, nothing_deleted_by_reference(connection):
        context.configure(
            connection=connection,
            target_metadata=db.metadata,
            render_item=render_item,
            render_as_batch=True,
            compare_type=True,
        )
        with context.begin_transaction():
            context.run_migrations()


run_migrations()
