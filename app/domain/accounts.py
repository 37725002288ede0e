"""What a person holds on an exchange, and the keys that reach it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple


class Environment(StrEnum):
    """Which server a broker talks to; it picks the base URL and nothing else."""

    LIVE = "LIVE"
    TESTNET = "TESTNET"
    SANDBOX = "SANDBOX"


class TradingMode(StrEnum):
    """Which sources may open positions on a broker; manual orders always may."""

    OFF = "OFF"
    WEBHOOKS = "WEBHOOKS"
    STRATEGY = "STRATEGY"


@dataclass(frozen=True, slots=True)
class Credential:
    """The keys of one account. Its repr shows none of them."""

    api_key: str = field(repr=False)
    api_secret: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)


class Balance(NamedTuple):
    """One asset of an account; ``total`` is free plus locked, as the exchange reports it.

    A tuple because accounts hold hundreds and each is read every few seconds: it is made in half the time of a
    frozen dataclass.
    """

    asset: str
    free: Decimal
    locked: Decimal
    total: Decimal


@dataclass(frozen=True, slots=True)
class Position:
    """An open futures position; ``quantity`` is in base, negative when short."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal | None
    mark_price: Decimal | None
    unrealised_pnl: Decimal | None
    liquidation_price: Decimal | None = None
    margin_asset: str | None = None


class Grant(StrEnum):
    """Whether a key may do a thing; UNKNOWN where the exchange does not tell."""

    YES = "YES"
    NO = "NO"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Permissions:
    """What a key may do."""

    read: Grant = Grant.UNKNOWN
    trade: Grant = Grant.UNKNOWN
    withdraw: Grant = Grant.UNKNOWN


@dataclass(frozen=True, slots=True)
class RateBudgetState:
    """How much of an exchange's request allowance is left; units are the exchange's own weights."""

    used: int
    limit: int
    per_seconds: int


@dataclass(frozen=True, slots=True)
class ConnectionReport:
    """The check-up of a broker's keys: connected, or the reason why not and what to do about it."""

    connected: bool
    reason: str | None = None
    remedy: str | None = None
    permissions: Permissions = Permissions()
    ip_restricted: Grant = Grant.UNKNOWN
    clock_skew_ms: int | None = None
    rate_budget: RateBudgetState | None = None
    balances: Mapping[str, Balance] = field(default_factory=dict)
    checked_at: datetime | None = None
