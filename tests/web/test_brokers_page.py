"""Connecting, changing and removing a broker by its pages."""

from __future__ import annotations

import pytest
from flask import Flask
from redis import Redis
from sqlalchemy import update

from app.domain.accounts import Environment, TradingMode
from app.domain.orders import OrderStatus
from app.exchanges import NAMES, credential_fields, regions
from app.extensions import db
from app.models import Broker, OrderRow, Position, PositionStatus, utc_now
from app.services import brokers, vault
from app.services.underway import Stage, Work, end, reach
from tests.fixtures.app import LogIn, MakeBroker, MakeUser, submit
from tests.fixtures.history import History, MakeHistory

FORM = {
    "exchange": NAMES[0],
    "name": "Main account",
    "environment": "SANDBOX",
    "mode": "WEBHOOKS",
    "api_key": "the-key-of-it",
    "api_secret": "the-secret-of-it",
}


def _only_broker(app: Flask) -> Broker:
    with app.app_context():
        return db.session.query(Broker).one()


def test_a_connected_broker_is_stored_sealed_and_its_check_up_is_asked_of_a_worker(
    app: Flask, make_user: MakeUser, log_in: LogIn, redis_client: Redis
) -> None:
    browser = log_in(make_user())
    answer = submit(browser, "/brokers/new", **FORM)
    broker = _only_broker(app)
    assert answer.location == f"/brokers/{broker.id}"
    assert (broker.mode, broker.environment) == (TradingMode.WEBHOOKS, Environment.SANDBOX)
    assert FORM["api_secret"].encode() not in broker.api_secret
    with app.app_context():
        assert vault.unseal(broker).api_secret == FORM["api_secret"]
    assert redis_client.llen(f"sync.{NAMES[0]}") == 1
    page = browser.get(answer.location).text
    assert "Testing the connection" in page
    assert FORM["api_key"] not in page
    assert FORM["api_secret"] not in page


def test_each_missing_key_is_named_at_its_field_and_what_was_typed_stays(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    browser = log_in(make_user())
    answer = submit(
        browser, "/brokers/new", **{**FORM, "environment": "LIVE", "api_key": "", "api_secret": ""}
    )
    assert answer.status_code == 422
    for field in credential_fields(NAMES[0]):
        assert f'id="{field.name}-error"' in answer.text
    assert 'value="Main account"' in answer.text
    assert 'value="WEBHOOKS" checked' in answer.text


def test_keys_are_never_written_back_into_a_refused_form(make_user: MakeUser, log_in: LogIn) -> None:
    answer = submit(log_in(make_user()), "/brokers/new", **{**FORM, "name": ""})
    assert answer.status_code == 422
    assert 'id="name-error"' in answer.text
    assert FORM["api_secret"] not in answer.text
    assert FORM["api_key"] not in answer.text


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"environment": "MOON"}, "environment"),
        ({"exchange": "mtgox"}, "exchange"),
        ({"name": "x" * 81}, "name"),
    ],
)
def test_a_value_that_makes_no_sense_is_refused_at_its_field(
    app: Flask, make_user: MakeUser, log_in: LogIn, change: dict[str, str], field: str
) -> None:
    answer = submit(log_in(make_user()), "/brokers/new", **{**FORM, **change})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text
    with app.app_context():
        assert db.session.query(Broker).count() == 0


def test_the_fields_of_an_exchange_come_alone(make_user: MakeUser, log_in: LogIn) -> None:
    browser = log_in(make_user())
    part = browser.get(f"/brokers/fields?exchange={NAMES[0]}").text
    assert "<html" not in part
    assert 'id="exchange-fields"' in part
    for field in credential_fields(NAMES[0]):
        assert f'name="{field.name}"' in part
    assert browser.get("/brokers/fields?exchange=mtgox").status_code == 404


def test_the_region_of_an_account_is_asked_for_where_there_is_a_choice_and_moves_with_its_keys_only(
    app: Flask, make_user: MakeUser, log_in: LogIn
) -> None:
    name = next(name for name in NAMES if regions(name))
    usual, other = regions(name)[:2]
    browser = log_in(make_user())
    assert f'value="{other.id}"' in browser.get(f"/brokers/fields?exchange={name}").text
    assert 'name="region"' not in browser.get("/brokers/fields?exchange=kraken").text
    keys = {field.name: "x" for field in credential_fields(name)}
    form = {**FORM, **keys, "exchange": name, "environment": "SANDBOX"}
    assert 'id="region-error"' in submit(browser, "/brokers/new", **form, region="moon").text
    submit(browser, "/brokers/new", **form)
    with app.app_context():
        broker = db.session.query(Broker).one()
        assert broker.region == usual.id
    form |= dict.fromkeys(keys, "")
    moved = submit(browser, f"/brokers/{broker.id}/edit", **form, region=other.id)
    assert 'id="api_key-error"' in moved.text
    assert (
        submit(browser, f"/brokers/{broker.id}/edit", **{**form, **keys}, region=other.id).status_code == 302
    )
    with app.app_context():
        assert db.session.get_one(Broker, broker.id).region == other.id


def test_editing_without_keys_keeps_the_stored_ones(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_broker: MakeBroker
) -> None:
    user = make_user()
    broker = make_broker(user)
    browser = log_in(user)
    changed = {"exchange": broker.exchange, "name": "Renamed", "environment": "SANDBOX", "dry_run": "1"}
    answer = submit(browser, f"/brokers/{broker.id}/edit", **changed)
    assert answer.status_code == 302
    with app.app_context():
        stored = db.session.get_one(Broker, broker.id)
        assert (stored.name, stored.dry_run, stored.keys_version) == ("Renamed", True, 1)
        assert vault.unseal(stored).api_key == "key-of-the-account"
    assert "recorded but not sent" in browser.get(answer.location).text


def test_another_environment_asks_for_its_own_keys(
    make_user: MakeUser, log_in: LogIn, make_broker: MakeBroker
) -> None:
    user = make_user()
    broker = make_broker(user)
    changed = {"exchange": broker.exchange, "name": broker.name, "environment": "LIVE"}
    answer = submit(log_in(user), f"/brokers/{broker.id}/edit", **changed)
    assert answer.status_code == 422
    assert 'id="api_key-error"' in answer.text


#: Other keys than those of `make_broker`.
NEW_KEYS = {"api_key": "another-key", "api_secret": "another-secret", "passphrase": "another-phrase"}


@pytest.fixture
def settled(app: Flask, make_user: MakeUser, make_history: MakeHistory) -> History:
    """A past of which nothing is under way any more."""
    history = make_history(make_user("ada@example.org"))
    with app.app_context():
        db.session.execute(update(OrderRow).values(status=OrderStatus.FILLED))
        db.session.execute(update(Position).values(status=PositionStatus.CLOSED))
        db.session.commit()
    return history


def _under_way(app: Flask, history: History, what: str) -> None:
    """Put one thing back under way: an order by its status or for its fills, or a position."""
    with app.app_context():
        if what == "position":
            rows = update(Position).where(Position.id == history.position_ids[0])
            db.session.execute(rows.values(status=PositionStatus.OPEN))
        else:
            changed = {"fills_missing": True} if what == "fills" else {"status": OrderStatus(what)}
            db.session.execute(update(OrderRow).where(OrderRow.id == history.open_order_id).values(**changed))
        db.session.commit()


def _change(app: Flask, log_in: LogIn, **fields: str) -> tuple[int, str]:
    """Edit the only broker there is; returns the answer's status and text."""
    broker = _only_broker(app)
    with app.app_context():
        browser = log_in(db.session.get_one(Broker, broker.id).user)
    form = {"exchange": broker.exchange, "name": broker.name, "environment": "SANDBOX", **NEW_KEYS, **fields}
    answer = submit(browser, f"/brokers/{broker.id}/edit", **form)
    return answer.status_code, answer.text


@pytest.mark.parametrize("what", ["PENDING", "SUBMITTED", "OPEN", "PARTIALLY_FILLED", "fills", "position"])
def test_what_is_under_way_on_one_account_is_never_carried_to_another(
    app: Flask, settled: History, log_in: LogIn, what: str
) -> None:
    _under_way(app, settled, what)

    for fields in ({"environment": "LIVE"}, {"environment": "LIVE", "same_account": "1"}, {}):
        status, text = _change(app, log_in, **fields)
        assert status == 422
        assert ("BTC/USDT is open" if what == "position" else f"order {settled.open_order_id}") in text
        assert "connect the other account as a broker of its own" in text
        assert NEW_KEYS["api_secret"] not in text

    broker = _only_broker(app)
    assert (broker.environment, broker.keys_version, broker.connected) == (Environment.SANDBOX, 1, True)
    with app.app_context():
        assert vault.unseal(broker).api_key == "key-of-the-account"


def test_keys_are_rotated_while_a_position_is_open_once_it_is_said_that_the_account_is_the_same(
    app: Flask, settled: History, log_in: LogIn
) -> None:
    _under_way(app, settled, "position")
    with app.app_context():
        opened_at = utc_now()
        db.session.execute(update(Broker).values(ledger_opened_at=opened_at))
        db.session.commit()

    assert _change(app, log_in, same_account="1")[0] == 302

    broker = _only_broker(app)
    assert (broker.keys_version, broker.connected, broker.ledger_opened_at) == (2, None, opened_at)
    with app.app_context():
        assert vault.unseal(broker).api_key == NEW_KEYS["api_key"]


def test_a_broker_of_which_nothing_is_under_way_moves_to_another_account(
    app: Flask, settled: History, log_in: LogIn
) -> None:
    assert _change(app, log_in, environment="LIVE", same_account="1")[0] == 302

    broker = _only_broker(app)
    assert (broker.id, broker.environment, broker.ledger_opened_at) == (
        settled.broker_id,
        Environment.LIVE,
        None,
    )


def test_making_a_broker_the_main_one_takes_the_place_of_the_other(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_broker: MakeBroker
) -> None:
    user = make_user()
    first, second = make_broker(user), make_broker(user)
    form = {"exchange": second.exchange, "name": second.name, "environment": "SANDBOX", "is_main": "1"}
    submit(log_in(user), f"/brokers/{second.id}/edit", **form)
    with app.app_context():
        assert [broker.id for broker in brokers.of(user) if broker.is_main] == [second.id]
        assert brokers.of(user)[1].id == first.id


def test_mode_and_pause_take_effect_at_once(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_broker: MakeBroker
) -> None:
    user = make_user()
    broker = make_broker(user)
    browser = log_in(user)
    page = f"/brokers/{broker.id}"
    submit(browser, f"{page}/mode", page=page, mode="WEBHOOKS")
    submit(browser, f"{page}/pause", page=page, paused="1")
    assert (_only_broker(app).mode, _only_broker(app).active) == (TradingMode.WEBHOOKS, False)
    assert submit(browser, f"{page}/mode", page=page, mode="STRATEGY").status_code == 400
    submit(browser, f"{page}/pause", page=page, paused="0")
    assert _only_broker(app).active


def test_updating_the_markets_shows_that_they_load_until_they_are_there(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_broker: MakeBroker, redis_client: Redis
) -> None:
    user = make_user()
    broker = make_broker(user)
    browser = log_in(user)
    page = f"/brokers/{broker.id}"
    submit(browser, f"{page}/markets", page=page)
    assert redis_client.llen(f"sync.{broker.exchange}") == 2  # the check-up of the new broker, and this
    assert "Waiting for a worker" in browser.get(page).text
    with app.app_context():
        assert reach(Work.MARKETS, broker.id, Stage.STORING)
        assert "Storing what has changed" in browser.get(page).text
        end(Work.MARKETS, broker.id)
        assert not reach(Work.MARKETS, broker.id, Stage.READING)  # nobody waits for it any more
    assert "<progress" not in browser.get(page).text


def test_another_broker_is_made_the_main_one(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_broker: MakeBroker
) -> None:
    user = make_user()
    first, second = make_broker(user), make_broker(user)
    browser = log_in(user)
    submit(browser, f"/brokers/{second.id}/main", page=f"/brokers/{second.id}")
    with app.app_context():
        assert [broker.id for broker in brokers.of(user)] == [second.id, first.id]
    assert "Make main" in browser.get(f"/brokers/{first.id}").text
    assert "Make main" not in browser.get(f"/brokers/{second.id}").text


def test_a_broker_with_orders_at_its_exchange_is_not_removed(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_history: MakeHistory
) -> None:
    user = make_user()
    history = make_history(user)
    browser = log_in(user)
    page = f"/brokers/{history.broker_id}"
    answer = submit(browser, f"{page}/remove", page=page)
    assert "open orders" in browser.get(answer.location).text
    assert _only_broker(app).id == history.broker_id


def test_a_removed_broker_is_gone_with_its_keys(
    app: Flask, make_user: MakeUser, log_in: LogIn, make_broker: MakeBroker
) -> None:
    user = make_user()
    broker = make_broker(user)
    browser = log_in(user)
    page = f"/brokers/{broker.id}"
    assert submit(browser, f"{page}/remove", page=page).location == "/brokers/"
    with app.app_context():
        assert db.session.query(Broker).count() == 0
