"""What an alert would lead to is what it leads to; and a stored one can be run again, on the sandbox only."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.accounts import Credential, Environment, TradingMode
from app.domain.alerts import AlertStatus, OutOfStep
from app.domain.orders import PriceOrPercent
from app.extensions import db
from app.models import Alert, OrderRole, OrderRow, Position
from app.services import balances, brokers, explaining, halts, inbox, markets, replays
from app.services.replays import ReplayRefused
from tests.services.signals import Signals

pytestmark = pytest.mark.parametrize("trader", ["binance"], indirect=True)

#: Alerts of every kind, good and bad, to an account that holds a guarded position and a waiting entry.
ALERTS: list[dict[str, object]] = [
    {"action": "PING"},
    {"action": "BuyMarket", "quantity": "0.01"},
    {"action": "BuyMarket", "quantity": "0.0123456789", "sl": "2%", "tp": "70000"},
    {"action": "BuyMarket", "quote_quantity": "500", "tp": "4%:50|8%:50", "trailing": "1.5"},
    {"action": "BuyMarket", "percent": "10"},
    {"action": "BuyMarket", "risk_percent": "0.5", "sl": "58000"},
    {"action": "BuyMarket", "risk_percent": "50", "sl": "59900"},
    {"action": "BuyMarket", "equity_percent": "5"},
    {"action": "BuyLimit", "price": "55000.019", "percent": "5", "sl": "3%"},
    {"action": "BuyMarket"},
    {"action": "BuyMarket", "quantity": "1", "sl": "70000"},
    {"action": "BuyMarket", "quantity": "0.0000001"},
    {"action": "BuyMarket", "quantity": "1", "symbol": "NOSUCH"},
    {"action": "BuyMarket", "quantity": "1", "symbol": "BTCUSDT.P"},
    {"action": "SellMarket", "percent": "50"},
    {"action": "SellMarket"},
    {"action": "SellLimit", "price": "70000", "quantity": "0.001"},
    {"action": "SellMarket", "symbol": "ETHUSDT", "percent": "50"},
    {"action": "MAJ", "sl": "59000", "tp": "65000"},
    {"action": "MAJ", "sl": "61000"},
    {"action": "MAJ", "sl": "1000", "symbol": "ETHUSDT"},
    {"action": "CLOSE", "percent": "30"},
    {"action": "CLOSE"},
    {"action": "REVERSE"},
    {"action": "CANCEL"},
    {"action": "CANCEL", "symbol": "ETHUSDT"},
    {"action": "buy", "quantity": "1", "prev_market_position": "flat", "market_position": "long"},
    {"action": "sell", "quantity": "1", "prev_market_position": "long", "market_position": "flat"},
]


#: Alerts of a strategy whose exit the account has missed.
OUT_OF_STEP = [
    ({"action": "buy", **how, "prev_market_position": "flat", "market_position": "long"}, out_of_step)
    for how in ({"percent": "10"}, {"quantity": "0.05", "position_size": "0.05"})
    for out_of_step in OutOfStep
]


@pytest.fixture
def settled(signals: Signals) -> Signals:
    """An account with a guarded position and an entry that waits."""
    signals.done(action="BuyMarket", quantity="0.02", sl="58000")
    signals.done(action="BuyLimit", quantity="0.001", price="50000")
    balances.sync(signals.trader.broker.id)
    return signals


def text_of(alert: dict[str, object]) -> str:
    return json.dumps({"symbol": "BTCUSDT", **alert})


def named(value: object) -> str:
    return value.value if isinstance(value, OutOfStep) else json.dumps(value)


def rows() -> list[int]:
    return [
        db.session.scalar(db.select(db.func.count()).select_from(table)) or 0
        for table in (Alert, OrderRow, Position)
    ]


def state(signals: Signals) -> object:
    position = signals.trader.position()
    return rows(), position.stop_loss, position.close_quantity, [target.price for target in position.targets]


@pytest.mark.parametrize(
    ("alert", "out_of_step"), [*((alert, OutOfStep.SKIP) for alert in ALERTS), *OUT_OF_STEP], ids=named
)
def test_an_explanation_says_what_the_delivery_then_does(
    alert: dict[str, object], out_of_step: OutOfStep, settled: Signals
) -> None:
    """The preview equals the request field for field."""
    settled.says(out_of_step=out_of_step)
    before = state(settled)
    told = explaining.explain(text_of(alert), settled.source)
    assert state(settled) == before, "nothing is stored, and nothing is placed"

    done = settled.send(**alert)

    assert (told.status, told.reason) == (done.status, done.reason)
    assert told.fault is None
    placed = [order for order in settled.orders(done) if order.role in (OrderRole.ENTRY, OrderRole.EXIT)]
    if told.request is None or told.objections:
        assert placed == []
        return
    [order] = placed
    request = told.request
    for name in ("symbol", "side", "type", "quantity", "quote_quantity", "price", "time_in_force"):
        assert getattr(order, name) == getattr(request, name), name
    assert order.stop_loss == (request.stop_loss and request.stop_loss.trigger_price)
    assert order.take_profit == (request.take_profit and request.take_profit.trigger_price)


def test_every_objection_is_told_at_once(settled: Signals) -> None:
    broker = settled.trader.broker
    halts.start(halts.only(broker), broker.user, "enough for today")
    broker.mode, broker.active, settled.source.enabled = TradingMode.OFF, False, False
    db.session.commit()

    told = explaining.explain(text_of({"action": "BuyMarket", "quantity": "0.00001"}), settled.source)

    assert [objection.rule for objection in told.objections] == [
        *("source", "paused", "mode", "min_notional", "halt")
    ]
    assert told.words == "buy 0.00001 BTC at the market"
    assert told.request is not None


def test_an_explanation_says_how_what_is_bought_would_be_guarded(settled: Signals) -> None:
    settled.says(stop_loss=PriceOrPercent(percent=Decimal(2)))

    by_source = explaining.explain(text_of({"action": "BuyMarket", "quantity": "0.01"}), settled.source)
    by_broker = explaining.explain(
        text_of({"action": "BuyMarket", "quantity": "0.01"}), settled.trader.broker
    )

    assert by_source.protection == "a stop-loss 2 % from the entry, about 58800"
    assert by_broker.protection == "none was asked for"
    assert by_source.symbol == "BTC/USDT"
    assert by_source.plan is not None


def test_a_text_that_cannot_be_understood_is_explained_by_its_fault(settled: Signals) -> None:
    told = explaining.explain('{"action": "BuyMarket",\n "quantiy": 1}', settled.source)

    assert told.status is AlertStatus.ERROR
    assert told.fault is not None
    assert (told.fault.line, told.fault.column) == (2, 2)
    assert told.reason == "unknown key 'quantiy'; did you mean quantity? (line 2, column 2)"


def test_a_stored_alert_is_run_again_on_the_sandbox_as_one_of_its_own(settled: Signals) -> None:
    first = settled.done(action="BuyMarket", quantity="0.01")
    settled.trader.broker.mode = TradingMode.OFF
    db.session.commit()
    told = explaining.explain_again(first)

    again = settled.work(replays.replay(first).id)

    assert (again.replayed_from_id, again.broker_id) == (first.id, first.broker_id)
    assert (told.status, told.reason) == (again.status, again.reason)
    assert again.status is AlertStatus.PROCESSED
    [order] = settled.orders(again)
    assert order.quantity == settled.orders(first)[0].quantity


def test_a_replay_does_not_stand_in_the_way_of_the_alert_that_comes_next(settled: Signals) -> None:
    body = {"action": "BuyMarket", "quantity": "0.01", "id": None}
    first = settled.done(**body)
    first.received_at -= timedelta(minutes=1)
    db.session.commit()
    settled.work(replays.replay(first).id)

    assert settled.send(**body).status is AlertStatus.PROCESSED


def test_an_alert_is_never_replayed_on_a_real_account(settled: Signals) -> None:
    alert = settled.done(action="BuyMarket", quantity="0.01")
    settled.trader.broker.environment = Environment.LIVE
    db.session.commit()
    before = rows()

    for broker in (None, settled.trader.broker):
        with pytest.raises(ReplayRefused, match="sandbox only"):
            replays.replay(alert, broker)

    assert rows() == before


def test_what_came_to_a_real_account_is_replayed_on_a_practice_one(settled: Signals) -> None:
    alert = settled.done(action="BuyMarket", quantity="0.01")
    keys = settled.trader.sandbox.account("binance", {"USDT": "1000"})
    practice = brokers.add(
        settled.trader.broker.user,
        name="Trial",
        exchange="binance",
        environment=Environment.SANDBOX,
        credential=Credential(keys.api_key, keys.api_secret, keys.passphrase),
    )
    markets.load(practice.id)
    settled.trader.broker.environment = Environment.LIVE
    db.session.commit()

    again = settled.work(replays.replay(alert).id)

    assert again.broker_id == practice.id
    assert again.status is AlertStatus.PROCESSED
    assert len(settled.trader.sandbox.orders("binance", keys)) == 1


def test_what_was_not_understood_cannot_be_replayed(settled: Signals) -> None:
    fault = settled.send(action="Moon")
    assert fault.status is AlertStatus.ERROR

    with pytest.raises(ReplayRefused, match="nothing in this alert"):
        replays.replay(fault)
    assert explaining.explain_again(fault).reason == fault.reason
    assert inbox.orders_of(fault) == []
