"""What a person sees at a glance: the state of every broker, and what everything is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

import redis.exceptions
import structlog

from app.dispatch import orders_queue, sync_queue
from app.domain.accounts import Environment, RateBudgetState, TradingMode
from app.domain.money import EXACT
from app.exchanges import title
from app.extensions import redis as store
from app.models import BalanceRow, Broker
from app.services import allowances, catalog, underway
from app.services.history import Worth
from app.services.underway import Work

log = structlog.get_logger()

_ZERO = Decimal(0)


class Connection(StrEnum):
    """Whether a broker's keys work, as far as is known."""

    CONNECTED = "CONNECTED"
    FAILED = "FAILED"
    TESTING = "TESTING"
    UNTESTED = "UNTESTED"


@dataclass(frozen=True, slots=True)
class BrokerState:
    """A broker as the pages show it. ``queue_depth`` counts what waits in its exchange's queues, None when that
    cannot be told; the rate budget is as of the last sync of balances, or of the check-up."""

    id: int
    name: str
    exchange: str
    exchange_name: str
    environment: Environment
    mode: TradingMode
    connection: Connection
    paused: bool
    dry_run: bool
    is_main: bool
    problem: str | None
    markets_count: int
    last_sync_at: datetime | None
    queue_depth: int | None
    rate_budget: RateBudgetState | None

    @property
    def rate_used(self) -> int | None:
        """How much of the rate limit is used, in the exchange's own weights."""
        return None if self.rate_budget is None else self.rate_budget.used

    @property
    def rate_limit(self) -> int | None:
        """How much may be used."""
        return None if self.rate_budget is None else self.rate_budget.limit


@dataclass(frozen=True, slots=True)
class Totals:
    """What all brokers hold, in USD. ``day_change`` is None until there is a day of history; ``unpriced`` names the
    assets no price leads to."""

    equity: Decimal
    free: Decimal
    locked: Decimal
    day_change: Decimal | None
    day_change_percent: Decimal | None
    synced_at: datetime
    unpriced: tuple[str, ...]


def states(brokers: Sequence[Broker]) -> list[BrokerState]:
    """The state of each broker, in the same order."""
    testing = underway.among(Work.CHECK, (broker.id for broker in brokers))
    depths = _queue_depths({broker.exchange for broker in brokers})
    markets = catalog.counts() if brokers else {}
    budgets = allowances.of(brokers)
    return [
        BrokerState(
            id=broker.id,
            name=broker.name,
            exchange=broker.exchange,
            exchange_name=title(broker.exchange),
            environment=broker.environment,
            mode=broker.mode,
            connection=_connection(broker, broker.id in testing),
            paused=not broker.active,
            dry_run=broker.dry_run,
            is_main=broker.is_main,
            problem=broker.connection_reason,
            markets_count=markets.get((broker.exchange, broker.environment), 0),
            last_sync_at=broker.balances_synced_at,
            queue_depth=depths.get(broker.exchange),
            rate_budget=budgets.get(broker.id),
        )
        for broker in brokers
    ]


def totals(held: Sequence[tuple[Broker, BalanceRow]], day_ago: Worth | None) -> Totals | None:
    """The sums over what is held, and how they changed since a day ago; None before the first sync."""
    synced = [broker.balances_synced_at for broker, _ in held if broker.balances_synced_at is not None]
    if not synced:
        return None
    priced = [(row, row.usd_value) for _, row in held if row.usd_value is not None]
    equity = sum((value for _, value in priced), _ZERO)
    free = sum((_share(value, row.free, row.total) for row, value in priced), _ZERO)
    change = None if day_ago is None else equity - day_ago.usd
    return Totals(
        equity=equity,
        free=free,
        locked=equity - free,
        day_change=change,
        day_change_percent=None if day_ago is None else _percent(equity - day_ago.usd, day_ago.usd),
        synced_at=min(synced),
        unpriced=tuple(sorted({row.asset for _, row in held if row.usd_value is None and row.total})),
    )


def _connection(broker: Broker, testing: bool) -> Connection:
    if testing:
        return Connection.TESTING
    if broker.connected is None:
        return Connection.UNTESTED
    return Connection.CONNECTED if broker.connected else Connection.FAILED


def _queue_depths(exchanges: set[str]) -> dict[str, int]:
    try:
        return {
            exchange: sum(int(store.llen(queue)) for queue in (orders_queue(exchange), sync_queue(exchange)))
            for exchange in exchanges
        }
    except redis.exceptions.RedisError as error:
        log.warning("queues_not_read", error=str(error))
        return {}


def _share(value: Decimal, part: Decimal, whole: Decimal) -> Decimal:
    return EXACT.divide(EXACT.multiply(value, part), whole) if whole else _ZERO


def _percent(change: Decimal, before: Decimal) -> Decimal | None:
    if not before:
        return None
    return EXACT.divide(change * 100, before).quantize(Decimal("0.01"))
