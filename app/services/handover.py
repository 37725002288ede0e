"""Handing many alerts to the workers in one trip to Redis.

Celery makes a client, a trip and some fifty objects for each task it publishes, which costs more than storing the alert
that the task is about. Here the same messages are written by hand: a task as Celery's protocol has it, in the envelope
of kombu's Redis transport. A test holds them against what Celery itself writes.

Source: https://docs.celeryq.dev/en/stable/internals/protocol.html
"""

from __future__ import annotations

import base64
import json
import os
import socket
from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import uuid4

import redis.exceptions
import structlog

from app.dispatch import TaskName, orders_queue
from app.extensions import redis as store
from app.models import utc_now

log = structlog.get_logger()

_NO_CALLBACKS = {"callbacks": None, "errbacks": None, "chain": None, "chord": None}
_ALWAYS: dict[str, Any] = {
    "lang": "py",
    "shadow": None,
    "eta": None,
    "expires": None,
    "group": None,
    "group_index": None,
    "retries": 0,
    "timelimit": [None, None],
    "parent_id": None,
    "kwargsrepr": "{}",
    "ignore_result": None,
    "replaced_task_nesting": 0,
    "stamped_headers": None,
    "stamps": {},
}


def process_alerts(alerts: Iterable[tuple[int, str]]) -> None:
    """Have alerts decided, given with their exchanges, each on its exchange's own queue.

    Call it after commit. When Redis cannot take them, the rows stand and the sweep sends them later.
    """
    messages: dict[str, list[str]] = defaultdict(list)
    for alert_id, exchange in alerts:
        queue = orders_queue(exchange)
        messages[queue].append(json.dumps(message(TaskName.PROCESS_ALERT, alert_id, queue)))
    if not messages:
        return
    try:
        with store.pipeline(transaction=False) as trip:
            for queue, waiting in messages.items():
                trip.lpush(queue, *waiting)
            trip.execute()
    except redis.exceptions.RedisError as error:
        log.warning("alerts_not_handed_over", queues=sorted(messages), error=str(error))


def message(task: TaskName, row_id: int, queue: str) -> dict[str, Any]:
    """A task as it lies in Redis until a worker takes it."""
    task_id = str(uuid4())
    headers = {
        **_ALWAYS,
        "task": task.value,
        "id": task_id,
        "root_id": task_id,
        "argsrepr": f"({row_id},)",
        "origin": f"gen{os.getpid()}@{socket.gethostname()}",
        "queued_at": utc_now().isoformat(),
    }
    properties = {
        "correlation_id": task_id,
        "reply_to": "",  # no task here has a result
        "delivery_mode": 2,
        "delivery_info": {"exchange": "", "routing_key": queue},
        "priority": 0,
        "body_encoding": "base64",
        "delivery_tag": str(uuid4()),
    }
    body = json.dumps([[row_id], {}, _NO_CALLBACKS]).encode()
    return {
        "body": base64.b64encode(body).decode(),
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": headers,
        "properties": properties,
    }
