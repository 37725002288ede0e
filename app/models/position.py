"""What is held because of our orders, and how it shall be guarded."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, composite, mapped_column, relationship

from app.domain.money import EXACT
from app.domain.positions import Holding
from app.extensions import Table
from app.models.broker import Broker
from app.models.types import EnumText, ExactDecimal, UtcDateTime, utc_now

_OPEN_ONLY = text("status = 'OPEN'")


class PositionStatus(StrEnum):
    """Whether anything is still held."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


class TargetStatus(StrEnum):
    """How far a take-profit has come."""

    WAITING = "WAITING"
    TAKEN = "TAKEN"


class Position(Table):
    """What one broker holds of one market because of orders of ours; at most one is open at a time.

    ``quantity`` is held now and ``bought`` was brought in over its life, both in base after fees taken in base;
    ``cost`` is what the held part was bought for and ``realised`` what sales earned, both in quote after ``fees`` in
    quote; ``external`` was sold by hand on the exchange, in base. Of these ``carried`` is the part of orders that can
    change no more (`app.services.counting`), up to the latest purchase and the latest sale among them.

    The rest is the wish that is brought about on the exchange: ``stop_loss`` and ``trailing_percent`` (the stop follows
    ``high``, the best price seen since), ``targets``, and ``close_quantity`` still to be sold at the market, on the
    word of the alert ``close_alert_id`` if one asked for it. ``trailing_refused``: the exchange turned down a trailing
    stop of its own, so that we move the stop. ``alarm`` says in words why it is not guarded as wished, after
    ``stop_failures`` tries.
    """

    __tablename__ = "positions"
    __table_args__ = (
        Index(
            "uq_positions_open",
            "broker_id",
            "symbol",
            unique=True,
            sqlite_where=_OPEN_ONLY,
            postgresql_where=_OPEN_ONLY,
        ),
        Index("ix_positions_user_status", "user_id", "status"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    broker_id: Mapped[int] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"))
    symbol: Mapped[str] = mapped_column(String(64))
    status: Mapped[PositionStatus] = mapped_column(EnumText(PositionStatus), default=PositionStatus.OPEN)

    quantity: Mapped[Decimal] = mapped_column(ExactDecimal)
    bought: Mapped[Decimal] = mapped_column(ExactDecimal)
    cost: Mapped[Decimal] = mapped_column(ExactDecimal)
    realised: Mapped[Decimal] = mapped_column(ExactDecimal)
    fees: Mapped[Decimal] = mapped_column(ExactDecimal)
    external: Mapped[Decimal] = mapped_column(ExactDecimal, default=Decimal(0))

    carried: Mapped[Holding] = composite(
        *(
            mapped_column(f"carried_{amount}", ExactDecimal, nullable=False, server_default="0")
            for amount in ("quantity", "bought", "cost", "realised", "fees")
        )
    )
    carried_purchase_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    carried_sale_at: Mapped[datetime | None] = mapped_column(UtcDateTime)

    stop_loss: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    trailing_percent: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    high: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    trailing_refused: Mapped[bool] = mapped_column(default=False)
    close_quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    close_alert_id: Mapped[int | None] = mapped_column(ForeignKey("alerts.id", ondelete="SET NULL"))
    stop_failures: Mapped[int] = mapped_column(default=0)
    alarm: Mapped[str | None] = mapped_column(Text)

    opened_at: Mapped[datetime] = mapped_column(UtcDateTime, default=utc_now)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    closed_because: Mapped[str | None] = mapped_column(Text)

    broker: Mapped[Broker] = relationship()
    targets: Mapped[list[PositionTarget]] = relationship(
        back_populates="position",
        order_by="PositionTarget.id",
        cascade="all, delete-orphan",
        passive_deletes=True,
    )

    def wish_sale(self, quantity: Decimal, alert_id: int | None = None) -> None:
        """Have so much, in base, sold at the market now; at the word of an alert only until that expires."""
        self.close_quantity, self.close_alert_id = quantity, alert_id

    @property
    def entry_price(self) -> Decimal | None:
        """What one unit of the held part was bought for, on average."""
        return EXACT.divide(self.cost, self.quantity) if self.quantity else None


class PositionTarget(Table):
    """One take-profit of a position: at ``price`` (in quote), ``share`` percent of what was bought is sold."""

    __tablename__ = "position_targets"

    id: Mapped[int] = mapped_column(primary_key=True)
    position_id: Mapped[int] = mapped_column(ForeignKey("positions.id", ondelete="CASCADE"), index=True)
    price: Mapped[Decimal] = mapped_column(ExactDecimal)
    share: Mapped[Decimal] = mapped_column(ExactDecimal)
    status: Mapped[TargetStatus] = mapped_column(EnumText(TargetStatus), default=TargetStatus.WAITING)

    position: Mapped[Position] = relationship(back_populates="targets")
