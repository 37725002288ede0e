"""Telling people what happened while they did not look."""

from app.dispatch import TaskName
from app.services import notifications
from tasks.app import celery


@celery.task(name=TaskName.NOTIFY_CHANNEL.value)
def send(channel_id: int) -> None:
    """Tell a channel all that happened since it was last told."""
    notifications.send(channel_id)


@celery.task(name=TaskName.TEST_CHANNEL.value)
def test(channel_id: int) -> None:
    """Send a channel a message that says only that it came."""
    notifications.send_test(channel_id)
