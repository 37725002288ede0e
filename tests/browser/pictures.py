"""Takes the pictures of README and docs from a running demo:  python -m tests.browser.pictures

Writes docs/images/*.png. The demo runs on data and ports of its own and is left to move for a while first, so that
there is something to see.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from app.config import PROJECT_ROOT
from tests.fixtures.stack import free_ports

IMAGES = PROJECT_ROOT / "docs" / "images"
SETTLE_SECONDS = 200
PICTURES = {
    "dashboard": "/",
    "order": "/orders/1",
    "trade": "/trade/?symbol=BTC/USDT",
    "webhooks": "/webhooks/",
    "alert": "/webhooks/alerts/1",
    "positions": "/positions/",
    "balances": "/balances/",
    "performance": "/performance",
    "markets": "/markets/",
    "broker": "/brokers/1",
    "start": "/start",
}
PHONE = {"dashboard-phone": "/", "orders-phone": "/orders/"}
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")


def main() -> None:
    """Start a demo, wait, and look at it."""
    IMAGES.mkdir(exist_ok=True)
    directory = tempfile.mkdtemp(prefix="sy-pictures-")
    web, sandbox, flower = (str(port) for port in free_ports(3))
    ports = {"PORT": web, "SANDBOX_PORT": sandbox, "FLOWER_PORT": flower, "DATA_DIR": directory}
    demo = subprocess.Popen(
        [str(PROJECT_ROOT / "bin" / "demo")], env={**os.environ, **ports}, stdout=subprocess.PIPE, text=True
    )
    try:
        email, password = _login(demo)
        time.sleep(SETTLE_SECONDS)
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 860})
            _log_in(page, f"http://127.0.0.1:{web}", email, password)
            _take(page, f"http://127.0.0.1:{web}", PICTURES)
            page.set_viewport_size({"width": 360, "height": 780})
            _take(page, f"http://127.0.0.1:{web}", PHONE)
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(30)
        shutil.rmtree(Path(directory), ignore_errors=True)


def _take(page: Page, url: str, pictures: Mapping[str, str]) -> None:
    for name, path in pictures.items():
        page.goto(f"{url}{path}")
        page.wait_for_timeout(1000)
        page.screenshot(path=IMAGES / f"{name}.png")


def _login(demo: subprocess.Popen[str]) -> tuple[str, str]:
    assert demo.stdout is not None
    for line in demo.stdout:
        if found := re.search(r"as (\S+) with the password (\S+)", line):
            return found[1], found[2]
    raise RuntimeError("the demo ended before it told its login")


def _log_in(page: Page, url: str, email: str, password: str) -> None:
    page.goto(f"{url}/login")
    page.fill("input[name=email]", email)
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(re.compile(f"{re.escape(url)}/(start)?$"))


if __name__ == "__main__":
    main()
