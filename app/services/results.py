"""What trading earned, day by day in a person's own zone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import cast
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app.domain.accounts import Environment
from app.domain.money import EXACT
from app.extensions import db
from app.models import Broker, Position, PositionStatus, User
from app.services import prices

_ZERO = Decimal(0)


@dataclass(slots=True)
class Day:
    """The positions that were closed on one day and what they earned in USD, after fees.

    ``unpriced`` are quote assets that no price leads from to USD: what was earned in those is left out.
    """

    on: date
    usd: Decimal = _ZERO
    closed: int = 0
    won: int = 0
    unpriced: set[str] = field(default_factory=set)


def by_day(user: User, first: date, last: date, zone: ZoneInfo) -> dict[date, Day]:
    """The days from ``first`` to ``last`` on which a position was closed.

    A position counts whole on the day it was closed. What was earned in another quote than dollars is converted at the
    last price known: what it was worth on that day is not kept.
    """
    query = (
        select(Position.closed_at, Position.symbol, Position.realised, Broker.exchange, Broker.environment)
        .join(Broker, Broker.id == Position.broker_id)
        .where(
            Position.user_id == user.id,
            Position.status == PositionStatus.CLOSED,
            Position.closed_at >= datetime.combine(first, time(), zone),
            Position.closed_at < datetime.combine(last + timedelta(days=1), time(), zone),
        )
    )
    days: dict[date, Day] = {}
    worth = _Worth()
    for closed_at, symbol, realised, exchange, environment in db.session.execute(query):
        on = cast(datetime, closed_at).astimezone(zone).date()
        day = days.setdefault(on, Day(on))
        day.closed += 1
        day.won += realised > 0
        quote = symbol.partition("/")[2]
        one = worth[exchange, environment, quote]
        if one is None:
            day.unpriced.add(quote)
        else:
            day.usd = EXACT.add(day.usd, EXACT.multiply(realised, one))
    return days


class _Worth(dict[tuple[str, Environment, str], Decimal | None]):
    """What one unit of an asset is worth in USD on an exchange, asked for once."""

    def __missing__(self, key: tuple[str, Environment, str]) -> Decimal | None:
        exchange, environment, asset = key
        self[key] = prices.worth(exchange, environment, asset, Decimal(1))
        return self[key]
