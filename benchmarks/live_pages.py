"""What open pages cost the alerts that come in meanwhile.

    python -m benchmarks.live_pages --pages 200 --json

Everything that bin/start runs is running. In each run as many alerts a second are sent twice, without pages and with
them; which comes first alternates. Every page is the alerts' own person's: each alert tells all of them. Of the pages,
``--looking`` so many also fetch themselves when they are told, as a page does that is being looked at; a page in a
hidden tab holds no connection at all.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import selectors
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from multiprocessing.connection import Connection
from typing import Any, cast
from urllib.parse import urlsplit

import requests

from benchmarks import load
from benchmarks.desk import EMAIL, PASSWORD
from benchmarks.stack import open_desk, running

#: As static/js/live.js waits before it asks, in seconds, and then as many times as long as the answer took.
_SETTLE, _PATIENCE = 0.25, 4


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rate", type=float, default=100, help="alerts a second")
    parser.add_argument("--pages", type=int, default=200)
    parser.add_argument("--looking", type=int, default=0)
    parser.add_argument(
        "--apart", action="store_true", help="by the receiver that stands apart from the pages"
    )
    options = parser.parse_args()
    with running(RECEIVER=str(int(options.apart))) as stack:
        desk = open_desk(stack, trading=False, apart=options.apart)
        cookies = _log_in(stack.web)
        load.pace(desk.urls, _body("warm"), rate=50, seconds=2)
        runs = [_run(stack.web, cookies, desk.urls, number, options) for number in range(options.runs)]
    ratios = {
        name: statistics.median(run["with"][name] / run["without"][name] for run in runs)
        for name in ("p50", "p99")
    }
    if options.json:
        conditions = {"pages": options.pages, "looking": options.looking, "rate": options.rate}
        print(json.dumps({**conditions, "runs": runs, "median_ratio": ratios}, indent=2))
    else:
        for name, ratio in ratios.items():
            print(f"{name} with {options.pages} pages / without: {ratio:.2f}")


def _run(
    web: str, cookies: dict[str, str], urls: list[str], number: int, options: argparse.Namespace
) -> dict[str, Any]:
    """Both halves of a run; every other time the one with pages comes first."""
    halves = ["without", "with"] if number % 2 == 0 else ["with", "without"]
    found: dict[str, Any] = {}
    for half in halves:
        pages = _open_pages(web, cookies, options) if half == "with" else nullcontext(_Told())
        with pages as told:
            result = load.pace(urls, _body(f"{half}{number}"), rate=options.rate, seconds=options.seconds)
        stored = result.statuses[202] / result.statuses.total()
        found[half] = {**result.percentiles(), "stored_share": stored, "events_read": told.events}
    return found


class _Told:
    """How many events all pages together were told; known once they are closed."""

    def __init__(self) -> None:
        self.events = 0


@contextmanager
def _open_pages(web: str, cookies: dict[str, str], options: argparse.Namespace) -> Iterator[_Told]:
    """Pages that are open, kept by a process of its own so that reading them does not disturb who measures."""
    ours, theirs = multiprocessing.Pipe()
    told = _Told()
    keeper = multiprocessing.get_context("spawn").Process(
        target=_keep_open, args=(theirs, web, cookies, options.pages, options.looking)
    )
    keeper.start()
    theirs.close()
    ours.recv()
    try:
        yield told
    finally:
        ours.send("close")
        told.events = ours.recv()
        keeper.join()


def _keep_open(measurer: Connection, web: str, cookies: dict[str, str], pages: int, looking: int) -> None:
    """Every page is read by one thread, and those that are looked at ask for themselves, each in another."""
    heard, over = _Heard(), threading.Event()
    with ExitStack() as stack, selectors.DefaultSelector() as ready:
        for _ in range(pages):
            page = stack.enter_context(_open_page(web, cookies))
            ready.register(page, selectors.EVENT_READ)
        threads = [threading.Thread(target=heard.read, args=(ready, over))]
        threads += [threading.Thread(target=_look, args=(web, cookies, heard, over)) for _ in range(looking)]
        for thread in threads:
            thread.start()
        measurer.send("open")
        measurer.recv()
        over.set()
        for thread in threads:
            thread.join()
    measurer.send(heard.events)


class _Heard:
    """What came to the pages so far, and when last."""

    def __init__(self) -> None:
        self.events = 0
        self.last_at = 0.0

    def read(self, ready: selectors.BaseSelector, over: threading.Event) -> None:
        """Until it is over."""
        while not over.is_set():
            for key, _ in ready.select(timeout=0.1):
                page = cast(socket.socket, key.fileobj)
                read = page.recv(65536)
                if not read:
                    ready.unregister(page)
                self.events += read.count(b"event: ")
                self.last_at = time.monotonic()


def _open_page(web: str, cookies: dict[str, str]) -> socket.socket:
    where = urlsplit(web)
    said = "; ".join(f"{name}={value}" for name, value in cookies.items())
    page = socket.create_connection((where.hostname, where.port), timeout=10)
    page.sendall(f"GET /live HTTP/1.1\r\nHost: {where.netloc}\r\nCookie: {said}\r\n\r\n".encode())
    answer = page.recv(4096)
    if not answer.startswith(b"HTTP/1.1 200 "):
        raise RuntimeError(f"a page was not let in: {answer[:80]!r}")
    return page


def _look(web: str, cookies: dict[str, str], heard: _Heard, over: threading.Event) -> None:
    seen, took = 0.0, 0.0
    while not over.wait(_SETTLE + _PATIENCE * took):
        if heard.last_at <= seen:
            continue
        seen = asked = time.monotonic()
        requests.get(f"{web}/webhooks/", cookies=cookies, timeout=60).raise_for_status()
        took = time.monotonic() - asked


def _log_in(web: str) -> dict[str, str]:
    """The cookies of the desk's person."""
    browser = requests.Session()
    token = re.search(r'name="csrf_token" value="([^"]+)"', browser.get(f"{web}/login", timeout=30).text)
    assert token is not None
    form = {"email": EMAIL, "password": PASSWORD, "csrf_token": token[1]}
    browser.post(f"{web}/login", data=form, timeout=30).raise_for_status()
    return dict(browser.cookies)


def _body(salt: str) -> Any:
    return lambda number: json.dumps(
        {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.01", "id": f"{salt}-{number}"}
    ).encode()


if __name__ == "__main__":
    main()
