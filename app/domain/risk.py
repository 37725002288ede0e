"""What a person allows at most, and which of it an entry would break.

Pure: the facts are given. Exits are never asked about here: they always pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.errors import Violation
from app.domain.money import EXACT, plain

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class TradingHours:
    """When entries are allowed, on the clock of ``zone``. ``days`` are those on which a span begins (0 is Monday); one
    that ends earlier than it opens runs past midnight, and one that ends when it opens lasts the whole day."""

    days: frozenset[int]
    opens: time
    closes: time
    zone: ZoneInfo

    def admit(self, moment: datetime) -> bool:
        """Whether an aware moment lies within them."""
        local = moment.astimezone(self.zone)
        clock, today = local.time(), local.weekday()
        if self.opens < self.closes:
            return today in self.days and self.opens <= clock < self.closes
        if clock >= self.opens:
            return today in self.days
        return clock < self.closes and (local - timedelta(days=1)).weekday() in self.days

    def __str__(self) -> str:
        """As a person writes them; `parse` reads it."""
        days = ",".join(DAYS[day] for day in sorted(self.days))
        return f"{days} {self.opens:%H:%M}-{self.closes:%H:%M} {self.zone.key}"

    @classmethod
    def parse(cls, written: str) -> TradingHours:
        """The hours of ``Mon-Fri 08:00-17:30 Europe/Paris``; days may also be listed, as in ``Mon,Wed,Fri``.

        Raises:
            ValueError: anything else; says in words what is wrong with it.
        """
        days, _, rest = written.strip().partition(" ")
        hours, _, zone = rest.strip().partition(" ")
        opens, _, closes = hours.partition("-")
        listed = [day for part in days.split(",") for day in _days_of(part)]
        return cls.from_json({"days": listed, "from": opens, "to": closes, "zone": zone.strip()})

    def to_json(self) -> dict[str, Any]:
        """What is stored and what the API speaks; `from_json` reads it back."""
        return {
            "days": [DAYS[day] for day in sorted(self.days)],
            "from": f"{self.opens:%H:%M}",
            "to": f"{self.closes:%H:%M}",
            "zone": self.zone.key,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> TradingHours:
        """The hours that `to_json` wrote.

        Raises:
            ValueError: anything else; says in words what is wrong with it.
        """
        named = stored.get("days")
        if not isinstance(named, list) or not named or any(day not in DAYS for day in named):
            raise ValueError(f"the days must be some of {', '.join(DAYS)}")
        try:
            zone = ZoneInfo(stored["zone"])
        except (KeyError, TypeError, ValueError, OSError):
            raise ValueError("the zone must be one like Europe/Paris or UTC") from None
        try:
            opens, closes = (time.fromisoformat(stored[name]).replace(tzinfo=None) for name in ("from", "to"))
        except (KeyError, TypeError, ValueError):
            raise ValueError("the times must be written like 08:30") from None
        return cls(frozenset(DAYS.index(day) for day in named), opens, closes, zone)


@dataclass(frozen=True, slots=True)
class Limits:
    """What is None has no limit. Amounts in USD.

    ``max_open_positions`` counts markets held or being bought; ``max_symbol_exposure`` is the worth held of one market
    and being bought of it; ``daily_loss_limit`` is a loss, as a positive amount; after ``cooldown_losses`` positions
    in a row that lost, there is no entry for ``cooldown_minutes``; ``price_collar_percent`` is how far a limit price
    may be from the last one. ``max_drawdown_percent`` is no limit of one entry: equity that falls further below its
    peak halts them all, see `fallen_too_far`.
    """

    max_order_value: Decimal | None = None
    max_open_positions: int | None = None
    max_symbol_exposure: Decimal | None = None
    max_orders_per_minute: int | None = None
    daily_loss_limit: Decimal | None = None
    max_drawdown_percent: Decimal | None = None
    cooldown_losses: int | None = None
    cooldown_minutes: int | None = None
    allowed_symbols: frozenset[str] | None = None
    trading_hours: TradingHours | None = None
    price_collar_percent: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """An entry and what it meets. Amounts in USD, prices in quote; what nobody knows is None.

    ``exposure`` is the worth of the same market held and being bought without this entry; ``other_markets`` is how many
    others are held or being bought; ``day_result`` is what was earned since midnight UTC, negative for a loss;
    ``losses_in_a_row`` ends with the position that closed last, at ``last_closed_at``.
    """

    now: datetime
    symbol: str
    value: Decimal | None
    exposure: Decimal | None
    other_markets: int
    orders_last_minute: int
    day_result: Decimal | None
    losses_in_a_row: int
    last_closed_at: datetime | None
    limit_price: Decimal | None
    last_price: Decimal | None


def breaches(limits: Limits, facts: Facts) -> list[Violation]:
    """Every limit an entry breaks, named, in words with the value and the limit; empty when it may be sent.

    A limit that cannot be judged because no price is known denies too: a gate that opens in the dark guards nothing.
    """
    rules = (_symbol, _hours, _value, _exposure, _positions, _rate, _day, _cooldown, _collar)
    return [violation for rule in rules for violation in rule(limits, facts)]


def fallen_too_far(equity: Decimal, peak: Decimal, max_drawdown_percent: Decimal) -> bool:
    """Whether equity is more than so many percent below its peak."""
    return EXACT.multiply(peak - equity, _HUNDRED) > EXACT.multiply(peak, max_drawdown_percent)


def _days_of(part: str) -> list[str]:
    """``Tue-Thu`` as a list; a single day, or what is no day at all, as it is."""
    first, dash, last = (word.strip().capitalize() for word in part.partition("-"))
    if not dash or first not in DAYS or last not in DAYS:
        return [part.strip().capitalize()]
    start, end = DAYS.index(first), DAYS.index(last)
    return [DAYS[day % len(DAYS)] for day in range(start, end + 1 if end >= start else end + 1 + len(DAYS))]


def _symbol(limits: Limits, facts: Facts) -> Iterator[Violation]:
    if limits.allowed_symbols is not None and facts.symbol not in limits.allowed_symbols:
        allowed = ", ".join(sorted(limits.allowed_symbols))
        yield Violation("allowed_symbols", f"{facts.symbol} is not among the allowed symbols: {allowed}")


def _hours(limits: Limits, facts: Facts) -> Iterator[Violation]:
    hours = limits.trading_hours
    if hours is not None and not hours.admit(facts.now):
        local = facts.now.astimezone(hours.zone)
        yield Violation(
            "trading_hours",
            f"it is {DAYS[local.weekday()]} {local:%H:%M}, outside the trading hours: {hours}",
        )


def _value(limits: Limits, facts: Facts) -> Iterator[Violation]:
    most = limits.max_order_value
    if most is None:
        return
    if facts.value is None:
        yield _unknown("max_order_value", f"the worth of the order is not known, and at most {_usd(most)} is")
    elif facts.value > most:
        yield Violation(
            "max_order_value", f"the order is worth {_usd(facts.value)}; at most {_usd(most)} is allowed"
        )


def _exposure(limits: Limits, facts: Facts) -> Iterator[Violation]:
    most = limits.max_symbol_exposure
    if most is None:
        return
    if facts.value is None or facts.exposure is None:
        yield _unknown(
            "max_symbol_exposure",
            f"what is held of {facts.symbol} cannot be valued, and at most {_usd(most)} is",
        )
    elif facts.exposure + facts.value > most:
        yield Violation(
            "max_symbol_exposure",
            f"with this order {_usd(facts.exposure + facts.value)} would be in {facts.symbol}; "
            f"at most {_usd(most)} is allowed",
        )


def _positions(limits: Limits, facts: Facts) -> Iterator[Violation]:
    most = limits.max_open_positions
    if most is not None and facts.other_markets + 1 > most:
        yield Violation(
            "max_open_positions",
            f"{facts.other_markets} other positions are open or being opened; at most {most} are allowed",
        )


def _rate(limits: Limits, facts: Facts) -> Iterator[Violation]:
    most = limits.max_orders_per_minute
    if most is not None and facts.orders_last_minute + 1 > most:
        yield Violation(
            "max_orders_per_minute",
            f"{facts.orders_last_minute} entries were sent in the last minute; at most {most} are allowed",
        )


def _day(limits: Limits, facts: Facts) -> Iterator[Violation]:
    most = limits.daily_loss_limit
    if most is None:
        return
    if facts.day_result is None:
        yield _unknown("daily_loss_limit", f"today's result cannot be valued, and a loss of {_usd(most)} is")
    elif -facts.day_result >= most:
        yield Violation(
            "daily_loss_limit",
            f"today's loss is {_usd(-facts.day_result)}; entries stop at {_usd(most)} until midnight UTC",
        )


def _cooldown(limits: Limits, facts: Facts) -> Iterator[Violation]:
    losses, minutes = limits.cooldown_losses, limits.cooldown_minutes
    if losses is None or minutes is None or facts.last_closed_at is None:
        return
    ends = facts.last_closed_at + timedelta(minutes=minutes)
    if facts.losses_in_a_row >= losses and facts.now < ends:
        yield Violation(
            "cooldown",
            f"{facts.losses_in_a_row} positions in a row lost; after {losses} there is no entry for {minutes} "
            f"minutes, until {ends:%H:%M:%S} UTC",
        )


def _collar(limits: Limits, facts: Facts) -> Iterator[Violation]:
    most, price, last = limits.price_collar_percent, facts.limit_price, facts.last_price
    if most is None or price is None:
        return
    if not last:
        yield _unknown("price_collar", f"the last price is not known, and at most {plain(most)} % from it is")
        return
    distance = EXACT.multiply(abs(price - last), _HUNDRED)
    if distance > EXACT.multiply(last, most):
        shown = plain(EXACT.divide(distance, last).quantize(Decimal("0.01")))
        yield Violation(
            "price_collar",
            f"the price {plain(price)} is {shown} % from the last one, {plain(last)}; "
            f"at most {plain(most)} % is allowed",
        )


def _unknown(rule: str, what: str) -> Violation:
    return Violation(rule, f"{what} allowed; it is known again after the next sync of prices")


def _usd(amount: Decimal) -> str:
    return f"{plain(amount)} USD"  # every digit: rounded, a breach by a hair would read as none
