"""The only HTTP of the exchange clients: pooled connections, time-outs, exact JSON, and what a failure proves.

Nothing is repeated behind the caller's back. A request is sent again only when the operating system refused its
very first byte on a kept-alive connection, which proves that the exchange never saw it.
"""

from __future__ import annotations

import json
import logging
import re
import socket
import ssl
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, Timeout
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ClosedPoolError, HTTPError, ReadTimeoutError

from app.domain.errors import AuthenticationFailed, ExchangeUnavailable, OutcomeUnknown

CONNECT_SECONDS = 5.0
READ_SECONDS = 10.0
POOL_SIZE = 8
USER_AGENT = "switchyard"

#: Longest piece of an unreadable answer that an error repeats.
EXCERPT = 200

_SOCKET_OPTIONS = [
    (socket.IPPROTO_TCP, socket.TCP_NODELAY, 1),
    (socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1),
]


def _hide_requests(record: logging.LogRecord) -> bool:
    """Drop urllib3's request lines: they carry whole URLs, signatures included."""
    return record.levelno > logging.DEBUG


logging.getLogger("urllib3.connectionpool").addFilter(_hide_requests)


@dataclass(frozen=True, slots=True)
class WireRequest:
    """One request as it leaves. ``target`` is path and query exactly as signed, without the base URL's prefix."""

    method: str
    target: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: ``data`` is the parsed JSON, or ``excerpt`` the beginning of what is not JSON."""

    status: int
    headers: Mapping[str, str]
    data: Any = None
    excerpt: str | None = None

    @property
    def readable(self) -> bool:
        """Whether the exchange answered in JSON."""
        return self.excerpt is None


def _refuse_constant(name: str) -> Decimal:
    raise ValueError(f"{name} is not an amount")


_decoder = json.JSONDecoder(parse_float=Decimal, parse_constant=_refuse_constant)


def parse_json(body: bytes) -> Any:
    """JSON with every fraction an exact Decimal and every integer an int.

    Raises:
        ValueError: when it is not JSON.
    """
    try:
        return _decoder.decode(body.decode())
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


class _NotConnected(HTTPError):
    """No connection came about, so nothing was sent."""


class _Stale(HTTPError):
    """A kept-alive connection refused the first byte, so nothing was sent."""


class _PhaseMixin:
    """Tells a failure before the first byte from one after it; urllib3 mixes the two up.

    urllib3 goes on to read an answer when writing fails, and reports both as "connection aborted". The two
    exceptions raised here are none of those it catches, so they arrive unchanged and the connection is dropped.
    """

    _unsent = True

    def connect(self) -> None:
        try:
            super().connect()  # type: ignore[misc]
        except (HTTPError, OSError) as error:
            raise _NotConnected(_reason(error)) from None

    def putrequest(self, *args: Any, **kwargs: Any) -> None:
        self._unsent = True
        super().putrequest(*args, **kwargs)  # type: ignore[misc]

    def send(self, data: Any) -> None:
        try:
            super().send(data)  # type: ignore[misc]
        except ConnectionError:
            if self._unsent:
                raise _Stale from None
            raise
        self._unsent = False


class _HttpConnection(_PhaseMixin, HTTPConnection):
    pass


class _HttpsConnection(_PhaseMixin, HTTPSConnection):
    pass


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection


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
        pool_class = _HttpsPool if parts.scheme == "https" else _HttpPool
        self._exchange = exchange
        self._prefix = parts.path.rstrip("/")
        self.origin = f"{parts.scheme}://{parts.netloc}{self._prefix}"
        self._pool = pool_class(
            parts.hostname,
            parts.port,
            maxsize=POOL_SIZE,
            timeout=Timeout(connect=connect_seconds, read=read_seconds),
            socket_options=_SOCKET_OPTIONS,
        )

    def send(self, request: WireRequest, *, writes: bool) -> Answer:
        """Send one request and read the whole answer, whatever its status.

        ``writes`` says whether it may change something at the exchange, and so what a lost answer means.

        Raises:
            ExchangeUnavailable: it was surely not executed, or it was only a question.
            OutcomeUnknown: it may have been executed.
            AuthenticationFailed: the key cannot be written into a header.
        """
        headers = {"User-Agent": USER_AGENT, "Accept-Encoding": "gzip", **request.headers}
        for last_try in (False, True):
            try:
                response = self._pool.urlopen(
                    request.method,
                    self._prefix + request.target,
                    body=request.body,
                    headers=headers,
                    retries=False,
                    redirect=False,
                    assert_same_host=False,
                )
            except _NotConnected as error:
                raise ExchangeUnavailable(self._exchange, f"no connection: {error}") from None
            except _Stale:
                if last_try:
                    raise ExchangeUnavailable(
                        self._exchange, "the connection was closed before sending"
                    ) from None
                continue
            except ClosedPoolError:
                raise ExchangeUnavailable(self._exchange, "this client has been closed") from None
            except (
                ValueError
            ):  # raised while headers are written, before anything is sent; its text quotes them
                raise AuthenticationFailed(self._exchange, "the key holds characters no key has") from None
            except (HTTPError, OSError) as error:
                raise self._lost(_reason(error), writes) from None
            break
        return _answer(response.status, response.headers, response.data)

    def _lost(self, reason: str, writes: bool) -> ExchangeUnavailable | OutcomeUnknown:
        kind = OutcomeUnknown if writes else ExchangeUnavailable
        return kind(self._exchange, f"the answer was lost: {reason}")

    def close(self) -> None:
        """Close every connection."""
        self._pool.close()


def _answer(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    try:
        return Answer(status, headers, parse_json(body))
    except ValueError:
        return Answer(status, headers, excerpt=body[:EXCERPT].decode(errors="replace"))


def _reason(error: BaseException) -> str:
    """The failure in words. Never the error's own text after sending: urllib3's may quote the signed URL."""
    if isinstance(error, ReadTimeoutError):
        return "no answer in time"
    if isinstance(error, _NotConnected):
        return str(error)
    cause = error.__cause__ or error
    if isinstance(cause, socket.gaierror):
        return "the host name could not be resolved"
    if isinstance(cause, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "the host's certificate is not trusted"
    if isinstance(cause, TimeoutError):
        return "the host did not answer in time"
    return f"the connection broke ({type(cause).__name__})"
