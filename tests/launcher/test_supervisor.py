"""Processes are kept running, and none outlives the supervisor. Real processes of a small Procfile."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from app.config import PROJECT_ROOT
from deploy.launcher.logfile import LogFile

DEADLINE = 15.0
DRIVER = Path(__file__).with_name("supervise.py")


class Supervised:
    """A supervisor in a process of its own, and what it says."""

    def __init__(self, directory: Path, procfile: str, foundation: tuple[str, ...]) -> None:
        self.data_dir = directory / "data"
        (directory / "Procfile").write_text(procfile)
        self.said = directory / "said"
        with self.said.open("wb") as said:
            self.process = subprocess.Popen(
                [sys.executable, str(DRIVER), str(directory / "Procfile"), str(self.data_dir), *foundation],
                env={**os.environ, "PYTHONPATH": str(PROJECT_ROOT)},
                stdout=said,
                stderr=said,
            )
        self.eventually(lambda: "started" in self.said.read_text())

    def eventually(self, condition: Callable[[], bool]) -> None:
        """Wait until ``condition`` holds; fails with what was said when it never does."""
        deadline = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < deadline, self.said.read_text()
            time.sleep(0.01)

    def pid(self, name: str) -> int:
        return int((self.data_dir / "run" / f"{name}.pid").read_text())

    def log(self, name: str) -> str:
        return (self.data_dir / "log" / f"{name}.log").read_text()

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.process.wait(DEADLINE)


Start = Callable[..., Supervised]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts a supervisor on the text of a Procfile; it is gone after the test."""
    running: list[Supervised] = []

    def start_one(procfile: str, *foundation: str) -> Supervised:
        running.append(Supervised(tmp_path, procfile, foundation))
        return running[-1]

    yield start_one
    for supervised in running:
        if supervised.process.poll() is None:
            supervised.stop()


def test_a_killed_process_is_started_again_and_said_to_be(start: Start) -> None:
    supervised = start("one: sleep 600\ntwo: sleep 600\n")
    first, other = supervised.pid("one"), supervised.pid("two")
    os.kill(first, signal.SIGKILL)

    supervised.eventually(
        lambda: "one was killed by SIGKILL; starting it again" in supervised.said.read_text()
    )
    supervised.eventually(
        lambda: (supervised.data_dir / "run" / "one.pid").exists() and supervised.pid("one") != first
    )
    assert psutil.pid_exists(supervised.pid("one"))
    assert supervised.pid("two") == other


def test_what_a_killed_process_left_behind_is_ended_before_it_is_started_again(start: Start) -> None:
    supervised = start("one: sh -c 'sleep 600 & echo \"left $!\"; wait'\n")
    supervised.eventually(lambda: "left" in supervised.log("one"))
    left = int(supervised.log("one").split()[1])
    os.kill(supervised.pid("one"), signal.SIGKILL)

    supervised.eventually(lambda: supervised.log("one").count("left") == 2)
    assert not is_running(left)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_stop_ends_every_process_and_removes_its_pid_file(start: Start, number: signal.Signals) -> None:
    supervised = start("one: sleep 600\ntwo: sh -c 'sleep 600 & wait'\n")
    everyone = psutil.Process(supervised.process.pid).children(recursive=True)

    assert supervised.stop(number) == 0
    assert everyone
    assert not [process for process in everyone if is_running(process.pid)]
    assert not list((supervised.data_dir / "run").iterdir())


def test_what_others_lean_on_is_stopped_after_them(start: Start) -> None:
    note = "trap 'sleep 0.3; date +%s%N; exit 0' TERM; echo up; while :; do sleep 0.05; done"
    supervised = start(f'base: sh -c "{note}"\nleaning: sh -c "{note}"\n', "base")
    supervised.eventually(lambda: "up" in supervised.log("base") and "up" in supervised.log("leaning"))
    supervised.stop()

    assert int(supervised.log("leaning").split()[-1]) < int(supervised.log("base").split()[-1])


def test_a_process_that_will_not_stop_is_killed_on_the_second_request(start: Start) -> None:
    supervised = start("deaf: sh -c \"trap '' TERM; echo up; while :; do sleep 0.05; done\"\n")
    supervised.eventually(lambda: "up" in supervised.log("deaf"))
    pid = supervised.pid("deaf")
    supervised.process.send_signal(signal.SIGINT)

    assert supervised.stop(signal.SIGTERM) == 0
    assert not is_running(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent was killed")
def test_a_killed_supervisor_leaves_no_orphan(start: Start) -> None:
    supervised = start("one: sleep 600\n")
    pid = supervised.pid("one")
    supervised.stop(signal.SIGKILL)

    supervised.eventually(lambda: not is_running(pid))


def test_a_process_that_never_gets_going_is_given_up_with_the_end_of_its_log(start: Start) -> None:
    supervised = start('bad: sh -c "echo a module is missing; exit 3"\n')

    assert supervised.process.wait(DEADLINE) == 0
    said = supervised.said.read_text()
    assert "bad ended with status 3; starting it again in 0.2 s." in said
    assert "bad ended with status 3; starting it again in 0.4 s." in said
    assert "bad does not start." in said
    assert "a module is missing" in said.partition("does not start")[2]


def test_output_goes_to_the_process_s_log_and_to_the_terminal_when_wanted(start: Start) -> None:
    supervised = start("one: sh -c 'echo hello; echo world >&2; sleep 600'\n")

    supervised.eventually(lambda: supervised.log("one") == "hello\nworld\n")
    supervised.eventually(lambda: "| world" in supervised.said.read_text())


def test_a_full_disk_stops_neither_the_process_nor_the_supervisor(start: Start, tmp_path: Path) -> None:
    (tmp_path / "data" / "log").mkdir(parents=True)
    (tmp_path / "data" / "log" / "one.log").symlink_to("/dev/full")
    supervised = start("one: sh -c 'while :; do echo line; sleep 0.02; done'\n")

    supervised.eventually(
        lambda: "The logs cannot be written: No space left on device" in supervised.said.read_text()
    )
    assert is_running(supervised.pid("one"))
    assert supervised.stop() == 0
    assert supervised.said.read_text().count("cannot be written") == 1


def test_a_log_that_grows_past_its_limit_keeps_one_older_part(tmp_path: Path) -> None:
    log = LogFile(tmp_path / "a.log", limit=10)
    for text in (b"one\n", b"two\n", b"three\n", b"four\n", b"five\n"):
        log.write(text)
    log.close()

    assert (tmp_path / "a.log").read_bytes() == b"four\nfive\n"
    assert (tmp_path / "a.log.1").read_bytes() == b"three\n"


def is_running(pid: int) -> bool:
    """Whether the process lives; one that only waits to be reaped does not."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
