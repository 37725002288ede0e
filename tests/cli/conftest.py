"""An operator at a terminal: commands as processes of their own, or within this process where no worker is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app.config import PROJECT_ROOT
from tests.fixtures.sandbox import Keys
from tests.fixtures.stack import Stack

PASSWORD = "correct horse battery"

_numbers = count(1)


@dataclass(frozen=True)
class Done:
    """A command that ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed for a program."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Operator:
    """Somebody with an account, who types ``flask …`` beside the running processes."""

    stack: Stack
    email: str
    keys: Keys
    environ: dict[str, str] = field(repr=False)

    def flask(self, *words: str, stdin: str = "", code: int | None = 0, **environ: str) -> Done:
        """Run one command; fails the test unless it ends with ``code``, when one is given."""
        done = subprocess.run(
            [sys.executable, "-m", "flask", *words],
            cwd=PROJECT_ROOT,
            env={**self.environ, **environ},
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert code is None or done.returncode == code, (
            f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
        assert "Traceback" not in done.stderr
        return Done(done.returncode, done.stdout, done.stderr)

    @property
    def secrets(self) -> str:
        """The keys as ``--secrets-stdin`` takes them."""
        return json.dumps({"api_key": self.keys.api_key, "api_secret": self.keys.api_secret})

    def connect(self, name: str = "main") -> Done:
        """Add the funded account as a broker that trades on alerts."""
        words = ("--exchange", self.stack.exchange, "--environment", "sandbox", "--mode", "webhooks")
        return self.flask("broker", "add", name, *words, "--secrets-stdin", "--json", stdin=self.secrets)


@pytest.fixture(scope="session")
def new_operator(stack: Stack) -> Callable[..., Operator]:
    """Operators with an account each, and keys of a funded account on the simulated exchange."""

    def make(balances: Mapping[str, str] | None = None) -> Operator:
        email = f"operator{next(_numbers)}@example.org"
        keys = stack.sandbox.account(stack.exchange, balances)
        environ = {**stack.environ, "SWITCHYARD_USER": email}
        made = Operator(stack, email, keys, environ)
        made.flask("user", "create", email, "--password-stdin", stdin=PASSWORD)
        return made

    return make


@pytest.fixture(scope="session")
def operator(new_operator: Callable[..., Operator]) -> Operator:
    """One whose broker ``main`` is connected."""
    made = new_operator()
    made.connect()
    return made


@pytest.fixture
def type_in(app: Flask) -> Callable[..., Result]:
    """Run a command within this process: no worker, web process or exchange is there."""
    runner = app.test_cli_runner()

    def run(*words: str, stdin: str = "", code: int = 0, **environ: str) -> Result:
        result = runner.invoke(args=list(words), input=stdin, env=environ)
        assert result.exit_code == code, f"{words}: {result.exit_code}\n{result.output}\n{result.exception!r}"
        return result

    return run
