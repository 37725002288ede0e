"""The pages as people see them: nothing breaks, nothing overflows, nothing is blocked, everything is readable."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from app.config import PROJECT_ROOT
from app.extensions import db
from app.models import Broker
from app.services import events, sources, users
from app.services.events import Topic
from tests.fixtures.app import PASSWORD, MakeUser
from tests.fixtures.history import History, MakeHistory

pytestmark = pytest.mark.browser

_AXE = PROJECT_ROOT / "node_modules" / "axe-core" / "axe.min.js"
_RULES = "{runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']}"


def looks_right(page: Page) -> None:
    """No sideways scroll, and no fault that axe can find.

    After a click that leads elsewhere, first expect something of the new page: until then the old one may be here.
    """
    page.wait_for_load_state()
    # Bars that stay in place cover a part of whatever lies under them, and axe takes that part off its size.
    page.evaluate("scrollTo(0, 0)")
    widths = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert widths[0] <= widths[1], f"{page.url} is {widths[0]} wide on {widths[1]}"
    # axe is read into the page from outside, past the policy that holds for the page itself.
    page.evaluate(_AXE.read_text())
    found = page.evaluate(f"axe.run({_RULES})")
    faults = [
        f"{fault['id']}: {fault['help']}: {[node['html'][:200] for node in fault['nodes']]}"
        for fault in found["violations"]
    ]
    assert faults == [], f"{page.url}\n" + "\n".join(faults)


def sign_in(page: Page, email: str) -> None:
    page.goto("/login")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(re.compile("/$"))


def test_the_first_person_signs_up_and_connects_a_broker(page: Page) -> None:
    page.goto("/login")
    expect(page.get_by_role("heading", name="Create the administrator")).to_be_visible()
    looks_right(page)
    page.get_by_label("E-mail").fill("ada@example.org")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("The same password again").fill(PASSWORD)
    page.get_by_role("button", name="Create the administrator").click()
    expect(page.get_by_role("heading", name="First steps")).to_be_visible()
    looks_right(page)
    page.get_by_role("link", name="Use keys of an exchange instead").click()
    expect(page.get_by_role("button", name="Save and test connection")).to_be_visible()
    looks_right(page)
    page.get_by_label("Name").fill("Practice")
    page.get_by_label(re.compile("API key", re.IGNORECASE)).fill("a-key")
    page.get_by_label(re.compile("secret", re.IGNORECASE)).fill("a-secret")
    page.get_by_role("button", name="Save and test connection").click()
    expect(page.get_by_role("heading", name="Practice")).to_be_visible()
    expect(page.get_by_text("Testing the connection")).to_be_visible()
    looks_right(page)


@pytest.fixture
def history(make_user: MakeUser, make_history: MakeHistory) -> History:
    """A full account of an administrator."""
    return make_history(make_user("ada@example.org"))


def _trading(history: History) -> list[str]:
    return [
        "/",
        f"/trade/?broker_id={history.broker_id}&symbol=BTC/USDT",
        "/orders/",
        f"/orders/{history.filled_order_id}",
        "/positions/",
        *(f"/positions/{position_id}" for position_id in history.position_ids),
        "/webhooks/",
        "/webhooks/explain",
        f"/webhooks/alerts/{history.alert_ids[0]}/replay",
        f"/webhooks/message?source_id={history.source_id}",
        "/webhooks/sources",
        "/webhooks/sources/new",
        f"/webhooks/sources/{history.source_id}",
        *(f"/webhooks/alerts/{alert_id}" for alert_id in history.alert_ids[:2]),
    ]


def _settling(history: History) -> list[str]:
    return [
        "/start",
        "/brokers/",
        f"/brokers/{history.broker_id}",
        f"/brokers/{history.broker_id}/edit",
        "/markets/",
        "/exchanges/?q=a",
        "/activity/",
        "/settings/risk",
        "/settings/tokens",
        "/panic",
        "/admin",
    ]


@pytest.mark.parametrize("pages", [_trading, _settling])
def test_every_page_of_a_full_account_fits_and_is_accessible(
    page: Page, history: History, pages: Callable[[History], list[str]]
) -> None:
    sign_in(page, "ada@example.org")
    for path in pages(history):
        page.goto(path)
        looks_right(page)


def test_a_halt_is_a_click_away_and_shown_on_top_until_it_is_lifted(page: Page, history: History) -> None:
    sign_in(page, "ada@example.org")
    page.goto(f"/brokers/{history.broker_id}")
    page.get_by_label("Why").fill("bad news")
    page.get_by_role("button", name="Halt entries").click()
    banner = page.locator("#halts").get_by_text("Entries halted on Practice")
    expect(banner).to_be_visible()
    looks_right(page)
    page.get_by_role("button", name="Let entries go on").click()
    expect(banner).to_be_hidden()


def test_a_ticket_is_previewed_in_place_and_a_change_disarms_the_preview(
    page: Page, history: History
) -> None:
    sign_in(page, "ada@example.org")
    page.goto(f"/trade/?broker_id={history.broker_id}&symbol=BTC/USDT")
    page.get_by_label("Size", exact=True).fill("0.01")
    page.get_by_label("Stop-loss").fill("2%")
    page.get_by_role("button", name="Preview order").click()
    place = page.get_by_role("button", name="Place buy order")
    expect(place).to_be_visible()
    assert page.url.endswith("symbol=BTC/USDT")
    looks_right(page)
    page.get_by_label("Size", exact=True).fill("0.02")
    expect(place).to_be_disabled()
    page.get_by_role("button", name="Preview order").click()
    expect(place).to_be_enabled()
    place.click()
    expect(page.get_by_text("The order is on its way.")).to_be_visible()
    looks_right(page)


def test_the_ticket_is_readable_by_day_whatever_it_shows(page: Page, history: History) -> None:
    sign_in(page, "ada@example.org")
    page.goto(f"/trade/?broker_id={history.broker_id}&symbol=BTC/USDT")
    page.evaluate("document.documentElement.dataset.theme = 'light'")
    page.get_by_label("Size", exact=True).fill("0.01")
    page.get_by_label("Stop-loss").fill("150%")
    page.get_by_role("button", name="Preview order").click()
    expect(page.locator("#stop_loss")).to_be_focused()
    page.get_by_text("Lines on the chart", exact=True).click()
    page.get_by_text("The candles as figures", exact=True).click()
    looks_right(page)
    page.get_by_label("Stop-loss").fill("2%")
    page.get_by_role("button", name="Preview order").click()
    expect(page.get_by_role("button", name="Place buy order")).to_be_visible()
    page.locator("#symbol").fill("t")
    expect(page.locator("#symbol-list")).to_be_visible()
    looks_right(page)
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Change the order").click()
    looks_right(page)


def test_several_take_profits_are_filled_in_and_told_in_the_preview(page: Page, history: History) -> None:
    sign_in(page, "ada@example.org")
    page.goto(f"/trade/?broker_id={history.broker_id}&symbol=BTC/USDT")
    page.get_by_label("Size", exact=True).fill("0.1")
    page.get_by_label("Stop-loss").fill("2%")
    page.get_by_text("Several take-profits").click()
    for row, (price, share) in enumerate((("4%", "50"), ("8%", "30")), start=1):
        page.get_by_label(f"Take-profit {row}").fill(price)
        page.get_by_label(f"Share {row}").fill(share)
    looks_right(page)
    page.get_by_role("button", name="Preview order").click()
    expect(page.get_by_text("a take-profit sells 30 % of what was bought")).to_be_visible()
    looks_right(page)


def test_an_open_page_follows_what_happens(app: Flask, page: Page, history: History) -> None:
    sign_in(page, "ada@example.org")
    page.goto("/orders/")
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")
    with app.app_context():
        user = users.by_email("ada@example.org")
        assert user is not None
        with page.expect_response(lambda answer: answer.url.endswith("/orders/")):
            events.publish(user.id, Topic.ORDERS, 1)


def test_a_source_that_waits_for_its_first_alert_turns_green_by_itself(
    app: Flask, page: Page, history: History
) -> None:
    with app.app_context():
        broker = db.session.get_one(Broker, history.broker_id)
        source, token = sources.create(broker.user, broker, "first chart")
    sign_in(page, "ada@example.org")
    page.goto(f"/webhooks/message?source_id={source.id}")
    expect(page.get_by_text("Waiting for your test alert")).to_be_visible()
    expect(page.locator("#line-state")).to_have_attribute("data-state", "live")
    assert app.test_client().post(f"/webhook/{token}", data="action=PING").status_code == 202
    expect(page.get_by_text("The line works: an alert of first chart has come")).to_be_visible()


def test_times_are_in_the_browsers_zone(page: Page, history: History) -> None:
    sign_in(page, "ada@example.org")
    page.goto(f"/orders/{history.filled_order_id}")
    shown = page.locator("time").first
    in_nepal, in_utc = shown.inner_text(), shown.get_attribute("title") or ""
    # Three quarters of an hour apart: their minutes never agree.
    assert in_nepal.split(":")[1] != in_utc.split(":")[1]


def test_the_keyboard_searches_helps_and_closes(page: Page, history: History) -> None:
    sign_in(page, "ada@example.org")
    page.keyboard.press("?")
    expect(page.get_by_role("heading", name="Keyboard and help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("heading", name="Keyboard and help")).to_be_hidden()
    page.goto("/orders/")
    page.keyboard.press("/")
    expect(page.locator("main #symbol")).to_be_focused()
