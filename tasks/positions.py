"""Guarding and closing what is held."""

from app.dispatch import TaskName
from app.services import protection
from tasks.app import celery


@celery.task(name=TaskName.MANAGE_POSITION.value)
def manage(position_id: int) -> None:
    """Bring about on the exchange what is wished of a position."""
    protection.manage(position_id)
