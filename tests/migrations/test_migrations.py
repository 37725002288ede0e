"""The migrations build exactly what the models describe, and can be taken back, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect

from app import create_app
from app.config import load_settings
from app.extensions import db

DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@pytest.fixture(params=DATABASES)
def empty(request: pytest.FixtureRequest, tmp_path: Path, redis_server: str) -> Iterator[Flask]:
    """An application whose database has no tables yet, in its context."""
    environ = {"SWITCHYARD_ENV": "testing", "DATA_DIR": str(tmp_path), "REDIS_URL": redis_server}
    if request.param == "postgresql":
        environ["DATABASE_URL"] = request.getfixturevalue("postgres_url")
    app = create_app(load_settings(environ))
    with app.app_context():
        assert db.engine.dialect.name == request.param
        yield app
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def alembic(empty: Flask) -> Config:
    """What Alembic's commands are called with."""
    config: Config = empty.extensions["migrate"].migrate.get_config()
    return config


def tables() -> set[str]:
    """The tables there are, besides the one in which Alembic notes where it stands."""
    return set(inspect(db.engine).get_table_names()) - {"alembic_version"}


def test_an_empty_database_becomes_what_the_models_describe(alembic: Config) -> None:
    command.upgrade(alembic, "head")

    assert tables() == set(db.metadata.tables)
    command.check(alembic)  # raises, naming every difference that autogenerate would write


def test_every_migration_can_be_taken_back_and_made_again(alembic: Config) -> None:
    revisions = [script.revision for script in ScriptDirectory.from_config(alembic).walk_revisions()]

    command.upgrade(alembic, "head")
    for _ in revisions:
        command.downgrade(alembic, "-1")
    assert tables() == set()

    for revision in reversed(revisions):
        command.upgrade(alembic, revision)
    assert tables() == set(db.metadata.tables)
    command.check(alembic)


def test_there_is_one_newest_migration(alembic: Config) -> None:
    assert len(ScriptDirectory.from_config(alembic).get_heads()) == 1
