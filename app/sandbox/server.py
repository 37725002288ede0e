"""Serving the sandbox: the exchanges at ``/<exchange>/...``, the control API at ``/_control/...``."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address

from app.sandbox.control import Control
from app.sandbox.faults import FaultKind, suffer
from app.sandbox.http import HttpServer, Repeated, Request, Response, json_response
from app.sandbox.world import Exchange, Seen, World

CONTROL = "_control"
_SWITCH_SECONDS = 0.0005


class Sandbox:
    """Answers every request the server reads."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._control = Control(world)

    def __call__(self, request: Request) -> Response | Repeated:
        _, name, rest = (
            request.path.split("/", 2) if request.path.count("/") > 1 else ("", request.path[1:], "")
        )
        if name == CONTROL:
            return self._answer_control(request, rest)
        exchange = self.world.exchanges.get(name)
        if exchange is None:
            there_are = ", ".join(sorted(self.world.exchanges))
            return json_response(
                {"error": f"There is no exchange {name!r} here; there are: {there_are}."}, 404
            )
        inner = Request(
            request.method,
            f"/{rest}",
            request.query,
            request.headers,
            request.body,
            request.client,
            request.received_at,
        )
        return self._answer_exchange(name, exchange, inner)

    def _answer_control(self, request: Request, path: str) -> Response:
        if not ip_address(request.client).is_loopback:
            return json_response({"error": "The control API answers to this machine only."}, 403)
        if "origin" in request.headers:
            return json_response({"error": "The control API does not answer to web pages."}, 403)
        return self._control.answer(request, path)

    def _answer_exchange(self, name: str, exchange: Exchange, request: Request) -> Response | Repeated:
        dialect = exchange.dialect
        operation = dialect.operation(request)
        status: int | None = None
        try:
            fault = self.world.faults.take(name, operation, dialect.api_key(request))
            if fault is None:
                answer: Response | Repeated = dialect.answer(request)
            else:
                execute = partial(dialect.answer, request)
                if fault.kind is FaultKind.UNSEEN:
                    execute = partial(_answer_blindly, exchange, request)
                answer = suffer(fault, execute, dialect)
            status = answer.response.status if isinstance(answer, Repeated) else answer.status
            return answer
        finally:
            self.world.seen.append(Seen(name, operation, request, status))


def _answer_blindly(exchange: Exchange, request: Request) -> Response:
    with exchange.venue.hiding_orders(exchange.dialect.api_key(request)):
        return exchange.dialect.answer(request)


def create_sandbox(
    *, seed: int = 1, walk: bool = False, interval: float = 1.0, limits: bool = True
) -> Sandbox:
    """A sandbox with fresh exchanges and no accounts.

    ``seed`` fixes prices and history, ``walk`` lets prices move every ``interval`` seconds while it is served, and
    ``limits`` enforces the exchanges' rate limits; when off they are counted and reported, but nobody is refused.
    """
    return Sandbox(World(seed=seed, walk=walk, interval=interval, enforce_limits=limits))


@contextmanager
def serving(sandbox: Sandbox, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve from a background thread for the length of a block; yields the URL."""
    server = HttpServer(host, port, sandbox)
    thread = threading.Thread(target=server.serve_forever, name="sandbox", daemon=True)
    thread.start()
    sandbox.world.walk.start()
    try:
        yield server.url
    finally:
        sandbox.world.walk.close()
        server.close()
        thread.join()


def run(
    host: str = "127.0.0.1",
    port: int = 8100,
    *,
    seed: int = 1,
    walk: bool = True,
    interval: float = 1.0,
    limits: bool = True,
    allow_remote: bool = False,
) -> None:
    """Serve until SIGTERM or SIGINT; for the main thread of a process. See ``create_sandbox`` for the settings.

    Raises:
        ValueError: ``host`` is not a loopback address and ``allow_remote`` was not given. The sandbox has no secrets
            worth the name and no TLS; it is not made for a network.
        OSError: the address cannot be listened on.
    """
    if not allow_remote and not is_loopback(host):
        raise ValueError(f"the sandbox serves this machine only; {host!r} is not a loopback address")
    # Orders must not wait out Python's five milliseconds behind a thread that renders thousands of markets.
    sys.setswitchinterval(_SWITCH_SECONDS)
    # Blocked in every thread and waited for here: a handler might run in the middle of anything, and a signal that
    # the kernel gives to another thread wakes no main thread that waits for a lock.
    stops = {signal.SIGTERM, signal.SIGINT}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, stops)
    try:
        with serving(create_sandbox(seed=seed, walk=walk, interval=interval, limits=limits), host, port):
            signal.sigwait(stops)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def is_loopback(host: str) -> bool:
    """Whether a host to listen on can be reached from this machine only."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
