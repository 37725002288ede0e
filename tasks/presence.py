"""Every worker says that it lives, with each of Celery's own heartbeats."""

from __future__ import annotations

import time
from collections import deque
from typing import Any

import redis.exceptions
import structlog
from celery.signals import heartbeat_sent
from celery.worker import state

from app.services import workers
from app.services.workers import Worker
from tasks.app import celery, flask_app

log = structlog.get_logger()

_RATE_SECONDS = 60.0

#: How many tasks were done at each heartbeat of the last minute.
_counts: deque[tuple[float, int]] = deque()


@heartbeat_sent.connect
def _report(sender: Any, **_: Any) -> None:
    worker = Worker(
        name=sender.eventer.hostname,
        queues=tuple(sorted(celery.amqp.queues.consume_from)),
        running=len(state.active_requests),
        done=state.all_total_count[0],
        per_minute=_lately(state.all_total_count[0]),
    )
    try:
        with flask_app.app_context():
            workers.report(worker)
    except redis.exceptions.RedisError as error:
        log.warning("presence_not_reported", worker=worker.name, error=str(error))


def _lately(done: int) -> int:
    """How many of all that were done were done in the last minute."""
    now = time.monotonic()
    _counts.append((now, done))
    while now - _counts[0][0] > _RATE_SECONDS:
        _counts.popleft()
    return done - _counts[0][1]
