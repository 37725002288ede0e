"""What an alert would lead to, on a page; and having one run again, or acted on after all."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

from flask import Flask
from flask.testing import FlaskClient

from app.domain.accounts import Environment, TradingMode
from app.domain.alerts import AlertStatus
from app.extensions import db
from app.models import Alert, Broker, Confirmation, OrderRow, Source, SourceRoute, User, utc_now
from tests.fixtures.app import LogIn, MakeBroker, MakeUser, submit
from tests.fixtures.history import History


def _explain(browser: FlaskClient, history: History, alert: object) -> str:
    text = alert if isinstance(alert, str) else json.dumps(alert)
    answer = submit(browser, "/webhooks/explain", text=text, source_id=history.source_id)
    assert answer.status_code == 200, answer.text
    return unescape(answer.text)


def _rows(app: Flask) -> tuple[int, int]:
    with app.app_context():
        return db.session.query(Alert).count(), db.session.query(OrderRow).count()


def test_an_explanation_shows_the_order_and_stores_nothing(
    app: Flask, browser: FlaskClient, history: History
) -> None:
    before = _rows(app)
    alert = {"action": "BuyLimit", "symbol": "ETHUSDT", "quantity": "0.5", "price": "2000", "stop_loss": "2%"}
    page = _explain(browser, history, {**alert, "note": "kept"})
    assert "Processed" in page
    assert re.search(r"Limit price</dt><dd>2,000", page)
    assert re.search(r"Cost</dt><dd>1,000", page)
    assert "stop-loss 2 % from the entry" in page
    assert "without meaning to us: note." in page
    assert _rows(app) == before


def test_an_explanation_and_a_dry_replay_show_every_broker_that_the_source_trades_on(
    app: Flask, user: User, browser: FlaskClient, history: History, make_broker: MakeBroker
) -> None:
    second, third = (make_broker(user, name, mode=TradingMode.WEBHOOKS) for name in ("second", "third"))
    with app.app_context():
        source = db.session.get_one(Source, history.source_id)
        source.routes = [
            SourceRoute(broker_id=second.id, quote_quantity=Decimal(1234)),
            SourceRoute(broker_id=third.id, enabled=False),
        ]
        db.session.commit()
        bought = db.session.query(Alert).filter(Alert.action == "BuyMarket").order_by(Alert.id).first()
        assert bought is not None
        replayed = f"/webhooks/alerts/{bought.id}/replay"
    order = {"symbol": "BTCUSDT", "quantity": "0.01"}

    page = _explain(browser, history, {"action": "BuyMarket", **order})
    assert "Also on second" in page
    assert "1,234" in page.partition("Also on second")[2]
    assert "Also on third" not in page
    assert "what share of its position" in _explain(browser, history, {"action": "SellMarket", **order})
    assert "Also on" not in _explain(browser, history, {"action": "PING"})
    assert "Also on second" in browser.get(replayed).text
    assert "Also on" not in browser.get(f"{replayed}?broker_id={second.id}").text


def test_an_explanation_names_everything_that_speaks_against_it(
    browser: FlaskClient, history: History
) -> None:
    page = _explain(browser, history, "action=BuyMarket; symbol=BTCUSTD; quantity=1")
    assert "this speaks against it" in page
    assert "BTC/USDT" in page


def test_an_explanation_points_at_the_fault(browser: FlaskClient, history: History) -> None:
    page = _explain(browser, history, '{"action": "BuyMarket",\n"symbol" "BTCUSDT"}')
    assert '"symbol" <mark class="fault">"</mark>BTCUSDT"' in page
    assert "Not valid JSON" in page


def test_nothing_is_explained_without_a_text_or_for_another_persons_source(
    browser: FlaskClient, history: History, make_user: MakeUser, log_in: LogIn
) -> None:
    missing = submit(browser, "/webhooks/explain", text="", source_id=history.source_id)
    assert missing.status_code == 422
    assert 'id="text-error"' in missing.text
    stranger = log_in(make_user())
    asked = submit(stranger, "/webhooks/explain", page="/", text="action=PING", source_id=history.source_id)
    assert asked.status_code == 404


def test_a_replay_is_a_dry_run_first(app: Flask, browser: FlaskClient, history: History) -> None:
    before = _rows(app)
    page = browser.get(f"/webhooks/alerts/{history.alert_ids[0]}/replay").text
    assert "What would be sent" in page
    assert "900" in page  # ten percent of the 9,000 USDT that are free
    assert browser.get(f"/webhooks/alerts/{history.alert_ids[0]}/replay?broker_id=999").status_code == 404
    assert _rows(app) == before


def test_an_alert_is_run_again_on_the_sandbox_as_a_new_one(
    app: Flask, browser: FlaskClient, history: History
) -> None:
    first = history.alert_ids[0]
    done = submit(browser, f"/webhooks/alerts/{first}/replay", page=f"/webhooks/alerts/{first}/replay")
    with app.app_context():
        again = db.session.query(Alert).order_by(Alert.id.desc()).first()
    assert again is not None
    assert done.location == f"/webhooks/alerts/{again.id}"
    assert (again.replayed_from_id, again.status) == (first, AlertStatus.RECEIVED)
    assert f"alert {first}</a> run again as this one" in browser.get(done.location).text


def test_an_alert_is_never_run_again_on_a_real_account(
    app: Flask, browser: FlaskClient, history: History
) -> None:
    with app.app_context():
        db.session.query(Broker).update({"environment": Environment.LIVE})
        db.session.commit()
    before = _rows(app)
    first = history.alert_ids[0]
    done = submit(browser, f"/webhooks/alerts/{first}/replay", page="/")
    assert done.location == f"/webhooks/alerts/{first}/replay"
    assert "Nothing was replayed" in browser.get(done.location).text
    assert _rows(app) == before


def test_an_alert_that_waits_for_a_persons_word_gets_it_once(
    app: Flask, browser: FlaskClient, history: History
) -> None:
    waiting = history.alert_ids[0]
    with app.app_context():
        alert = db.session.get_one(Alert, waiting)
        alert.end(AlertStatus.DENIED, "the strategy is out of step")
        alert.confirmation, alert.expires_at = Confirmation.ASKED, utc_now() + timedelta(minutes=5)
        db.session.commit()
    assert "Trade it after all" in browser.get(f"/webhooks/alerts/{waiting}").text
    submit(browser, f"/webhooks/alerts/{waiting}/confirm", page=f"/webhooks/alerts/{waiting}")
    page = browser.get(f"/webhooks/alerts/{waiting}").text
    assert "Confirmed: a worker acts on it now." in page
    assert "Trade it after all" not in page
    submit(browser, f"/webhooks/alerts/{waiting}/confirm", page=f"/webhooks/alerts/{waiting}")
    assert "Nothing was confirmed" in browser.get(f"/webhooks/alerts/{waiting}").text
