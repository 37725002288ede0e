"""Balances: what is held where, what it is worth and how that went, filtered, in pages and as a file."""

from __future__ import annotations

import csv
import io
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from app.domain.accounts import Balance, Credential, Environment
from app.domain.history import Grain
from app.extensions import db
from app.models import BalancePoint, BalanceRow, Broker, FuturesBalance, utc_now
from app.services import balances, brokers, connections, overview, users
from tests.fixtures.app import AppFactory
from tests.fixtures.history import BTC_PRICE, History
from tests.fixtures.sandbox import SandboxServer


def assets(browser: FlaskClient, query: str = "") -> list[str]:
    text = browser.get(f"/balances/?{query}").text
    return re.findall(r'data-label="Asset"><a [^>]*>([^<]+)</a>', text)


def a_day_ago(broker: Broker, asset: str, usd: str) -> None:
    at = utc_now() - timedelta(hours=24, minutes=30)
    point = BalancePoint(
        broker_id=broker.id, asset=asset, at=at, grain=Grain.HOUR, total=Decimal(1), usd=Decimal(usd)
    )
    db.session.add(point)


def hold(broker: Broker, **amounts: str) -> None:
    held = {
        asset: Balance(asset, Decimal(amount), Decimal(0), Decimal(amount))
        for asset, amount in amounts.items()
    }
    balances.store(broker, held, {"BTC/USDT": BTC_PRICE}, asked_at=utc_now())


@pytest.fixture
def broker(app: Flask, history: History) -> Broker:
    """Holds two thousand dollars, a little bitcoin, dust, and something that has no price."""
    with app.app_context():
        found = db.session.get_one(Broker, history.broker_id)
        hold(found, USDT="2000", BTC="0.1", USDC="0.004", XYZ="7")
        db.session.execute(update(BalanceRow).values(drift=Decimal(0)))
        a_day_ago(found, "BTC", "4000")
        db.session.commit()
        return found


def test_balances_are_found_by_asset_and_broker_and_without_dust(
    browser: FlaskClient, broker: Broker
) -> None:
    assert assets(browser) == ["BTC", "USDT", "USDC", "XYZ"]
    assert assets(browser, "dust=hidden") == ["BTC", "USDT", "XYZ"]
    assert assets(browser, "asset=usd") == ["USDT", "USDC"]
    assert assets(browser, f"broker_id={broker.id}&asset=x") == ["XYZ"]
    assert assets(browser, "broker_id=999") == []
    assert assets(browser, "page=99&endpoint=x&dust=nonsense&broker_id=x") == []
    text = browser.get("/balances/").text
    assert "7,000.00" in text
    assert "without XYZ: no USD price" in text
    assert text.count("no price</span>") == 1
    assert "+1,000.00" in text
    assert "+25 %" in text


def test_dust_that_drifts_is_not_hidden(app: Flask, browser: FlaskClient, broker: Broker) -> None:
    with app.app_context():
        hold(db.session.get_one(Broker, broker.id), USDC="0.003")
    assert "USDC" in assets(browser, "dust=hidden")
    assert "0.003 USDC more than booked" in browser.get("/balances/?dust=hidden").text


def test_a_file_holds_what_passes_the_filters_to_the_last_digit(browser: FlaskClient, broker: Broker) -> None:
    rows = list(csv.DictReader(io.StringIO(browser.get("/balances/export?dust=hidden").text)))
    bitcoin, _dollars, unpriced = rows
    assert (bitcoin["Asset"], bitcoin["Account"], bitcoin["Total"]) == ("BTC", "spot", "0.1")
    assert (bitcoin["USD"], bitcoin["USD in 24 hours"]) == ("5000", "1000")
    assert (unpriced["Asset"], unpriced["USD"], unpriced["USD in 24 hours"]) == ("XYZ", "", "")


def test_an_assets_page_tells_its_course_with_gaps_where_no_price_was_known(
    app: Flask, browser: FlaskClient, broker: Broker
) -> None:
    with app.app_context():
        point = BalancePoint(
            broker_id=broker.id,
            asset="BTC",
            at=utc_now() - timedelta(hours=3),
            grain=Grain.HOUR,
            total=Decimal(1),
        )
        db.session.add(point)
        db.session.commit()
    points = browser.get(f"/balances/{broker.id}/BTC/history?period=week").get_json()["points"]
    assert [point["value"] for point in points][:2] == ["4000.00", None]
    assert points[-1]["value"] == "5000.00"
    times = [point["time"] for point in points]
    assert times == sorted(set(times))
    text = browser.get(f"/balances/{broker.id}/BTC?period=day").text
    assert "Held when the ledger was opened" in text
    assert text.count("no price</span>") == 1
    assert browser.get(f"/balances/{broker.id}/NOPE").status_code == 404


def test_many_balances_come_in_pages(app: Flask, browser: FlaskClient, broker: Broker) -> None:
    with app.app_context():
        found = db.session.get_one(Broker, broker.id)
        hold(found, USDT="2000", **{f"A{number}": "1" for number in range(120)})
    assert len(assets(browser, "asset=a")) == 50
    assert len(assets(browser, "asset=a&page=3")) == 20
    assert "1–50 of 120 balances" in browser.get("/balances/?asset=a").text


@pytest.mark.parametrize("exchange", ["kucoin", "kraken"])
def test_what_backs_futures_is_shown_beside_and_changes_no_other_figure(
    make_app: AppFactory, sandbox: SandboxServer, exchange: str
) -> None:
    app = make_app(SANDBOX_URL=sandbox.url)
    keys = sandbox.account(exchange)
    credential = Credential(keys.api_key, keys.api_secret, keys.passphrase)
    with app.app_context():
        user = users.sign_up("ada@example.org", "correct horse battery")
        broker = brokers.add(
            user, name="main", exchange=exchange, environment=Environment.SANDBOX, credential=credential
        )
        if exchange == "kucoin":
            sandbox.control(
                "positions", exchange=exchange, api_key=keys.api_key, positions=[], margin="1234.5"
            )
        balances.sync(broker.id)
        rows = db.session.query(FuturesBalance).all()
        synced = db.session.get_one(Broker, broker.id)
        assert synced.connected is not False
        [state] = overview.states([synced])
        assert state.rate_used
        assert state.rate_used < (state.rate_limit or 0)
        connections.close()
    told = [(row.asset, row.total, row.usd_value) for row in rows]
    assert told == ([("USDT", Decimal("1234.5"), Decimal("1234.5"))] if exchange == "kucoin" else [])
