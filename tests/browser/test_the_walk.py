"""From signing up to the books: everything a person does here, each change seen without reloading a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import uuid4

import pytest
import requests
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.fixtures.app import PASSWORD
from tests.fixtures.stack import Stack

pytestmark = pytest.mark.browser

#: Processes of a busy machine take their time.
_PATIENCE_MS = 60_000


@pytest.fixture
def tabs(chromium: Browser, stack: Stack) -> Iterator[BrowserContext]:
    """A browser in front of the real processes; whatever a console complains of fails the test."""
    context = chromium.new_context(base_url=stack.url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(_PATIENCE_MS)
    expect.set_options(timeout=_PATIENCE_MS)
    complaints: list[str] = []
    context.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    yield context
    context.close()
    expect.set_options(timeout=5_000)
    assert complaints == []


def _stay(tab: Page, path: str) -> None:
    """Open a page and mark it: the mark is gone as soon as it is loaded anew."""
    tab.goto(path)
    tab.evaluate("window.stayed = true")
    expect(tab.locator("#line-state")).to_have_attribute("data-state", "live")


def _stayed(tab: Page) -> bool:
    return bool(tab.evaluate("window.stayed === true"))


def test_a_person_walks_from_the_account_to_the_books_and_sees_every_change_live(
    tabs: BrowserContext, stack: Stack
) -> None:
    person = tabs.new_page()
    _sign_up(person)

    person.get_by_role("button", name="Connect the sandbox").click()
    person.evaluate("window.stayed = true")
    ticket = person.get_by_role("link", name="Open the ticket")
    expect(ticket).to_be_visible()  # the check-up has passed and the markets are there, each told by an event
    assert _stayed(person)
    broker_id = re.findall(r"broker_id=(\d+)", ticket.get_attribute("href") or "")[0]

    orders, positions = tabs.new_page(), tabs.new_page()
    _stay(orders, "/orders/")
    _stay(positions, "/positions/")
    _place_an_order(person, broker_id)
    expect(orders.locator("tbody .badge").get_by_text("Filled", exact=True).first).to_be_visible()
    held = positions.locator("tr", has_text="BTC/USDT")
    expect(held.get_by_text("Guarded", exact=True)).to_be_visible()

    url = _make_a_webhook(person)
    assert requests.post(url, data="action=PING", timeout=30).status_code == 202
    expect(person.get_by_text("The line works.")).to_be_visible()
    assert _stayed(person)

    alert = f"action=BuyMarket, symbol=ETH/USDT, quantity=0.1, stop_loss=3%, id={uuid4().hex}"
    assert requests.post(url, data=alert, timeout=30).status_code == 202
    expect(positions.locator("tr", has_text="ETH/USDT").get_by_text("Guarded", exact=True)).to_be_visible()
    assert _stayed(positions)

    stop = held.locator("td[data-label='Stop-loss']")
    before = stop.inner_text()
    person.goto(held.get_by_role("link", name="BTC/USDT").get_attribute("href") or "")
    person.get_by_role("textbox", name="Stop-loss").fill("5%")
    person.get_by_role("button", name="Move protection").click()
    expect(stop).not_to_have_text(before)

    person.get_by_role("button", name="Close: your BTC/USDT position").click()
    person.get_by_role("dialog").get_by_role("button", name="Sell at the market").click()
    closed = positions.locator("#closed-positions tr", has_text="BTC/USDT")
    expect(closed).to_be_visible()
    expect(positions.locator("#open-positions tr", has_text="BTC/USDT")).to_have_count(0)
    assert _stayed(orders)
    assert _stayed(positions)

    person.goto(f"/brokers/{broker_id}")
    ledger = person.locator("#ledger")
    expect(ledger.get_by_role("link", name=re.compile("order", re.IGNORECASE)).first).to_be_visible()
    expect(ledger.get_by_text("USDT").first).to_be_visible()


def _sign_up(person: Page) -> None:
    person.goto("/signup")
    person.get_by_label("E-mail").fill(f"walker-{uuid4().hex[:8]}@example.org")
    person.get_by_label("Password", exact=True).fill(PASSWORD)
    person.get_by_label("The same password again").fill(PASSWORD)
    person.locator("form button.primary").click()
    expect(person.get_by_role("heading", name="First steps")).to_be_visible()


def _place_an_order(person: Page, broker_id: str) -> None:
    person.goto(f"/trade/?broker_id={broker_id}&symbol=BTC/USDT")
    person.get_by_label("Size", exact=True).fill("0.01")
    person.get_by_label("Stop-loss").first.fill("3%")
    person.get_by_role("button", name="Preview order").click()
    person.get_by_role("button", name="Place buy order").click()
    expect(person.get_by_text("The order is on its way.")).to_be_visible()


def _make_a_webhook(person: Page) -> str:
    """By the path, which stays open: what comes to the webhook is seen there."""
    person.goto("/start")
    person.get_by_role("button", name="Make the webhook").click()
    expect(person.get_by_text("Waiting for your test alert")).to_be_visible()
    person.evaluate("window.stayed = true")
    return person.locator("#new-url").inner_text()
