"""Comparing what was asked for with what the database says and what the exchange's engine received."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.domain.alerts import AlertStatus
from app.domain.orders import OrderStatus


class Verdict(StrEnum):
    """What came of one intent. All but the last two are as they should be."""

    EXECUTED = "executed"
    EXPIRED_ALOUD = "expired aloud"
    DENIED_ALOUD = "denied aloud"
    NOT_DELIVERED = "not delivered"
    """It was never answered 202 and nothing is stored of it: its sender knows."""
    LOST = "lost"
    DOUBLED = "doubled"


@dataclass(frozen=True, slots=True)
class Told:
    """What the database tells of an intent: its alert, and the order that came of it, if any."""

    alert: AlertStatus
    reason: str
    expires_at: datetime
    orders: Sequence[OrderStatus] = ()
    filled: bool = False
    """Whether anything of the order is booked as executed."""
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """A verdict with its reason; ``stale`` when the engine received the order after its expiry."""

    verdict: Verdict
    reason: str = ""
    stale: bool = False


def judge(*, accepted: bool, told: Told | None, received: Sequence[datetime]) -> Judgement:
    """The verdict on an intent; ``received`` are the times at which orders for it reached the engine."""
    if len(received) > 1 or (told is not None and len(told.orders) > 1):
        return Judgement(Verdict.DOUBLED, f"{len(received)} orders at the engine")
    if told is None:
        if accepted or received:
            return Judgement(Verdict.LOST, "answered 202, and no row is there")
        return Judgement(Verdict.NOT_DELIVERED)
    return _compared(told, received)


def _compared(told: Told, received: Sequence[datetime]) -> Judgement:
    order = told.orders[0] if told.orders else None
    if told.alert is AlertStatus.RECEIVED or order in (OrderStatus.PENDING, OrderStatus.SUBMITTED):
        return Judgement(Verdict.LOST, f"still {order or told.alert}")
    executed = told.filled or (order is not None and order.is_live)
    if executed != bool(received):
        where = "the engine knows nothing of it" if executed else "the engine has executed it"
        return Judgement(Verdict.LOST, f"told to be {order or told.alert}, but {where}: {told.reason}")
    if executed:
        return Judgement(Verdict.EXECUTED, stale=received[0] > told.expires_at)
    late = OrderStatus.EXPIRED is order or AlertStatus.EXPIRED is told.alert
    return Judgement(Verdict.EXPIRED_ALOUD if late else Verdict.DENIED_ALOUD, told.reason)
