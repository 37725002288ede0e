"""The first run: an account, a practice broker, an order from the ticket, all by the pages."""

from __future__ import annotations

import html
import re
from decimal import Decimal
from uuid import uuid4

import requests

from app.domain.orders import OrderStatus
from tests.fixtures.stack import Stack, sign_up, submit, until


def test_a_sandbox_broker_without_keys_gets_a_practice_account_and_trades(stack: Stack) -> None:
    browser = sign_up(stack, f"novice-{uuid4().hex[:8]}@example.org")
    broker = {"exchange": stack.exchange, "name": "practice", "environment": "SANDBOX", "mode": "OFF"}
    page = submit(browser, stack.url, "/brokers/new", broker)
    broker_id = int(page.url.rstrip("/").rsplit("/", 1)[1])
    until(lambda: "33 markets" in browser.get(page.url, timeout=30).text, "the check-up and the markets")

    ticket = {"broker_id": broker_id, "symbol": "BTC/USDT", "side": "BUY", "type": "MARKET"}
    preview = submit(
        browser, stack.url, "/trade/preview", {**ticket, "size": "0.01", "unit": "base"}, page="/trade/"
    )
    assert preview.status_code == 200, preview.text
    form = preview.text[preview.text.index('action="/trade/place"') :]
    hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', form.split("</form>")[0]))
    assert hidden, preview.text
    placed = browser.post(
        f"{stack.url}/trade/place",
        data={name: html.unescape(value) for name, value in hidden.items()},
        timeout=30,
    )
    assert placed.status_code == 200, placed.text

    (order,) = until(lambda: stack.filled_orders(broker_id), "the fill")
    assert (order.status, order.filled_quantity) == (OrderStatus.FILLED, Decimal("0.01"))


def test_live_keys_are_never_made_up(stack: Stack) -> None:
    browser: requests.Session = sign_up(stack, f"novice-{uuid4().hex[:8]}@example.org")
    broker = {"exchange": stack.exchange, "name": "real", "environment": "LIVE", "mode": "OFF"}
    answer = submit(browser, stack.url, "/brokers/new", broker)

    assert answer.status_code == 422
    assert "is missing" in answer.text
