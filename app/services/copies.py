"""The sweep's copies of tasks: of each row at most one waits in the queue.

A row that nobody settles is met by every sweep. Were it sent each time, a slow or banned exchange would find its queue
full of one order, and the others behind it. So a copy leaves a mark in Redis, which its task takes away when it begins.
The mark lies where the queue lies: when Redis is emptied both are gone, and the next sweep sends again. It forgets
itself, and the copy with it, for a worker may die between taking a message and beginning its task.
"""

from __future__ import annotations

import redis.exceptions
import structlog

from app import dispatch
from app.dispatch import TaskName
from app.extensions import redis as store

log = structlog.get_logger()

#: How long a copy is good for.
LAST_SECONDS = 60


def send(task: TaskName, row_id: int, exchange: str) -> bool:
    """Send a task of a row unless a copy of it waits already; returns whether it was sent."""
    try:
        if not store.set(_key(task, row_id), 1, nx=True, ex=LAST_SECONDS):
            return False
    except redis.exceptions.RedisError as error:
        log.warning("mark_not_kept", task=task.value, row_id=row_id, error=str(error))
    return dispatch.copy(task, row_id, exchange, good_for=LAST_SECONDS)


def begun(task: str, row_id: int) -> None:
    """Take the mark away: from now on the row itself tells whether it needs another."""
    try:
        store.delete(_key(task, row_id))
    except redis.exceptions.RedisError as error:
        log.warning("mark_not_removed", task=task, row_id=row_id, error=str(error))


def _key(task: str, row_id: int) -> str:
    return f"copy:{task}:{row_id}"
