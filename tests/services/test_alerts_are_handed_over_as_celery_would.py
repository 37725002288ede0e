"""What is written to Redis by hand is what Celery writes, field by field."""

from __future__ import annotations

import base64
import json
from typing import Any

from flask import Flask

from app import dispatch
from app.dispatch import orders_queue
from app.exchanges import NAMES
from app.extensions import redis as store
from app.services import handover

#: What is of one message alone, or of the process that sends it.
_OWN = ("id", "root_id", "origin", "queued_at", "correlation_id", "reply_to", "delivery_tag")


def _shape(message: dict[str, Any]) -> dict[str, Any]:
    parts = {**message, "body": json.loads(base64.b64decode(message["body"]))}
    for name in ("headers", "properties"):
        parts[name] = {
            key: type(value) if key in _OWN else value for key, value in sorted(message[name].items())
        }
    return parts


def test_a_message_by_hand_is_what_celery_writes(app: Flask) -> None:
    queue = orders_queue(NAMES[0])
    with app.app_context():
        store.delete(queue)
        assert dispatch.process_alert(7, NAMES[0])
        by_celery = json.loads(str(store.lpop(queue)))

        handover.process_alerts([(7, NAMES[0])])
        by_hand = json.loads(str(store.lpop(queue)))

    assert _shape(by_hand) == _shape(by_celery)


def test_alerts_wait_in_the_order_they_came_each_on_its_exchanges_queue(app: Flask) -> None:
    first, second = NAMES[:2]
    with app.app_context():
        for name in (first, second):
            store.delete(orders_queue(name))
        handover.process_alerts([(1, first), (2, second), (3, first)])
        taken = [json.loads(str(store.rpop(orders_queue(first)))) for _ in range(2)]
        other = json.loads(str(store.rpop(orders_queue(second))))

    assert [json.loads(base64.b64decode(message["body"]))[0] for message in taken] == [[1], [3]]
    assert json.loads(base64.b64decode(other["body"]))[0] == [2]
    assert len({message["headers"]["id"] for message in (*taken, other)}) == 3
