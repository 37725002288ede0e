"""The inbox, an alert's page and the message builder."""

from __future__ import annotations

import re
from dataclasses import fields
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app.domain.alert_message import understood
from app.domain.alerts import AlertAction, AlertStatus, Signal
from app.extensions import db
from app.models import Alert, Source, User, utc_now
from app.services import misses
from app.web.understood import parts
from tests.fixtures.app import MakeBroker, submit
from tests.fixtures.history import History


@pytest.fixture
def token(user: User, make_broker: MakeBroker, browser: FlaskClient) -> str:
    """The token of a new source."""
    page = submit(browser, "/webhooks/sources/new", name="chart", broker_id=make_broker(user).id).text
    found = re.search(r"/webhook/([\w-]{43})", page)
    assert found is not None, page
    return found[1]


def _cells(page: str, label: str) -> list[str]:
    """What stands in a column, as text."""
    found = re.findall(rf'<td class="[^"]*" data-label="{re.escape(label)}">(.*?)</td>', page, re.DOTALL)
    return [" ".join(unescape(re.sub(r"<[^>]+>", " ", cell)).split()) for cell in found]


def _alert_ids(page: str) -> list[int]:
    return [int(found) for found in re.findall(r'data-label="Action"><a href="/webhooks/alerts/(\d+)"', page)]


def test_the_cards_tell_how_alerts_fare_and_what_is_open(browser: FlaskClient, history: History) -> None:
    page = browser.get("/webhooks/").text
    figures = page[page.index('id="figures"') : page.index("</form>", page.index('id="figures"'))]
    values = re.findall(r'class="stat-value">(.*?)</p>', figures, re.DOTALL)
    total, success, errors, held = (re.sub(r"<[^>]+>|\s", "", value) for value in values)
    assert (total, success, errors, held) == ("4", "50.0%", "1", "2")
    assert "without 1 of unknown price" in figures
    assert 'data-live="alerts positions balances"' in figures


def test_a_row_tells_what_was_asked_for_and_what_came_of_it(browser: FlaskClient, history: History) -> None:
    page = browser.get("/webhooks/").text
    assert _alert_ids(page) == list(reversed(history.alert_ids))
    assert _cells(page, "Percent") == ["10 %", "10 %", "–", "10 %"]
    assert _cells(page, "Order") == ["–", "–", "–", str(history.filled_order_id)]
    assert _cells(page, "Action")[2] == "Not understood EMA cross"
    assert page.count('<tr class="tinted">') == 2  # the error, and a position that is not guarded
    assert _cells(page, "Side") == ["Long", "Long"]
    assert _cells(page, "Current") == ["–", "50,000"]


@pytest.mark.parametrize(
    ("query", "places"),
    [
        ("status=ERROR", [1]),
        ("action=BuyMarket&period=day", [3, 2, 0]),
        ("broker_id={broker}&source_id={source}", [3, 2, 1, 0]),
        ("broker_id=999", []),
        ("broker_id=99999999999999999999&source_id=0", [3, 2, 1, 0]),
        ("status=nonsense&action=nothing&period=eon&page=-3&broker_id=x&source_id=y", [3, 2, 1, 0]),
    ],
)
def test_filters_stand_in_the_address(
    browser: FlaskClient, history: History, query: str, places: list[int]
) -> None:
    query = query.format(broker=history.broker_id, source=history.source_id)
    page = browser.get(f"/webhooks/?{query}").text
    assert _alert_ids(page) == [history.alert_ids[place] for place in places]


def test_a_missed_alert_is_found_by_its_action(app: Flask, browser: FlaskClient, history: History) -> None:
    with app.app_context():
        source = db.session.get_one(Source, history.source_id)
        alert = Alert(
            user_id=source.user_id,
            source_id=source.id,
            broker_id=source.broker_id,
            action=misses.ACTION,
            body="",
            content_type="",
            sender="",
            fingerprint="",
            received_at=utc_now(),
            expires_at=utc_now(),
        )
        alert.end(AlertStatus.MISS, "nothing came for 60 s")
        db.session.add(alert)
        db.session.commit()
        missed = alert.id
    assert _alert_ids(browser.get("/webhooks/?action=MISS").text) == [missed]
    assert "Nothing came for 60 s." in browser.get(f"/webhooks/alerts/{missed}").text


def test_a_long_inbox_comes_in_pages_that_keep_the_filters(
    app: Flask, browser: FlaskClient, history: History
) -> None:
    with app.app_context():
        like = db.session.get_one(Alert, history.alert_ids[1])
        names = ("user_id", "source_id", "broker_id", "status", "body", "content_type", "sender")
        same = {name: getattr(like, name) for name in (*names, "fingerprint", "received_at", "expires_at")}
        db.session.add_all(Alert(**same) for _ in range(24))
        db.session.commit()
    first = browser.get("/webhooks/?status=ERROR").text
    assert "1–20 of 25 alerts" in first
    older = unescape(re.findall(r'rel="next" href="([^"]+)"', first)[0])
    assert "status=ERROR" in older
    assert len(_alert_ids(browser.get(older).text)) == 5


def test_a_fault_is_pointed_at_in_the_text_as_it_came(browser: FlaskClient, app: Flask, token: str) -> None:
    body = '{"action": "BuyMarket",\n "symbol": BTCUSDT, "secret": "hush"}'
    told = app.test_client().post(f"/webhook/{token}", data=body).get_json()
    page = browser.get(f"/webhooks/alerts/{told['id']}").text
    assert "At fault in line 2, column 12" in page
    assert '"symbol": <mark class="fault">B</mark>TCUSDT' in unescape(page)
    assert "hush" not in page


def test_an_alert_tells_each_part_with_its_meaning_and_what_it_kept(
    browser: FlaskClient, history: History
) -> None:
    page = browser.get(f"/webhooks/alerts/{history.alert_ids[0]}").text
    assert "where a loss is cut" in page
    assert '<dd translate="no">2 %</dd>' in page
    assert "<dt>strategy</dt><dd>ema</dd>" in page
    assert f'href="/orders/{history.filled_order_id}"' in page


def test_every_part_that_an_alert_can_have_has_its_meaning() -> None:
    names = {field.name for field in fields(Signal)} - {
        "extras",
        "leaves_type",
    }  # told by itself, and by the action
    assert {part.name for part in parts(dict.fromkeys(names, "1"))} == names


def test_the_message_of_what_was_chosen_is_shown_and_understood(browser: FlaskClient) -> None:
    page = browser.get("/webhooks/message?action=BuyLimit&size=percent&amount=10&stop_loss=2%25").text
    message = unescape(re.findall(r'<pre id="message">(.*?)</pre>', page, re.DOTALL)[0])
    [signal] = understood(message)
    assert (signal.action, str(signal.percent)) == (AlertAction.BUY_LIMIT, "10")
    assert "/webhook/TOKEN-OF-THE-SOURCE" in page


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("action=BuyMarket&size=percent", "amount"),
        ("action=BuyMarket&size=percent&amount=200", "amount"),
        ("action=BuyMarket&size=strategy", "size"),
        ("action=BuyMarket&stop_loss=abc", "stop_loss"),
        ("action=MAJ", "action"),
        ("action=HODL", "action"),
    ],
)
def test_a_message_that_would_not_be_understood_is_not_written(
    browser: FlaskClient, query: str, field: str
) -> None:
    answer = browser.get(f"/webhooks/message?{query}")
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    assert 'id="message"' not in answer.text


def test_a_source_waits_for_its_first_alert_and_turns_green_when_it_comes(
    browser: FlaskClient, app: Flask, token: str
) -> None:
    waiting = browser.get("/webhooks/message?source_id=1").text
    assert 'data-copy="#webhook-url"' in waiting
    assert "Waiting for your test alert" in waiting
    assert 'id="first-alert" data-live="alerts"' in waiting
    app.test_client().post(f"/webhook/{token}", data="action=PING")
    assert "The line works" in browser.get("/webhooks/message?source_id=1").text
