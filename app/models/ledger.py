"""Every amount that came to an account or left it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.domain.ledger import EntryKind
from app.extensions import Table
from app.models.order import FillRow, OrderRow
from app.models.types import EnumText, ExactDecimal, UtcDateTime


class LedgerEntry(Table):
    """One amount of one asset, signed; entries are added and never changed.

    ``counted`` alone changes, once: whether `BalanceRow.expected` has it in already. The sync of balances counts by
    this mark and not by the highest id, because on PostgreSQL a lower id may become visible after a higher one.
    """

    __tablename__ = "ledger_entries"
    __table_args__ = (
        UniqueConstraint("fill_id", "asset", "kind"),
        Index("ix_ledger_entries_broker_counted", "broker_id", "counted"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    broker_id: Mapped[int] = mapped_column(ForeignKey("brokers.id", ondelete="CASCADE"))
    asset: Mapped[str] = mapped_column(String(32))
    amount: Mapped[Decimal] = mapped_column(ExactDecimal)
    kind: Mapped[EntryKind] = mapped_column(EnumText(EntryKind))
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id", ondelete="SET NULL"), index=True)
    fill_id: Mapped[int | None] = mapped_column(ForeignKey("fills.id", ondelete="SET NULL"))
    note: Mapped[str | None] = mapped_column(Text)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    counted: Mapped[bool] = mapped_column(default=False)

    order: Mapped[OrderRow | None] = relationship()
    fill: Mapped[FillRow | None] = relationship()
