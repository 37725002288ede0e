"""The markets a person wants at hand."""

from __future__ import annotations

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Table


class FavouriteMarket(Table):
    """A market that a person has starred, on every broker of theirs at the same exchange and environment."""

    __tablename__ = "favourite_markets"

    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    market_id: Mapped[int] = mapped_column(ForeignKey("markets.id", ondelete="CASCADE"), primary_key=True)
