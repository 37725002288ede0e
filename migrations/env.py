"""How Alembic reaches the database: through the Flask application that runs the command."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from flask import current_app

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


def run_migrations() -> None:
    """Run what the command asks for in one transaction."""
    with db.engine.connect() as connection:
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
