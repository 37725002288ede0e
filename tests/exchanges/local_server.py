"""A small HTTP server that does exactly what a test tells it, failures included."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import BinaryIO, Self


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: str


class Misbehave(Enum):
    """What to do instead of answering."""

    RESET = auto()
    CLOSE = auto()
    STAY_SILENT = auto()


Reply = bytes | Misbehave


def reply(body: str, status: int = 200, headers: dict[str, str] | None = None) -> bytes:
    """An answer in HTTP."""
    content = body.encode()
    lines = [f"HTTP/1.1 {status} Whatever", f"Content-Length: {len(content)}"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join((*lines, "\r\n")).encode() + content


class LocalServer:
    """Listens on a free loopback port; asks ``answer`` what to do with each request it has read whole.

    ``greet`` is asked at each new connection, before anything is read; None means to serve it.
    """

    def __init__(
        self,
        answer: Callable[[Received], Reply],
        greet: Callable[[int], Misbehave | None] = lambda number: None,
    ) -> None:
        self._answer = answer
        self._greet = greet
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self.received: list[Received] = []
        self.connections = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        # A blocked accept() wakes when the socket is shut down, not when it is closed.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._threads[0].join()
        self._listener.close()
        for connection in self._open:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads[1:]:
            thread.join()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            thread = threading.Thread(target=self._serve, args=(connection, self.connections))
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket, number: int) -> None:
        with connection, suppress(OSError, ValueError):
            greeting = self._greet(number)
            if greeting is not None:
                _misbehave(connection, greeting)
                return
            stream = connection.makefile("rb")
            with stream:
                while (request := _read(stream)) is not None:
                    self.received.append(request)
                    answer = self._answer(request)
                    if isinstance(answer, Misbehave):
                        _misbehave(connection, answer)
                        return
                    connection.sendall(answer)


def _misbehave(connection: socket.socket, how: Misbehave) -> None:
    if how is Misbehave.RESET:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    if how is Misbehave.STAY_SILENT:
        connection.recv(1)


def _read(stream: BinaryIO) -> Received | None:
    line = stream.readline().decode()
    if not line:
        return None
    method, target, _ = line.split(" ", 2)
    headers: dict[str, str] = {}
    while header := stream.readline().decode().strip():
        name, _, value = header.partition(": ")
        headers[name.lower()] = value
    body = stream.read(int(headers.get("content-length", "0"))).decode()
    return Received(method, target, headers, body)
