"""What holds for the whole program: layers, access, queues, names."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from app.config import PROJECT_ROOT
from app.dispatch import TaskName
from app.exchanges import NAMES, REGISTRY, exchange_class
from app.extensions import celery
from app.web.access import Access, decision
from deploy.launcher.environment import process_environment
from tests.fixtures.app import LogIn, MakeUser, submit

#: Where an exchange may be called by its name; elsewhere everything comes from the registry.
_MAY_NAME_EXCHANGES = ("app/exchanges/", "app/sandbox/dialects/")
_SOURCES = (
    "app",
    "tasks",
    "templates",
    "static/js",
    "static/css",
    "deploy",
    "wsgi.py",
    "celeryconfig.py",
    "Procfile",
)


def test_each_layer_imports_only_what_it_may() -> None:
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=PROJECT_ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_every_route_says_who_may_call_it(app: Flask) -> None:
    undecided = [
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static" and decision(app.view_functions[rule.endpoint]) is None
    ]
    assert undecided == []


def test_only_doors_are_open_to_anyone(app: Flask) -> None:
    public = {endpoint for endpoint, view in app.view_functions.items() if decision(view) is Access.PUBLIC}
    assert public == {
        "api.openapi.document",
        "auth.login",
        "auth.second_step",
        "auth.signup",
        "health.live",
        "health.ready",
    }


def test_a_route_that_forgot_to_decide_answers_nobody(
    app: Flask, make_user: MakeUser, log_in: LogIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.view_functions, "orders.index", lambda: "secret")
    assert log_in(make_user()).get("/orders/").status_code == 403


def test_every_member_route_sends_a_stranger_to_the_log_in(app: Flask, make_user: MakeUser) -> None:
    make_user()
    stranger = app.test_client()
    for rule in app.url_map.iter_rules():
        if decision(app.view_functions.get(rule.endpoint, print)) in (Access.MEMBER, Access.ADMIN):
            path = re.sub(r"<[^>]+>", "1", rule.rule)
            if "GET" in (rule.methods or ()):
                answer = stranger.get(path)
                assert answer.status_code == 302, path
                assert answer.location.startswith("/login"), path


def test_every_admin_route_is_closed_to_a_member(app: Flask, make_user: MakeUser, log_in: LogIn) -> None:
    make_user()
    member = log_in(make_user())
    admin = [
        rule
        for rule in app.url_map.iter_rules()
        if decision(app.view_functions[rule.endpoint]) is Access.ADMIN
    ]
    assert admin
    for rule in admin:
        path = re.sub(r"<[^>]+>", "workers", re.sub(r"<int:[^>]+>", "1", rule.rule))
        if "GET" in (rule.methods or ()):
            assert member.get(path).status_code == 403, path
        if "POST" in (rule.methods or ()):
            assert submit(member, path, page="/brokers/new").status_code == 403, path


def test_every_post_is_guarded_against_forgery(app: Flask, make_user: MakeUser, log_in: LogIn) -> None:
    """But the webhook and the API, which prove themselves by a token, and Flower's one query."""
    browser = log_in(make_user())
    for rule in app.url_map.iter_rules():
        if "POST" in (rule.methods or ()) and not rule.rule.startswith(("/webhook", "/api/", "/flower")):
            path = re.sub(r"<[^>]+>", "1", rule.rule)
            answer = browser.post(path)
            assert answer.status_code == 400, path
            assert "did not come from a page" in answer.text, path
    # The pages' own /webhooks are not the webhook's door.
    assert browser.post("/webhooks/sources/new").status_code == 400


def test_the_api_is_open_to_tokens_alone_and_to_no_session(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    browser = log_in(make_user())
    walked = 0
    for rule in app.url_map.iter_rules():
        of_api = rule.rule.startswith("/api/") and rule.endpoint != "api.openapi.document"
        assert (decision(app.view_functions.get(rule.endpoint, print)) is Access.API) == of_api, rule.rule
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"} if of_api else ():
            answer = browser.open(re.sub(r"<[^>]+>", "1", rule.rule), method=method)
            assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer"), rule.rule
            walked += 1
    assert walked >= 14


@pytest.fixture(scope="module")
def worker_sees(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What a worker process has after its start: its tasks and its modules."""
    program = (
        "import json, sys, tasks.app as worker; "
        "print(json.dumps({'tasks': sorted(worker.celery.tasks), 'modules': sorted(sys.modules)}))"
    )
    return _run(program, tmp_path_factory.mktemp("worker"))


def test_every_task_name_is_registered_and_every_task_is_named(worker_sees: dict[str, list[str]]) -> None:
    registered = {name for name in worker_sees["tasks"] if not name.startswith("celery.")}
    assert registered == {name.value for name in TaskName}


def test_beat_asks_only_for_tasks_there_are() -> None:
    assert {entry["task"] for entry in celery.conf.beat_schedule.values()} <= {
        name.value for name in TaskName
    }


def test_every_queue_is_consumed_by_a_worker_of_the_procfile(app: Flask) -> None:
    procfile = (PROJECT_ROOT / "Procfile").read_text()
    environ = process_environment(app.extensions["settings"], {})
    consumed: set[str] = set()
    for options in re.findall(r"^worker[\w-]*:.*--queues \"?\$(\w+)", procfile, re.MULTILINE):
        consumed |= set(environ[options].split(","))
    assert consumed == {queue.name for queue in celery.conf.task_queues}


def test_neither_web_nor_workers_import_ccxt(worker_sees: dict[str, list[str]], tmp_path: Path) -> None:
    web = _run("import json, sys, wsgi; print(json.dumps({'modules': sorted(sys.modules)}))", tmp_path)
    for process in (worker_sees, web):
        assert "ccxt" not in process["modules"]


def test_the_exchanges_work_without_the_framework(tmp_path: Path) -> None:
    program = (
        "import json, sys; from app.exchanges import NAMES, exchange_class; "
        "[exchange_class(name) for name in NAMES]; print(json.dumps({'modules': sorted(sys.modules)}))"
    )
    loaded = set(_run(program, tmp_path)["modules"])
    assert loaded & {"flask", "celery", "sqlalchemy", "marshmallow"} == set()


def test_an_exchange_is_named_only_where_it_lives() -> None:
    names = re.compile(r"\b(" + "|".join(NAMES) + r")\b", re.IGNORECASE)
    found = []
    for source in _files(*_SOURCES):
        if source.startswith(_MAY_NAME_EXCHANGES):
            continue
        for number, line in enumerate((PROJECT_ROOT / source).read_text().splitlines(), start=1):
            if names.search(line):
                found.append(f"{source}:{number}: {line.strip()}")
    assert found == []


def test_the_registry_leads_to_a_client_of_that_name() -> None:
    for name in REGISTRY:
        client = exchange_class(name)
        assert client.name == name
        assert client.credential_fields
        assert client.title


def _files(*paths: str) -> Iterator[str]:
    """Every text file below, relative to the project."""
    for path in (PROJECT_ROOT / name for name in paths):
        for file in [path] if path.is_file() else sorted(path.rglob("*")):
            if file.is_file() and "__pycache__" not in file.parts:
                yield str(file.relative_to(PROJECT_ROOT))


def _run(program: str, data_dir: Path) -> dict[str, list[str]]:
    environ = {**os.environ, "SWITCHYARD_ENV": "testing", "DATA_DIR": str(data_dir)}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PROJECT_ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    answer: dict[str, list[str]] = json.loads(done.stdout)
    return answer
