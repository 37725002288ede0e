"""Deciding alerts, on the queue of the exchange they trade on."""

from app.dispatch import TaskName
from app.services import alerts
from tasks.app import ContextTask, celery


@celery.task(name=TaskName.PROCESS_ALERT.value, bind=True)
def process(self: ContextTask, alert_id: int) -> None:
    """Decide an alert and place its order."""
    alerts.process(alert_id, queued_at=self.queued_at)
