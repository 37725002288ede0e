"""What is in the database and at the engine after a run, and what it amounts to."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import requests
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.dispatch import DEFAULT_QUEUE, TaskName
from app.domain.alerts import AlertStatus
from app.domain.orders import OrderStatus
from app.models import Alert, OrderRole, OrderRow
from benchmarks.faults.desks import Desk, number_of
from benchmarks.faults.sending import Intent
from benchmarks.faults.tasks import Tasks
from benchmarks.faults.verdict import Told, Verdict, judge
from benchmarks.load import percentiles
from benchmarks.stack import Stack

_IN_DOUBT = (OrderStatus.PENDING, OrderStatus.SUBMITTED)

#: The source of an alert and its number there.
Key = tuple[int, int]


@dataclass(slots=True)
class Findings:
    """How many intents came to which end, and the stories of those that came to a bad one."""

    verdicts: Counter[Verdict] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    stale: int = 0
    strays: int = 0
    """Orders at the engine that nobody asked for."""
    at_engine: int = 0
    sendings: int = 0
    seconds_to_settle: list[float] = field(default_factory=list)
    bad: list[str] = field(default_factory=list)

    @property
    def as_promised(self) -> bool:
        """Whether nothing was lost, doubled, executed stale or made up."""
        return not (
            self.verdicts[Verdict.LOST] or self.verdicts[Verdict.DOUBLED] or self.stale or self.strays
        )

    def report(self) -> dict[str, object]:
        """The figures, times in seconds."""
        return {
            "intents": self.verdicts.total(),
            "sendings": self.sendings,
            "orders_at_engine": self.at_engine,
            "lost": self.verdicts[Verdict.LOST],
            "doubled": self.verdicts[Verdict.DOUBLED],
            "stale_executed": self.stale,
            "strays": self.strays,
            "verdicts": {verdict.value: self.verdicts[verdict] for verdict in Verdict},
            "reasons": dict(self.reasons.most_common()),
            "seconds_to_settle": percentiles(self.seconds_to_settle) if self.seconds_to_settle else {},
            "bad": self.bad,
        }


def await_settled(database: Engine, patience: float, sweeping: Tasks | None) -> float:
    """Wait until every alert and entry has found its end, at most ``patience`` seconds; returns how many it took.

    Exits may go on longer: one that an exchange locks out for a quarter of an hour waits for as long, and no intent
    with it. ``sweeping`` has a worker sweep all the time, which beat asks of it every 15 seconds.
    """
    start = time.monotonic()
    while time.monotonic() - start < patience and _unsettled(database):
        if sweeping is not None:
            sweeping.send(TaskName.BEAT_SWEEP, DEFAULT_QUEUE)
        time.sleep(1)
    return time.monotonic() - start


def compare(stack: Stack, database: Engine, desks: Sequence[Desk], wanted: Sequence[Intent]) -> Findings:
    """Judge every intent by what database and engine say of it."""
    findings = Findings()
    told = _told(database)
    received = _received(stack, desks)
    findings.at_engine = sum(len(times) for times in received.values())
    for intent in wanted:
        key = (intent.desk.source_id, intent.number)
        _judge(findings, intent, told.get(key), received.pop(key, []))
    findings.strays = len(received)
    findings.bad += [f"nobody asked for {key}: {times}" for key, times in received.items()]
    return findings


def _judge(findings: Findings, intent: Intent, told: Told | None, received: Sequence[datetime]) -> None:
    found = judge(accepted=intent.accepted, told=told, received=received)
    findings.verdicts[found.verdict] += 1
    findings.sendings += intent.sendings
    findings.stale += found.stale
    if found.stale or found.verdict in (Verdict.LOST, Verdict.DOUBLED):
        where = f"{intent.desk.account.api_key} {intent.id}"
        findings.bad.append(
            f"{where}: {found.verdict}{' stale' * found.stale} {found.reason} {told} {received}"
        )
    elif found.reason:
        findings.reasons[f"{found.verdict}: {_without_numbers(found.reason)}"] += 1
    if told is not None and told.ended_at is not None and intent.sent_at is not None:
        findings.seconds_to_settle.append((told.ended_at - intent.sent_at).total_seconds())


def _told(database: Engine) -> Mapping[Key, Told]:
    query = select(Alert).where(Alert.idempotency_key.is_not(None))
    with Session(database) as session:
        orders: defaultdict[int | None, list[OrderRow]] = defaultdict(list)
        for order in session.scalars(select(OrderRow).where(OrderRow.role == OrderRole.ENTRY)):
            orders[order.alert_id].append(order)
        return {
            (alert.source_id, int(str(alert.idempotency_key).rpartition("-")[2])): _story(
                alert, orders[alert.id]
            )
            for alert in session.scalars(query)
        }


def _story(alert: Alert, orders: Sequence[OrderRow]) -> Told:
    ends = [order.closed_at or order.acknowledged_at for order in orders] or [alert.processed_at]
    reasons = [order.reason for order in orders] or [alert.reason]
    return Told(
        alert=alert.status,
        reason="; ".join(reason for reason in reasons if reason),
        expires_at=alert.expires_at,
        orders=[order.status for order in orders],
        filled=any(order.filled_quantity for order in orders),
        ended_at=max((end for end in ends if end is not None), default=None),
    )


def _received(stack: Stack, desks: Iterable[Desk]) -> dict[Key, list[datetime]]:
    found: defaultdict[Key, list[datetime]] = defaultdict(list)
    for desk in desks:
        _ensure_remembered(stack, desk)
        for order in stack.orders(desk.account.exchange, desk.account.api_key):
            if order["side"] == "buy":
                number = number_of(Decimal(order["quantity"]))
                found[desk.source_id, number].append(datetime.fromisoformat(order["received_at"]))
    return dict(found)


def _ensure_remembered(stack: Stack, desk: Desk) -> None:
    """A sandbox that was started anew has no accounts: its orders are no evidence."""
    query = {"exchange": desk.account.exchange, "api_key": desk.account.api_key}
    if not requests.get(f"{stack.sandbox}/_control/accounts", params=query, timeout=60).ok:
        said = "\n".join(stack.said)
        raise RuntimeError(f"the sandbox ended during the run and has forgotten its orders:\n{said}")


def _unsettled(database: Engine) -> bool:
    alerts = select(func.count(Alert.id)).where(Alert.status == AlertStatus.RECEIVED)
    entries = select(func.count(OrderRow.id)).where(
        OrderRow.role == OrderRole.ENTRY, OrderRow.status.in_(_IN_DOUBT)
    )
    try:
        with Session(database) as session:
            return bool(session.scalar(alerts)) or bool(session.scalar(entries))
    except SQLAlchemyError:
        return True  # the database is being restarted


def _without_numbers(reason: str) -> str:
    return "".join("#" if letter.isdigit() else letter for letter in reason).replace("##", "#")
