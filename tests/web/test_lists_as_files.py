"""Orders and positions as files: what passes the filters, all of it, with amounts to the last digit."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from app.models import User
from tests.fixtures.app import LogIn, MakeUser
from tests.fixtures.history import History, MakeHistory
from tests.web.test_exports import read_csv, read_xlsx


@pytest.fixture
def user(make_user: MakeUser) -> User:
    """The person who looks."""
    return make_user()


@pytest.fixture
def history(user: User, make_history: MakeHistory) -> History:
    """Five orders and three positions of theirs."""
    return make_history(user)


@pytest.fixture
def browser(user: User, history: History, log_in: LogIn) -> FlaskClient:
    """Their browser."""
    return log_in(user)


def _rows(browser: FlaskClient, path: str) -> list[dict[str, str]]:
    header, *rows = read_csv(browser.get(path).text)
    return [dict(zip(header, row, strict=True)) for row in rows]


def test_orders_are_had_as_the_page_filters_them(browser: FlaskClient, history: History) -> None:
    assert len(_rows(browser, "/orders/export?format=csv")) == 5
    [filled] = _rows(browser, "/orders/export?format=csv&tab=filled&symbol=btc&page=7")
    assert filled["Order"] == str(history.filled_order_id)
    assert (filled["Filled"], filled["Average price"], filled["Fees"]) == ("0.01", "50000", "0.00001 BTC")
    assert (filled["Status"], filled["From"], filled["Exchange ms"]) == ("FILLED", "ALERT", "12.0")
    with browser.get("/orders/export?format=xlsx&tab=filled") as workbook:
        header, first = read_xlsx(workbook.data)
    assert dict(zip(header, first, strict=True))["Filled"] == 0.01


def test_the_page_offers_the_files_under_its_own_filters(browser: FlaskClient) -> None:
    page = browser.get("/orders/?tab=filled&symbol=btc").text
    assert "/orders/export?tab=filled&amp;symbol=btc&amp;format=xlsx" in page


def test_positions_are_filtered_and_had_as_a_file(browser: FlaskClient) -> None:
    assert len(_rows(browser, "/positions/export?format=csv")) == 3
    closed, _naked = _rows(browser, "/positions/export?format=csv&symbol=eth")
    assert (closed["Status"], closed["Realised"]) == ("CLOSED", "-12.35")
    [held] = _rows(browser, "/positions/export?symbol=btc")
    assert (held["Unrealised"], held["Mark"], held["Take-profits"]) == (
        "-0.5",
        "50000",
        "52000 (50 %), 51000 (50 %)",
    )
    page = browser.get("/positions/?symbol=btc").text
    assert "0.00999" in page
    assert "No closed position matches" in page
