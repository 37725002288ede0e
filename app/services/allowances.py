"""How much of its exchange's rate limit each broker last used, for people to see.

Kept in Redis by whoever calls the exchange; what counts is kept by `app.exchanges.budget`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import redis.exceptions
import structlog

from app.domain.accounts import RateBudgetState
from app.extensions import redis as store
from app.models import Broker

log = structlog.get_logger()

_FORGOTTEN_AFTER_SECONDS = 120


def remember(broker: Broker, state: RateBudgetState | None) -> None:
    """Keep what a client of the broker has just counted; without Redis it is simply not kept."""
    if state is None:
        return
    try:
        store.set(_key(broker), json.dumps(asdict(state)), ex=_FORGOTTEN_AFTER_SECONDS)
    except redis.exceptions.RedisError as error:
        log.warning("allowance_not_kept", broker_id=broker.id, error=str(error))


def of(brokers: Sequence[Broker]) -> Mapping[int, RateBudgetState]:
    """The last known of each broker by its id: of the last minutes, or else of its check-up."""
    known = {broker.id: state for broker in brokers if (state := _at_check_up(broker)) is not None}
    try:
        recent = store.mget([_key(broker) for broker in brokers]) if brokers else []
    except redis.exceptions.RedisError as error:
        log.warning("allowances_not_read", error=str(error))
        return known
    for broker, text in zip(brokers, recent, strict=True):
        if text is not None:
            known[broker.id] = RateBudgetState(**json.loads(str(text)))
    return known


def _at_check_up(broker: Broker) -> RateBudgetState | None:
    found = (broker.check_up or {}).get("rate_budget")
    return None if found is None else RateBudgetState(**found)


def _key(broker: Broker) -> str:
    return f"allowance:{broker.id}"
