"""What a person holds, as a list to look through: what it is worth, and how that changed within a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from app.domain.money import EXACT
from app.models import BalanceRow, Broker, FuturesBalance, User, utc_now
from app.services import balances, futures, history
from app.services.history import Holding

_DAY = timedelta(days=1)
_HOUR = timedelta(hours=1)
_ZERO = Decimal(0)
_TENTH = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class HoldingFilter:
    """Which balances to list; everything absent means any. ``asset`` is a part of its name."""

    broker_id: int | None = None
    asset: str | None = None
    without_dust: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """One asset of one broker with the points of the last day, an hour apart, oldest first."""

    broker: Broker
    row: BalanceRow
    points: Sequence[Holding] = ()

    @property
    def day_change(self) -> Decimal | None:
        """How much more it is worth in USD than a day ago, whatever came or went; None when either is not known."""
        before = self._a_day_ago
        if before is None or self.row.usd_value is None:
            return None
        return self.row.usd_value - before

    @property
    def day_change_percent(self) -> Decimal | None:
        """The same in percent of what it was worth then."""
        change, before = self.day_change, self._a_day_ago
        return None if change is None or not before else EXACT.divide(change * 100, before).quantize(_TENTH)

    @property
    def course(self) -> list[Decimal | None]:
        """What it was worth hour by hour, now last; None where no price was known."""
        return [*(point.usd for point in self.points), self.row.usd_value]

    @property
    def _a_day_ago(self) -> Decimal | None:
        then = utc_now() - _DAY
        return next((point.usd for point in reversed(self.points) if point.at <= then), None)


@dataclass(frozen=True, slots=True)
class Share:
    """A part of all that is held; ``percent`` of what has a price. ``name`` is None for the small ones together."""

    name: str | None
    usd: Decimal
    percent: Decimal


def matching(user: User, wanted: HoldingFilter) -> list[Held]:
    """The balances that pass, the most valuable first, without their course.

    Dust that drifts is listed all the same: it has to be explained.
    """
    return [
        Held(broker, row)
        for broker, row in balances.held_by(user)
        if _passes(broker, row.asset, wanted) and (not wanted.without_dust or not row.is_dust or row.drift)
    ]


def futures_matching(user: User, wanted: HoldingFilter) -> list[tuple[Broker, FuturesBalance]]:
    """What backs futures and passes, of which nothing is dust."""
    return [(broker, row) for broker, row in futures.held_by(user) if _passes(broker, row.asset, wanted)]


def _passes(broker: Broker, asset: str, wanted: HoldingFilter) -> bool:
    return wanted.broker_id in (None, broker.id) and (wanted.asset or "").upper() in asset.upper()


def with_course(held: Sequence[Held]) -> list[Held]:
    """The same with the points of the last day, read together."""
    points = history.hourly((each.row for each in held), utc_now() - _DAY - _HOUR)
    return [Held(each.broker, each.row, points[each.row.broker_id, each.row.asset]) for each in held]


def shares(worth: Iterable[tuple[str, Decimal | None]], most: int = 6) -> list[Share]:
    """How what is held is shared out among names, the largest first; beyond ``most`` of them the rest is one."""
    sums: dict[str, Decimal] = {}
    for name, usd in worth:
        if usd is not None and usd > 0:
            sums[name] = EXACT.add(sums.get(name, _ZERO), usd)
    ranked: list[tuple[str | None, Decimal]] = sorted(sums.items(), key=lambda pair: pair[1], reverse=True)
    if len(ranked) > most:
        ranked[most - 1 :] = [(None, sum((usd for _, usd in ranked[most - 1 :]), _ZERO))]
    total = sum((usd for _, usd in ranked), _ZERO)
    return [Share(name, usd, EXACT.divide(usd * 100, total).quantize(_TENTH)) for name, usd in ranked]
