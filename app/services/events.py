"""What open pages are told: a change has happened, look again.

An event carries no data beyond topic and id: a page fetches what it may see. Events travel by Redis publish/subscribe.
What is kept of them is when each topic last changed for a person, so that a page which was away is told every topic
that changed since it last looked: nothing has to be trimmed, and nothing is missed for having been too much.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import redis.exceptions
import structlog
from redis.client import PubSub

from app.extensions import redis as store

log = structlog.get_logger()

#: In place of a person's id: every person is told.
EVERYONE = 0

#: By how much, in microseconds, the clocks of those who publish may differ, and a later event seem the earlier one.
_CLOCKS_APART = 1_000_000
_CHANNEL = "events:"


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
    """Something of a topic is not what it was; ``row_id`` None when it concerns more than one row. ``at`` is in
    microseconds since 1970."""

    user_id: int
    topic: Topic
    row_id: int | None
    at: int

    def concerns(self, user_id: int) -> bool:
        """Whether this person's pages are to be told."""
        return self.user_id in (user_id, EVERYONE)


def now() -> int:
    """The moment that a page which is about to read the database has seen everything up to."""
    return time.time_ns() // 1000


def publish(user_id: int, topic: Topic, row_id: int | None = None) -> None:
    """Tell a person's open pages, or `EVERYONE`'s, that something of a topic has changed; call after commit."""
    at = now()
    name = f"{_CHANNEL}{user_id}"
    try:
        with store.pipeline(transaction=False) as both:
            # Kept before it is told: who listens first and reads what is kept then, misses nothing.
            both.hset(name, topic.value, at)
            both.publish(name, f"{topic.value} {'' if row_id is None else row_id} {at}")
            both.execute()
    except redis.exceptions.RedisError as error:
        log.warning("event_not_published", topic=topic.value, error=str(error))


def missed(user_id: int, since: int) -> list[Change]:
    """What has changed for a person since a moment told by `now` or a `Change`; a little more rather than less.

    Everything, when nothing is kept: Redis may have been emptied meanwhile.

    Raises:
        redis.exceptions.RedisError: when Redis is gone.
    """
    with store.pipeline(transaction=False) as both:
        for whose in (user_id, EVERYONE):
            both.hgetall(f"{_CHANNEL}{whose}")
        of_person, of_everyone = both.execute()
    if not of_person:
        return [Change(user_id, topic, None, since) for topic in Topic]
    kept = [*of_person.items(), *of_everyone.items()]
    return [
        Change(user_id, Topic(topic), None, int(at)) for topic, at in kept if int(at) > since - _CLOCKS_APART
    ]


def listen(turn: float) -> Iterator[list[Change]]:
    """Every person's events from now on, those that came together at once; an empty list after ``turn`` seconds of
    silence, and one to begin with, from which on nothing is missed.

    Raises:
        redis.exceptions.RedisError: when Redis is gone, here or while listening, or was: the client comes back by
            itself, and what was told meanwhile has to be looked up with `missed`.
    """
    with store.pubsub() as channel:  # type: ignore[no-untyped-call]
        channel.psubscribe(f"{_CHANNEL}*")
        subscribed = False
        while True:
            messages = list(_heard(channel, turn))
            confirmed = any(message["type"] == "psubscribe" for message in messages)
            if confirmed and subscribed:
                raise redis.exceptions.ConnectionError("the line was interrupted")
            subscribed = subscribed or confirmed
            if subscribed:
                yield [_change(message) for message in messages if message["type"] == "pmessage"]


def _heard(channel: PubSub, turn: float) -> Iterator[dict[str, Any]]:
    wait = turn
    while (message := channel.get_message(timeout=wait)) is not None:
        yield message
        wait = 0


def _change(message: dict[str, Any]) -> Change:
    topic, row_id, at = message["data"].split(" ")
    user_id = int(message["channel"].removeprefix(_CHANNEL))
    return Change(user_id, Topic(topic), int(row_id) if row_id else None, int(at))
