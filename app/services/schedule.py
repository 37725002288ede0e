"""What beat sets going, and the trace that it does."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

import redis.exceptions
import structlog
from sqlalchemy import func, or_, select

from app import dispatch
from app.extensions import celery, db
from app.extensions import redis as store
from app.models import Broker, OrderRow, Position, PositionStatus, utc_now
from app.services import reconciliation, watch

log = structlog.get_logger()

_TICK, _RUNS = "beat:tick", "beat:runs"

#: A worker that is busy comes to a tick a little later, which is no reason to worry anybody.
_PATIENCE = timedelta(seconds=30)

#: Later ticks have sent theirs by then: a queue that is slow does not fill up with questions asked before.
_GOOD_FOR_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Run:
    """The last run of a periodic task. ``error`` names the kind of exception that ended it, None when none did."""

    began: datetime
    ended: datetime
    error: str | None

    @property
    def milliseconds(self) -> int:
        """How long it took."""
        return round((self.ended - self.began).total_seconds() * 1000)


def note_run(task: str, began: datetime, error: str | None) -> None:
    """Keep the last run of a periodic task, which has ended just now; one look into Redis shows them all."""
    run = {"began": began.isoformat(), "ended": utc_now().isoformat(), "error": error}
    try:
        store.hset(_RUNS, task, json.dumps(run))
    except redis.exceptions.RedisError as failure:
        log.warning("run_not_kept", task=task, error=str(failure))


def last_runs() -> Mapping[str, Run]:
    """The last run of every periodic task that ran since Redis was emptied, by task.

    Raises:
        redis.exceptions.RedisError: when Redis cannot be asked.
    """
    return {str(task): _read(json.loads(str(text))) for task, text in store.hgetall(_RUNS).items()}


def _read(kept: Mapping[str, str | None]) -> Run:
    began, ended = (datetime.fromisoformat(str(kept[name])) for name in ("began", "ended"))
    return Run(began, ended, kept["error"])


@dataclass(frozen=True, slots=True)
class Periodic:
    """A task that beat sends every so often, and its last run; None when it has not run since Redis was emptied."""

    name: str
    every: timedelta
    last: Run | None

    @property
    def is_overdue(self) -> bool:
        """Whether it should have run again by now, with some patience."""
        return self.last is None or utc_now() - self.last.began > 3 * self.every + _PATIENCE


def periodic() -> list[Periodic]:
    """Everything that beat sets going, the most frequent first.

    Raises:
        redis.exceptions.RedisError: when Redis cannot be asked.
    """
    runs = last_runs()
    asked = celery.conf.beat_schedule.values()
    found = [Periodic(entry["task"], entry["schedule"], runs.get(entry["task"])) for entry in asked]
    return sorted(found, key=lambda task: (task.every, task.name))


def sweep() -> None:
    """Send again what no worker has picked up, and leave a trace that beat and a worker live."""
    try:
        store.set(_TICK, utc_now().isoformat())
    except redis.exceptions.RedisError as error:
        log.warning("tick_not_kept", error=str(error))
    found = reconciliation.sweep()
    if found:
        log.info("swept", rows=found)


def last_tick() -> datetime | None:
    """When beat's sweep last ran; None when it has not since Redis was emptied.

    Raises:
        redis.exceptions.RedisError: when Redis cannot be asked.
    """
    stamp = store.get(_TICK)
    return None if stamp is None else datetime.fromisoformat(str(stamp))


def sync_open_orders() -> None:
    """One task for every broker that has orders to be looked at on its exchange, or holds a position."""
    resting = select(OrderRow.broker_id).where(reconciliation.TO_BE_SEEN)
    holding = select(Position.broker_id).where(Position.status == PositionStatus.OPEN)
    rows = db.session.execute(
        select(Broker.id, Broker.exchange).where(or_(Broker.id.in_(resting), Broker.id.in_(holding)))
    ).all()
    for broker_id, exchange in rows:
        dispatch.sync_open_orders(broker_id, exchange, good_for=_GOOD_FOR_SECONDS)


def watch_prices() -> None:
    """One task for every exchange and environment on which a position is watched."""
    for broker_id, exchange in watch.places():
        dispatch.watch_prices(broker_id, exchange)


def sync_balances() -> None:
    """One task for every broker that is not paused and whose keys are not known to fail."""
    query = select(Broker.id, Broker.exchange)
    rows = db.session.execute(query.where(Broker.active.is_(True), Broker.connected.is_not(False))).all()
    for broker_id, exchange in rows:
        dispatch.sync_balances(broker_id, exchange, good_for=_GOOD_FOR_SECONDS)


def load_markets() -> None:
    """One task for every exchange and environment in use; it serves all brokers there."""
    rows = db.session.execute(
        select(func.min(Broker.id), Broker.exchange)
        .where(Broker.active.is_(True), Broker.connected.is_not(False))
        .group_by(Broker.exchange, Broker.environment)
    ).all()
    for broker_id, exchange in rows:
        dispatch.load_markets(broker_id, exchange)
