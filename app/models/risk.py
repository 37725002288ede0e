"""What a person allows at most, and what is stopped until a person lifts it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.risk import Limits, TradingHours
from app.extensions import Table
from app.models.broker import Broker
from app.models.types import EnumText, ExactDecimal, UtcDateTime, utc_now
from app.models.user import User

_AS_THEY_ARE = tuple(name for name in Limits.__slots__ if name not in ("allowed_symbols", "trading_hours"))
_WHOLE_ACCOUNT = text("broker_id IS NULL")
_IN_FORCE = text("ended_at IS NULL")


class RiskLimits(Table):
    """The limits of one broker or, without ``broker_id``, of all of a person's brokers together.

    What is None has no limit; `app.domain.risk.Limits` says what each means. ``peak_equity`` is the highest worth in
    USD since the drawdown limit was set or its last halt was lifted.
    """

    __tablename__ = "risk_limits"
    __table_args__ = (
        UniqueConstraint("user_id", "broker_id"),
        # A NULL equals no other NULL in the constraint above.
        Index(
            "uq_risk_limits_whole_account",
            "user_id",
            unique=True,
            sqlite_where=_WHOLE_ACCOUNT,
            postgresql_where=_WHOLE_ACCOUNT,
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    broker_id: Mapped[int | None] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"))
    max_order_value: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    max_open_positions: Mapped[int | None]
    max_symbol_exposure: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    max_orders_per_minute: Mapped[int | None]
    daily_loss_limit: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    max_drawdown_percent: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    cooldown_losses: Mapped[int | None]
    cooldown_minutes: Mapped[int | None]
    allowed_symbols: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    trading_hours: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    price_collar_percent: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    peak_equity: Mapped[Decimal | None] = mapped_column(ExactDecimal)

    broker: Mapped[Broker | None] = relationship()

    def to_domain(self) -> Limits:
        """The limits as the decision knows them."""
        given = {name: getattr(self, name) for name in _AS_THEY_ARE}
        symbols, hours = self.allowed_symbols, self.trading_hours
        return Limits(
            **given,
            allowed_symbols=None if symbols is None else frozenset(symbols),
            trading_hours=None if hours is None else TradingHours.from_json(hours),
        )


class HaltScope(StrEnum):
    """How far a halt reaches."""

    SERVER = "SERVER"
    USER = "USER"
    BROKER = "BROKER"


class HaltCause(StrEnum):
    """Why entries were stopped."""

    MANUAL = "MANUAL"
    PANIC = "PANIC"
    DRAWDOWN = "DRAWDOWN"


class Halt(Table):
    """No entry is sent within its scope from ``started_at`` until ``ended_at``; exits still run.

    ``user_id`` is whose it is, None for the server's; ``started_by`` and ``ended_by`` are people, None for ourselves.
    """

    __tablename__ = "halts"
    __table_args__ = (
        Index("ix_halts_in_force", "scope", sqlite_where=_IN_FORCE, postgresql_where=_IN_FORCE),
        Index("ix_halts_user_started", "user_id", "started_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    scope: Mapped[HaltScope] = mapped_column(EnumText(HaltScope))
    user_id: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    broker_id: Mapped[int | None] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"))
    cause: Mapped[HaltCause] = mapped_column(EnumText(HaltCause))
    reason: Mapped[str] = mapped_column(Text)
    started_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    started_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    ended_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    ended_by: Mapped[int | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))

    broker: Mapped[Broker | None] = relationship()
    user: Mapped[User | None] = relationship(foreign_keys=[user_id])
