"""The real processes, started by bin/start on data and ports of their own, with one user, broker and some sources."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import requests

from app.exchanges import NAMES

ROOT = Path(__file__).resolve().parent.parent
READY_SECONDS = 180
_KEPT_LINES = 200


@dataclass(frozen=True, slots=True)
class Stack:
    """A running Switchyard."""

    web: str
    receiver: str
    """Where alerts are taken apart from the pages, with ``RECEIVER=1``."""
    sandbox: str
    environ: dict[str, str]
    said: deque[str]
    """The latest lines of bin/start: who died, and how."""

    def control(self, path: str, body: dict[str, Any]) -> None:
        """Tell the sandbox something."""
        requests.post(f"{self.sandbox}/_control/{path}", json=body, timeout=10).raise_for_status()

    def take_faults_back(self) -> list[dict[str, Any]]:
        """Let no fault that the sandbox was told of strike any more; returns those that had not yet."""
        answer = requests.delete(f"{self.sandbox}/_control/faults", timeout=60)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["faults"]
        return found

    def orders(self, exchange: str, api_key: str) -> list[dict[str, Any]]:
        """Every order that reached the sandbox's engine."""
        query = {"exchange": exchange, "api_key": api_key}
        answer = requests.get(f"{self.sandbox}/_control/orders", params=query, timeout=60)
        answer.raise_for_status()
        found: list[dict[str, Any]] = answer.json()["orders"]
        return found


@contextmanager
def running(**settings: str) -> Iterator[Stack]:
    """Start everything, wait until it is ready, and stop it at the end."""
    directory = Path(tempfile.mkdtemp(prefix="switchyard-bench-"))
    ports = _free_ports(4)
    environ = {
        **os.environ,
        "DATA_DIR": str(directory),
        "PORT": str(ports[0]),
        "SANDBOX_PORT": str(ports[1]),
        "FLOWER_PORT": str(ports[2]),
        "WEBHOOK_PORT": str(ports[3]),
        "LOG_LEVEL": "WARNING",
        **settings,
    }
    process = subprocess.Popen(
        [str(ROOT / "bin" / "start")], cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True
    )
    said: deque[str] = deque(maxlen=_KEPT_LINES)
    listener = threading.Thread(target=_listen, args=(process, said), daemon=True)
    try:
        _await_ready(process)
        listener.start()
        web, sandbox, _, receiver = (f"http://127.0.0.1:{port}" for port in ports)
        yield Stack(web, receiver, sandbox, environ, said)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        if listener.is_alive():
            listener.join(10)
        shutil.rmtree(directory, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Desk:
    """One funded broker with the addresses of its sources."""

    urls: list[str]
    exchange: str
    api_key: str


def open_desk(stack: Stack, *, trading: bool, sources: int = 1, apart: bool = False) -> Desk:
    """A user with a funded sandbox broker and some sources; their alerts trade when ``trading``.

    Their addresses are the receiver's when alerts are taken ``apart`` from the pages.
    """
    exchange, key, secret = NAMES[0], "bench-key-" + "0" * 54, "bench-secret-" + "0" * 51
    balances = {"USDT": "1000000000", "BTC": "1000000"}
    account = {"exchange": exchange, "api_key": key, "api_secret": secret, "balances": balances}
    stack.control("accounts", {**account, "passphrase": None})
    mode = "WEBHOOKS" if trading else "OFF"
    tokens = subprocess.run(
        [sys.executable, "-m", "benchmarks.desk", exchange, mode, str(sources)],
        cwd=ROOT,
        env=stack.environ,
        input=f"{key}\n{secret}\n",
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    base = stack.receiver if apart else stack.web
    return Desk([f"{base}/webhook/{token}" for token in tokens], exchange, key)


def _await_ready(process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("ready:"):
            return
        if time.monotonic() > deadline:
            break
    raise RuntimeError("bin/start did not become ready")


def _listen(process: subprocess.Popen[str], said: deque[str]) -> None:
    """Read what it goes on to say: a pipe that nobody reads would stop it once full."""
    assert process.stdout is not None
    with process.stdout as output:
        said.extend(line.rstrip() for line in output)


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
