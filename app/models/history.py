"""What accounts held and were worth over time, thinned as it ages (see `app.domain.history`)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.history import Grain
from app.extensions import Table
from app.models.types import EnumText, ExactDecimal, UtcDateTime, utc_now


class EquityPoint(Table):
    """A broker's worth in USD at one moment: the equity curve. ``unpriced`` assets that it held are not in it."""

    __tablename__ = "equity"

    id: Mapped[int] = mapped_column(primary_key=True)
    broker_id: Mapped[int] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    grain: Mapped[Grain] = mapped_column(EnumText(Grain))
    usd: Mapped[Decimal] = mapped_column(ExactDecimal)
    unpriced: Mapped[int] = mapped_column(default=0, server_default="0")

    __table_args__ = (Index("ix_equity_broker_at", "broker_id", "at"),)


class BalancePoint(Table):
    """What a broker held of one asset at one moment; ``usd`` is None when no price led to USD."""

    __tablename__ = "balance_history"
    __table_args__ = (
        Index("ix_balance_history_asset_at", "broker_id", "asset", "at"),
        Index("ix_balance_history_grain_at", "broker_id", "grain", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    broker_id: Mapped[int] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"))
    asset: Mapped[str] = mapped_column(String(32))
    at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    grain: Mapped[Grain] = mapped_column(EnumText(Grain))
    total: Mapped[Decimal] = mapped_column(ExactDecimal)
    usd: Mapped[Decimal | None] = mapped_column(ExactDecimal)
