"""Each page at its two ends: with nothing to show, and with everything."""

from __future__ import annotations

import pytest

from tests.fixtures.app import LogIn, MakeUser
from tests.fixtures.history import MakeHistory

PAGES = ("/", "/brokers/", "/brokers/new", "/trade/", "/orders/", "/webhooks/", "/admin")


@pytest.mark.parametrize("path", PAGES)
def test_a_page_with_nothing_to_show_says_so(path: str, make_user: MakeUser, log_in: LogIn) -> None:
    page = log_in(make_user()).get(path)
    assert page.status_code == 200
    assert "<h1" in page.text


def test_every_page_shows_a_full_account(
    make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    history = make_history(user)
    browser = log_in(user)
    paths = [
        *PAGES,
        f"/brokers/{history.broker_id}",
        f"/brokers/{history.broker_id}/edit",
        f"/trade/?broker_id={history.broker_id}&symbol=BTCUSDT",
        *(f"/orders/{order_id}" for order_id in history.order_ids),
        *(f"/webhooks/alerts/{alert_id}" for alert_id in history.alert_ids),
        *(f"/?period={period}" for period in ("day", "week", "month", "year")),
    ]
    for path in paths:
        page = browser.get(path)
        assert page.status_code == 200, path
