"""Celery: queues from the exchange registry, delivery that survives a killed worker, and beat's schedule.

The broker's address comes from `Settings`, by `create_app`.
"""

from __future__ import annotations

from datetime import timedelta

from kombu import Queue  # type: ignore[attr-defined]

from app.dispatch import DEFAULT_QUEUE, TaskName, orders_queue, sync_queue
from app.exchanges import NAMES

task_default_queue = DEFAULT_QUEUE
task_queues = [
    Queue(name)
    for name in (
        DEFAULT_QUEUE,
        *(orders_queue(name) for name in NAMES),
        *(sync_queue(name) for name in NAMES),
    )
]
task_create_missing_queues = False

# A task is given back when its worker dies; the compare-and-set claim makes a second delivery harmless.
task_acks_late = True
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1
broker_transport_options = {
    "visibility_timeout": 3600,
    "socket_timeout": 5,
    "socket_connect_timeout": 2,
    # Publishing would try a Redis that is down for six seconds, and TradingView hangs up after three. Workers are
    # not concerned: they reconnect by the setting below.
    "max_retries": 0,
}
broker_connection_retry_on_startup = True
broker_connection_max_retries = None

# The row stands in the database and the sweep sends it again: publishing need not insist.
task_publish_retry = False
task_ignore_result = True
task_serializer = "json"
accept_content = ["json"]
worker_send_task_events = False
worker_hijack_root_logger = False
worker_cancel_long_running_tasks_on_connection_loss = False
timezone = "UTC"

beat_schedule = {
    name.value: {"task": name.value, "schedule": every, "options": {"expires": every.total_seconds()}}
    for name, every in {
        TaskName.BEAT_SWEEP: timedelta(seconds=15),
        TaskName.BEAT_WATCH: timedelta(seconds=2),
        TaskName.BEAT_SEAL: timedelta(seconds=5),
        TaskName.BEAT_OPEN_ORDERS: timedelta(seconds=10),
        TaskName.BEAT_MISSES: timedelta(seconds=10),
        TaskName.BEAT_NOTIFY: timedelta(seconds=5),
        TaskName.BEAT_BALANCES: timedelta(seconds=30),
        TaskName.BEAT_MARKETS: timedelta(hours=6),
    }.items()
}
