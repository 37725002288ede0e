"""What `load_settings` makes of an environment."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from app.config import PROJECT_ROOT, ConfigurationError, Settings, generate_secrets, load_settings


def settings_for(data_dir: Path, **environ: str) -> Settings:
    generate_secrets(data_dir)
    return load_settings({"DATA_DIR": str(data_dir), **environ})


def test_an_empty_environment_gives_the_documented_defaults(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)

    assert settings.mode == "production"
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert (settings.sandbox_port, settings.flower_port) == (8100, 5555)
    assert settings.sandbox_url == "http://127.0.0.1:8100"
    assert settings.database_url == f"sqlite:///{tmp_path}/switchyard.db"
    assert settings.sqlite_file == tmp_path / "switchyard.db"
    assert settings.registration_open
    assert not settings.dry_run
    assert not settings.demo


def test_a_relative_data_dir_is_relative_to_the_project_wherever_the_command_is_typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert load_settings({"SWITCHYARD_ENV": "testing"}).data_dir == PROJECT_ROOT / "var"
    assert (
        load_settings({"SWITCHYARD_ENV": "testing", "DATA_DIR": "x/y"}).data_dir == PROJECT_ROOT / "x" / "y"
    )


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    assert settings_for(tmp_path, PORT="", REDIS_URL=" ").port == 8000


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_spelling_of_postgresql_is_served_by_psycopg_3(tmp_path: Path, scheme: str) -> None:
    settings = settings_for(tmp_path, DATABASE_URL=f"{scheme}://u:p@db/switchyard?sslmode=require")

    assert settings.database_url == "postgresql+psycopg://u:p@db/switchyard?sslmode=require"
    assert settings.sqlite_file is None


def test_an_unset_redis_url_means_the_embedded_redis_on_its_unix_socket(tmp_path: Path) -> None:
    data_dir = tmp_path.parent / "d"
    settings = settings_for(data_dir)

    assert settings.embedded_redis
    assert settings.redis_socket == data_dir / "run" / "redis.sock"
    assert settings.redis_url == f"unix://{data_dir}/run/redis.sock?db=0"
    assert settings.celery_broker_url == f"redis+socket://{data_dir}/run/redis.sock?virtual_host=0"


@pytest.mark.parametrize("url", ["unix:///run/r.sock?db=3", "redis+socket:///run/r.sock?virtual_host=3"])
def test_either_spelling_of_a_redis_socket_serves_redis_py_and_celery(tmp_path: Path, url: str) -> None:
    settings = settings_for(tmp_path, REDIS_URL=url)

    assert not settings.embedded_redis
    assert settings.redis_url == "unix:///run/r.sock?db=3"
    assert settings.celery_broker_url == "redis+socket:///run/r.sock?virtual_host=3"


def test_a_redis_server_is_addressed_the_same_way_by_both(tmp_path: Path) -> None:
    settings = settings_for(tmp_path, REDIS_URL="redis://:pw@cache:6379/2")

    assert settings.redis_url == settings.celery_broker_url == "redis://:pw@cache:6379/2"


def test_a_data_dir_too_long_for_a_socket_gets_a_short_one_that_every_process_agrees_on(
    tmp_path: Path,
) -> None:
    data_dir = tmp_path / ("long" * 30)
    settings = settings_for(data_dir)

    assert len(str(settings.redis_socket)) < 100
    assert data_dir not in settings.redis_socket.parents
    assert settings_for(data_dir, TMPDIR=str(tmp_path)).redis_socket == settings.redis_socket
    assert settings_for(tmp_path / ("else" * 30)).redis_socket != settings.redis_socket


@pytest.mark.parametrize(
    ("name", "value", "wanted"),
    [
        ("PORT", "eighty", "from 1 to 65535"),
        ("PORT", "0", "from 1 to 65535"),
        ("PORT", "-1", "from 1 to 65535"),
        ("WEB_WORKERS", "1.5", "whole number"),
        ("ORDERS_CONCURRENCY", "²", "whole number"),
        ("LOG_LEVEL", "loud", "DEBUG, INFO, WARNING, ERROR"),
        ("REGISTRATION", "maybe", "open, closed"),
        ("SWITCHYARD_ENV", "prod", "production, development, testing"),
        ("DRY_RUN", "perhaps", "1 or 0"),
        ("SANDBOX_URL", "localhost:8100", "http://"),
        ("DATABASE_URL", "mysql://u:hunter2@db/x", "postgresql://"),
        ("REDIS_URL", "memcached://hunter2@cache", "redis://"),
        ("SECRET_KEY", "hunter2", "32 random characters"),
        ("MASTER_KEY", "hunter2", "value it had"),
        ("SANDBOX_PORT", "8000", "a port of its own"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_by_name_and_with_a_remedy(
    tmp_path: Path, name: str, value: str, wanted: str
) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        settings_for(tmp_path, **{name: value})

    assert name in refusal.value.message
    assert wanted in refusal.value.remedy
    assert "hunter2" not in refusal.value.message + refusal.value.remedy


@pytest.mark.parametrize("name", ["SECRET_KEY", "MASTER_KEY"])
def test_a_missing_secret_is_refused_in_production_with_the_way_to_get_one(tmp_path: Path, name: str) -> None:
    generate_secrets(tmp_path)
    (tmp_path / "secrets" / name.lower()).unlink()

    with pytest.raises(ConfigurationError, match=name) as refusal:
        load_settings({"DATA_DIR": str(tmp_path)})
    assert "bin/start --setup-only" in refusal.value.remedy


def test_a_secret_that_others_can_read_is_refused(tmp_path: Path) -> None:
    generate_secrets(tmp_path)
    (tmp_path / "secrets" / "master_key").chmod(0o644)

    with pytest.raises(ConfigurationError, match="read by others") as refusal:
        load_settings({"DATA_DIR": str(tmp_path)})
    assert "chmod 600" in refusal.value.remedy


def test_the_variable_comes_before_the_file(tmp_path: Path) -> None:
    key = base64.b64encode(bytes(range(32))).decode()
    settings = settings_for(tmp_path, SECRET_KEY="s" * 40, MASTER_KEY=key)

    assert settings.secret_key == "s" * 40
    assert settings.master_key == bytes(range(32))


def test_a_test_run_needs_no_secrets(tmp_path: Path) -> None:
    settings = load_settings({"SWITCHYARD_ENV": "testing", "DATA_DIR": str(tmp_path)})

    assert settings.testing
    assert len(settings.master_key) == 32


def test_secrets_are_generated_once_and_only_their_owner_can_read_them(tmp_path: Path) -> None:
    generate_secrets(tmp_path)
    first = {path: path.read_bytes() for path in (tmp_path / "secrets").iterdir()}
    generate_secrets(tmp_path)

    assert {path.name for path in first} == {"secret_key", "master_key"}
    assert {path: path.read_bytes() for path in (tmp_path / "secrets").iterdir()} == first
    assert stat.S_IMODE((tmp_path / "secrets").stat().st_mode) == 0o700
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in first)


def test_repr_shows_no_secret(tmp_path: Path) -> None:
    settings = settings_for(
        tmp_path, DATABASE_URL="postgresql://u:dbpassword@h/n", REDIS_URL="redis://:redispassword@h/0"
    )
    shown = repr(settings)

    hidden = [settings.secret_key, repr(settings.master_key), "dbpassword", "redispassword"]
    assert not [secret for secret in hidden if secret in shown]


def test_flower_has_a_password_that_does_not_give_the_secret_key_away(tmp_path: Path) -> None:
    settings = settings_for(tmp_path)
    user, password = settings.flower_credentials

    assert user == "switchyard"
    assert len(password) == 64
    assert settings.secret_key not in password
    assert settings_for(tmp_path).flower_credentials == (user, password)
