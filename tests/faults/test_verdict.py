"""How an intent is judged by what the database tells and what the engine received."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from app.domain.alerts import AlertStatus
from app.domain.orders import OrderStatus
from benchmarks.faults.verdict import Told, Verdict, judge

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LATER = NOW + timedelta(minutes=1)


def told(
    order: OrderStatus | None = None, alert: AlertStatus = AlertStatus.PROCESSED, *, filled: bool = False
) -> Told:
    return Told(alert, "because", LATER, () if order is None else (order,), filled)


FILLED = told(OrderStatus.FILLED, filled=True)


@pytest.mark.parametrize(
    ("story", "verdict"),
    [
        (told(OrderStatus.EXPIRED), Verdict.EXPIRED_ALOUD),
        (told(alert=AlertStatus.EXPIRED), Verdict.EXPIRED_ALOUD),
        (told(OrderStatus.REJECTED), Verdict.DENIED_ALOUD),
        (told(alert=AlertStatus.DENIED), Verdict.DENIED_ALOUD),
    ],
)
def test_an_end_told_aloud_is_no_loss_when_the_engine_agrees(story: Told, verdict: Verdict) -> None:
    assert judge(accepted=True, told=story, received=[]).verdict is verdict
    assert judge(accepted=True, told=story, received=[NOW]).verdict is Verdict.LOST


@pytest.mark.parametrize("story", [FILLED, told(OrderStatus.OPEN), told(OrderStatus.EXPIRED, filled=True)])
def test_executed_means_executed_in_both_places(story: Told) -> None:
    assert judge(accepted=True, told=story, received=[NOW]).verdict is Verdict.EXECUTED
    assert judge(accepted=True, told=story, received=[]).verdict is Verdict.LOST


@pytest.mark.parametrize(
    "story",
    [told(alert=AlertStatus.RECEIVED), told(OrderStatus.PENDING), told(OrderStatus.SUBMITTED)],
)
def test_what_never_finds_its_end_is_lost(story: Told) -> None:
    assert judge(accepted=True, told=story, received=[]).verdict is Verdict.LOST


def test_an_accepted_alert_without_a_row_is_lost_and_one_nobody_answered_for_is_not() -> None:
    assert judge(accepted=True, told=None, received=[]).verdict is Verdict.LOST
    assert judge(accepted=False, told=None, received=[]).verdict is Verdict.NOT_DELIVERED
    assert judge(accepted=False, told=None, received=[NOW]).verdict is Verdict.LOST


def test_two_orders_are_doubled_whatever_the_database_tells() -> None:
    assert judge(accepted=True, told=FILLED, received=[NOW, NOW]).verdict is Verdict.DOUBLED
    twice = Told(AlertStatus.PROCESSED, "", LATER, (OrderStatus.FILLED, OrderStatus.DENIED), filled=True)
    assert judge(accepted=True, told=twice, received=[NOW]).verdict is Verdict.DOUBLED


def test_an_order_that_arrives_after_its_expiry_is_stale() -> None:
    assert not judge(accepted=True, told=FILLED, received=[LATER]).stale
    assert judge(accepted=True, told=FILLED, received=[LATER + timedelta(milliseconds=1)]).stale
