"""Work a person waits for: what has been asked of a worker and not answered yet.

A mark in Redis that forgets itself, so that a worker that died leaves no page waiting for ever.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

import redis.exceptions
import structlog

from app.extensions import redis as store

log = structlog.get_logger()

#: After this time an answer is not to be expected any more.
FORGOTTEN_AFTER_SECONDS = 120


class Work(StrEnum):
    """What a person may wait for on a broker's page."""

    CHECK = "check"
    MARKETS = "markets"


class Stage(StrEnum):
    """How far it has come, in this order."""

    ASKED = "asked"
    READING = "reading"
    STORING = "storing"


def begin(work: Work, broker_id: int) -> None:
    """Note that the work has been asked for."""
    try:
        store.set(_key(work, broker_id), Stage.ASKED.value, ex=FORGOTTEN_AFTER_SECONDS)
    except redis.exceptions.RedisError as error:
        log.warning("mark_not_kept", work=work.value, broker_id=broker_id, error=str(error))


def reach(work: Work, broker_id: int, stage: Stage) -> bool:
    """Note how far it has come; False when nobody waits for it."""
    try:
        return bool(store.set(_key(work, broker_id), stage.value, ex=FORGOTTEN_AFTER_SECONDS, xx=True))
    except redis.exceptions.RedisError as error:
        log.warning("mark_not_kept", work=work.value, broker_id=broker_id, error=str(error))
        return False


def stage(work: Work, broker_id: int) -> Stage | None:
    """How far it has come; None when it is not under way or Redis cannot be asked."""
    try:
        mark = store.get(_key(work, broker_id))
    except redis.exceptions.RedisError as error:
        log.warning("marks_not_read", work=work.value, error=str(error))
        return None
    return None if mark is None else Stage(str(mark))


def end(work: Work, broker_id: int) -> None:
    """Note that the work has come to its end, well or not."""
    try:
        store.delete(_key(work, broker_id))
    except redis.exceptions.RedisError as error:
        log.warning("mark_not_removed", work=work.value, broker_id=broker_id, error=str(error))


def among(work: Work, broker_ids: Iterable[int]) -> set[int]:
    """The brokers on which this work is under way; none when Redis cannot be asked."""
    wanted = list(broker_ids)
    if not wanted:
        return set()
    try:
        marks = store.mget([_key(work, broker_id) for broker_id in wanted])
    except redis.exceptions.RedisError as error:
        log.warning("marks_not_read", work=work.value, error=str(error))
        return set()
    return {broker_id for broker_id, mark in zip(wanted, marks, strict=True) if mark is not None}


def _key(work: Work, broker_id: int) -> str:
    return f"underway:{work.value}:{broker_id}"
