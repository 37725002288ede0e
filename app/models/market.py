"""The tradable pairs of each exchange and environment, with their rules."""

from __future__ import annotations

from decimal import Decimal

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.domain.accounts import Environment
from app.domain.markets import Market, MarketKind
from app.extensions import Table
from app.models.types import EnumText, ExactDecimal


class MarketRow(Table):
    """One market, shared by every broker of the same exchange and environment."""

    __tablename__ = "markets"
    __table_args__ = (UniqueConstraint("exchange", "environment", "symbol"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    exchange: Mapped[str] = mapped_column(String(20))
    environment: Mapped[Environment] = mapped_column(EnumText(Environment))
    symbol: Mapped[str] = mapped_column(String(64))
    exchange_symbol: Mapped[str] = mapped_column(String(64))
    base: Mapped[str] = mapped_column(String(32))
    quote: Mapped[str] = mapped_column(String(32))
    kind: Mapped[MarketKind] = mapped_column(EnumText(MarketKind))
    active: Mapped[bool]
    tick_size: Mapped[Decimal] = mapped_column(ExactDecimal)
    lot_size: Mapped[Decimal] = mapped_column(ExactDecimal)
    min_quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    max_quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    min_notional: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    max_market_quantity: Mapped[Decimal | None] = mapped_column(ExactDecimal)
    quote_lot_size: Mapped[Decimal] = mapped_column(ExactDecimal)

    def to_domain(self) -> Market:
        """The market as services and exchange clients know it."""
        return Market(**{name: getattr(self, name) for name in Market.__slots__})
