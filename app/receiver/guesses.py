"""How often an address may come without the right token, or with one without its secret, before it has to wait."""

from __future__ import annotations

import time
from collections.abc import Iterable
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
    """Counted in Redis for all processes together, or by each alone while Redis is down.

    Who guesses is told by one name or several: an address, and the token that it guesses the secret of.
    """

    def __init__(self, storage_url: str) -> None:
        # Of the two kinds of storage there are, the address names the one that needs no event loop.
        self._together = FixedWindowRateLimiter(cast(Storage, storage_from_string(storage_url)))
        self._alone = FixedWindowRateLimiter(MemoryStorage())
        self._refused = MemoryStorage()

    def count(self, *who: str) -> int | None:
        """Count one; returns for how many seconds they have to wait, or None while they may go on."""
        try:
            allowed, wait = _count(self._together, who)
        except redis.exceptions.RedisError as error:
            log.warning("guesses_counted_alone", error=str(error))
            allowed, wait = _count(self._alone, who)
        if wait is not None:
            self._refused.incr("/".join(who), wait)
        return None if allowed else wait

    def wait(self, *who: str) -> int | None:
        """For how many seconds they have to wait, as far as this process was told when it last counted one of theirs.

        Redis is not asked: it would cost every alert a trip, and spare only one guess for each process.
        """
        name = "/".join(who)
        return _until(self._refused.get_expiry(name)) if self._refused.get(name) else None


def _count(limiter: FixedWindowRateLimiter, who: Iterable[str]) -> tuple[bool, int | None]:
    """Whether this one is allowed, and how long to wait when no other is."""
    allowed = limiter.hit(_ALLOWED, _SCOPE, *who)
    ends_at, remaining = limiter.get_window_stats(_ALLOWED, _SCOPE, *who)
    return allowed, None if remaining else _until(ends_at)


def _until(moment: float) -> int:
    return max(1, round(moment - time.time()))
