"""Finding markets among thousands: a page at a time, by what the database holds, a person's favourites first.

All conditions stand on the rows of one exchange and environment, which the unique index of the table leads to: a few
thousand at most, so that looking for a text within their symbols needs no index of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select

from app.domain.markets import Market
from app.extensions import db
from app.models import Broker, FavouriteMarket, MarketRow, User


@dataclass(frozen=True, slots=True)
class MarketFilter:
    """Which active markets to list; everything absent means any. ``text`` stands within the symbol, as in ``btcus``."""

    text: str = ""
    quote: str = ""
    favourites: bool = False
    page: int = 1
    per_page: int = 50


@dataclass(frozen=True, slots=True)
class Found:
    """A market, its row, and whether the person who looks has starred it."""

    id: int
    market: Market
    favourite: bool


def listing(user: User, broker: Broker, wanted: MarketFilter) -> tuple[list[Found], int]:
    """A page of a broker's markets and how many match: what the text begins first, among these the starred ones."""
    conditions = _conditions(user, broker, wanted)
    total = db.session.scalar(select(func.count(MarketRow.id)).where(*conditions)) or 0
    text, starred = _bare(wanted.text), _is_starred_by(user)
    query = (
        select(MarketRow, starred)
        .where(*conditions)
        .order_by(
            (MarketRow.base == text).desc(),
            _bare_symbol().startswith(text).desc(),
            starred.desc(),
            MarketRow.symbol,
        )
        .limit(wanted.per_page)
        .offset((wanted.page - 1) * wanted.per_page)
    )
    return [Found(row.id, row.to_domain(), star) for row, star in db.session.execute(query)], total


def quotes(broker: Broker) -> Sequence[str]:
    """What a broker's active markets are priced in, the most frequent first."""
    query = select(MarketRow.quote).where(*_of(broker)).group_by(MarketRow.quote)
    return db.session.scalars(query.order_by(func.count(MarketRow.id).desc(), MarketRow.quote)).all()


def id_of(broker: Broker, symbol: str) -> int | None:
    """The row of exactly this symbol, if the broker has it."""
    same = (MarketRow.exchange == broker.exchange, MarketRow.environment == broker.environment)
    return db.session.scalar(select(MarketRow.id).where(*same, MarketRow.symbol == symbol))


def _conditions(user: User, broker: Broker, wanted: MarketFilter) -> list[ColumnElement[bool]]:
    conditions = _of(broker)
    if text := _bare(wanted.text):
        conditions.append(_bare_symbol().contains(text))
    if wanted.quote:
        conditions.append(MarketRow.quote == wanted.quote)
    if wanted.favourites:
        conditions.append(_is_starred_by(user))
    return conditions


def _of(broker: Broker) -> list[ColumnElement[bool]]:
    return [
        MarketRow.exchange == broker.exchange,
        MarketRow.environment == broker.environment,
        MarketRow.active.is_(True),
    ]


def _is_starred_by(user: User) -> ColumnElement[bool]:
    starred = (FavouriteMarket.market_id == MarketRow.id, FavouriteMarket.user_id == user.id)
    return select(FavouriteMarket.market_id).where(*starred).exists()


def _bare_symbol() -> ColumnElement[str]:
    """The symbol as people type it: without what stands between its assets."""
    return func.upper(func.replace(func.replace(MarketRow.symbol, "/", ""), ":", ""))


def _bare(text: str) -> str:
    return re.sub(r"[^A-Z0-9]", "", text.upper())
