"""The periodic work; what concerns brokers is only sent on as tasks, so that none waits for another."""

from app.dispatch import TaskName
from app.services import misses, schedule, sealing
from tasks.app import celery


@celery.task(name=TaskName.BEAT_SWEEP.value)
def sweep() -> None:
    """Send again what no worker has picked up."""
    schedule.sweep()


@celery.task(name=TaskName.BEAT_WATCH.value)
def watch() -> None:
    """Look at prices wherever a position is watched."""
    schedule.watch_prices()


@celery.task(name=TaskName.BEAT_OPEN_ORDERS.value)
def open_orders() -> None:
    """Sync the open orders of every broker that has some."""
    schedule.sync_open_orders()


@celery.task(name=TaskName.BEAT_BALANCES.value)
def balances() -> None:
    """Sync the balances of every broker."""
    schedule.sync_balances()


@celery.task(name=TaskName.BEAT_MARKETS.value)
def markets() -> None:
    """Load the markets of every exchange and environment in use."""
    schedule.load_markets()


@celery.task(name=TaskName.BEAT_SEAL.value)
def seal() -> None:
    """Chain what was written down since the last look."""
    sealing.seal()


@celery.task(name=TaskName.BEAT_MISSES.value)
def note_misses() -> None:
    """Record the alerts that were expected and did not come."""
    misses.look()
