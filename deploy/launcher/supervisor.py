"""Keeps the processes of the Procfile running: starts them, brings back one that dies, stops all at the end.

honcho's own manager stops everything when one process ends. Here trading must go on, so it is started again.
"""

from __future__ import annotations

import selectors
import signal
import socket
import time
from collections.abc import Iterable
from types import FrameType

from deploy.launcher.errors import LaunchError
from deploy.launcher.service import Service
from deploy.launcher.terminal import Terminal

#: How long a stopping process may take to finish what it has in hand, in seconds.
GRACE = 20.0
#: A process that has lived this long, in seconds, is healthy: its next restart is quick again.
HEALTHY_AFTER = 30.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 30.0
#: Deaths in a row after which a process that never got going is given up.
_HOPELESS = 4


class Supervisor:
    """One thread that waits for output, deaths and signals, and acts on them in `step`."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        self._services: dict[str, Service] = {}
        self._foundation: set[str] = set()
        self._deaths: dict[str, int] = {}
        self._restart_at: dict[str, float] = {}
        self._selector = selectors.DefaultSelector()
        self._wake_up, self._woken = socket.socketpair()
        self._settled = False
        self._stop_requests = 0
        self._complained = False

    def watch_signals(self) -> None:
        """Take over Ctrl-C, termination, a closing terminal and the news of dead children."""
        for end in (self._wake_up, self._woken):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        signal.set_wakeup_fd(self._wake_up.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._request_stop)

    def start(self, services: Iterable[Service]) -> None:
        """Start processes and keep them running from now on."""
        for service in services:
            self._services[service.name] = service
            self._start(service)

    def start_foundation(self, services: Iterable[Service]) -> None:
        """Start processes that the others lean on, so that they are the last to be stopped."""
        for service in services:
            self._foundation.add(service.name)
            self.start([service])

    def settle(self) -> None:
        """Declare the start-up complete: from now on no process is given up, however often it dies."""
        self._settled = True

    @property
    def stop_requested(self) -> bool:
        """Whether somebody wants us to stop."""
        return self._stop_requests > 0

    @property
    def all_ready(self) -> bool:
        """Whether every process runs and has begun its work."""
        return all(service.is_ready for service in self._services.values())

    def step(self, timeout: float) -> None:
        """Wait up to ``timeout`` seconds for something to happen, and deal with it.

        Raises `LaunchError` when, before `settle`, a process dies again and again.
        """
        until_restart = min(self._restart_at.values(), default=float("inf")) - time.monotonic()
        self._wait(max(0.0, min(timeout, until_restart)))
        for service in list(self._services.values()):
            status = service.poll()
            if status is not None:
                self._bury(service, status)
        self._restart_due()

    def stop(self) -> None:
        """Stop all processes, the foundation after those that lean on it. A second signal ends them at once."""
        self._restart_at.clear()
        services = list(self._services.values())
        self._stop_together([service for service in services if service.name not in self._foundation])
        self._stop_together([service for service in services if service.name in self._foundation])
        for service in services:
            service.close()
        self._services.clear()

    def _stop_together(self, services: list[Service]) -> None:
        for service in services:
            service.signal(signal.SIGTERM)
        deadline = time.monotonic() + GRACE
        while any(service.pid for service in services):
            if self._stop_requests > 1 or time.monotonic() > deadline:
                for service in services:
                    service.signal(signal.SIGKILL)
            self._wait(0.1)
            for service in services:
                if service.poll() is not None:
                    self._release(service)

    def _start(self, service: Service) -> None:
        service.start()
        self._selector.register(service.output, selectors.EVENT_READ, service)

    def _bury(self, service: Service, status: int) -> None:
        """Note a death and plan the restart, later each time."""
        lived = time.monotonic() - service.started_at
        self._release(service)
        deaths = 1 if lived > HEALTHY_AFTER else self._deaths.get(service.name, 0) + 1
        self._deaths[service.name] = deaths
        if deaths >= _HOPELESS and not self._settled:
            said = "".join(f"\n  {line}" for line in service.last_lines())
            raise LaunchError(
                f"{service.name} does not start. The end of {service.log_path}:{said}",
                remedy="Mend what it complains about, then start again.",
            )
        pause = min(_FIRST_PAUSE * 2 ** (deaths - 1), _LONGEST_PAUSE)
        self._restart_at[service.name] = time.monotonic() + pause
        self._terminal.say(f"{service.name} {_manner_of_death(status)}; starting it again in {pause:.1f} s.")

    def _release(self, service: Service) -> None:
        while service.output in self._selector.get_map() and self._collect(service):
            pass
        self._forget_output(service)
        service.clear()

    def _restart_due(self) -> None:
        now = time.monotonic()
        for name in [name for name, due in self._restart_at.items() if due <= now]:
            service = self._services[name]
            try:
                self._start(service)
            except OSError as error:
                self._restart_at[name] = now + _LONGEST_PAUSE
                self._terminal.say(f"{name} cannot be started: {error.strerror}; trying again in 30 s.")
            else:
                del self._restart_at[name]

    def _wait(self, timeout: float) -> None:
        """Until a process says something, one ends, a signal comes or the time is over."""
        for key, _ in self._selector.select(timeout):
            if key.data is None:
                self._woken.recv(4096)
            else:
                self._collect(key.data)

    def _collect(self, service: Service) -> bool:
        """Keep a process's output; returns whether there was any. A full disk stops neither it nor us."""
        try:
            said = service.collect()
        except OSError as error:
            if not self._complained:
                self._terminal.say(f"The logs cannot be written: {error.strerror}. Free some space.")
            self._complained = True
            return True
        if said is None:
            self._forget_output(service)
            return False
        self._terminal.relay(service.name, said)
        return bool(said)

    def _forget_output(self, service: Service) -> None:
        if service.output in self._selector.get_map():
            self._selector.unregister(service.output)

    def _request_stop(self, number: int, frame: FrameType | None) -> None:
        self._stop_requests += 1


def _manner_of_death(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    return f"was killed by {signal.Signals(-status).name}"


def is_accepting(address: str | tuple[str, int]) -> bool:
    """Whether something listens at ``address``: a unix socket's path, or host and port."""
    family = socket.AF_UNIX if isinstance(address, str) else socket.AF_INET
    with socket.socket(family) as client:
        return client.connect_ex(address) == 0
