"""What a failure on the wire proves, against a real socket server."""

from __future__ import annotations

import gzip
import logging
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Event

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import AuthenticationFailed, ExchangeUnavailable, OutcomeUnknown
from app.exchanges import transport as transport_module
from app.exchanges.transport import Redactor, Transport, WireRequest, parse_json, sending_until
from tests.exchanges.local_server import LocalServer, Misbehave, Received, Reply, reply

ORDER = WireRequest("POST", "/order?x=%2F&signature=abc", {"X-Key": "the-key"}, b"a=1")
QUESTION = WireRequest("GET", "/time")


@contextmanager
def transport_to(url: str, **options: float) -> Iterator[Transport]:
    transport = Transport("binance", url, **options)
    yield transport
    transport.close()


def always(answer: Reply) -> LocalServer:
    return LocalServer(lambda request: answer)


def test_a_request_arrives_exactly_as_it_was_signed_behind_the_prefix_of_the_base_url() -> None:
    with always(reply('{"ok": true}')) as server, transport_to(f"{server.url}/binance/") as transport:
        answer = transport.send(ORDER, writes=True)
    assert (answer.status, answer.data) == (200, {"ok": True})
    [received] = server.received
    assert (received.method, received.target, received.body) == (
        "POST",
        "/binance/order?x=%2F&signature=abc",
        "a=1",
    )
    assert received.headers["x-key"] == "the-key"
    assert received.headers["content-length"] == "3"


def test_fractions_come_in_exact_and_integers_as_integers() -> None:
    with (
        always(reply('{"price": 0.10, "id": 12345678901234567890, "tiny": 1e-8}')) as server,
        transport_to(server.url) as transport,
    ):
        data = transport.send(QUESTION, writes=False).data
    assert data == {"price": Decimal("0.10"), "id": 12345678901234567890, "tiny": Decimal("1E-8")}
    assert str(data["price"]) == "0.10"
    assert isinstance(data["id"], int)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_no_digit_of_a_number_is_lost_between_the_wire_and_us(number: Decimal) -> None:
    assert parse_json(f"[{number:f}]".encode()) == [number]


@pytest.mark.parametrize("text", [b"[NaN]", b"[Infinity]", b"", b"<html>", b"[" * 100_000, b'"\xff"', b"[1"])
def test_what_is_not_json_is_one_kind_of_error(text: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - its own words are not shown to anybody
        parse_json(text)


def test_connections_are_kept_and_used_again() -> None:
    with always(reply("{}")) as server, transport_to(server.url) as transport:
        for _ in range(5):
            transport.send(QUESTION, writes=False)
    assert (len(server.received), server.connections) == (5, 1)


def test_a_compressed_answer_is_read() -> None:
    body = gzip.compress(b'{"price": 1.10}')
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with always(head + body) as server, transport_to(server.url) as transport:
        assert transport.send(QUESTION, writes=False).data == {"price": Decimal("1.10")}


def test_a_chunked_answer_is_read() -> None:
    chunked = b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{"a\r\n5\r\n": 1}\r\n0\r\n\r\n'
    with always(chunked) as server, transport_to(server.url) as transport:
        assert transport.send(QUESTION, writes=False).data == {"a": 1}


# -- surely not executed ---------------------------------------------------------------------------------------


def test_a_refused_connection_means_that_an_order_was_not_executed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with (
        transport_to(f"http://127.0.0.1:{port}") as transport,
        pytest.raises(ExchangeUnavailable, match="refused"),
    ):
        transport.send(ORDER, writes=True)


def test_a_name_that_does_not_resolve_means_that_an_order_was_not_executed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def unresolvable(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unresolvable)
    with (
        transport_to("http://nowhere.invalid") as transport,
        pytest.raises(ExchangeUnavailable, match="resolved"),
    ):
        transport.send(ORDER, writes=True)


def test_a_connection_that_is_not_answered_in_time_means_that_an_order_was_not_executed() -> None:
    # The queue of a listener that never accepts fills up; further connections wait and run into the time-out.
    with socket.create_server(("127.0.0.1", 0), backlog=0) as listener:
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        with (
            transport_to(f"http://127.0.0.1:{port}", connect_seconds=0.1) as transport,
            pytest.raises(ExchangeUnavailable, match="in time"),
        ):
            transport.send(ORDER, writes=True)
        for each in waiting:
            each.close()


def test_a_server_that_does_not_speak_tls_means_that_an_order_was_not_executed() -> None:
    with always(reply("{}")) as server:
        url = server.url.replace("http:", "https:")
        with transport_to(url, connect_seconds=0.2) as transport, pytest.raises(ExchangeUnavailable):
            transport.send(ORDER, writes=True)


def test_a_kept_connection_that_the_server_has_closed_is_replaced_unseen() -> None:
    answers = iter([reply("{}", headers={"Keep-Alive": "timeout=1"}), reply('{"second": 1}')])
    closed = Event()

    def answer(request: Received) -> Reply:
        return next(answers)

    with LocalServer(answer) as server, transport_to(server.url) as transport:
        transport.send(QUESTION, writes=False)
        _shut(server, transport, closed)
        assert transport.send(ORDER, writes=True).data == {"second": 1}
    assert [request.method for request in server.received] == ["GET", "POST"]


def test_an_order_whose_first_byte_was_refused_is_sent_once_more_and_arrives_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The kept connection dies between the look at it and the sending."""
    with always(reply("{}")) as server, transport_to(server.url) as transport:
        transport.send(QUESTION, writes=False)
        _shut(server, transport, Event())
        _, kept = transport._idle[0]
        with pytest.raises(OSError):  # noqa: PT011, PT012 - until the reset has come back, the system takes bytes
            while True:
                kept.send(b"x")
        monkeypatch.setattr(transport_module, "_readable", lambda connection: False)
        assert transport.send(ORDER, writes=True).status == 200
    assert [request.method for request in server.received if request.method == "POST"] == ["POST"]
    assert server.connections == 2


def _shut(server: LocalServer, transport: Transport, closed: Event) -> None:
    """Close the server's end of the kept connection and wait until that is seen at ours."""
    for connection in server._open:
        connection.shutdown(socket.SHUT_RDWR)
    deadline = time.monotonic() + 5
    while not transport_module._readable(transport._idle[0][1]):
        assert time.monotonic() < deadline
        closed.wait(0.001)


def test_a_key_that_no_header_can_carry_is_refused_without_being_shown() -> None:
    with always(reply("{}")) as server, transport_to(server.url) as transport:
        for key in ("abc\r\nX-Evil: 1", "schlüssel", "abc\x00"):
            with pytest.raises(AuthenticationFailed) as caught:
                transport.send(WireRequest("GET", "/", {"X-Key": key}), writes=False)
            assert key not in str(caught.value)
    assert server.received == []


def test_an_order_that_was_held_up_past_its_time_is_not_written() -> None:
    with always(reply("{}")) as server, transport_to(server.url) as transport:
        with (
            sending_until(datetime.now(UTC)),
            pytest.raises(ExchangeUnavailable, match="nothing was sent"),
        ):
            transport.send(ORDER, writes=True)
        with sending_until(datetime.now(UTC)):
            transport.send(QUESTION, writes=False)
        with sending_until(datetime.now(UTC) + timedelta(minutes=1)):
            transport.send(ORDER, writes=True)
        transport.send(ORDER, writes=True)
    assert [request.method for request in server.received] == [QUESTION.method, ORDER.method, ORDER.method]


# -- may have been executed ------------------------------------------------------------------------------------

LOST = [
    Misbehave.RESET,
    Misbehave.CLOSE,
    b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
    b"rubbish\r\n\r\n",
]


@pytest.mark.parametrize("answer", LOST, ids=str)
def test_an_answer_lost_after_an_order_was_sent_leaves_its_outcome_unknown(answer: Reply) -> None:
    with (
        always(answer) as server,
        transport_to(server.url, read_seconds=0.2) as transport,
        pytest.raises(OutcomeUnknown, match="binance"),
    ):
        transport.send(ORDER, writes=True)
    assert len(server.received) == 1, "it must not be sent again"


@pytest.mark.parametrize("answer", LOST, ids=str)
def test_an_answer_lost_after_a_question_is_merely_unavailable(answer: Reply) -> None:
    with (
        always(answer) as server,
        transport_to(server.url, read_seconds=0.2) as transport,
        pytest.raises(ExchangeUnavailable),
    ):
        transport.send(QUESTION, writes=False)


def test_no_answer_in_time_leaves_the_outcome_of_an_order_unknown() -> None:
    with always(Misbehave.STAY_SILENT) as server, transport_to(server.url, read_seconds=0.1) as transport:
        with pytest.raises(OutcomeUnknown, match="in time"):
            transport.send(ORDER, writes=True)
        with pytest.raises(ExchangeUnavailable, match="in time"):
            transport.send(QUESTION, writes=False)


def test_a_connection_reset_before_the_request_was_read_never_counts_as_a_rejection() -> None:
    """Depending on who is faster, the system refuses the first byte or takes it: both verdicts are true."""
    server = LocalServer(lambda request: reply("{}"), greet=lambda number: Misbehave.RESET)
    with server, transport_to(server.url) as transport, pytest.raises((ExchangeUnavailable, OutcomeUnknown)):
        transport.send(ORDER, writes=True)
    assert server.received == []


def test_a_broken_compressed_answer_leaves_the_outcome_of_an_order_unknown() -> None:
    broken = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd"
    with always(broken) as server, transport_to(server.url) as transport, pytest.raises(OutcomeUnknown):
        transport.send(ORDER, writes=True)


@pytest.mark.parametrize("status", [200, 403, 502])
def test_garbage_and_error_pages_are_answers_that_cannot_be_read(status: int) -> None:
    with always(reply("<html>Bad Gateway</html>", status)) as server, transport_to(server.url) as transport:
        answer = transport.send(QUESTION, writes=False)
    assert (answer.status, answer.readable, answer.excerpt) == (status, False, "<html>Bad Gateway</html>")


# -- secrets ---------------------------------------------------------------------------------------------------


def test_neither_key_nor_signature_is_shown_or_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    shown = [repr(ORDER)]
    with always(Misbehave.CLOSE) as server, transport_to(server.url) as transport:
        with pytest.raises(OutcomeUnknown) as caught:
            transport.send(ORDER, writes=True)
        shown += [str(caught.value), repr(caught.value), repr(transport), caplog.text]
    for text in shown:
        assert "the-key" not in text
        assert "signature" not in text


def test_secrets_and_signatures_are_taken_out_of_what_an_exchange_echoes() -> None:
    redact = Redactor(["my-api-key", "my-secret", None])
    echoed = {"msg": "bad sign: my-secret", "list": ["key=my-api-key&signature=0a1B/+="], "code": 7}
    assert redact(echoed) == {"msg": "bad sign: …", "list": ["key=…&signature=…"], "code": 7}


@pytest.mark.parametrize("url", ["ftp://x", "127.0.0.1:80", ""])
def test_only_http_urls_are_accepted(url: str) -> None:
    with pytest.raises(ValueError, match="not an http"):
        Transport("binance", url)
