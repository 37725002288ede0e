"""bin/start as a person meets it: the real command, its real processes, what it says when it cannot."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
import requests

from app.config import PROJECT_ROOT, load_settings
from deploy.launcher import database, preflight
from deploy.launcher.errors import LaunchError, explained
from deploy.launcher.start import local_address

DEADLINE = 60.0
NAMES = {"redis", "web", "webhook", "worker-orders", "worker-sync", "beat", "flower", "sandbox"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(data_dir: Path, **settings: str) -> dict[str, str]:
    """A person's environment with nothing of the test run's in it, and ports of its own."""
    ports = {name: str(free_port()) for name in ("PORT", "SANDBOX_PORT", "FLOWER_PORT", "WEBHOOK_PORT")}
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, **ports, "DATA_DIR": str(data_dir), **settings}


def start(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROJECT_ROOT / "bin" / "start"), *arguments]
    return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=DEADLINE, check=False)


class Running:
    """A bin/start that is ready."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.environ = environment(data_dir, RECEIVER="1")
        self.port = int(self.environ["PORT"])
        self.process = subprocess.Popen(
            [str(PROJECT_ROOT / "bin" / "start")],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        self.said: list[str] = []
        for line in self.process.stdout:
            self.said.append(line)
            if line.startswith("ready:"):
                break

    def pids(self) -> dict[str, int]:
        return {
            path.stem: int(path.read_text())
            for path in (self.data_dir / "run").glob("*.pid")
            if path.stem != "switchyard"
        }


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One started Switchyard for the tests of this module."""
    started = Running(tmp_path_factory.mktemp("running"))
    assert started.process.poll() is None, "".join(started.said)
    yield started
    started.process.send_signal(signal.SIGINT)
    started.process.communicate(timeout=DEADLINE)


def eventually(condition: object) -> None:
    """Wait until ``condition()`` is true."""
    assert callable(condition)
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_says_ready_with_an_address_whose_pages_answer(running: Running) -> None:
    assert running.said[-1] == f"ready: http://127.0.0.1:{running.port}\n"
    assert requests.get(f"http://127.0.0.1:{running.port}/", timeout=10).ok


def test_every_process_of_the_procfile_runs_and_has_a_pid_file_and_a_log(running: Running) -> None:
    eventually(lambda: set(running.pids()) == NAMES)
    assert all(psutil.pid_exists(pid) for pid in running.pids().values())
    assert {path.stem for path in (running.data_dir / "log").glob("*.log")} == NAMES


def test_alerts_are_taken_apart_from_the_pages_when_that_is_asked_for(running: Running) -> None:
    address = f"http://127.0.0.1:{running.environ['WEBHOOK_PORT']}"

    def answers(path: str) -> int:
        try:
            return requests.get(address + path, timeout=10).status_code
        except requests.ConnectionError:
            return 0

    eventually(lambda: answers("/health") == 200)
    assert answers("/") == 404
    assert requests.post(f"{address}/webhook/nobodys", data="action=PING", timeout=10).status_code == 401


def test_nothing_listens_beyond_this_machine(running: Running) -> None:
    eventually(lambda: set(running.pids()) == NAMES)
    listening = [
        connection.laddr.ip
        for pid in running.pids().values()
        for process in [psutil.Process(pid), *psutil.Process(pid).children(recursive=True)]
        for connection in process.net_connections("inet")
        if connection.status == psutil.CONN_LISTEN
    ]
    assert set(listening) == {"127.0.0.1"}


def test_a_worker_that_is_killed_comes_back(running: Running) -> None:
    before = running.pids()["worker-orders"]
    os.kill(before, signal.SIGKILL)

    eventually(lambda: running.pids().get("worker-orders", before) != before)
    eventually((running.data_dir / "run" / "worker-orders.ready").exists)


def test_flower_answers_only_to_who_knows_its_password(running: Running) -> None:
    settings = load_settings(running.environ)
    address = ("127.0.0.1", settings.flower_port)

    def answers(credentials: tuple[str, str] | None) -> int:
        try:
            url = f"http://{address[0]}:{address[1]}/flower/api/workers"
            return requests.get(url, auth=credentials, timeout=10).status_code
        except requests.ConnectionError:
            return 0

    eventually(lambda: answers(None) == 401)
    assert answers(("switchyard", "wrong")) == 401
    assert answers(settings.flower_credentials) == 200
    command_line = psutil.Process(running.pids()["flower"]).cmdline()
    assert settings.flower_credentials[1] not in " ".join(command_line)


def test_the_redis_socket_is_the_owner_s_alone(running: Running) -> None:
    assert (running.data_dir / "run" / "redis.sock").stat().st_mode & 0o077 == 0


def test_a_second_one_on_the_same_data_is_refused(running: Running) -> None:
    other = start({**environment(running.data_dir)})

    assert other.returncode == 1
    assert f"already running on {running.data_dir} (pid {running.process.pid})" in other.stderr
    assert "Traceback" not in other.stderr


def test_a_stop_leaves_no_process_and_no_pid_file(tmp_path: Path) -> None:
    running = Running(tmp_path)
    everyone = psutil.Process(running.process.pid).children(recursive=True)
    running.process.send_signal(signal.SIGTERM)
    running.process.communicate(timeout=DEADLINE)

    assert running.process.returncode == 0
    assert len(everyone) >= len(NAMES) - 1
    assert not [process for process in everyone if process.is_running()]
    assert not list((tmp_path / "run").glob("*.pid"))
    assert not list((tmp_path / "run").glob("*.sock"))


@pytest.mark.parametrize("name", ["PORT", "SANDBOX_PORT", "FLOWER_PORT", "WEBHOOK_PORT"])
def test_a_port_that_is_taken_is_named_with_the_way_out(tmp_path: Path, name: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = start(environment(tmp_path, RECEIVER="1", **{name: str(port)}))

    assert done.returncode == 1
    assert done.stderr.startswith(f"Port {port} is taken")
    assert f"{name}={port + 1}" in done.stderr
    assert not list((tmp_path / "run").glob("*.pid"))


def test_an_address_that_is_not_this_machine_s_is_refused(tmp_path: Path) -> None:
    done = start(environment(tmp_path), "--host", "192.0.2.7")

    assert done.returncode == 1
    assert "192.0.2.7 is not an address of this machine" in done.stderr


def test_a_setting_that_makes_no_sense_is_told_without_a_traceback(tmp_path: Path) -> None:
    done = start(environment(tmp_path), "--port", "eighty")

    assert done.returncode == 1
    assert done.stderr == "PORT is 'eighty'.\nSet PORT to a whole number from 1 to 65535.\n"


def test_a_data_dir_that_cannot_be_made_is_told_without_a_traceback(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = start(environment(tmp_path / "file" / "data"))

    assert done.returncode == 1
    assert done.stderr.startswith("A file is where a directory should be")
    assert "DATA_DIR" in done.stderr


def test_a_full_disk_is_told_before_anything_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preflight, "NEEDED_BYTES", 2**70)

    with pytest.raises(LaunchError, match="The disk is full") as refusal:
        preflight.prepare_data_dir(tmp_path)
    assert "DATA_DIR" in refusal.value.remedy


def test_a_disk_that_fills_up_meanwhile_is_told_in_the_same_words() -> None:
    with (
        Path("/dev/full").open("wb", buffering=0) as full,
        pytest.raises(OSError, match="No space left") as error,
    ):
        full.write(b"x")

    problem = explained(error.value)
    assert problem is not None
    assert problem.message.startswith("The disk is full")


def test_set_up_alone_starts_nothing_and_leaves_a_database_at_the_newest_migration(tmp_path: Path) -> None:
    environ = environment(tmp_path)
    done = start(environ, "--setup-only")

    assert done.returncode == 0, done.stderr
    settings = load_settings(environ)
    assert database.is_migrated(settings)
    assert not list((tmp_path / "run").iterdir())
    with pytest.raises(ConnectionRefusedError):
        http.client.HTTPConnection("127.0.0.1", settings.port).connect()


@pytest.mark.postgres
def test_the_database_can_be_postgresql(tmp_path: Path, postgres_url: str) -> None:
    environ = environment(tmp_path, DATABASE_URL=postgres_url)
    preflight.prepare_data_dir(tmp_path)
    assert start(environ, "--setup-only").returncode == 0

    assert database.is_migrated(load_settings(environ))
    assert not (tmp_path / "switchyard.db").exists()


def test_a_newer_migration_is_noticed(tmp_path: Path) -> None:
    versions = tmp_path / "versions"
    versions.mkdir()
    (versions / "0001_a.py").write_text('revision = "0001"\ndown_revision = None\n')
    (versions / "0002_b.py").write_text('revision: str = "0002"\ndown_revision: str | None = "0001"\n')

    assert database.heads(versions) == {"0002"}


@pytest.mark.parametrize("version", ["3.9", "3.10"])
def test_a_python_that_is_too_old_is_named(tmp_path: Path, version: str) -> None:
    done = find_python(tmp_path, f'case "$2" in *exit*) exit 1;; *) echo {version};; esac')

    assert done.returncode == 1
    assert f"needs Python 3.11 or newer. {tmp_path}/python is Python {version}." in done.stderr


def test_a_python_that_does_not_even_run_does_not_count(tmp_path: Path) -> None:
    done = find_python(tmp_path, "echo no version is set >&2; exit 127")

    assert done.returncode == 1
    assert "needs Python 3.11 or newer. None was found." in done.stderr


def find_python(directory: Path, script: str) -> subprocess.CompletedProcess[str]:
    """What bin/environment.sh makes of a ``python`` that is this shell script."""
    python = directory / "python"
    python.write_text(f"#!/bin/sh\n{script}\n")
    python.chmod(0o755)
    command = f". {PROJECT_ROOT}/bin/environment.sh && find_python"
    return subprocess.run(
        ["bash", "-c", command],
        env={"PATH": "/usr/bin:/bin", "PYTHON": str(python)},
        capture_output=True,
        text=True,
    )


def test_a_server_that_listens_everywhere_is_reached_on_this_machine() -> None:
    assert local_address("0.0.0.0") == "127.0.0.1"
    assert local_address("::") == "::1"
    assert local_address("192.168.1.5") == "192.168.1.5"
