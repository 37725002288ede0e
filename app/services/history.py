"""What a person's accounts were worth over time, all together and asset by asset.

Written by the sync of balances, and thinned as it ages: see `app.domain.history`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import groupby
from typing import NamedTuple, Protocol, TypeVar

from sqlalchemy import Select, delete, func, insert, literal, select, union_all

from app.domain.history import KEPT, LENGTHS, Grain, finest, grain_of, made_of, row_length, stretch
from app.extensions import db
from app.models import BalancePoint, BalanceRow, Broker, EquityPoint, User, utc_now
from app.models.types import UtcDateTime

_ZERO = Decimal(0)
_DAY = timedelta(days=1)


class Worth(NamedTuple):
    """What accounts were worth at a moment, in USD, without the ``unpriced`` assets that no price led to."""

    at: datetime
    usd: Decimal
    unpriced: int = 0


class Holding(NamedTuple):
    """What a broker held of an asset at a moment; ``usd`` is None when no price led to USD."""

    at: datetime
    total: Decimal
    usd: Decimal | None


class _Dated(Protocol):
    @property
    def at(self) -> datetime: ...


Point = TypeVar("Point", bound=_Dated)


@dataclass(frozen=True, slots=True)
class Course:
    """How the worth of all accounts went, oldest first; ``day_ago`` is None when no record goes back that far."""

    curve: list[Worth]
    day_ago: Worth | None


def note(broker: Broker, balances: Collection[BalanceRow], now: datetime) -> None:
    """Keep what a broker's balances are worth now, if no point of this quarter of an hour is kept. Does not commit."""
    newest = select(func.max(EquityPoint.at)).where(EquityPoint.broker_id == broker.id)
    grain = grain_of(now, db.session.scalar(newest))
    if grain is None:
        return
    held = [row for row in balances if row.total]
    usd = sum((row.usd_value for row in held if row.usd_value is not None), _ZERO)
    unpriced = sum(row.usd_value is None for row in held)
    db.session.add(EquityPoint(broker_id=broker.id, at=now, grain=grain, usd=usd, unpriced=unpriced))
    same = {"broker_id": broker.id, "at": now, "grain": grain}
    points = [
        {**same, "asset": row.asset, "total": row.total, "usd": row.usd_value}
        for row in held
        if grain is Grain.DAY or _matters(row)
    ]
    if points:
        db.session.execute(insert(BalancePoint), points)
    if grain is not Grain.QUARTER:
        _thin(broker, now)


def _matters(row: BalanceRow) -> bool:
    """Accounts may hold hundreds of coins that are worth nothing: those are kept once a day."""
    return row.usd_value is not None and not row.is_dust


def _thin(broker: Broker, now: datetime) -> None:
    for kind in (EquityPoint, BalancePoint):
        for grain, kept in KEPT.items():
            too_old = (kind.broker_id == broker.id, kind.grain == grain, kind.at < now - kept)
            db.session.execute(delete(kind).where(*too_old), execution_options={"synchronize_session": False})


def of_equity(user: User, period: timedelta, held: Sequence[tuple[Broker, BalanceRow]]) -> Course:
    """A person's worth over the last ``period``, all brokers together, one point a stretch, up to what is ``held`` now.

    A broker that was connected meanwhile counts from then on.
    """
    grain, now = finest(period), utc_now()
    start, day_ago = now - period, now - _DAY
    before = _points_at(user, {start, day_ago})
    query = (
        select(EquityPoint.at, EquityPoint.broker_id, EquityPoint.usd, EquityPoint.unpriced)
        .join(Broker, Broker.id == EquityPoint.broker_id)
        .where(Broker.user_id == user.id, EquityPoint.at > start, EquityPoint.grain.in_(made_of(grain)))
        .order_by(EquityPoint.at)
    )
    latest = dict(before[start])
    curve: list[Worth] = []
    for _, points in groupby(db.session.execute(query), lambda point: stretch(point.at, LENGTHS[grain])):
        for at, broker_id, usd, unpriced in points:
            latest[broker_id] = Worth(at, usd, unpriced)
        curve.append(_together(latest.values(), at))
    now_held = _now(held)
    if now_held is not None and (not curve or curve[-1].at < now_held.at):
        curve.append(now_held)
    return Course(curve, _together(before[day_ago].values(), day_ago) if before[day_ago] else None)


def of_asset(broker: Broker, asset: str, period: timedelta, row: BalanceRow | None) -> list[Holding]:
    """What a broker held of an asset over the last ``period``, oldest first, up to what it holds now, its ``row``."""
    query = select(BalancePoint.at, BalancePoint.total, BalancePoint.usd).where(
        BalancePoint.broker_id == broker.id,
        BalancePoint.asset == asset,
        BalancePoint.at >= utc_now() - period,
        BalancePoint.grain.in_(made_of(finest(period))),
    )
    points = [Holding(*point) for point in db.session.execute(query.order_by(BalancePoint.at))]
    synced_at = broker.balances_synced_at
    if row is not None and synced_at is not None and (not points or points[-1].at < synced_at):
        points.append(Holding(synced_at, row.total, row.usd_value))
    return points


def rows(points: Iterable[Point], period: timedelta) -> list[Point]:
    """The points that a table of so long a time tells, the newest first: the last of each of its rows."""
    length = row_length(period)
    last = {stretch(point.at, length): point for point in points}
    return [last[number] for number in sorted(last, reverse=True)]


def knows(broker: Broker, asset: str) -> bool:
    """Whether a broker ever held an asset when its worth was kept."""
    query = select(BalancePoint.id).where(BalancePoint.broker_id == broker.id, BalancePoint.asset == asset)
    return db.session.scalar(query.limit(1)) is not None


def hourly(held: Iterable[BalanceRow], since: datetime) -> Mapping[tuple[int, str], list[Holding]]:
    """What was held of each of these, by broker and asset, oldest first, a point an hour."""
    found: dict[tuple[int, str], list[Holding]] = {(row.broker_id, row.asset): [] for row in held}
    query = select(
        BalancePoint.broker_id, BalancePoint.asset, BalancePoint.at, BalancePoint.total, BalancePoint.usd
    ).where(
        BalancePoint.broker_id.in_({broker_id for broker_id, _ in found}),
        BalancePoint.grain.in_(made_of(Grain.HOUR)),
        BalancePoint.at >= since,
        BalancePoint.asset.in_({asset for _, asset in found}),
    )
    for broker_id, asset, at, total, usd in db.session.execute(query.order_by(BalancePoint.at)):
        if (broker_id, asset) in found:
            found[broker_id, asset].append(Holding(at, total, usd))
    return found


def _points_at(user: User, moments: Iterable[datetime]) -> Mapping[datetime, dict[int, Worth]]:
    """The newest point of each broker up to each of these moments."""
    found: dict[datetime, dict[int, Worth]] = {moment: {} for moment in moments}
    newest = union_all(*(_newest_up_to(user, moment) for moment in found)).subquery()
    is_newest = (EquityPoint.broker_id == newest.c.broker_id) & (EquityPoint.at == newest.c.at)
    for point, moment in db.session.execute(select(EquityPoint, newest.c.moment).join(newest, is_newest)):
        found[moment][point.broker_id] = Worth(point.at, point.usd, point.unpriced)
    return found


def _newest_up_to(user: User, moment: datetime) -> Select[int, datetime, datetime]:
    return (
        select(
            EquityPoint.broker_id,
            func.max(EquityPoint.at).label("at"),
            literal(moment, UtcDateTime).label("moment"),
        )
        .join(Broker, Broker.id == EquityPoint.broker_id)
        .where(Broker.user_id == user.id, EquityPoint.at <= moment)
        .group_by(EquityPoint.broker_id)
    )


def _now(held: Sequence[tuple[Broker, BalanceRow]]) -> Worth | None:
    synced = [broker.balances_synced_at for broker, _ in held if broker.balances_synced_at is not None]
    if not synced:
        return None
    usd = sum((row.usd_value for _, row in held if row.usd_value is not None), _ZERO)
    return Worth(max(synced), usd, sum(row.usd_value is None and bool(row.total) for _, row in held))


def _together(accounts: Iterable[Worth], at: datetime) -> Worth:
    known = list(accounts)
    usd = sum((worth.usd for worth in known), _ZERO)
    return Worth(at, usd, sum(worth.unpriced for worth in known))
