"""Every component in both themes at both widths, and the pages that go on paper."""

from __future__ import annotations

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from tests.browser.test_pages_in_a_browser import looks_right, sign_in
from tests.fixtures.app import AppFactory, MakeUser
from tests.fixtures.history import MakeHistory

pytestmark = pytest.mark.browser


@pytest.fixture
def app(make_app: AppFactory) -> Flask:
    """As a developer runs it."""
    return make_app(SWITCHYARD_ENV="development", SECRET_KEY="s" * 48, MASTER_KEY="A" * 43 + "=")


def test_every_component_fits_and_is_accessible_in_both_themes(
    page: Page, make_user: MakeUser, make_history: MakeHistory
) -> None:
    user = make_user()
    history = make_history(user)
    sign_in(page, user.email)
    page.goto("/styleguide")
    expect(page.get_by_role("heading", name="Style guide")).to_be_visible()
    looks_right(page)

    page.goto(f"/orders/{history.filled_order_id}")
    page.emulate_media(media="print")
    expect(page.locator(".topbar")).to_be_hidden()
    page.goto("/orders/")
    expect(page.get_by_role("columnheader", name="Price")).to_be_visible()
    expect(page.get_by_role("search", name="Orders")).to_be_hidden()
