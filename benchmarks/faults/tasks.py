"""Sending tasks to a running stack's workers as its own processes do."""

from __future__ import annotations

from celery import Celery
from kombu.exceptions import OperationalError

from app.dispatch import TaskName


class Tasks:
    """A client of its own: the application's stays as it is, for this process may go on to use it elsewhere."""

    def __init__(self, broker_url: str) -> None:
        self._celery = Celery("faults", broker=broker_url, config_source="celeryconfig", set_as_current=False)

    def send(self, task: TaskName, queue: str, *args: int) -> bool:
        """Whether the broker took it; one that is being restarted does not."""
        try:
            self._celery.send_task(task.value, args=args, queue=queue)
        except (OperationalError, OSError):
            return False
        return True
