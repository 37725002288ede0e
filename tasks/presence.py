"""Every worker says that it lives, with each of Celery's own heartbeats."""

from __future__ import annotations

from typing import Any

import redis.exceptions
import structlog
from celery.signals import heartbeat_sent
from celery.worker import state

from app.services import workers
from app.services.workers import Worker
from tasks.app import celery, flask_app

log = structlog.get_logger()


@heartbeat_sent.connect
def _report(sender: Any, **_: Any) -> None:
    worker = Worker(
        name=sender.eventer.hostname,
        queues=tuple(sorted(celery.amqp.queues.consume_from)),
        running=len(state.active_requests),
        done=state.all_total_count[0],
    )
    try:
        with flask_app.app_context():
            workers.report(worker)
    except redis.exceptions.RedisError as error:
        log.warning("presence_not_reported", worker=worker.name, error=str(error))
