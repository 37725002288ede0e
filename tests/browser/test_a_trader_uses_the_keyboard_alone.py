"""From an empty ticket to a cancelled order without a mouse and without a reload, on the real processes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from tests.fixtures.stack import Desk, Stack

pytestmark = pytest.mark.browser

_MOST_TABS = 80
_PATIENCE_MS = 30_000


@pytest.fixture
def desk(stack: Stack) -> Desk:
    """A person with a funded broker whose markets are loaded."""
    return stack.open_desk()


@pytest.fixture
def page(chromium: Browser, stack: Stack, desk: Desk) -> Iterator[Page]:
    """Their browser; whatever its console complains of fails the test."""
    context = chromium.new_context(base_url=stack.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(_PATIENCE_MS)
    host = stack.url.split("//")[1].split(":")[0]
    for cookie in desk.http.cookies:
        context.add_cookies([{"name": cookie.name, "value": cookie.value or "", "domain": host, "path": "/"}])
    tab = context.new_page()
    complaints: list[str] = []
    tab.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    yield tab
    context.close()
    assert complaints == []


def _tab_to(page: Page, wanted: Locator) -> None:
    """Press Tab until the focus is where it is wanted."""
    for _ in range(_MOST_TABS):
        if wanted.evaluate("element => element === document.activeElement"):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"{_MOST_TABS} times Tab do not lead to {wanted}")


def _type(page: Page, text: str) -> None:
    """Type over what the field in focus holds."""
    page.keyboard.press("Control+A")
    page.keyboard.type(text)


def test_an_order_is_found_priced_previewed_placed_seen_and_cancelled(page: Page) -> None:
    page.goto("/trade/")
    page.keyboard.press("/")
    page.keyboard.type("ethusd")
    fitting = page.locator("#symbol-list [role=option]")
    found = fitting.filter(has_text="ETH/USDT")
    expect(found).to_be_visible()
    page.keyboard.press("Escape")
    expect(found).to_be_hidden()
    page.keyboard.type("t")
    expect(fitting).to_have_count(1)
    page.keyboard.press("ArrowDown")
    expect(found).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(r"symbol=ETH%2FUSDT"))
    page.evaluate("window.neverReloaded = true")

    expect(page.locator("#book [data-fetched]")).to_be_visible(timeout=_PATIENCE_MS)
    expect(page.locator("[data-candles-shown]")).to_be_attached(timeout=_PATIENCE_MS)
    last = Decimal(page.locator("#book [data-last]").get_attribute("data-last") or "0")

    _tab_to(page, page.locator("[name=type][value=MARKET]"))
    page.keyboard.press("ArrowRight")
    _tab_to(page, page.locator("#price"))
    _type(page, str(int(last * Decimal("0.98"))))
    _tab_to(page, page.locator("[name=size_unit][value=base]"))
    page.keyboard.press("ArrowRight")
    expect(page.locator("[name=size_unit][value=quote]")).to_be_checked()
    _tab_to(page, page.get_by_role("button", name="25 %"))
    page.keyboard.press("Enter")
    expect(page.locator("#size")).to_have_value("25")
    expect(page.locator("[name=size_unit][value=percent]")).to_be_checked()

    _tab_to(page, page.locator("#stop_loss"))
    _type(page, "120%")
    page.keyboard.press("Enter")
    expect(page.locator("#stop_loss-error")).to_have_text("It must be less than 100 %.")
    expect(page.locator("#stop_loss")).to_be_focused()
    _type(page, "2%")
    _tab_to(page, page.locator("#take_profit"))
    _type(page, "4%")
    page.keyboard.press("Enter")
    place = page.get_by_role("button", name="Place buy order")
    expect(place).to_be_visible(timeout=_PATIENCE_MS)
    expect(page.locator("#stop_loss-error")).to_have_count(0)
    expect(page.locator("#preview")).to_contain_text("1 : 2")
    _tab_to(page, place)
    page.keyboard.press("Enter")
    expect(page.get_by_text("The order is on its way.")).to_be_visible()
    expect(page.get_by_role("link", name=re.compile("Follow order"))).to_be_focused()

    waiting = page.locator("#open-orders")
    entry = waiting.get_by_role("row").filter(has_text="Buy")
    expect(entry.get_by_text("Open", exact=True)).to_be_visible(timeout=_PATIENCE_MS)
    expect(page.locator("[data-candles]")).to_have_attribute("data-lines", "1")
    _tab_to(page, waiting.get_by_role("button", name="Cancel the order: Buy ETH/USDT"))
    page.keyboard.press("Enter")
    _tab_to(page, waiting.get_by_role("button", name="Cancel order", exact=True))
    page.keyboard.press("Enter")
    expect(waiting.get_by_text("No open orders")).to_be_visible(timeout=_PATIENCE_MS)
    expect(page.locator("[data-candles]")).to_have_attribute("data-lines", "0")
    assert page.evaluate("window.neverReloaded")
