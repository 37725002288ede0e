"""Commands that need no worker: accounts, sources, directory, doctor; and how every command refuses."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import update

from app.config import PROJECT_ROOT, generate_secrets
from app.exchanges import NAMES, directory
from app.extensions import db
from app.models import Broker, FillRow
from app.services import brokers, users, vault
from app.services.users import LoginFailed
from tests.cli.conftest import PASSWORD
from tests.fixtures.app import AppFactory, MakeBroker, MakeUser
from tests.fixtures.history import MakeHistory

TypeIn = Callable[..., Result]


def in_a_process(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own, as the shell does."""
    return subprocess.run(
        [sys.executable, "-m", "flask", *words],
        cwd=PROJECT_ROOT,
        env={**os.environ, "SWITCHYARD_ENV": "testing", **environ},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_an_account_is_made_with_a_password_from_standard_input(app: Flask, type_in: TypeIn) -> None:
    made = type_in("user", "create", "Ann@Example.org", "--password-stdin", "--json", stdin=f"{PASSWORD}\n")

    assert json.loads(made.stdout)["email"] == "ann@example.org"
    assert json.loads(made.stdout)["admin"] is True
    with app.app_context():
        assert users.authenticate("ann@example.org", PASSWORD).is_admin
    assert PASSWORD not in made.output


def test_accounts_are_looked_after_without_a_browser(app: Flask, type_in: TypeIn) -> None:
    for name in ("ann", "bob"):
        type_in("user", "create", f"{name}@x.org", "--password-stdin", stdin=PASSWORD)
    refused = type_in("user", "role", "ann@x.org", "--no-admin", code=1)
    assert "only administrator" in refused.stderr
    type_in("user", "role", "bob@x.org", "--admin")
    type_in("user", "close", "ann@x.org")
    with app.app_context(), pytest.raises(LoginFailed):
        users.authenticate("ann@x.org", PASSWORD)
    type_in("user", "reopen", "ann@x.org")
    other = "another one of those"
    type_in("user", "set-password", "ann@x.org", "--password-stdin", stdin=other)
    assert "has no second factor" in type_in("user", "reset-2fa", "ann@x.org").output
    with app.app_context():
        assert users.authenticate("ann@x.org", other).email == "ann@x.org"
    listed = json.loads(type_in("user", "list", "--json").stdout)
    assert [(row["admin"], row["closed_at"]) for row in listed] == [(True, None)] * 2


def test_a_password_is_asked_for_twice_and_not_shown(type_in: TypeIn) -> None:
    made = type_in("user", "create", "ann@example.org", stdin=f"{PASSWORD}\n{PASSWORD}\n")

    assert made.stderr.count("Password") == 1
    assert "confirmation" in made.stderr
    assert PASSWORD not in made.output


def test_the_first_account_is_the_administrators_unless_told_otherwise(type_in: TypeIn) -> None:
    for email, words in (
        ("a@x.org", []),
        ("b@x.org", []),
        ("c@x.org", ["--admin"]),
        ("d@x.org", ["--no-admin"]),
    ):
        type_in("user", "create", email, "--password-stdin", *words, stdin=PASSWORD)

    listed = json.loads(type_in("user", "list", "--json").stdout)

    assert [(row["email"], row["admin"]) for row in listed] == [
        ("a@x.org", True),
        ("b@x.org", False),
        ("c@x.org", True),
        ("d@x.org", False),
    ]


@pytest.mark.parametrize(
    ("email", "password", "said"),
    [
        ("nobody", PASSWORD, "not an e-mail address"),
        ("a@x.org", "short", "at least"),
        ("a@x.org", "", "at least"),
    ],
)
def test_an_account_that_cannot_be_made_is_refused_in_two_lines(
    type_in: TypeIn, email: str, password: str, said: str
) -> None:
    refused = type_in("user", "create", email, "--password-stdin", stdin=password, code=1)

    first, second = refused.stderr.strip().splitlines()
    assert first.startswith("error: ")
    assert said in first
    assert second.startswith("remedy: ")
    assert refused.stdout == ""


def test_a_list_with_nothing_in_it_says_how_to_begin(type_in: TypeIn, make_user: MakeUser) -> None:
    assert "flask user create" in type_in("user", "list").stdout
    assert json.loads(type_in("user", "list", "--json").stdout) == []
    make_user()

    assert "flask broker add" in type_in("broker", "list").stdout
    assert "flask source create" in type_in("source", "list").stdout
    assert "flask broker add" in type_in("source", "create", "chart", code=1).stderr


def test_keys_are_changed_under_what_is_held_only_when_the_account_is_said_to_be_the_same(
    app: Flask, type_in: TypeIn, make_user: MakeUser, make_history: MakeHistory
) -> None:
    history = make_history(make_user())
    given = {"api_key": "another-key", "api_secret": "another-secret", "passphrase": "another-phrase"}
    with app.app_context():
        name = db.session.get_one(Broker, history.broker_id).name

    def change(*words: str, code: int = 0) -> Result:
        words = ("broker", "keys", name, "--secrets-stdin", "--no-wait", *words)
        return type_in(*words, stdin=json.dumps(given), code=code)

    moved = change("--environment", "live", "--same-account", code=1)
    assert "cannot change its environment" in moved.stderr
    assert "as a broker of its own" in moved.stderr
    unsaid = change(code=1)
    assert "may open another account" in unsaid.stderr
    assert "confirm that" in unsaid.stderr
    changed = change("--same-account", "--json")
    assert json.loads(changed.stdout)["environment"] == "SANDBOX"
    with app.app_context():
        broker = db.session.get_one(Broker, history.broker_id)
        assert (broker.keys_version, vault.unseal(broker).api_key) == (2, given["api_key"])
    for done in (moved, unsaid, changed):
        assert not any(secret in done.output for secret in given.values())


def test_a_position_is_shown_with_the_fees_that_its_result_leaves_out(
    app: Flask, type_in: TypeIn, make_user: MakeUser, make_history: MakeHistory
) -> None:
    number = str(make_history(make_user()).position_ids[0])
    assert json.loads(type_in("position", "show", number, "--json").stdout)["fees_left_out"] == {}

    with app.app_context():
        db.session.execute(update(FillRow).values(fee=Decimal("0.00075"), fee_asset="BNB"))
        db.session.commit()

    told = json.loads(type_in("position", "show", number, "--json").stdout)
    assert told["fees_left_out"] == {"BNB": "0.00075"}
    assert "BNB 0.00075" in type_in("position", "show", number).stdout


def test_among_several_accounts_a_command_asks_whose(type_in: TypeIn, make_user: MakeUser) -> None:
    assert "there is no account yet" in type_in("broker", "list", code=1).stderr
    one, other = make_user(), make_user()

    refused = type_in("broker", "list", code=1)

    assert "there are 2 accounts" in refused.stderr
    assert "--user EMAIL" in refused.stderr
    assert json.loads(type_in("broker", "list", "--json", "--user", one.email).stdout) == []
    assert json.loads(type_in("broker", "list", "--json", SWITCHYARD_USER=other.email).stdout) == []
    assert "there is no account x@y.z" in type_in("broker", "list", "--user", "x@y.z", code=1).stderr


def test_one_persons_rows_are_not_anothers(
    type_in: TypeIn, make_user: MakeUser, make_broker: MakeBroker
) -> None:
    ann, bob = make_user(), make_user()
    make_broker(ann, "hers")

    refused = type_in("source", "create", "chart", "--broker", "hers", "--user", bob.email, code=1)

    assert f"{bob.email} has no broker hers" in refused.stderr
    assert [
        row["name"] for row in json.loads(type_in("broker", "list", "--json", "--user", ann.email).stdout)
    ] == ["hers"]


def test_the_url_of_a_source_is_printed_once(
    type_in: TypeIn, make_user: MakeUser, make_broker: MakeBroker
) -> None:
    make_broker(make_user(), "main")

    made = json.loads(type_in("source", "create", "chart", "--json").stdout)
    public = type_in("source", "create", "other", "--base-url", "https://trade.example.org/")
    listed = type_in("source", "list", "--json").stdout

    assert made["url"].startswith("http://127.0.0.1:8000/webhook/")
    assert "https://trade.example.org/webhook/" in public.stdout
    token = made["url"].rpartition("/")[2]
    assert len(token) > 40
    assert token not in listed
    assert [row["name"] for row in json.loads(listed)] == ["chart", "other"]
    assert "already" in type_in("source", "create", "chart", code=1).stderr


def test_keys_are_no_options_of_any_command(type_in: TypeIn, make_user: MakeUser) -> None:
    make_user()

    for option in ("--api-key", "--api-secret", "--passphrase"):
        assert (
            "No such option"
            in type_in("broker", "add", "x", "--exchange", NAMES[0], option, "k", code=2).stderr
        )


def test_keys_are_asked_for_and_the_secret_is_not_shown(
    app: Flask, type_in: TypeIn, make_user: MakeUser
) -> None:
    user = make_user()

    words = ("broker", "add", "main", "--exchange", NAMES[0], "--environment", "sandbox", "--no-wait")
    added = type_in(*words, stdin="the-api-key-of-it\nthe-secret-of-it\n")

    assert "the-secret-of-it" not in added.output
    with app.app_context():
        found = brokers.by_name(user, "main")
        assert found is not None
        assert b"the-secret-of-it" not in found.api_secret


@pytest.mark.parametrize("text", ["", "not json", '["a"]', '"the-secret"'])
def test_keys_that_cannot_be_read_are_refused_without_repeating_them(
    type_in: TypeIn, make_user: MakeUser, text: str
) -> None:
    make_user()

    refused = type_in("broker", "add", "x", "--exchange", NAMES[0], "--secrets-stdin", stdin=text, code=1)

    assert "standard input holds no keys" in refused.stderr
    assert text == "" or text not in refused.output


def test_a_missing_key_is_named(type_in: TypeIn, make_user: MakeUser) -> None:
    make_user()

    refused = type_in(
        "broker", "add", "x", "--exchange", NAMES[0], "--from-env", code=1, API_KEY="k", API_SECRET=""
    )

    assert "is missing" in refused.stderr


@pytest.mark.parametrize("words", [("broker", "test"), ("broker", "sync"), ("markets", "load")])
def test_a_command_that_waits_for_a_worker_gives_up_at_its_deadline(
    type_in: TypeIn, make_user: MakeUser, make_broker: MakeBroker, words: tuple[str, ...]
) -> None:
    make_broker(make_user(), "main")

    refused = type_in(*words, "--timeout", "0.2", code=1)

    assert "no answer within 0.2 s" in refused.stderr
    assert "flask doctor" in refused.stderr


def test_a_command_that_needs_a_worker_refuses_at_once_when_redis_is_down(
    app: Flask, make_user: MakeUser, make_broker: MakeBroker
) -> None:
    make_broker(make_user(), "main")

    tested = in_a_process(
        "broker",
        "test",
        DATA_DIR=str(app.extensions["settings"].data_dir),
        REDIS_URL="unix:///nonexistent/redis.sock",
    )

    assert tested.returncode == 1
    assert "Redis does not answer" in tested.stderr
    assert "Traceback" not in tested.stderr


def test_an_order_cannot_be_sized_before_the_markets_are_loaded(
    type_in: TypeIn, make_user: MakeUser, make_broker: MakeBroker
) -> None:
    make_broker(make_user(), "main")

    refused = type_in("order", "place", "buy", "BTCUSDT", "--quantity", "1", "--yes", code=1)

    assert "have not been loaded" in refused.stderr
    assert "Not loaded yet" in type_in("markets", "list").stdout


def test_cancelling_nothing_and_an_unknown_order_are_refused(type_in: TypeIn, make_user: MakeUser) -> None:
    make_user()

    assert "nothing to cancel" in type_in("order", "cancel", "--all", "--yes", code=1).stderr
    assert "there is no order 7" in type_in("order", "cancel", "7", "--yes", code=1).stderr
    assert json.loads(type_in("order", "list", "--json").stdout) == []


def test_an_alert_that_finds_nobody_is_told_without_its_url(type_in: TypeIn) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/webhook/secret-token"

        refused = type_in("alert", "send", "--url", url, "action=PING", code=1)

    assert "the webhook does not answer" in refused.stderr
    assert "secret-token" not in refused.output
    assert "Give --url" in type_in("alert", "send", "action=PING", code=1).stderr


def test_the_directory_lists_every_exchange_and_what_the_native_ones_can_do(type_in: TypeIn) -> None:
    listed = json.loads(type_in("exchanges", "list", "--json").stdout)
    natives = json.loads(type_in("exchanges", "list", "--native", "--json").stdout)

    assert len(listed) > 90
    assert [row["id"] for row in listed] == sorted(row["id"] for row in listed)
    assert {row["id"] for row in natives} == set(NAMES) == {row["id"] for row in listed if row["native"]}
    for row in natives:
        assert "MARKET" in row["capabilities"]["order_types"]
        assert (
            row["required_credentials"][:2] == ["apiKey", "secret"] or "secret" in row["required_credentials"]
        )
    assert NAMES[0] in type_in("exchanges", "list").stdout
    found = json.loads(type_in("exchanges", "list", NAMES[0].upper(), "--native", "--json").stdout)
    assert [row["id"] for row in found] == [NAMES[0]]
    assert "No exchange has such a name." in type_in("exchanges", "list", "nowhere").stdout


def test_refreshing_the_directory_from_the_same_ccxt_writes_the_same_file(
    type_in: TypeIn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = directory.FILE.read_text(encoding="utf-8")
    copy = tmp_path / "directory.json"
    monkeypatch.setattr(directory, "FILE", copy)

    first = type_in("exchanges", "refresh").stdout
    second = type_in("exchanges", "refresh").stdout
    directory.read.cache_clear()

    assert copy.read_text(encoding="utf-8") == stored
    assert "exchanges of ccxt" in first
    assert "; 0 lines added or removed" in second


def test_no_command_but_refresh_imports_ccxt_or_the_http_client_of_the_terminal() -> None:
    environ = {**os.environ, "SWITCHYARD_ENV": "testing"}
    program = "import sys, app; app.create_app(); print({'ccxt', 'requests'} & set(sys.modules))"

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT_ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.strip() == "set()"


def test_the_doctor_names_what_fails_and_how_to_mend_it_and_exits_1(make_app: AppFactory) -> None:
    app = make_app(REDIS_URL="unix:///nonexistent/redis.sock")

    shown = app.test_cli_runner().invoke(args=["doctor"])
    found = json.loads(app.test_cli_runner().invoke(args=["doctor", "--json"]).stdout)

    assert shown.exit_code == 1
    assert "Traceback" not in shown.output
    states = {row["part"]: row["state"] for row in found}
    assert states["python"] == states["database"] == states["disk"] == "OK"
    assert states["redis"] == states["workers"] == states["beat"] == "FAILED"
    assert all(row["remedy"] for row in found if row["state"] != "OK")
    for row in found:
        assert row["detail"] in shown.stdout


def test_the_doctor_finds_a_database_that_is_not_migrated(app: Flask, type_in: TypeIn) -> None:
    found = {row["part"]: row for row in json.loads(type_in("doctor", "--json", code=1).stdout)}

    assert found["migrations"]["state"] == "FAILED"
    assert "flask db upgrade" in found["migrations"]["remedy"]


def test_the_doctor_finds_queues_that_nobody_serves(type_in: TypeIn) -> None:
    found = {row["part"]: row for row in json.loads(type_in("doctor", "--json", code=1).stdout)}

    assert f"orders.{NAMES[0]}" in found["workers"]["detail"]
    assert "celery -A tasks.app worker" in found["workers"]["remedy"]
    assert "beat does not tick" in found["beat"]["detail"]


def test_the_doctor_finds_secrets_that_others_can_read(make_app: AppFactory, tmp_path: Path) -> None:
    app = make_app()
    data_dir = app.extensions["settings"].data_dir
    generate_secrets(data_dir)
    (data_dir / "secrets").chmod(0o755)

    found = json.loads(app.test_cli_runner().invoke(args=["doctor", "--json"]).stdout)

    secrets = next(row for row in found if row["part"] == "secrets")
    assert "can be read by others" in secrets["detail"]
    assert secrets["remedy"].startswith("Run: chmod 700 ")


def test_the_doctor_finds_keys_stored_under_another_master_key(
    make_app: AppFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = f"sqlite:///{tmp_path / 'shared.db'}"
    monkeypatch.setenv("SECRET_KEY", "s" * 48)
    monkeypatch.setenv("MASTER_KEY", "B" * 43 + "=")
    runner = make_app(DATABASE_URL=database, MASTER_KEY="A" * 43 + "=").test_cli_runner()
    runner.invoke(args=["user", "create", "a@x.org", "--password-stdin"], input=PASSWORD)
    keys = json.dumps({"api_key": "k" * 20, "api_secret": "s" * 20})
    words = ["broker", "add", "main", "--exchange", NAMES[0], "--environment", "sandbox", "--no-wait"]
    added = runner.invoke(args=[*words, "--secrets-stdin"], input=keys)
    assert added.exit_code == 0, added.output

    other = make_app(DATABASE_URL=database, MASTER_KEY="B" * 43 + "=")
    found = json.loads(other.test_cli_runner().invoke(args=["doctor", "--json"]).stdout)

    secrets = next(row for row in found if row["part"] == "secrets")
    assert "were stored under another master key" in secrets["detail"]


@pytest.mark.parametrize(("skew_ms", "state"), [(40, "OK"), (-1500, "WARNING"), (6000, "FAILED")])
def test_the_doctor_tells_how_far_the_clock_is_from_an_exchanges(
    app: Flask, type_in: TypeIn, make_user: MakeUser, make_broker: MakeBroker, skew_ms: int, state: str
) -> None:
    user = make_user()
    make_broker(user, "main")
    with app.app_context():
        found = brokers.by_name(user, "main")
        assert found is not None
        found.check_up = {"clock_skew_ms": skew_ms}
        db.session.commit()

    parts = {row["part"]: row for row in json.loads(type_in("doctor", "--json", code=1).stdout)}

    assert parts["clock"]["state"] == state
    assert state == "OK" or f"{skew_ms} ms off {NAMES[0]} as main saw it" in parts["clock"]["detail"]
    assert state == "OK" or "clock" in parts["clock"]["remedy"]


def test_a_database_without_tables_is_a_refusal_and_no_traceback(app: Flask, type_in: TypeIn) -> None:
    with app.app_context():
        db.drop_all()

    refused = type_in("user", "list", code=1)

    assert "the database cannot be used: no such table" in refused.stderr
    assert "flask doctor" in refused.stderr


def test_a_setting_that_makes_no_sense_is_told_in_words() -> None:
    done = in_a_process("user", "list", PORT="none")

    assert done.returncode == 1
    assert "PORT is 'none'" in done.stderr
    assert "remedy: " in done.stderr
    assert "Traceback" not in done.stderr


def test_the_sandbox_refuses_an_address_that_others_reach_and_a_port_that_is_taken(type_in: TypeIn) -> None:
    assert "--allow-remote" in type_in("sandbox", "run", "--host", "0.0.0.0", code=1).stderr
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])

        refused = type_in("sandbox", "run", "--port", port, code=1)

    assert f"127.0.0.1:{port} cannot be listened on" in refused.stderr


def test_a_command_line_that_is_not_understood_exits_2(type_in: TypeIn) -> None:
    type_in("order", "place", "sideways", "BTCUSDT", code=2)
    type_in("broker", "add", "x", "--exchange", "nowhere", code=2)


@pytest.mark.postgres
def test_commands_work_on_postgresql_and_the_doctor_compares_its_clock(
    make_app: AppFactory, postgres_url: str
) -> None:
    runner = make_app(DATABASE_URL=postgres_url).test_cli_runner()
    made = runner.invoke(args=["user", "create", "a@x.org", "--password-stdin"], input=PASSWORD)
    assert made.exit_code == 0, made.output

    listed = json.loads(runner.invoke(args=["user", "list", "--json"]).stdout)
    found = {row["part"]: row for row in json.loads(runner.invoke(args=["doctor", "--json"]).stdout)}

    assert [row["email"] for row in listed] == ["a@x.org"]
    assert found["database"] == {"part": "database", "state": "OK", "detail": "postgresql", "remedy": None}
    assert found["migrations"]["state"] == "FAILED"
    assert found["clock"]["state"] == "OK"
    assert "of 2 clock(s)" in found["clock"]["detail"]
