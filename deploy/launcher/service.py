"""One process of the Procfile: started, watched, ended, its output kept."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from app.config import PROJECT_ROOT
from deploy.launcher.logfile import LogFile

_PR_SET_PDEATHSIG = 1
_CHUNK = 65536
_READY_COMMANDS = (" worker ", " beat")


class Service:
    """A command that should be running: at most one process at a time, in a process group of its own."""

    def __init__(self, name: str, command: str, *, environ: Mapping[str, str], data_dir: Path) -> None:
        self.name = name
        self.started_at = 0.0
        self._command = command
        self._environ = environ
        self._pid_file = data_dir / "run" / f"{name}.pid"
        self._ready_file = data_dir / "run" / f"{name}.ready"
        self.log_path = data_dir / "log" / f"{name}.log"
        self._log = LogFile(self.log_path)
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process's id while there is one."""
        return self._process.pid if self._process else None

    @property
    def output(self) -> IO[bytes]:
        """The process's output, to wait on; raises `ProcessLookupError` when there is no process."""
        if self._process is None or self._process.stdout is None:
            raise ProcessLookupError(f"{self.name} is not running")
        return self._process.stdout

    @property
    def is_ready(self) -> bool:
        """Whether a Celery process has begun its work, which it tells by a file; any other is ready once it runs."""
        if self._process is None:
            return False
        tells = "celery" in self._command and any(word in self._command for word in _READY_COMMANDS)
        return self._ready_file.exists() if tells else True

    def start(self) -> None:
        """Start the process; raises `OSError` when the machine does not allow it."""
        self._ready_file.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            # exec: the pid is the program's own and not that of a shell in front of it.
            ["/bin/sh", "-c", f"exec {self._command}"],
            cwd=PROJECT_ROOT,
            env={**self._environ, "READY_FILE": str(self._ready_file)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_end_with_parent(),
        )
        os.set_blocking(self.output.fileno(), False)
        self.started_at = time.monotonic()
        try:
            self._pid_file.write_text(f"{self._process.pid}\n")
        except OSError:
            self.clear()
            raise

    def collect(self) -> bytes | None:
        """Move what the process has said since the last time into its log; returns it, or None at its end.

        Raises `OSError` when the log cannot take it.
        """
        try:
            said = os.read(self.output.fileno(), _CHUNK)
        except BlockingIOError:
            return b""
        self._log.write(said)
        return said or None

    def poll(self) -> int | None:
        """The exit status once the process has ended."""
        return self._process.poll() if self._process else None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process, or with SIGKILL to its whole group."""
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            if number == signal.SIGKILL:
                os.killpg(self._process.pid, number)
            elif self._process.poll() is None:
                self._process.send_signal(number)

    def clear(self) -> None:
        """After the process has ended: end what it left behind and remove its pid file."""
        if self._process is None:
            return
        self.signal(signal.SIGKILL)
        self._process.wait()
        self.output.close()
        self._process = None
        self._pid_file.unlink(missing_ok=True)
        self._ready_file.unlink(missing_ok=True)

    def last_lines(self, count: int = 12) -> list[str]:
        """The end of the log, for a person to read."""
        with self.log_path.open("rb") as log:
            log.seek(max(0, log.seek(0, os.SEEK_END) - 8192))
            return log.read().decode(errors="replace").splitlines()[-count:]

    def close(self) -> None:
        """Close the log."""
        self._log.close()


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux: have the kernel stop the process when we are killed, so that it does not live on as an orphan."""
    if not sys.platform.startswith("linux"):
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
