"""The markets of a broker and the directory of exchanges: found, starred, updated."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from app.exchanges import NAMES, directory, title
from app.extensions import db
from app.models import Broker, User
from app.services import markets, underway
from app.services.underway import Stage, Work
from tests.fixtures.app import LogIn, MakeUser, submit
from tests.fixtures.history import BTC, ETH, History
from tests.web.test_every_page import counted_queries

MANY = 3_000


def _symbols(page: str) -> list[str]:
    return re.findall(r'data-label="Market">.*?<a href="[^"]+">([^<]+)</a>', page, re.DOTALL)


@pytest.fixture
def many(app: Flask, history: History) -> None:
    """Three thousand markets, priced in one of two currencies."""
    made = [
        replace(
            BTC, symbol=f"C{n:04}/{quote}", exchange_symbol=f"C{n:04}{quote}", base=f"C{n:04}", quote=quote
        )
        for n in range(MANY // 2)
        for quote in ("USDT", "EUR")
    ]
    with app.app_context():
        broker = db.session.get_one(Broker, history.broker_id)
        markets.store(broker.exchange, broker.environment, [BTC, ETH, *made])
        db.session.commit()


@pytest.mark.usefixtures("many")
def test_thousands_of_markets_are_searched_in_the_database_a_page_at_a_time(
    app: Flask, browser: FlaskClient
) -> None:
    browser.get("/markets/")
    asked = set()
    for query, first, total in (
        ("", "BTC/USDT", MANY + 2),
        ("page=61", "C1499/USDT", MANY + 2),
        ("q=c0007", "C0007/EUR", 2),
        ("q=7%2Feu", "C0007/EUR", MANY // 20),
        ("quote=EUR&page=2", "C0050/EUR", MANY // 2),
        ("q=eth&quote=USDT", "ETH/USDT", 1),
        ("only=favourites", None, 0),
    ):
        with counted_queries(app) as statements:
            page = browser.get(f"/markets/?{query}").text
        asked.add(len(statements))
        assert (_symbols(page) or [None])[0] == first, query
        assert len(_symbols(page)) <= 50
        if total > 50:
            assert f"of {total:,}" in page or f"of {total}" in page, query
    assert len(asked) == 1
    assert asked.pop() <= 8


@pytest.mark.usefixtures("many")
def test_what_is_typed_at_the_ticket_is_found_among_thousands(browser: FlaskClient) -> None:
    def found(text: str) -> list[str]:
        return re.findall('data-value="([^"]+)"', browser.get(f"/trade/markets?symbol={text}").text)

    assert found("c0042us") == ["C0042/USDT"]
    assert found("btc")[0] == "BTC/USDT"
    assert len(found("")) == len(found("c")) == 20
    assert found("100%25_") == found("100"), "only letters and figures are looked for"


def test_a_favourite_is_starred_for_its_person_alone_and_comes_first(
    browser: FlaskClient, history: History, make_user: MakeUser, log_in: LogIn
) -> None:
    star = f"/markets/favourites?broker_id={history.broker_id}&q=usdt"
    assert _symbols(browser.get("/markets/").text) == ["BTC/USDT", "ETH/USDT"]
    for _ in range(2):
        answer = submit(browser, star, page="/markets/", symbol="ETH/USDT", starred="1")
        assert answer.location == f"/markets/?broker_id={history.broker_id}&q=usdt"
    page = browser.get("/markets/").text
    assert _symbols(page) == ["ETH/USDT", "BTC/USDT"]
    assert page.count('aria-pressed="true" aria-label="Favourite') == 1
    assert _symbols(browser.get("/markets/?only=favourites").text) == ["ETH/USDT"]
    assert 'aria-label="Favourite"' in browser.get("/trade/markets?symbol=e").text

    stranger = log_in(make_user())
    assert submit(stranger, star, page="/", symbol="BTC/USDT").status_code == 404

    submit(browser, star, page="/markets/", symbol="ETH/USDT", starred="0")
    assert "Press the star of a market" in browser.get("/markets/?only=favourites").text
    assert submit(browser, star, page="/markets/", symbol="NO/SUCH").status_code == 404


def test_an_update_is_asked_of_a_worker_and_its_progress_and_its_failure_are_told(
    app: Flask, browser: FlaskClient, history: History, redis_client: Redis
) -> None:
    waiting = redis_client.llen(f"sync.{NAMES[0]}")
    submit(browser, "/markets/update", page="/markets/", broker_id=history.broker_id)
    assert redis_client.llen(f"sync.{NAMES[0]}") == waiting + 1
    assert "Waiting for a worker. " in browser.get("/markets/").text
    with app.app_context():
        underway.reach(Work.MARKETS, history.broker_id, Stage.STORING)
        assert "Step 3 of 3" in browser.get("/markets/").text
        underway.end(Work.MARKETS, history.broker_id)
        db.session.get_one(Broker, history.broker_id).markets_error = "It is down. Try again later."
        db.session.commit()
    page = browser.get("/markets/").text
    assert "It is down. Try again later." in page
    assert "Update markets" in page


def test_a_person_without_a_broker_is_told_what_to_do(user: User, log_in: LogIn) -> None:
    assert "Connect a broker" in log_in(user).get("/markets/").text


def test_the_directory_marks_those_to_trade_on_and_says_what_they_can_do(browser: FlaskClient) -> None:
    page = browser.get("/exchanges/").text
    known = directory.read().listings
    assert page.count("To trade on") == len(NAMES)
    assert page.count('data-label="Exchange"') == len(known) - len(NAMES)
    for name in NAMES:
        assert f'href="/brokers/new?exchange={name}"' in page

    one = browser.get(f"/exchanges/?q={title(NAMES[0]).upper()}&only=native").text
    assert "Stop-loss and take-profit as a pair" in one
    assert "of the two, the first to execute cancels the other" in one
    assert 'data-label="Exchange"' not in one
    assert "No exchange matches" in browser.get("/exchanges/?q=nowhere").text
