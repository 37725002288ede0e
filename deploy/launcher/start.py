"""`bin/start`: set up what is missing, start the processes in the order that shows the first page soonest, go on."""

from __future__ import annotations

import http.client
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from honcho.environ import parse_procfile

from app.config import PROJECT_ROOT, Settings, data_directory, generate_secrets, load_settings
from deploy.launcher import database, frontend, preflight
from deploy.launcher.environment import process_environment
from deploy.launcher.errors import LaunchError
from deploy.launcher.redis_server import find_redis_server, install_redis_server
from deploy.launcher.service import Service
from deploy.launcher.supervisor import Supervisor, is_accepting
from deploy.launcher.terminal import Terminal

REDIS, WEB, RECEIVER = "redis", "web", "webhook"
#: What the others lean on, and what can wait until the pages are up; the rest of the Procfile comes in between.
FOUNDATION = (REDIS, "sandbox")
FIRST = (WEB, "worker-orders")
LAST = ("flower",)
#: How long the processes may take to get going, in seconds.
PATIENCE = 120.0
_POLL = 0.05


def prepare(environ: Mapping[str, str]) -> Settings:
    """Make DATA_DIR and its secrets, and read the settings; takes milliseconds.

    Raises `SwitchyardError` with the remedy, or `OSError` when DATA_DIR cannot be written.
    """
    data_dir = data_directory(environ)
    preflight.prepare_data_dir(data_dir)
    generate_secrets(data_dir)
    return load_settings(environ)


def set_up(settings: Settings, environ: Mapping[str, str], terminal: Terminal) -> dict[str, str]:
    """Bring front-end packages, Redis's program and the database in place where they are not.

    Returns the environment of the processes. Raises `SwitchyardError` with the remedy.
    """
    processes = process_environment(settings, environ)
    if not frontend.is_installed(dev=False):
        terminal.say("Installing the front-end packages ...")
        frontend.install(dev=False)
    if settings.embedded_redis:
        processes["REDIS_SERVER"] = str(_redis_program(terminal))
        preflight.prepare_socket_dir(settings.redis_socket)
    if not database.is_migrated(settings):
        terminal.say("Bringing the database up to date ...")
        database.migrate(processes)
    return processes


def _redis_program(terminal: Terminal) -> Path:
    found = find_redis_server()
    if found is None:
        terminal.say("Fetching a Redis ...")
        found = install_redis_server(PROJECT_ROOT / "requirements.txt")
    return found


class Stack:
    """The processes of one DATA_DIR from start to stop."""

    def __init__(self, settings: Settings, processes: Mapping[str, str], terminal: Terminal) -> None:
        self.environ = processes
        self._settings = settings
        self._supervisor = Supervisor(terminal)
        self._services = _services(settings, processes)

    def start(self) -> bool:
        """Start everything and wait until it serves; False when told to stop meanwhile.

        Raises `LaunchError` when a process does not start.
        """
        supervisor, settings = self._supervisor, self._settings
        supervisor.watch_signals()
        supervisor.start_foundation(self._take([REDIS]))
        if settings.embedded_redis:
            self._until(lambda: is_accepting(str(settings.redis_socket)), "Redis")
        supervisor.start(self._take(FIRST))
        self._until(lambda: answers(settings), "The web server")
        supervisor.start_foundation(self._take(FOUNDATION))
        supervisor.start(self._take([name for name in self._services if name not in LAST]))
        self._until(self._all_ready, "A worker or the sandbox")
        supervisor.start(self._take(LAST))
        supervisor.settle()
        return not supervisor.stop_requested

    def serve(self, companion: subprocess.Popen[bytes] | None = None, *, once: bool = False) -> int:
        """Keep everything running until told to stop, or with ``once`` until ``companion`` ends.

        Returns the exit status: the companion's with ``once``, else 0.
        """
        while not self._supervisor.stop_requested:
            self._supervisor.step(1.0)
            if once and companion is not None and companion.poll() is not None:
                return companion.returncode
        if companion is not None and companion.poll() is None:
            companion.terminate()
        return 1 if once else 0

    def stop(self) -> None:
        """Stop everything."""
        self._supervisor.stop()

    def _all_ready(self) -> bool:
        return self._supervisor.all_ready and is_accepting(("127.0.0.1", self._settings.sandbox_port))

    def _take(self, names: Iterable[str]) -> list[Service]:
        return [self._services.pop(name) for name in list(names) if name in self._services]

    def _until(self, condition: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not self._supervisor.stop_requested and not condition():
            if time.monotonic() > deadline:
                raise LaunchError(
                    f"{what} is still not ready after {PATIENCE:.0f} s.",
                    remedy=f"Look into the logs in {self._settings.log_dir}.",
                )
            self._supervisor.step(_POLL)


def answers(settings: Settings) -> bool:
    """Whether the web server answers that it lives."""
    connection = http.client.HTTPConnection(local_address(settings.host), settings.port, timeout=2)
    try:
        connection.request("GET", "/health/live")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def local_address(host: str) -> str:
    """Where to reach a server on this machine that listens on ``host``."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound


def address(settings: Settings) -> str:
    """The URL to open in a browser on this machine."""
    host = local_address(settings.host)
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"


def _services(settings: Settings, processes: Mapping[str, str]) -> dict[str, Service]:
    commands = parse_procfile((PROJECT_ROOT / "Procfile").read_text()).processes
    if not settings.embedded_redis:
        del commands[REDIS]
    if not settings.receiver:
        del commands[RECEIVER]
    return {
        name: Service(name, command, environ=processes, data_dir=settings.data_dir)
        for name, command in commands.items()
    }
