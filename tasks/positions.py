"""Guarding positions and watching prices for them."""

from app.dispatch import TaskName
from app.services import execution, watch
from tasks.app import celery


@celery.task(name=TaskName.MANAGE_POSITION.value)
def manage(position_id: int) -> None:
    """Bring a position's exits to what is wished."""
    execution.guard(position_id)


@celery.task(name=TaskName.WATCH_PRICES.value)
def look(broker_id: int) -> None:
    """Look at the prices of an exchange for all positions there that are watched."""
    watch.look(broker_id)
