"""The only HTTP of the exchange clients: kept-alive connections, time-outs, exact JSON, and what a failure proves.

Written on sockets and the standard library's response parser, for two reasons. What a failure proves depends on
whether a byte had left, which pooling libraries do not tell (urllib3 reports a refused write and a lost answer as
the same "connection aborted"). And it takes half their CPU: 55 µs a request against 110 µs.

Nothing is repeated behind the caller's back. A request is sent again only when the operating system refused its
very first byte on a kept-alive connection, which proves that the exchange never saw it.

Who has claimed an order may send it for some seconds only (`sending_until`). The time is looked at when nothing but the
write itself is left to do, so that whatever came before it, a process that was stopped, a slow look at the market or a
clock that had to be set first, cannot make a late order. What holds up the write itself, or the request on its way,
is bounded by the exchange: the request was signed before that look, and is refused once its timestamp is too old.
"""

from __future__ import annotations

import gzip
import re
import select
import socket
import ssl
import time
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import urlsplit

import msgspec

from app.domain.errors import AuthenticationFailed, ExchangeUnavailable, OutcomeUnknown

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
#: Idle connections kept to one host.
KEPT = 8
USER_AGENT = "switchyard"

#: Longest piece of an unreadable answer that an error repeats.
EXCERPT = 200

#: How long an idle connection is trusted: what lies between may forget it without a word, and an order sent into
#: that void comes back as an unknown outcome.
KEPT_SECONDS = 50.0

_SOCKET_OPTIONS = ((socket.IPPROTO_TCP, socket.TCP_NODELAY), (socket.SOL_SOCKET, socket.SO_KEEPALIVE))
_BREAKS_HEADER = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One request as it leaves. ``target`` is path and query exactly as signed, without the base URL's prefix."""

    method: str
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: ``data`` is the parsed JSON, or ``excerpt`` the beginning of what is not JSON.

    The names of ``headers`` are in lower case.
    """

    status: int
    headers: Mapping[str, str]
    data: Any = None
    excerpt: str | None = None

    @property
    def readable(self) -> bool:
        """Whether the exchange answered in JSON."""
        return self.excerpt is None


_send_until: ContextVar[datetime | None] = ContextVar("send_until", default=None)


@contextmanager
def sending_until(moment: datetime) -> Iterator[None]:
    """Within this block nothing that may change something leaves for an exchange after a moment."""
    token = _send_until.set(moment)
    try:
        yield
    finally:
        _send_until.reset(token)


def last_moment() -> datetime | None:
    """Until when what is being sent may leave; None outside of `sending_until`."""
    return _send_until.get()


_decoder = msgspec.json.Decoder(float_hook=Decimal)


def parse_json(body: bytes) -> Any:
    """JSON with every fraction an exact Decimal and every integer an int.

    Raises:
        ValueError: when it is not JSON.
    """
    try:
        return _decoder.decode(body)
    except RecursionError:
        raise ValueError("nested too deeply") from None


class Redactor:
    """Takes the secrets of one credential, and anything that looks like a signature, out of what is shown."""

    _SIGNATURE = re.compile(r"(?i)(sign(?:ature)?[\"']?\s*[=:]\s*[\"']?)[A-Za-z0-9+/=%_.-]+")

    def __init__(self, secrets: Iterable[str | None]) -> None:
        self._secrets = sorted((s for s in secrets if s and len(s) >= 4), key=len, reverse=True)

    def __call__(self, value: Any) -> Any:
        """The same text, list or mapping without secrets."""
        if isinstance(value, str):
            for secret in self._secrets:
                value = value.replace(secret, "…")
            return self._SIGNATURE.sub(r"\1…", value)
        if isinstance(value, Mapping):
            return {key: self(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self(item) for item in value]
        return value


class Transport:
    """The connections to one host, opened at first use and kept alive. Safe to share between threads."""

    def __init__(
        self,
        exchange: str,
        base_url: str,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
    ) -> None:
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{base_url!r} is not an http(s) URL")
        self._exchange = exchange
        self._host = parts.hostname
        self._port = parts.port or (443 if parts.scheme == "https" else 80)
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._netloc = parts.netloc.rpartition("@")[2]
        self._prefix = parts.path.rstrip("/")
        self._connect_seconds = connect_seconds
        self._read_seconds = read_seconds
        self._idle: list[tuple[float, socket.socket]] = []
        self.origin = f"{parts.scheme}://{self._netloc}{self._prefix}"

    def send(self, request: WireRequest, *, writes: bool) -> Answer:
        """Send one request and read the whole answer, whatever its status.

        ``writes`` says whether it may change something at the exchange, and so what a lost answer means.

        Raises:
            ExchangeUnavailable: it was surely not executed, or it was only a question.
            OutcomeUnknown: it may have been executed.
            AuthenticationFailed: the key cannot be written into a header.
        """
        connection = self._deliver(self._head(request) + (request.body or b""), writes)
        response = HTTPResponse(connection, method=request.method)
        try:
            response.begin()
            body = response.read()
        except (OSError, HTTPException) as error:
            response.close()
            connection.close()
            raise self._lost(error, writes) from None
        if response.will_close:
            connection.close()
        else:
            self._keep(connection)
        try:
            return _answer(response, body)
        except (OSError, EOFError, zlib.error) as error:
            raise self._lost(error, writes) from None

    def _head(self, request: WireRequest) -> bytes:
        headers = {
            "Host": self._netloc,
            "User-Agent": USER_AGENT,
            "Accept-Encoding": "gzip",
            **request.headers,
        }
        if request.body is not None or request.method in ("POST", "PUT"):
            headers["Content-Length"] = str(len(request.body or b""))
        if any(_BREAKS_HEADER.search(value) for value in headers.values()):
            raise AuthenticationFailed(self._exchange, "the key holds characters that no key has")
        lines = [f"{request.method} {self._prefix}{request.target} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join((*lines, "\r\n")).encode("ascii")

    # -- connections -------------------------------------------------------------------------------------------

    def _deliver(self, message: bytes, writes: bool) -> socket.socket:
        """Hand the whole message to the operating system."""
        for connection in self._connections():
            if writes and _too_late():
                connection.close()
                raise ExchangeUnavailable(
                    self._exchange, "held up for too long before sending; nothing was sent"
                )
            sent = 0
            try:
                sent = connection.send(message)
                connection.sendall(message[sent:])
            except OSError as error:
                connection.close()
                if not sent and isinstance(error, ConnectionError):
                    continue
                raise self._lost(error, writes) from None
            return connection
        raise self._unavailable("the connection was closed before anything was sent")

    def _connections(self) -> Iterator[socket.socket]:
        """A kept connection if there is one that works, and then a new one."""
        while self._idle:
            since, kept = self._idle.pop()
            if time.monotonic() - since < KEPT_SECONDS and not _readable(kept):
                yield kept
                break
            kept.close()
        yield self._connect()

    def _connect(self) -> socket.socket:
        try:
            connection = socket.create_connection((self._host, self._port), self._connect_seconds)
            for level, option in _SOCKET_OPTIONS:
                connection.setsockopt(level, option, 1)
            if self._tls is not None:
                connection = self._tls.wrap_socket(connection, server_hostname=self._host)
        except OSError as error:
            raise self._unavailable(_connect_failure(error)) from None
        connection.settimeout(self._read_seconds)
        return connection

    def _keep(self, connection: socket.socket) -> None:
        if len(self._idle) < KEPT:
            self._idle.append((time.monotonic(), connection))
        else:
            connection.close()

    def close(self) -> None:
        """Close the kept connections; another request would open a new one."""
        while self._idle:
            self._idle.pop()[1].close()

    # -- failures ----------------------------------------------------------------------------------------------

    def _unavailable(self, reason: str) -> ExchangeUnavailable:
        return ExchangeUnavailable(self._exchange, f"no connection: {reason}")

    def _lost(self, error: Exception, writes: bool) -> ExchangeUnavailable | OutcomeUnknown:
        if isinstance(error, TimeoutError):
            reason = "no answer in time"
        else:
            reason = f"the connection broke ({type(error).__name__})"
        kind = OutcomeUnknown if writes else ExchangeUnavailable
        return kind(self._exchange, f"the answer was lost: {reason}")


def _too_late() -> bool:
    moment = last_moment()
    return moment is not None and datetime.now(UTC) >= moment


def _readable(connection: socket.socket) -> bool:
    """Whether anything waits on an idle connection: its end, most likely, and no answer of ours in any case."""
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _connect_failure(error: OSError) -> str:
    if isinstance(error, socket.gaierror):
        return "the host name could not be resolved"
    if isinstance(error, ConnectionRefusedError):
        return "it was refused"
    if isinstance(error, TimeoutError):
        return "the host did not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "the host's certificate is not trusted"
    return error.strerror or type(error).__name__


def _answer(response: HTTPResponse, body: bytes) -> Answer:
    headers = {name.lower(): value for name, value in response.headers.items()}
    if headers.get("content-encoding") == "gzip":
        body = gzip.decompress(body)
    try:
        return Answer(response.status, headers, parse_json(body))
    except ValueError:
        return Answer(response.status, headers, excerpt=body[:EXCERPT].decode(errors="replace"))
