"""How often an address may come without the right token or secret before it has to wait."""

from __future__ import annotations

import time
from typing import cast

import redis.exceptions
import structlog
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import FixedWindowRateLimiter

log = structlog.get_logger()

_ALLOWED = RateLimitItemPerMinute(30)
_SCOPE = "webhook-guesses"


class Guesses:
    """Counted in Redis for all processes together, or by each alone while Redis is down."""

    def __init__(self, storage_url: str) -> None:
        # Of the two kinds of storage there are, the address names the one that needs no event loop.
        self._together = FixedWindowRateLimiter(cast(Storage, storage_from_string(storage_url)))
        self._alone = FixedWindowRateLimiter(MemoryStorage())

    def count(self, address: str) -> int | None:
        """Count one; returns for how many seconds the address has to wait, or None while it may go on."""
        try:
            return _count(self._together, address)
        except redis.exceptions.RedisError as error:
            log.warning("guesses_counted_alone", error=str(error))
            return _count(self._alone, address)


def _count(limiter: FixedWindowRateLimiter, address: str) -> int | None:
    if limiter.hit(_ALLOWED, _SCOPE, address):
        return None
    ends_at = limiter.get_window_stats(_ALLOWED, _SCOPE, address).reset_time
    return max(1, round(ends_at - time.time()))
