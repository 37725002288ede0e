"""Tables whose rows are written once: the database itself refuses to change or remove one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Table, event


def statements(table: str, dialect: str) -> list[str]:
    """The SQL that makes a table append-only, for its creation and for the migration that makes it.

    A batch migration on SQLite makes a table anew, and has to run these again.
    """
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            for verb in ("UPDATE", "DELETE")
        ]
    return [
        "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only'; END $$",
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
    ]


def append_only(table: Table) -> None:
    """Have a table made append-only whenever it is created from the model."""

    @event.listens_for(table, "after_create")
    def _refuse_changes(_table: Table, connection: Connection, **_: Any) -> None:
        for statement in statements(table.name, connection.dialect.name):
            connection.exec_driver_sql(statement)
