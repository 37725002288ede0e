"""Each page at its two ends: with nothing to show, and with everything."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser

import pytest
from flask import Flask
from sqlalchemy import event

from app.extensions import db
from tests.fixtures.app import LogIn, MakeUser
from tests.fixtures.history import History, MakeHistory

#: What a page may ask of the database, whatever it shows.
MOST_QUERIES = 12

PAGES = (
    "/",
    "/start",
    "/brokers/",
    "/brokers/new",
    "/trade/",
    "/markets/",
    "/exchanges/",
    "/orders/",
    "/positions/",
    "/webhooks/",
    "/webhooks/explain",
    "/webhooks/message",
    "/webhooks/sources",
    "/webhooks/sources/new",
    "/balances/",
    "/performance",
    "/activity/",
    "/settings/look",
    "/settings/risk",
    "/settings/tokens",
    "/settings/account",
    "/settings/second-factor/",
    "/settings/sessions",
    "/settings/notifications/",
    "/panic",
    "/admin",
)


def all_pages(history: History) -> list[str]:
    """Every page with everything it can show."""
    return [
        *PAGES,
        f"/brokers/{history.broker_id}",
        f"/brokers/{history.broker_id}/edit",
        f"/webhooks/sources/{history.source_id}",
        f"/webhooks/sources/{history.source_id}/edit",
        f"/settings/risk?broker_id={history.broker_id}",
        f"/panic?scope=BROKER&broker_id={history.broker_id}",
        f"/trade/?broker_id={history.broker_id}&symbol=BTCUSDT",
        f"/trade/?broker_id={history.broker_id}&symbol=BTCUSD",
        f"/markets/?broker_id={history.broker_id}&q=bt&quote=USDT&only=favourites",
        "/exchanges/?q=ki&only=native",
        *(f"/orders/{order_id}" for order_id in history.order_ids),
        *(f"/positions/{position_id}" for position_id in history.position_ids),
        *(
            f"/orders/?tab={tab}&period=day&origin=ALERT&symbol=btc"
            for tab in ("all", "open", "filled", "rejected")
        ),
        *(f"/webhooks/alerts/{alert_id}/replay" for alert_id in history.alert_ids),
        f"/webhooks/message?action=BuyLimit&size=percent&amount=10&source_id={history.source_id}",
        "/webhooks/message?action=MAJ",
        f"/webhooks/?broker_id={history.broker_id}&source_id={history.source_id}&status=ERROR&period=week",
        *(f"/webhooks/alerts/{alert_id}" for alert_id in history.alert_ids),
        *(f"/?period={period}" for period in ("day", "week", "month", "year")),
        "/balances/?dust=hidden&asset=b",
        "/balances/export?dust=hidden",
        "/equity/export?period=week",
        f"/balances/{history.broker_id}/BTC/export",
        "/activity/export?kind=order",
        "/performance?month=2026-02",
        *(f"/balances/{history.broker_id}/{asset}?period=month" for asset in ("BTC", "XYZ")),
    ]


class _Inline(HTMLParser):
    """Finds what the policy forbids: scripts and styles that stand in the page itself."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        if tag == "style" or (tag == "script" and not names.get("src")):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            foreign = name in ("src", "action") and value is not None and "//" in value
            if name == "style" or name.startswith("on") or foreign or (value or "").startswith("javascript:"):
                self.found.append(f"<{tag} {name}={value!r}>")


@contextmanager
def counted_queries(app: Flask) -> Iterator[list[str]]:
    """Every statement that the block has the database carry out."""
    statements: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_with_nothing_to_show_says_what_to_do(path: str, make_user: MakeUser, log_in: LogIn) -> None:
    page = log_in(make_user()).get(path)
    assert page.status_code == 200
    assert "<h1" in page.text


def test_every_page_of_a_full_account_is_whole_and_asks_the_database_little(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    history = make_history(user)
    browser = log_in(user)
    for path in all_pages(history):
        with counted_queries(app) as statements:
            page = browser.get(path)
            page.get_data()  # a file is read while it is sent
        assert page.status_code == (422 if path.endswith("MAJ") else 200), path
        assert len(statements) <= MOST_QUERIES, f"{path} asked {len(statements)} times:\n" + "\n".join(
            statements
        )


def test_no_page_holds_a_script_or_a_style_or_calls_another_host(
    make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    history = make_history(user)
    browser = log_in(user)
    stranger = browser.application.test_client()
    pages = [
        *((browser, path) for path in all_pages(history)),
        (stranger, "/login"),
        (stranger, "/nothing-here"),
    ]
    for visitor, path in pages:
        page = visitor.get(path)
        reader = _Inline()
        reader.feed(page.text)
        assert reader.found == [], path
        policy = page.headers["Content-Security-Policy"]
        assert "unsafe" not in policy
        assert "default-src 'none'" in policy
        assert page.headers["Cache-Control"] == "no-store"


def test_what_came_in_an_alert_is_shown_and_never_run(
    make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    history = make_history(user)
    text = log_in(user).get(f"/webhooks/alerts/{history.alert_ids[0]}").text
    assert "&lt;script&gt;alert(1)" in text
    assert "<script>alert(1)" not in text


def test_the_dashboard_adds_up_what_is_held(
    make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    make_history(user)
    browser = log_in(user)
    text = browser.get("/").text
    assert "35,000.00" in text  # 10,000 USDT and half a bitcoin at 50,000
    assert "34,000.00" in text  # of which 1,000 USDT are in orders
    assert "without XYZ" in text
    assert "Play money" in text
    points = browser.get("/equity?period=week").get_json()["points"]
    times = [point["time"] for point in points]
    assert times == sorted(set(times))
    assert points[-1]["value"] == "35000.00"


def test_an_orders_page_tells_its_whole_way_with_milliseconds(
    make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    history = make_history(user)
    text = log_in(user).get(f"/orders/{history.filled_order_id}").text
    for hop in ("Received", "Stored", "Queued", "Picked up", "Sent", "Acknowledged", "Filled"):
        assert f'<span class="hop-name">{hop}</span>' in text
    assert "12 ms" in text  # sent to acknowledged: the exchange's share


def test_orders_are_found_by_tab_market_and_origin(
    make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    make_history(user)
    browser = log_in(user)

    def shown(query: str) -> int:
        return browser.get(f"/orders/?{query}").text.count('data-label="Market"')

    assert shown("") == 5
    assert shown("tab=open") == 3
    assert shown("tab=filled") == 1
    assert shown("tab=rejected") == 1
    assert shown("origin=ALERT") == 1
    assert shown("symbol=eth") == 0
    assert shown("tab=nonsense&origin=nobody&period=eon&page=-3&broker_id=x") == 5
    assert shown("page=99999999999999999999") == 0


def test_times_are_shown_in_the_browsers_zone_with_utc_on_hover(
    make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    history = make_history(user)
    browser = log_in(user)
    in_utc = browser.get(f"/orders/{history.filled_order_id}").text
    browser.set_cookie("zone", "Asia/Kathmandu")
    there = browser.get(f"/orders/{history.filled_order_id}").text
    assert 'UTC">' in there
    assert there != in_utc
    for nonsense in ("Nowhere/Land", "../../etc/passwd", "\x00", "a" * 500):
        browser.set_cookie("zone", nonsense)
        assert browser.get(f"/orders/{history.filled_order_id}").status_code == 200


def test_a_stylesheet_is_kept_for_good_under_an_address_made_of_its_content(
    make_user: MakeUser, log_in: LogIn
) -> None:
    browser = log_in(make_user())
    text = browser.get("/").text
    address = text.partition("/static/css/switchyard.css")[2].partition('"')[0]
    assert address.startswith("?v=")
    versioned = browser.get(f"/static/css/switchyard.css{address}")
    assert "immutable" in versioned.headers["Cache-Control"]
    versioned.close()
    bare = browser.get("/static/css/switchyard.css")
    assert bare.headers["Cache-Control"] == "no-cache"
    bare.close()
