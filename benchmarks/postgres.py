"""A PostgreSQL of its own from the system's binaries, on a unix socket, gone at the end."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psycopg

_PROGRAMS = Path("/usr/lib/postgresql")
_START_SECONDS = 30
_STOP_SECONDS = 20
_HASTY = ("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")


class Postgres:
    """A server in a directory of its own; one that is not ``durable`` is quicker, and only stops in good order."""

    def __init__(self, *, durable: bool) -> None:
        programs = find_programs()
        if programs is None:
            raise FileNotFoundError("PostgreSQL is not installed on this machine")
        self._programs = programs
        self._options = () if durable else _HASTY
        self._owner = _unprivileged_user()
        self._place = tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True)
        self._directory = Path(self._place.name)
        self._server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        if self._owner is not None:
            shutil.chown(self._directory, self._owner.pw_uid, self._owner.pw_gid)
        where = ["-D", str(self._directory / "data"), "--no-sync"]
        how = ["-U", "switchyard", "-A", "trust", "-E", "UTF8", "--locale=C"]
        self._run("initdb", *where, *how).wait()
        self._start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop(signal.SIGINT)
        self._place.cleanup()

    @property
    def url(self) -> str:
        """The server's own database."""
        return f"postgresql://switchyard@/postgres?host={self._directory}"

    def create(self, name: str) -> str:
        """Make an empty database; returns its URL."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self.url.replace("/postgres?", f"/{name}?")

    def drop(self, name: str) -> None:
        """Remove a database, whoever is connected."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def restart(self) -> None:
        """End it at once, without a word to its clients and without a checkpoint, and start it again."""
        self._stop(signal.SIGQUIT)
        self._start()

    def _start(self) -> None:
        where = ["-D", str(self._directory / "data"), "-k", str(self._directory)]
        self._server = self._run(
            "postgres", *where, "-c", "listen_addresses=", "-c", "max_connections=200", *self._options
        )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline and self._server.poll() is None:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
            else:
                return
        raise RuntimeError(f"PostgreSQL did not start: {(self._directory / 'log').read_text()}")

    def _stop(self, number: signal.Signals) -> None:
        if self._server is not None:
            self._server.send_signal(number)
            self._server.wait(_STOP_SECONDS)

    def _run(self, program: str, *arguments: str) -> subprocess.Popen[bytes]:
        owner = self._owner
        identity: dict[str, Any] = (
            {} if owner is None else {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}
        )
        with (self._directory / "log").open("ab") as log:
            return subprocess.Popen(
                [str(self._programs / program), *arguments],
                cwd=self._directory,
                stdout=log,
                stderr=log,
                **identity,
            )


def find_programs() -> Path | None:
    """The directory of the newest initdb and postgres there are."""
    packaged = sorted(_PROGRAMS.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if packaged:
        return packaged[-1].parent
    on_path = shutil.which("initdb")
    return Path(on_path).resolve().parent if on_path else None


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom to run the server as: PostgreSQL refuses to run as root. None when we are not root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]
