"""Which workers live and which queues they serve.

Each worker says so every few seconds and is forgotten when it stops saying so: reading it costs one look into Redis,
where asking the workers would cost a second of waiting for answers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from app.extensions import celery
from app.extensions import redis as store

_NAMES = "workers"
_FORGOTTEN_AFTER_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Worker:
    """A worker process: the queues it takes tasks from, how many run in it now, and how many it has done.

    ``per_minute`` is how many it did in the last minute.
    """

    name: str
    queues: tuple[str, ...]
    running: int
    done: int
    per_minute: int = 0


def report(worker: Worker) -> None:
    """Note that a worker lives.

    Raises:
        redis.exceptions.RedisError: when Redis cannot be reached.
    """
    with store.pipeline() as pipe:
        pipe.sadd(_NAMES, worker.name)
        pipe.set(_key(worker.name), json.dumps(asdict(worker)), ex=_FORGOTTEN_AFTER_SECONDS)
        pipe.execute()


def online() -> list[Worker]:
    """Every worker that said within the last seconds that it lives, by name.

    Raises:
        redis.exceptions.RedisError: when Redis cannot be reached.
    """
    names = sorted(str(name) for name in store.smembers(_NAMES))
    if not names:
        return []
    found = store.mget([_key(name) for name in names])
    return [_read(json.loads(str(text))) for text in found if text is not None]


def queues() -> list[str]:
    """Every queue there is; each needs a worker."""
    return [queue.name for queue in celery.conf.task_queues]


def waiting() -> Mapping[str, int]:
    """How many tasks wait in each queue.

    Raises:
        redis.exceptions.RedisError: when Redis cannot be reached.
    """
    with store.pipeline(transaction=False) as pipe:
        for queue in queues():
            pipe.llen(queue)
        return dict(zip(queues(), pipe.execute(), strict=True))


def _key(name: str) -> str:
    return f"worker:{name}"


def _read(stored: Mapping[str, object]) -> Worker:
    return Worker(**{**stored, "queues": tuple(stored["queues"])})  # type: ignore[arg-type]
