"""Exchange clients of this worker process: one per broker, kept warm, closed after ten idle minutes."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from app.domain.accounts import Environment
from app.exchanges import Exchange, connect
from app.exchanges.budget import RateBudget, RedisRateBudget
from app.extensions import db, settings
from app.extensions import redis as store
from app.models import Broker
from app.services import catalog, vault

IDLE_SECONDS = 600


@dataclass(slots=True)
class _Warm:
    exchange: Exchange
    markets_loaded_at: datetime | None
    used_at: float


_warm: dict[tuple[int, int], _Warm] = {}
_lock = threading.Lock()
_budget: RateBudget | None = None


@contextmanager
def calling(broker: Broker) -> Iterator[Exchange]:
    """The client of a broker, for calls to its exchange.

    Ends the database transaction first: none may be open while we wait for an exchange, or one slow answer would
    hold up every writer.
    """
    exchange = _client(broker)
    db.session.commit()
    yield exchange


def fresh(broker: Broker) -> Exchange:
    """A client of its own for a connection test, to be closed by the caller."""
    return _connect(broker)


def close() -> None:
    """Close every client that is kept warm."""
    with _lock:
        for warm in _warm.values():
            warm.exchange.close()
        _warm.clear()


def _client(broker: Broker) -> Exchange:
    key = (broker.id, broker.keys_version)
    now = time.monotonic()
    with _lock:
        _close_idle(now)
        warm = _warm.get(key)
        if warm is not None and warm.markets_loaded_at == broker.markets_loaded_at:
            warm.used_at = now
            return warm.exchange
    exchange = warm.exchange if warm is not None else _connect(broker)
    if broker.markets_loaded_at is not None:
        exchange.use_markets(catalog.all_of(broker).values())
    with _lock:
        _warm[key] = _Warm(exchange, broker.markets_loaded_at, now)
    return exchange


def _connect(broker: Broker) -> Exchange:
    base_url = (
        f"{settings.sandbox_url}/{broker.exchange}" if broker.environment is Environment.SANDBOX else None
    )
    return connect(
        broker.exchange,
        vault.unseal(broker),
        environment=broker.environment,
        base_url=base_url,
        budget=_shared_budget(),
        region=broker.region,
    )


def _shared_budget() -> RateBudget:
    global _budget
    if _budget is None:
        _budget = RedisRateBudget(store._get_current_object())  # type: ignore[attr-defined]
    return _budget


def _close_idle(now: float) -> None:
    for key, warm in list(_warm.items()):
        if now - warm.used_at > IDLE_SECONDS:
            warm.exchange.close()
            del _warm[key]
