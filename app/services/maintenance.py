"""The pages are away for a while; alerts are taken, the API answers and orders are carried out as ever.

Kept in Redis, which every process asks at every page for the price of a look: when Redis is gone, the pages are there,
and say so themselves.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

import redis.exceptions

from app.domain.audit import Action
from app.extensions import db
from app.extensions import redis as store
from app.models import utc_now
from app.services import audit

_KEY = "maintenance"


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Since when, why, and in how many seconds people may look again."""

    since: datetime
    reason: str
    retry_after: int


def begin(reason: str, *, retry_after: int) -> Maintenance:
    """Take the pages away.

    Raises:
        redis.exceptions.RedisError: when Redis cannot be asked.
    """
    now = utc_now()
    store.set(_KEY, json.dumps({"since": now.isoformat(), "reason": reason, "retry_after": retry_after}))
    audit.record(Action.SERVER_MAINTENANCE_SET, "server", on=True, reason=reason)
    db.session.commit()
    return Maintenance(now, reason, retry_after)


def end() -> bool:
    """Bring the pages back; returns whether they were away.

    Raises:
        redis.exceptions.RedisError: when Redis cannot be asked.
    """
    was_on = bool(store.delete(_KEY))
    if was_on:
        audit.record(Action.SERVER_MAINTENANCE_SET, "server", on=False)
        db.session.commit()
    return was_on


def current() -> Maintenance | None:
    """What is under way, if anything is.

    Raises:
        redis.exceptions.RedisError: when Redis cannot be asked.
    """
    kept = store.get(_KEY)
    if kept is None:
        return None
    told = json.loads(str(kept))
    return Maintenance(datetime.fromisoformat(told["since"]), told["reason"], told["retry_after"])


def current_if_known() -> Maintenance | None:
    """The same, and nothing when Redis cannot be asked."""
    try:
        return current()
    except redis.exceptions.RedisError:
        return None
