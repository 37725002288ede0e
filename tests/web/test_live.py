"""What an open page is told, what one that was away is told afterwards, and that pages cost no thread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from socket import socketpair

import requests
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.exchanges import NAMES
from app.extensions import redis as store
from app.services import events, halts
from app.services.events import Change, Topic
from app.web.open_pages import OpenPage
from tests.fixtures.app import LogIn, MakeUser
from tests.fixtures.stack import Stack, sign_up, submit


def _listen(
    browser: FlaskClient, *, since: int | None = None
) -> tuple[TestResponse, Iterator[dict[str, str]]]:
    """The stream as a browser reads it, without what only says that the line stands."""
    headers = {} if since is None else {"Last-Event-ID": str(since)}
    stream = browser.get("/live", buffered=False, headers=headers)
    assert stream.mimetype == "text/event-stream"
    return stream, _events(chunk.decode() for chunk in stream.response if isinstance(chunk, bytes))


def _events(chunks: Iterator[str]) -> Iterator[dict[str, str]]:
    text = ""
    for chunk in chunks:
        *whole, text = (text + chunk).split("\n\n")
        for event in whole:
            fields = dict(line.split(": ", 1) for line in event.splitlines() if not line.startswith(":"))
            if "event" in fields:
                yield fields


def _until(heard: Iterator[dict[str, str]], topic: str) -> set[str]:
    """The topics that are told, up to this one. What was told already may be told again: a page looks once more."""
    told = set()
    for event in heard:
        told.add(event["event"])
        if event["event"] == topic:
            return told
    raise AssertionError(f"the stream ended after {told}")


def test_a_page_hears_of_its_own_persons_changes_and_of_everyones(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    listener, other = make_user(), make_user()
    since = events.now()
    with app.app_context():
        events.publish(listener.id, Topic.BALANCES)
    stream, heard = _listen(log_in(listener), since=since)
    assert _until(heard, "balances") == {"balances"}
    with app.app_context():
        events.publish(other.id, Topic.ALERTS, 1)
        events.publish(listener.id, Topic.ORDERS, 7)
    assert "alerts" not in _until(heard, "orders")
    with app.app_context():
        halts.start(halts.whole_server(), make_user(is_admin=True), "the exchange is not to be trusted")
    assert "brokers" in _until(heard, "brokers")
    stream.close()


def test_a_page_that_was_away_is_told_what_changed_meanwhile_and_no_more(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    listener = make_user()
    long_ago = events.now() - 60_000_000
    with app.app_context():
        events.publish(listener.id, Topic.ALERTS, 1)
        for order_id in range(300):
            events.publish(listener.id, Topic.ORDERS, order_id)
        store.hset(f"events:{listener.id}", "markets", long_ago - 5_000_000)
    stream, heard = _listen(log_in(listener), since=long_ago)
    first, second = next(heard), next(heard)
    assert {first["event"], second["event"]} == {"alerts", "orders"}
    assert int(max(first["id"], second["id"])) > long_ago
    with app.app_context():
        events.publish(listener.id, Topic.POSITIONS, 3)
    assert "markets" not in _until(heard, "positions")
    stream.close()


def test_after_redis_was_emptied_a_page_is_told_to_look_at_everything(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    listener = make_user()
    stream, heard = _listen(log_in(listener), since=events.now())
    assert {next(heard)["event"] for _ in Topic} == set(Topic)
    stream.close()


def test_what_is_told_while_the_line_to_redis_is_cut_reaches_the_pages_afterwards(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    listener = make_user()
    since = events.now()
    with app.app_context():
        events.publish(listener.id, Topic.ORDERS)
        stream, heard = _listen(log_in(listener), since=since)
        assert "orders" in _until(heard, "orders")
        with store.pipeline(transaction=True) as at_once:
            at_once.client_kill_filter(_type="pubsub")
            at_once.hset(f"events:{listener.id}", "positions", events.now())  # its message reaches nobody
            at_once.execute()
        assert "positions" in _until(heard, "positions")
    stream.close()


def test_a_page_that_nobody_reads_is_let_go() -> None:
    ours, theirs = socketpair()
    page = OpenPage(1, ours, since=0)
    assert page.tell([Change(1, Topic.ORDERS, 7, at=5), Change(2, Topic.ALERTS, 8, at=6)])
    assert theirs.recv(100) == b"event: orders\nid: 5\ndata: 7\n\n"
    while page.write("x" * 4096):
        pass  # the reader has stopped: what lies on the line grows until it takes no more
    theirs.close()
    assert not page.tell([Change(1, Topic.ORDERS, 7, at=9)])
    page.close()


def test_a_page_shows_from_which_moment_on_its_stream_has_to_tell(make_user: MakeUser, log_in: LogIn) -> None:
    before = events.now()
    page = log_in(make_user()).get("/orders/").text
    since = page.split("/live?since=")[1].split('"')[0]
    assert before <= int(since) <= events.now()


def test_more_pages_than_threads_are_told_and_requests_still_find_one(stack: Stack) -> None:
    browser = sign_up(stack, "many-pages@example.org")
    with ExitStack() as open_pages:
        pages = [
            open_pages.enter_context(browser.get(f"{stack.url}/live", stream=True, timeout=30))
            for _ in range(int(stack.environ.get("WEB_THREADS", 32)) + 8)
        ]
        assert {page.status_code for page in pages} == {200}
        assert "default-src 'none'" in pages[0].headers["Content-Security-Policy"]
        answer = requests.get(f"{stack.url}/health/ready", timeout=10)
        assert answer.status_code == 200
        practice = {"name": "Practice", "exchange": NAMES[0], "environment": "SANDBOX", "mode": "OFF"}
        submit(browser, stack.url, "/brokers/new", practice)
        for page in pages:
            told = _events(page.iter_content(chunk_size=1, decode_unicode=True))
            assert any(event["event"] == "brokers" and event["data"] for event in told)
