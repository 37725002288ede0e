"""The migrations build exactly what the models describe, and can be taken back, on both databases."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from flask import Flask
from sqlalchemy import inspect, text

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


def test_what_is_stored_outlives_every_migration_and_the_way_back(alembic: Config) -> None:
    command.upgrade(alembic, "0001")
    with db.engine.begin() as connection:
        connection.execute(text(_A_PERSON))
        connection.execute(text(_A_BROKER))
        connection.execute(text(_AN_ORDER))
        connection.execute(text(_A_STEP))
        connection.execute(text(_TWO_POINTS))

    for goal in ("head", "0001", "head"):
        (command.upgrade if goal == "head" else command.downgrade)(alembic, goal)
        with db.engine.connect() as connection:
            counts = [
                connection.execute(text(f"SELECT count(*) FROM {table}")).scalar()
                for table in ("users", "brokers", "orders", "order_events", "equity")
            ]
        assert counts == [1, 1, 1, 1, 2], goal


_NOW = "'2026-11-01 00:00:00'"
_A_PERSON = (
    "INSERT INTO users (id, email, password_hash, session_key, is_admin, theme, created_at) "
    f"VALUES (1, 'ada@example.org', 'x', 'x', true, 'dark', {_NOW})"
)
_A_BROKER = (
    "INSERT INTO brokers (id, user_id, name, exchange, environment, mode, dry_run, active, is_main, data_key, api_key, "
    "api_secret, keys_version, created_at) "
    f"VALUES (1, 1, 'main', 'kraken', 'LIVE', 'OFF', false, true, true, 'x', 'x', 'x', 1, {_NOW})"
)
_AN_ORDER = (
    "INSERT INTO orders (id, user_id, broker_id, role, origin, client_order_id, symbol, side, type, time_in_force, "
    "post_only, status, cancel_requested, attempts, created_at) VALUES (1, 1, 1, 'ENTRY', 'CLI', 's1', 'BTC/USDT', "
    f"'BUY', 'MARKET', 'GTC', false, 'FILLED', false, 1, {_NOW})"
)
_TWO_POINTS = (
    "INSERT INTO equity (id, broker_id, at, usd) VALUES (1, 1, '2026-11-01 00:00:00', '12.5'), "
    "(2, 1, '2026-11-01 01:30:00', '12.75')"
)
_A_STEP = (
    f"INSERT INTO order_events (id, order_id, at, after, cause) VALUES (1, 1, {_NOW}, 'FILLED', 'it filled')"
)
