"""An account that holds something else than its strategy: noticed, and skipped, aligned or asked about."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.alerts import AlertStatus, OutOfStep
from app.domain.orders import OrderType, PriceOrPercent, Side
from app.extensions import db
from app.models import Confirmation, PositionStatus
from app.services import alerts
from app.services.alerts import ConfirmationRefused
from tests.services.signals import Signals

pytestmark = pytest.mark.parametrize("trader", ["binance"], indirect=True)

OPENING = {"action": "buy", "quantity": "0.01", "prev_market_position": "flat", "market_position": "long"}
ADDING = {
    "action": "buy",
    "quantity": "0.01",
    "position_size": "0.03",
    "prev_market_position": "long",
    "market_position": "long",
}
CLOSING = {"action": "sell", "quantity": "0.01", "prev_market_position": "long", "market_position": "flat"}


def test_a_strategy_is_followed_in_and_out(signals: Signals) -> None:
    signals.done(**OPENING)
    signals.done(**CLOSING)

    assert signals.trader.position().status is PositionStatus.CLOSED


def test_one_message_with_protection_serves_both_ways(signals: Signals) -> None:
    guard = {"sl": "2%", "tp": "4%"}
    signals.done(**OPENING, **guard)
    assert signals.trader.stopped() > 0

    signals.done(**CLOSING, **guard)

    assert signals.trader.position().status is PositionStatus.CLOSED
    assert signals.trader.resting() == []


def test_an_alert_after_a_missed_entry_is_skipped_with_its_reason(signals: Signals) -> None:
    """Missed alerts: whoever adds to what was never bought holds less than the strategy, and does not know."""
    skipped = signals.send(**ADDING)

    assert skipped.status is AlertStatus.DENIED
    assert skipped.reason == (
        "out of step: the strategy was long before this alert, and nothing is held; skipped, as the source says"
    )
    assert signals.orders(skipped) == []
    with pytest.raises(ConfirmationRefused, match="does not wait"):
        alerts.confirm(skipped)


def test_an_aligning_source_buys_all_that_the_strategy_holds(signals: Signals) -> None:
    signals.says(out_of_step=OutOfStep.ALIGN)

    [order] = signals.orders(signals.done(**ADDING))

    assert order.quantity == Decimal("0.03")


def test_a_missed_exit_is_made_up_for(signals: Signals) -> None:
    signals.says(out_of_step=OutOfStep.ALIGN)
    signals.done(action="buy", quantity="0.02")

    signals.done(**OPENING, position_size="0.01")

    assert abs(signals.trader.position().quantity - Decimal("0.01")) < Decimal("0.0001")


def test_an_asking_source_waits_for_a_person_who_confirms_once(signals: Signals) -> None:
    signals.says(out_of_step=OutOfStep.ASK)

    asked = signals.send(**ADDING)
    assert (asked.status, asked.confirmation) == (AlertStatus.DENIED, Confirmation.ASKED)
    assert (asked.reason or "").endswith("and nothing is held; confirm it to buy 0.03 BTC at the market")

    alerts.confirm(asked)
    done = signals.work(asked.id)
    signals.work(asked.id)

    assert (done.status, done.confirmation) == (AlertStatus.PROCESSED, Confirmation.GIVEN)
    [order] = signals.orders(done)
    assert order.quantity == Decimal("0.03")
    with pytest.raises(ConfirmationRefused, match="does not wait"):
        alerts.confirm(done)


def test_a_person_has_minutes_to_confirm_unless_the_alert_says_how_long_it_is_good_for(
    signals: Signals,
) -> None:
    signals.says(out_of_step=OutOfStep.ASK)
    patient, hasty = signals.send(**ADDING), signals.send(**ADDING, expires_in=30)

    assert patient.expires_at - patient.received_at >= timedelta(minutes=10)
    assert hasty.expires_at - hasty.received_at == timedelta(seconds=30)
    hasty.expires_at -= timedelta(minutes=1)
    db.session.commit()
    with pytest.raises(ConfirmationRefused, match="too late"):
        alerts.confirm(hasty)
    assert signals.fresh(hasty.id).status is AlertStatus.DENIED


def test_a_spot_account_is_not_sold_short_and_does_not_buy_to_cover(signals: Signals) -> None:
    short = {"action": "sell", "quantity": "1", "prev_market_position": "flat", "market_position": "short"}
    cover = {"action": "buy", "quantity": "1", "prev_market_position": "short", "market_position": "flat"}

    assert signals.done(**short).reason == "nothing to do: a spot market cannot be sold short"
    assert signals.done(**cover).reason == "nothing to do: the strategy is flat, and nothing is held"
    assert signals.trader.sandbox.orders(signals.trader.name, signals.trader.keys) == []


def test_a_turn_from_short_to_long_buys_the_long_part_only(signals: Signals) -> None:
    turn = {"prev_market_position": "short", "market_position": "long", "position_size": "0.01"}

    [order] = signals.orders(signals.done(action="buy", quantity="0.02", **turn))

    assert order.quantity == Decimal("0.01")


@pytest.mark.parametrize("out_of_step", OutOfStep)
@pytest.mark.parametrize("told", [{}, {"prev_market_position": "short"}])
def test_a_buy_with_a_limit_that_leads_to_nothing_held_sells_all_and_never_buys(
    out_of_step: OutOfStep, told: dict[str, str], signals: Signals
) -> None:
    signals.says(out_of_step=out_of_step)
    signals.done(action="buy", quantity="0.01")
    cover = {"action": "buy", "type": "limit", "price": "50000", "quantity": "1", "market_position": "flat"}

    covered = signals.send(**cover, **told)

    assert {order.side for order in signals.orders(covered)} <= {Side.SELL}
    may_sell = not told or out_of_step is OutOfStep.ALIGN
    assert covered.status is (AlertStatus.PROCESSED if may_sell else AlertStatus.DENIED)
    assert signals.trader.position().status is (PositionStatus.CLOSED if may_sell else PositionStatus.OPEN)


def test_a_buy_with_a_limit_of_a_strategy_that_holds_less_sells_what_is_too_much(signals: Signals) -> None:
    signals.says(out_of_step=OutOfStep.ALIGN)
    signals.done(action="buy", quantity="0.02")

    signals.done(**OPENING, type="limit", price="50000", position_size="0.01")

    assert abs(signals.trader.position().quantity - Decimal("0.01")) < Decimal("0.0001")


@pytest.mark.parametrize("kind", [{}, {"type": "limit", "price": "70000"}])
def test_a_sale_that_is_aligned_into_a_purchase_is_guarded_as_the_source_says(
    kind: dict[str, str], signals: Signals
) -> None:
    guard = PriceOrPercent(percent=Decimal(2))
    signals.says(out_of_step=OutOfStep.ALIGN, stop_loss=guard, take_profit=guard)

    [order] = signals.orders(signals.done(**{**ADDING, **kind, "action": "sell"}))

    assert (order.side, order.type, order.quantity) == (Side.BUY, OrderType.MARKET, Decimal("0.03"))
    assert signals.trader.stopped() > 0
    assert signals.trader.position().targets
