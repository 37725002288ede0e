"""A small HTTP/1.1 server with one thread per connection and keep-alive.

It exists because faults act on the connection itself (reset it, answer twice, answer never), which a WSGI server
hides, and because the sandbox is the counterpart of latency benchmarks and must not be what they measure.
Bodies need a Content-Length; chunked requests are refused with 411.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType

MAX_HEAD = 64 * 1024
MAX_BODY = 4 * 1024 * 1024
_CHUNK = 64 * 1024
_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Request:
    """One request as received: ``path`` and ``query`` are the raw text, still percent-encoded.

    Header names are lower case. ``received_at`` is in microseconds since the epoch.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    client: str
    received_at: int = field(default_factory=lambda: time.time_ns() // 1000)


@dataclass(frozen=True, slots=True)
class Response:
    """An answer, with the headers beyond Content-Type and Content-Length."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"

    def to_bytes(self, *, head_only: bool = False) -> bytes:
        """The answer as it goes over the wire."""
        lines = [
            f"HTTP/1.1 {self.status} {_PHRASES.get(self.status, 'Unknown')}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers.items()),
        ]
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        return head if head_only else head + self.body


_PHRASES = {status.value: status.phrase for status in HTTPStatus}


def json_response(content: object, status: int = 200, headers: Mapping[str, str] = _NO_HEADERS) -> Response:
    """An answer whose body is compact JSON."""
    return Response(status, json.dumps(content, separators=(",", ":")).encode(), headers)


class Hangup(Exception):
    """Raised by a handler to break the connection instead of answering; ``reset`` sends RST instead of FIN."""

    def __init__(self, *, reset: bool) -> None:
        super().__init__("the connection is broken on purpose")
        self.reset = reset


@dataclass(frozen=True, slots=True)
class Repeated:
    """An answer that is sent several times over."""

    response: Response
    times: int


Handler = Callable[[Request], Response | Repeated]


class _BadRequest(Exception):
    def __init__(self, status: int, words: str) -> None:
        super().__init__(words)
        self.response = json_response({"error": words}, status, {"Connection": "close"})


class Connection:
    """One client's connection: reads requests one after the other and answers each."""

    def __init__(self, sock: socket.socket, client: str, handler: Handler) -> None:
        self._sock = sock
        self._client = client
        self._handler = handler
        self._buffer = b""

    def serve(self) -> None:
        """Answer until either side hangs up."""
        try:
            while (request := self._read()) is not None:
                answer = self._handler(request)
                times, response = (
                    (answer.times, answer.response) if isinstance(answer, Repeated) else (1, answer)
                )
                self._sock.sendall(response.to_bytes(head_only=request.method == "HEAD") * times)
                if request.headers.get("connection", "").lower() == "close":
                    return
        except _BadRequest as refusal:
            self._sock.sendall(refusal.response.to_bytes())
        except Hangup as hangup:
            if hangup.reset:
                self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def _read(self) -> Request | None:
        """The next request, or None when the client has hung up."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > MAX_HEAD:
                raise _BadRequest(431, "the request head is too long")
            if not self._receive():
                return None
        received_at = time.time_ns() // 1000
        head, self._buffer = self._buffer[:end], self._buffer[end + 4 :]
        method, target, headers = _parse_head(head.decode("latin-1"))
        body = self._read_body(headers)
        if body is None:
            return None
        path, _, query = target.partition("?")
        return Request(method, path, query, headers, body, self._client, received_at)

    def _read_body(self, headers: Mapping[str, str]) -> bytes | None:
        if "transfer-encoding" in headers:
            raise _BadRequest(411, "send a Content-Length")
        text = headers.get("content-length", "0")
        if not (text.isascii() and text.isdigit()):
            raise _BadRequest(400, "the Content-Length is not a number")
        if int(text) > MAX_BODY:
            raise _BadRequest(413, "the body is too long")
        length = int(text)
        if length > len(self._buffer) and headers.get("expect", "").lower() == "100-continue":
            self._sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        while len(self._buffer) < length:
            if not self._receive():
                return None
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        return body

    def _receive(self) -> bool:
        data = self._sock.recv(_CHUNK)
        self._buffer += data
        return bool(data)


def _parse_head(head: str) -> tuple[str, str, dict[str, str]]:
    request_line, *lines = head.split("\r\n")
    parts = request_line.split(" ")
    if len(parts) != 3 or not parts[1].startswith("/") or not parts[2].startswith("HTTP/1."):
        raise _BadRequest(400, "this is not an HTTP/1.1 request")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon:
            raise _BadRequest(400, "a header line has no colon")
        headers[name.lower()] = value.strip()
    return parts[0], parts[1], headers


class HttpServer:
    """Accepts connections on one address until it is closed."""

    def __init__(self, host: str, port: int, handler: Handler) -> None:
        self._handler = handler
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._listener = socket.create_server((host, port), family=family, backlog=512)
        self._connections: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._closed = False

    @property
    def url(self) -> str:
        """Where it is served; the port is real even when 0 was asked for."""
        host, port = self._listener.getsockname()[:2]
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def serve_forever(self) -> None:
        """Accept until ``close`` is called from another thread or a signal handler."""
        while not self._closed:
            try:
                sock, peer = self._listener.accept()
            except OSError:
                if self._closed:
                    return
                raise
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._guard:
                self._connections.add(sock)
            threading.Thread(target=self._serve, args=(sock, str(peer[0])), daemon=True).start()

    def close(self) -> None:
        """Stop listening and break every connection."""
        self._closed = True
        # Closing alone does not wake a thread blocked in accept.
        _shut(self._listener)
        with self._guard:
            connections = list(self._connections)
        for sock in connections:
            _shut(sock, close=False)

    def _serve(self, sock: socket.socket, client: str) -> None:
        with sock:
            try:
                Connection(sock, client, self._handler).serve()
            except OSError:
                return  # The client is gone; there is nobody left to tell.
            finally:
                with self._guard:
                    self._connections.discard(sock)


def _shut(sock: socket.socket, *, close: bool = True) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass  # Never connected, or closed by the other side first.
    finally:
        if close:
            sock.close()
