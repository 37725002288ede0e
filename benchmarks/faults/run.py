"""One run from start to report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from math import ceil
from random import Random
from typing import Any

from sqlalchemy import Engine, create_engine

from app.config import load_settings
from benchmarks.faults.desks import Desk, desks_needed, open_desks
from benchmarks.faults.findings import Findings, await_settled, compare
from benchmarks.faults.injecting import Injector
from benchmarks.faults.schedule import plan
from benchmarks.faults.sending import Sender, intents
from benchmarks.faults.tasks import Tasks
from benchmarks.postgres import Postgres
from benchmarks.stack import Stack, running

#: How long a sender goes on with one alert, and how long all may take to settle, in seconds.
_SENDING_PATIENCE = 120
_SETTLING_PATIENCE = 600


@dataclass(frozen=True, slots=True)
class Wish:
    """What to run: see the options of ``python -m benchmarks.faults``."""

    intents: int
    rate: float
    faults: int
    seed: int
    exchanges: Sequence[str]
    database: str = "sqlite"
    impatient: bool = False

    @property
    def seconds(self) -> float:
        """How long the sending takes."""
        return self.intents / self.rate


def run(wish: Wish) -> dict[str, Any]:
    """Start everything, let alerts and faults loose on it, wait, compare, and report."""
    with _stack(wish) as (stack, postgres):
        stack.control("walk", {"walking": False})
        share = ceil(wish.intents / len(wish.exchanges))
        desks = open_desks(stack, {name: desks_needed(name, share, wish.seconds) for name in wish.exchanges})
        settings = load_settings(stack.environ)
        database = create_engine(settings.database_url)
        tasks = Tasks(settings.celery_broker_url)
        wanted = intents(desks, wish.intents, Random(wish.seed))
        injector = _injector(wish, stack, desks, database, tasks, postgres)
        injector.start()
        Sender(wish.rate, _SENDING_PATIENCE).send_all(wanted)
        injector.end()
        settling = await_settled(database, _SETTLING_PATIENCE, tasks if wish.impatient else None)
        findings = compare(stack, database, desks, wanted)
        database.dispose()
        return _report(wish, findings, injector.injected, settling)


def _injector(
    wish: Wish, stack: Stack, desks: Sequence[Desk], database: Engine, tasks: Tasks, postgres: Postgres | None
) -> Injector:
    planned = plan(wish.faults, wish.seconds, wish.seed, database_server=postgres is not None)
    return Injector(stack, desks, planned, database, tasks, None if postgres is None else postgres.restart)


@contextmanager
def _stack(wish: Wish) -> Iterator[tuple[Stack, Postgres | None]]:
    if wish.database == "sqlite":
        with running() as stack:
            yield stack, None
        return
    with Postgres(durable=True) as postgres, running(DATABASE_URL=postgres.create("faults")) as stack:
        yield stack, postgres


def _report(wish: Wish, findings: Findings, faults: Counter[str], settling: float) -> dict[str, Any]:
    return {
        "asked_for": asdict(wish),
        "as_promised": findings.as_promised,
        **findings.report(),
        "faults_injected": faults.total(),
        "faults": dict(sorted(faults.items())),
        "settled_after": round(settling, 1),
    }
