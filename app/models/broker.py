"""A person's accounts on exchanges, and what they hold there."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.accounts import Environment, TradingMode
from app.extensions import Table
from app.models.types import EnumText, ExactDecimal, UtcDateTime, utc_now
from app.models.user import User

_DUST_USD = Decimal(1)


class NakedPolicy(StrEnum):
    """What becomes of a position whose stop-loss cannot be placed after several tries."""

    FLATTEN = "FLATTEN"
    ALARM = "ALARM"


class Broker(Table):
    """One connected account on one exchange.

    The keys are encrypted one by one under ``data_key``, which is itself encrypted under the master key
    (see `app.services.vault`). ``connected`` is None until a check-up has run. ``orders_seen_at`` is when the last
    look at its resting orders began that found, and booked, all that had executed by then. ``region`` is one of the
    exchange's `Region`s, None where there is no choice. ``ledger_opened_at`` is
    None until the ledger has taken up what the account holds.
    """

    __tablename__ = "brokers"
    __table_args__ = (UniqueConstraint("user_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(80))
    exchange: Mapped[str] = mapped_column(String(20), index=True)
    environment: Mapped[Environment] = mapped_column(EnumText(Environment))
    region: Mapped[str | None] = mapped_column(String(20))
    mode: Mapped[TradingMode] = mapped_column(EnumText(TradingMode), default=TradingMode.OFF)
    dry_run: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    is_main: Mapped[bool] = mapped_column(default=False)
    naked_policy: Mapped[NakedPolicy] = mapped_column(EnumText(NakedPolicy), default=NakedPolicy.FLATTEN)

    data_key: Mapped[bytes] = mapped_column(LargeBinary)
    api_key: Mapped[bytes] = mapped_column(LargeBinary)
    api_secret: Mapped[bytes] = mapped_column(LargeBinary)
    passphrase: Mapped[bytes | None] = mapped_column(LargeBinary)
    keys_version: Mapped[int] = mapped_column(default=1)

    connected: Mapped[bool | None]
    connection_reason: Mapped[str | None] = mapped_column(Text)
    connection_remedy: Mapped[str | None] = mapped_column(Text)
    check_up: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    checked_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    markets_loaded_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    markets_error: Mapped[str | None] = mapped_column(Text)
    balances_synced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    futures_synced_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    orders_seen_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ledger_opened_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)

    user: Mapped[User] = relationship()
    balances: Mapped[list[BalanceRow]] = relationship(cascade="all, delete-orphan", passive_deletes=True)


class BalanceRow(Table):
    """What a broker holds of one asset, as last reported; ``usd_value`` None when no price leads to USD.

    ``expected`` is the sum of the ledger's counted entries and ``drift`` what was reported beyond it; both are None
    until the ledger is opened. ``drift_since`` is when the drift was first seen with nothing being booked; see
    `app.services.drift`.
    """

    __tablename__ = "balances"
    __table_args__ = (UniqueConstraint("broker_id", "asset"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    broker_id: Mapped[int] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"))
    asset: Mapped[str] = mapped_column(String(32))
    free: Mapped[Decimal] = mapped_column(ExactDecimal)
    locked: Mapped[Decimal] = mapped_column(ExactDecimal)
    total: Mapped[Decimal] = mapped_column(ExactDecimal)
    usd_value: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    expected: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    drift: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    drift_since: Mapped[datetime | None] = mapped_column(UtcDateTime)

    @property
    def is_dust(self) -> bool:
        """Whether it is worth less than a dollar; what has no price may be worth anything."""
        return self.usd_value is not None and self.usd_value < _DUST_USD


class FuturesBalance(Table):
    """What backs a broker's futures in one asset: ``total`` with open profit and loss, ``free`` of it usable."""

    __tablename__ = "futures_balances"
    __table_args__ = (UniqueConstraint("broker_id", "asset"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    broker_id: Mapped[int] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"))
    asset: Mapped[str] = mapped_column(String(32))
    free: Mapped[Decimal] = mapped_column(ExactDecimal)
    locked: Mapped[Decimal] = mapped_column(ExactDecimal)
    total: Mapped[Decimal] = mapped_column(ExactDecimal)
    usd_value: Mapped[Decimal | None] = mapped_column(ExactDecimal)
