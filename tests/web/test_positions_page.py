"""The positions page: what is held, how it is guarded, and every wish a person may have of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import selectinload

from app.extensions import db
from app.models import Broker, FillRow, Position
from tests.fixtures.app import LogIn, MakeUser, submit
from tests.fixtures.history import History, MakeHistory


@pytest.fixture
def history(make_user: MakeUser, make_history: MakeHistory) -> History:
    """A person who holds 0.00999 BTC bought for 500 USDT, at a market of 50,000."""
    return make_history(make_user("ada@example.org"))


@pytest.fixture
def browser(app: Flask, history: History, log_in: LogIn) -> FlaskClient:
    """That person's browser."""
    with app.app_context():
        return log_in(db.session.get_one(Broker, history.broker_id).user)


@pytest.fixture
def page(history: History) -> str:
    """Where the position is shown."""
    return f"/positions/{history.position_ids[0]}"


def _position(app: Flask, history: History) -> Position:
    with app.app_context():
        options = [selectinload(Position.targets)]
        return db.session.get_one(Position, history.position_ids[0], options=options)


def test_the_list_shows_gain_protection_and_alarms_in_words(browser: FlaskClient) -> None:
    text = browser.get("/positions/").text

    assert "0.00999" in text
    assert "50,050.05" in text  # the entry price, fees included
    assert '−0.5 <span class="unit">USDT' in text  # unrealised: 0.00999 at 50,000 less 500
    assert "Guarded" in text
    assert "Alarm" in text
    assert "Not guarded: the exchange is down for maintenance." in text
    assert "Its stop-loss sold it." in text


def test_fees_in_a_third_asset_are_shown_as_left_out_of_the_result(
    app: Flask, browser: FlaskClient, page: str
) -> None:
    assert "leaves out" not in browser.get(page).text  # the fee was charged in the base

    with app.app_context():
        db.session.execute(update(FillRow).values(fee=Decimal("0.00075"), fee_asset="BNB"))
        db.session.commit()

    text = browser.get(page).text
    assert "after fees in BTC and USDT" in text
    assert 'Fees that the result leaves out</dt><dd>0.00075 <span class="unit">BNB' in text


@pytest.mark.parametrize(("percent", "left"), [("50", "0.00499"), ("25%", "0.00249"), ("100", "0.00999")])
def test_a_share_is_sold(
    app: Flask, browser: FlaskClient, history: History, page: str, percent: str, left: str
) -> None:
    answer = submit(browser, f"{page}/close", page=page, percent=percent)

    assert answer.location == page
    assert _position(app, history).close_quantity == Decimal(left)
    assert "being sold" in browser.get(page).text


def test_reversing_sells_the_whole_and_says_that_nothing_is_opened(
    app: Flask, browser: FlaskClient, history: History, page: str
) -> None:
    submit(browser, f"{page}/reverse", page=page)

    assert _position(app, history).close_quantity == Decimal("0.00999")
    assert "A spot market has no short positions" in browser.get(page).text


def test_the_protection_is_moved(app: Flask, browser: FlaskClient, history: History, page: str) -> None:
    answer = submit(browser, f"{page}/protection", page=page, stop_loss="49000", take_profit="10%")

    assert answer.location == page
    position = _position(app, history)
    assert position.stop_loss == 49_000
    assert [target.price for target in position.targets] == [Decimal("55055.05")]
    assert position.trailing_percent == 4, "what is not mentioned stays"


@pytest.mark.parametrize(
    ("action", "fields", "words"),
    [
        ("close", {"percent": ""}, "How much of it?"),
        ("close", {"percent": "101"}, "At most 100 %."),
        ("close", {"percent": "0.01"}, "less than one lot"),
        ("protection", {}, "Fill in what shall change."),
        ("protection", {"stop_loss": "51000"}, "would sell at once"),
        ("protection", {"take_profit": "49000"}, "would sell at once"),
        ("protection", {"trailing_percent": "100"}, "below 100 percent"),
        ("protection", {"stop_loss": "low"}, "not a number"),
        ("break-even", {}, "would sell at once"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_in_words_and_changes_nothing(
    app: Flask,
    browser: FlaskClient,
    history: History,
    page: str,
    action: str,
    fields: dict[str, str],
    words: str,
) -> None:
    answer = submit(browser, f"{page}/{action}", page=page, **fields)

    assert answer.status_code == 422
    assert words in answer.text
    position = _position(app, history)
    assert (position.stop_loss, position.close_quantity) == (Decimal(48_000), None)


def test_a_position_that_is_over_offers_nothing_to_do(browser: FlaskClient, history: History) -> None:
    over = f"/positions/{history.position_ids[2]}"

    text = browser.get(over).text

    assert "−12.35" in text
    assert 'action="/positions/' not in text
    assert submit(browser, f"{over}/reverse", page="/positions/").status_code == 422
