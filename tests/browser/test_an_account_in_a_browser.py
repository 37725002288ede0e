"""A person secures their account and looks after it, at a desk and on a phone."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pyotp
import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_pages_in_a_browser import looks_right, sign_in
from tests.fixtures.app import PASSWORD, MakeUser

pytestmark = pytest.mark.browser


def test_a_second_factor_is_set_up_used_and_its_sessions_ended(
    app: Flask, page: Page, chromium: Browser, server: str, make_user: MakeUser
) -> None:
    make_user("ada@example.org")
    sign_in(page, "ada@example.org")
    page.goto("/settings/account")
    looks_right(page)
    page.get_by_role("link", name="Second factor").click()
    page.get_by_label("Your password").fill(PASSWORD)
    looks_right(page)
    page.get_by_role("button", name="Set it up").click()
    picture = page.get_by_alt_text("QR code of the key below")
    expect(picture).to_be_visible()
    expect(picture).to_have_js_property("complete", True)
    assert picture.evaluate("image => image.naturalWidth") > 100
    looks_right(page)
    authenticator = pyotp.TOTP(page.locator("#totp-key").inner_text().replace(" ", ""))
    page.get_by_label("Code").fill(authenticator.at(int(time.time()), counter_offset=-1))
    page.get_by_role("button", name="Turn it on").click()
    expect(page.get_by_text("Your recovery codes")).to_be_visible()
    looks_right(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download").click()
    assert download.value.suggested_filename == "switchyard-recovery-codes.txt"
    codes = Path(download.value.path()).read_text().split()
    assert codes == page.locator("#recovery-codes code").all_inner_texts()

    elsewhere = chromium.new_context(base_url=server).new_page()
    elsewhere.goto("/orders/")
    elsewhere.get_by_label("E-mail").fill("ada@example.org")
    elsewhere.get_by_label("Password").fill(PASSWORD)
    elsewhere.get_by_role("button", name="Log in").click()
    expect(elsewhere.get_by_role("heading", name="One more step")).to_be_visible()
    looks_right(elsewhere)
    elsewhere.get_by_label("Code").fill(codes[0])
    elsewhere.keyboard.press("Enter")
    expect(elsewhere).to_have_url(re.compile("/orders/$"))

    page.get_by_role("link", name="Sessions").click()
    expect(page.get_by_text("This one")).to_be_visible()
    looks_right(page)
    page.get_by_role("button", name=re.compile("^Log out .* from 127.0.0.1")).click()
    looks_right(page)
    page.get_by_role("button", name="Log it out").click()
    expect(page.get_by_text("That browser is logged out.")).to_be_visible()
    elsewhere.reload()
    expect(elsewhere.get_by_role("heading", name="Log in")).to_be_visible()
    elsewhere.context.close()

    page.goto("/settings/notifications/")
    page.get_by_label("Name").fill("Phone")
    page.get_by_label("Apprise address").fill("tgram://123:token/456")
    looks_right(page)
    page.get_by_role("button", name="Add and send a test").click()
    expect(page.get_by_role("heading", name="Phone")).to_be_visible()
    looks_right(page)
    page.goto("/admin")
    looks_right(page)
    # The browser itself complains of a page that answers 503, also when an open page looks whether it is still true: so
    # this one is left, and a page of its own looks.
    page.goto("about:blank")
    assert app.test_cli_runner().invoke(args=["maintenance", "on"]).exit_code == 0
    away = chromium.new_context(base_url=server, viewport=page.viewport_size).new_page()
    away.goto("/")
    expect(away.get_by_role("heading", name="Back in a moment")).to_be_visible()
    looks_right(away)
    away.context.close()
