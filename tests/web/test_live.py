"""What an open page is told, and how many may listen."""

from __future__ import annotations

from collections.abc import Iterator

from flask import Flask
from werkzeug.test import TestResponse

from app.services import events
from app.services.events import Topic
from tests.fixtures.app import PASSWORD, AppFactory, LogIn, MakeUser, submit


def _lines(stream: TestResponse) -> Iterator[str]:
    """What is said besides that the line still stands."""
    chunks = (chunk.decode() if isinstance(chunk, bytes) else chunk for chunk in stream.response)
    assert next(chunks).startswith("retry:")
    return (chunk for chunk in chunks if not chunk.startswith(":"))


def test_a_page_hears_of_its_own_persons_changes_alone(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    listener, other = make_user(), make_user()
    stream = log_in(listener).get("/live", buffered=False)
    assert stream.mimetype == "text/event-stream"
    lines = _lines(stream)
    with app.app_context():
        events.publish(other.id, Topic.ALERTS, 1)
        events.publish(listener.id, Topic.ORDERS, 7)
    assert next(lines) == "event: orders\ndata: 7\n\n"
    stream.close()


def test_pages_never_take_all_the_threads_that_alerts_need(make_app: AppFactory) -> None:
    app = make_app(WEB_THREADS="4")
    browser = app.test_client()
    submit(browser, "/signup", email="ada@example.org", password=PASSWORD, password_again=PASSWORD)
    streams = [browser.get("/live", buffered=False) for _ in range(3)]
    assert [stream.status_code for stream in streams] == [200, 200, 503]
    assert streams[2].headers["Retry-After"] == "10"
    streams[0].close()
    assert browser.get("/live", buffered=False).status_code == 200
