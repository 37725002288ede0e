"""What open pages are told: a change has happened, look again.

Events travel by Redis publish/subscribe and carry no data beyond topic and id: a page fetches what it may see. A
lost event costs a stale page until the next one, never more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import redis.exceptions
import structlog
from redis.client import PubSub

from app.extensions import redis as store

log = structlog.get_logger()


class Topic(StrEnum):
    """What may change under an open page."""

    ALERTS = "alerts"
    ORDERS = "orders"
    POSITIONS = "positions"
    BALANCES = "balances"
    BROKERS = "brokers"
    MARKETS = "markets"
    NOTIFICATIONS = "notifications"


@dataclass(frozen=True, slots=True)
class Change:
    """Something of a topic is not what it was; ``row_id`` None when it concerns more than one row."""

    topic: Topic
    row_id: int | None


def publish(user_id: int, topic: Topic, row_id: int | None = None) -> None:
    """Tell a user's open pages that something of a topic has changed; call after commit."""
    try:
        store.publish(_channel(user_id), json.dumps({"topic": topic.value, "id": row_id}))
    except redis.exceptions.RedisError as error:
        log.warning("event_not_published", topic=topic.value, error=str(error))


def subscribe(user_id: int, *, heartbeat: float) -> Iterator[Change | None]:
    """A user's events from now on, as they happen; None after every ``heartbeat`` seconds of silence.

    What it returns needs no application context.

    Raises:
        redis.exceptions.RedisError: when Redis is gone, here or while listening.
    """
    channel = store.pubsub(ignore_subscribe_messages=True)  # type: ignore[no-untyped-call]
    channel.subscribe(_channel(user_id))
    return _changes(channel, heartbeat)


def _changes(channel: PubSub, heartbeat: float) -> Iterator[Change | None]:
    with channel:
        while True:
            message = channel.get_message(timeout=heartbeat)
            if message is None:
                yield None
            else:
                change = json.loads(message["data"])
                yield Change(Topic(change["topic"]), change["id"])


def _channel(user_id: int) -> str:
    return f"events:{user_id}"
