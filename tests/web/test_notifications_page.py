"""A person chooses where and of what they are told; the address itself is seen no more."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis
from sqlalchemy import text

from app.extensions import db
from app.models import NotificationChannel, User
from app.services import notifications
from tests.fixtures.app import submit

PAGE = "/settings/notifications/"
URL = "tgram://123456789:a-token-that-nobody-may-see/987654321"


def test_an_address_is_kept_encrypted_and_shown_by_its_scheme_alone(
    app: Flask, user: User, browser: FlaskClient, redis_client: Redis
) -> None:
    added = submit(browser, PAGE, name="My phone", url=URL, HALTED="1", BROKER_LOST="1")
    assert added.status_code == 302

    page = browser.get(PAGE).text
    assert "tgram://•••" in page
    assert "Not tried yet" in page
    assert page.count("checked") == 2 + 8  # the channel's own, and those a new one begins with
    with app.app_context():
        stored = [str(db.session.execute(text(f"SELECT * FROM {name}")).all()) for name in _TABLES]
    for place in (page, *stored, str(redis_client.lrange("default", 0, -1))):
        assert "a-token" not in place
    assert redis_client.llen("default") == 1  # the test message, for a worker


_TABLES = ("notification_channels", "audit_entries")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"url": "file:///etc/passwd"}, "does not allow addresses with file://"),
        ({"url": "syslog://localhost"}, "does not allow addresses with syslog://"),
        ({"url": "my phone number"}, "no Apprise address"),
        ({"name": " "}, "needs a name"),
    ],
)
def test_what_will_not_do_is_refused_at_its_field_and_the_address_is_not_shown_again(
    browser: FlaskClient, change: dict[str, str], words: str
) -> None:
    answer = submit(browser, PAGE, **{"name": "phone", "url": URL, **change})
    assert answer.status_code == 422
    assert words in answer.text
    assert "a-token" not in answer.text


def test_a_channel_is_changed_tried_and_removed(
    app: Flask, user: User, browser: FlaskClient, redis_client: Redis
) -> None:
    submit(browser, PAGE, name="phone", url=URL, HALTED="1")
    found = re.search(r'action="(/settings/notifications/\d+)/kinds"', browser.get(PAGE).text)
    assert found is not None
    channel = found[1]
    submit(browser, f"{channel}/kinds", page=PAGE, ENTRY_FILLED="1", nonsense="1")
    submit(browser, f"{channel}/test", page=PAGE)
    with app.app_context():
        assert db.session.query(NotificationChannel).one().kinds == ["ENTRY_FILLED"]
    assert redis_client.llen("default") == 2
    submit(browser, f"{channel}/remove", page=PAGE)
    assert "Nobody is told" in browser.get(PAGE).text


def test_a_channel_that_fails_says_why(app: Flask, user: User, browser: FlaskClient) -> None:
    with app.app_context():
        channel = notifications.add(user, "phone", URL, [])
        channel.failures, channel.last_error = 3, "the address is not one that Apprise understands"
        db.session.commit()
    page = browser.get(PAGE).text
    assert "Failing" in page
    assert "The address is not one that Apprise understands. 3 tries failed." in page
