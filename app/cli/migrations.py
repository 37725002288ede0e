"""``flask db``: Flask-Migrate's commands, loaded when one of them is called."""

from __future__ import annotations

from typing import Any

import click


class _Later(click.Command):
    """Stands for the real group until it is called: Alembic costs a process 10 MB and 90 ms, and no server needs it."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        from flask_migrate.cli import db as real

        context: click.Context = real.make_context(info_name, args, parent, **extra)
        return context


db = _Later("db", help="Bring the database's tables up to date, or make a migration.")
