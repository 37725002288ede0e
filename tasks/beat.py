"""The periodic work; what concerns brokers is only sent on as tasks, so that none waits for another."""

from __future__ import annotations

from typing import Any

from app.dispatch import TaskName
from app.models import utc_now
from app.services import misses, notifications, schedule, sealing, staleness
from tasks.app import ContextTask, celery


class BeatTask(ContextTask):
    """A task that leaves behind when it last ran, for how long and how it ended."""

    abstract = True

    def run_in_context(self, *args: Any, **kwargs: Any) -> Any:
        """Run it and note that."""
        began, error = utc_now(), None
        try:
            return super().run_in_context(*args, **kwargs)
        except Exception as failure:
            error = type(failure).__name__
            raise
        finally:
            schedule.note_run(self.name, began, error)


@celery.task(name=TaskName.BEAT_SWEEP.value, base=BeatTask)
def sweep() -> None:
    """Send again what no worker has picked up."""
    schedule.sweep()


@celery.task(name=TaskName.BEAT_WATCH.value, base=BeatTask)
def watch() -> None:
    """Look at prices wherever a position is watched."""
    schedule.watch_prices()


@celery.task(name=TaskName.BEAT_OPEN_ORDERS.value, base=BeatTask)
def open_orders() -> None:
    """Sync the open orders of every broker that has some."""
    schedule.sync_open_orders()


@celery.task(name=TaskName.BEAT_BALANCES.value, base=BeatTask)
def balances() -> None:
    """Sync the balances of every broker."""
    schedule.sync_balances()


@celery.task(name=TaskName.BEAT_MARKETS.value, base=BeatTask)
def markets() -> None:
    """Load the markets of every exchange and environment in use."""
    schedule.load_markets()


@celery.task(name=TaskName.BEAT_SEAL.value, base=BeatTask)
def seal() -> None:
    """Chain what was written down since the last look."""
    sealing.seal()


@celery.task(name=TaskName.BEAT_MISSES.value, base=BeatTask)
def note_misses() -> None:
    """Record the alerts that were expected and did not come."""
    misses.look()


@celery.task(name=TaskName.BEAT_NOTIFY.value, base=BeatTask)
def notify() -> None:
    """See which brokers are synced no more, and tell people what happened while they did not look."""
    staleness.look()
    notifications.look()
