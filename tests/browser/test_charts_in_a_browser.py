"""The dashboard, balances and performance before a person: drawn, readable in both themes, fed anew in their place."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app.domain.accounts import Balance
from app.domain.history import Grain
from app.extensions import db
from app.models import BalancePoint, Broker, EquityPoint, Position, PositionStatus, utc_now
from app.services import balances
from tests.browser.test_pages_in_a_browser import looks_right, sign_in
from tests.fixtures.app import MakeUser
from tests.fixtures.history import BTC_PRICE, History, MakeHistory

pytestmark = pytest.mark.browser

_SHIFTED = """() => new Promise((told) => {
  let sum = 0;
  new PerformanceObserver((list) => list.getEntries().forEach((entry) => { sum += entry.value; }))
    .observe({type: "layout-shift", buffered: true});
  setTimeout(() => told(sum), 100);
})"""


@pytest.fixture
def history(app: Flask, make_user: MakeUser, make_history: MakeHistory) -> History:
    """A full account with a course of a day and some weeks of trading behind it."""
    made = make_history(make_user("ada@example.org"))
    with app.app_context():
        broker = db.session.get_one(Broker, made.broker_id)
        db.session.add_all(_course(broker))
        db.session.add_all(_closed(broker))
        db.session.commit()
    return made


def _course(broker: Broker) -> Iterator[BalancePoint]:
    for hours in range(25, 0, -1):
        for asset, total, price in (("BTC", "0.5", 49000 + 37 * (hours % 7)), ("USDT", "10000", 1)):
            yield BalancePoint(
                broker_id=broker.id,
                asset=asset,
                at=utc_now() - timedelta(hours=hours),
                grain=Grain.HOUR,
                total=Decimal(total),
                usd=None if hours == 12 and asset == "BTC" else Decimal(total) * price,
            )


def _closed(broker: Broker) -> Iterator[Position]:
    first = utc_now().replace(day=1, hour=12)
    for days, realised in enumerate(("120.5", "-33.1", "0", "18250", "-4.20", "640")):
        yield Position(
            user_id=broker.user_id,
            broker_id=broker.id,
            symbol="BTC/USDT",
            status=PositionStatus.CLOSED,
            quantity=Decimal(0),
            bought=Decimal(1),
            cost=Decimal(0),
            realised=Decimal(realised),
            fees=Decimal(0),
            closed_at=first + timedelta(days=days),
        )


def _looks_right_in_both_themes(page: Page) -> None:
    for theme in ("light", "dark"):
        page.evaluate("theme => { document.documentElement.dataset.theme = theme; }", theme)
        looks_right(page)


def _drawn(page: Page) -> None:
    """A curve is there once something of its canvas is painted."""
    page.wait_for_function(
        """() => [...document.querySelectorAll('.chart canvas')].some((canvas) => canvas.width &&
            canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean))"""
    )


def test_charts_are_drawn_and_follow_what_happens(app: Flask, page: Page, history: History) -> None:
    sign_in(page, "ada@example.org")
    page.goto("/?period=week")
    _drawn(page)
    page.get_by_text("The curve as a table").click()
    expect(page.get_by_role("region", name="The figures of the curve")).to_contain_text("35,000.00")
    page.get_by_text("By asset as a table").click()
    _looks_right_in_both_themes(page)

    page.goto("/")
    _drawn(page)
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")
    page.evaluate("document.querySelector('.chart').dataset.mark = 'the same'")
    with app.app_context():
        broker = db.session.get_one(Broker, history.broker_id)
        held = {"BTC": Balance("BTC", Decimal(1), Decimal(0), Decimal(1))}
        with page.expect_response(re.compile("/equity")):
            balances.store(broker, held, {"BTC/USDT": BTC_PRICE}, asked_at=utc_now())
    expect(page.locator("#totals")).to_contain_text("50,000.00")
    expect(page.locator("#allocation")).not_to_contain_text("USDT")
    expect(page.locator(".chart")).to_have_attribute("data-mark", "the same")
    assert page.evaluate(_SHIFTED) < 0.01

    page.goto("/balances/")
    _looks_right_in_both_themes(page)
    page.get_by_role("link", name="BTC", exact=True).click()
    expect(page.get_by_role("heading", name="BTC")).to_be_visible()
    _drawn(page)
    page.get_by_text("The curve as a table").click()
    _looks_right_in_both_themes(page)

    page.goto(f"/performance?month={utc_now():%Y-%m}")
    expect(page.locator(".calendar")).to_contain_text("+18.2k")
    page.get_by_text("The days as a table").click()
    _looks_right_in_both_themes(page)


def test_a_first_curve_appears_by_itself(app: Flask, page: Page, history: History) -> None:
    with app.app_context():
        db.session.query(EquityPoint).delete()
        db.session.get_one(Broker, history.broker_id).balances_synced_at = None
        db.session.commit()
    sign_in(page, "ada@example.org")
    expect(page.get_by_text("No curve yet")).to_be_visible()
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")
    with app.app_context():
        broker = db.session.get_one(Broker, history.broker_id)
        held = {"BTC": Balance("BTC", Decimal(1), Decimal(0), Decimal(1))}
        balances.store(broker, held, {"BTC/USDT": BTC_PRICE}, asked_at=utc_now())
    _drawn(page)
