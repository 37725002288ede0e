"""Where a person sees what was booked, and what the exchange reports beyond it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import Flask

from app.domain.accounts import Balance
from app.extensions import db
from app.models import Broker, utc_now
from app.services import balances
from tests.fixtures.app import LogIn, MakeBroker, MakeUser
from tests.fixtures.history import History, MakeHistory

HELD = {"USDT": "10000", "BTC": "0.5", "XYZ": "7"}


@pytest.fixture
def report(app: Flask) -> object:
    """Let the exchange report these balances at a sync."""

    def sync(history: History, **held: str) -> None:
        with app.app_context():
            broker = db.session.get_one(Broker, history.broker_id)
            reported = {
                asset: Balance(asset, Decimal(total), Decimal(0), Decimal(total))
                for asset, total in {**HELD, **held}.items()
            }
            balances.store(broker, reported, asked_at=utc_now())

    return sync


def test_a_ledger_without_drift_says_so_and_lists_its_opening(
    make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    history = make_history(user)
    page = log_in(user).get(f"/brokers/{history.broker_id}").text

    assert "As booked" in page
    assert "being explained" not in page
    assert "Held when the ledger was opened." in page
    assert "+10,000" in page


def test_a_broker_that_was_never_synced_has_no_ledger_yet(
    make_user: MakeUser, log_in: LogIn, make_broker: MakeBroker
) -> None:
    user = make_user()
    broker = make_broker(user)
    assert "It opens with the first sync of balances" in log_in(user).get(f"/brokers/{broker.id}").text


def test_a_drift_is_told_in_words_on_the_dashboard_and_at_its_broker(
    make_user: MakeUser, log_in: LogIn, make_history: MakeHistory, report: object
) -> None:
    user = make_user()
    history = make_history(user)
    report(history, BTC="0.4", XYZ="8.25")  # type: ignore[operator]
    browser = log_in(user)

    for path in ("/", f"/brokers/{history.broker_id}"):
        page = browser.get(path).text
        assert "0.1 BTC less than booked, being explained" in page, path
        assert "1.25 XYZ more than booked, being explained" in page, path
