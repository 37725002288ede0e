"""How many deliveries came since the program that takes them was started, counted in Redis for all its processes."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

import redis.exceptions
import structlog
from redis import Redis

from app.domain.alerts import AlertStatus
from app.models import utc_now
from app.services.receipts import Receipt

log = structlog.get_logger()

RECEIVED, REJECTED, DUPLICATE, LAST = "received", "rejected", "duplicate", "last_alert_at"
_COUNTS = (RECEIVED, REJECTED, DUPLICATE)
_KEPT_FOR = timedelta(days=31)


class Tally:
    """Made before the program forks, so that its processes count together."""

    def __init__(self, store: Redis) -> None:
        self.started_at = utc_now()
        self._store = store
        self._key = f"tally:{self.started_at.isoformat()}:{os.getpid()}"

    @property
    def uptime(self) -> timedelta:
        """Since the start."""
        return utc_now() - self.started_at

    def count(self, receipts: Iterable[Receipt | None]) -> None:
        """Count deliveries by what became of them; None for one whose token nobody has."""
        found = list(receipts)
        counts = {
            RECEIVED: len(found),
            REJECTED: sum(receipt is None or receipt.refused for receipt in found),
            DUPLICATE: sum(
                receipt is not None and receipt.status is AlertStatus.DUPLICATE for receipt in found
            ),
        }
        try:
            with self._store.pipeline(transaction=False) as trip:
                for name, number in counts.items():
                    if number:
                        trip.hincrby(self._key, name, number)
                if any(receipt is not None for receipt in found):
                    trip.hset(self._key, LAST, utc_now().isoformat())
                trip.expire(self._key, _KEPT_FOR)
                trip.execute()
        except redis.exceptions.RedisError as error:
            log.warning("deliveries_not_counted", number=len(found), error=str(error))

    def read(self) -> tuple[dict[str, int], datetime | None]:
        """How many deliveries came, how many of them were rejected and how many repeated, and when the last came that a
        source knows.

        Raises:
            redis.exceptions.RedisError: when Redis cannot be asked.
        """
        told: Mapping[str, str] = self._store.hgetall(self._key)  # type: ignore[assignment]
        last = told.get(LAST)
        counts = {name: int(told.get(name, 0)) for name in _COUNTS}
        return counts, None if last is None else datetime.fromisoformat(last)
