"""The sandbox's own HTTP server, spoken to byte by byte."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from app.sandbox.server import run
from tests.fixtures.sandbox import SandboxServer

PING = b"GET /binance/api/v3/ping HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture
def wire(fresh_sandbox: SandboxServer) -> Iterator[socket.socket]:
    host, port = fresh_sandbox.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=5) as connection:
        yield connection


def read_answer(wire: socket.socket) -> bytes:
    """One answer, head and body."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += wire.recv(4096)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += wire.recv(4096)
    return head + b"\r\n\r\n" + body


def test_one_connection_serves_many_requests(wire: socket.socket) -> None:
    for _ in range(3):
        wire.sendall(PING)
        assert read_answer(wire).endswith(b"{}")


def test_a_request_may_arrive_in_pieces(wire: socket.socket) -> None:
    body = b'{"walking": false}'
    head = b"POST /_control/walk HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(body)
    for piece in (head[:20], head[20:], body[:5], body[5:]):
        wire.sendall(piece)
    assert b" 200 OK" in read_answer(wire)


def test_a_client_may_wait_to_be_told_to_continue(wire: socket.socket) -> None:
    head = b"POST /_control/reset HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    wire.sendall(head)
    assert wire.recv(4096) == b"HTTP/1.1 100 Continue\r\n\r\n"
    wire.sendall(b"{}")
    assert b" 200 OK" in read_answer(wire)


def test_the_connection_ends_when_the_client_asks_for_it(wire: socket.socket) -> None:
    wire.sendall(PING.replace(b"Host: x", b"Connection: close"))
    read_answer(wire)
    assert wire.recv(1) == b""


@pytest.mark.parametrize(
    ("request_head", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET http://elsewhere/ HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nno colon here\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", 413),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"GET / HTTP/1.1\r\nX: " + b"x" * 70_000, 431),
    ],
)
def test_what_is_no_request_is_refused_and_the_connection_closed(
    wire: socket.socket, request_head: bytes, status: int
) -> None:
    wire.sendall(request_head)
    assert f" {status} ".encode() in read_answer(wire)


def test_a_client_that_hangs_up_halfway_does_no_harm(
    fresh_sandbox: SandboxServer, wire: socket.socket
) -> None:
    wire.sendall(PING[:10])
    wire.close()
    assert fresh_sandbox.look("health")["status"] == "ok"


def test_a_served_sandbox_stops_cleanly_on_sigterm() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    program = f"from app.sandbox.server import run; run(port={port}, interval=0.05)"
    with subprocess.Popen([sys.executable, "-c", program], stderr=subprocess.PIPE) as server:
        await_listener(port)
        server.send_signal(signal.SIGTERM)
        assert server.wait(10) == 0
        assert server.stderr is not None
        assert server.stderr.read() == b""


def await_listener(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except ConnectionRefusedError:
            if time.monotonic() > deadline:
                raise
        else:
            return


def test_a_sandbox_that_cannot_listen_leaves_signals_as_they_were() -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, set())
    with socket.create_server(("127.0.0.1", 0)) as listener, pytest.raises(OSError, match="in use"):
        run(port=listener.getsockname()[1], walk=False)

    assert signal.pthread_sigmask(signal.SIG_BLOCK, set()) == before
