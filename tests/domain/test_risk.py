"""Limits: each is named when it is broken, and only then."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.risk import DAYS, Facts, Limits, TradingHours, breaches, fallen_too_far

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)  # a Wednesday
CALM = Facts(
    now=NOW,
    symbol="BTC/USDT",
    value=Decimal(100),
    exposure=Decimal(0),
    other_markets=0,
    orders_last_minute=0,
    day_result=Decimal(0),
    losses_in_a_row=0,
    last_closed_at=None,
    limit_price=None,
    last_price=Decimal(60000),
)
UTC_ZONE = ZoneInfo("UTC")
OFFICE = TradingHours(frozenset({0, 1}), time(8), time(17), UTC_ZONE)
amounts = st.decimals(min_value="0.01", max_value="1000000", places=2)
percents = st.decimals(min_value="0.1", max_value="100", places=1)


def rules(limits: Limits, **facts: Any) -> list[str]:
    return [found.rule for found in breaches(limits, replace(CALM, **facts))]


@st.composite
def any_facts(draw: st.DrawFn) -> Facts:
    return Facts(
        now=draw(st.datetimes(timezones=st.just(UTC))),
        symbol=draw(st.sampled_from(["BTC/USDT", "ETH/USDT"])),
        value=draw(st.none() | amounts),
        exposure=draw(st.none() | amounts),
        other_markets=draw(st.integers(0, 50)),
        orders_last_minute=draw(st.integers(0, 500)),
        day_result=draw(st.none() | amounts.map(lambda amount: amount - 500000)),
        losses_in_a_row=draw(st.integers(0, 10)),
        last_closed_at=draw(st.none() | st.just(NOW)),
        limit_price=draw(st.none() | amounts),
        last_price=draw(st.none() | amounts),
    )


@given(any_facts())
def test_without_limits_everything_passes(facts: Facts) -> None:
    assert breaches(Limits(), facts) == []


@given(amounts, amounts)
def test_an_order_may_be_worth_the_limit_and_not_a_cent_more(most: Decimal, value: Decimal) -> None:
    broken = rules(Limits(max_order_value=most), value=value)
    assert broken == (["max_order_value"] if value > most else [])


@given(amounts, amounts, amounts)
def test_exposure_counts_what_is_held_and_what_is_asked_for(
    most: Decimal, held: Decimal, value: Decimal
) -> None:
    broken = rules(Limits(max_symbol_exposure=most), exposure=held, value=value)
    assert broken == (["max_symbol_exposure"] if held + value > most else [])


@given(st.integers(1, 20), st.integers(0, 30))
def test_one_more_market_than_allowed_is_one_too_many(most: int, others: int) -> None:
    broken = rules(Limits(max_open_positions=most), other_markets=others)
    assert broken == (["max_open_positions"] if others >= most else [])


@given(st.integers(1, 20), st.integers(0, 30))
def test_one_more_entry_in_a_minute_than_allowed_is_one_too_many(most: int, sent: int) -> None:
    broken = rules(Limits(max_orders_per_minute=most), orders_last_minute=sent)
    assert broken == (["max_orders_per_minute"] if sent >= most else [])


@given(amounts, st.decimals(min_value="-1000000", max_value="1000000", places=2))
def test_the_day_ends_for_entries_once_the_loss_reaches_its_limit(most: Decimal, result: Decimal) -> None:
    broken = rules(Limits(daily_loss_limit=most), day_result=result)
    assert broken == (["daily_loss_limit"] if result <= -most else [])


@given(st.integers(1, 5), st.integers(1, 120), st.integers(0, 8), st.integers(0, 10000))
def test_after_so_many_losses_in_a_row_there_is_a_pause_and_it_ends(
    losses: int, minutes: int, lost: int, seconds_ago: int
) -> None:
    limits = Limits(cooldown_losses=losses, cooldown_minutes=minutes)
    broken = rules(limits, losses_in_a_row=lost, last_closed_at=NOW - timedelta(seconds=seconds_ago))
    assert broken == (["cooldown"] if lost >= losses and seconds_ago < minutes * 60 else [])


@given(percents, amounts, amounts)
def test_a_limit_price_stays_within_its_distance_from_the_last(
    most: Decimal, price: Decimal, last: Decimal
) -> None:
    broken = rules(Limits(price_collar_percent=most), limit_price=price, last_price=last)
    assert broken == (["price_collar"] if abs(price - last) * 100 > last * most else [])


def test_a_market_order_has_no_price_to_keep_in_a_collar() -> None:
    assert rules(Limits(price_collar_percent=Decimal(1)), last_price=None) == []


def test_only_allowed_symbols_pass() -> None:
    assert rules(Limits(allowed_symbols=frozenset({"BTC/USDT"}))) == []
    assert rules(Limits(allowed_symbols=frozenset({"ETH/USDT"}))) == ["allowed_symbols"]
    assert rules(Limits(allowed_symbols=frozenset())) == ["allowed_symbols"]


@pytest.mark.parametrize(
    ("limits", "facts"),
    [
        (Limits(max_order_value=Decimal(1)), {"value": None}),
        (Limits(max_symbol_exposure=Decimal(1000)), {"exposure": None}),
        (Limits(max_symbol_exposure=Decimal(1000)), {"value": None}),
        (Limits(daily_loss_limit=Decimal(1)), {"day_result": None}),
        (Limits(price_collar_percent=Decimal(1)), {"limit_price": Decimal(5), "last_price": None}),
        (Limits(price_collar_percent=Decimal(1)), {"limit_price": Decimal(5), "last_price": Decimal(0)}),
    ],
)
def test_what_cannot_be_judged_without_a_price_is_denied(limits: Limits, facts: dict[str, Any]) -> None:
    [found] = breaches(limits, replace(CALM, **facts))
    assert "known" in found.message or "valued" in found.message


def test_every_broken_limit_is_named_with_the_value_and_the_limit() -> None:
    limits = Limits(max_order_value=Decimal(50), max_open_positions=1, trading_hours=OFFICE)
    words = [found.message for found in breaches(limits, replace(CALM, other_markets=3))]
    assert words == [
        "it is Wed 12:00, outside the trading hours: Mon,Tue 08:00-17:00 UTC",
        "the order is worth 100 USD; at most 50 USD is allowed",
        "3 other positions are open or being opened; at most 1 are allowed",
    ]


def test_every_limit_is_judged_by_some_rule_or_by_the_drawdown() -> None:
    """A field added to `Limits` must not be forgotten by `breaches`."""
    assert {field.name for field in fields(Limits)} == {
        *("max_order_value", "max_open_positions", "max_symbol_exposure", "max_orders_per_minute"),
        *("daily_loss_limit", "max_drawdown_percent", "cooldown_losses", "cooldown_minutes"),
        *("allowed_symbols", "trading_hours", "price_collar_percent"),
    }


def at(day: int, clock: str, zone: str = "UTC") -> datetime:
    """A moment of the week that began on Monday, 23 November 2026."""
    return datetime.fromisoformat(f"2026-11-{23 + day}T{clock}").replace(tzinfo=ZoneInfo(zone))


def test_hours_open_at_their_beginning_and_are_over_at_their_end() -> None:
    assert OFFICE.admit(at(0, "08:00"))
    assert OFFICE.admit(at(1, "16:59:59"))
    assert not OFFICE.admit(at(0, "07:59:59"))
    assert not OFFICE.admit(at(0, "17:00"))
    assert not OFFICE.admit(at(2, "12:00"))


def test_hours_past_midnight_belong_to_the_day_on_which_they_began() -> None:
    night = TradingHours.parse("Mon 22:00-02:00 UTC")
    assert night.admit(at(0, "23:00"))
    assert night.admit(at(1, "01:59"))
    assert not night.admit(at(0, "01:00"))
    assert not night.admit(at(1, "02:00"))
    assert not night.admit(at(1, "23:00"))


def test_hours_are_read_on_the_clock_of_their_zone() -> None:
    paris = TradingHours.parse("Mon-Fri 08:00-09:00 Europe/Paris")
    assert paris.admit(at(2, "07:30"))  # an hour behind Paris in winter
    assert not paris.admit(at(2, "08:30"))


@given(st.sets(st.integers(0, 6), min_size=1), st.times(), st.times(), st.sampled_from(["UTC", "Asia/Tokyo"]))
def test_hours_are_read_back_as_written(days: set[int], opens: time, closes: time, zone: str) -> None:
    to_the_minute = [clock.replace(second=0, microsecond=0) for clock in (opens, closes)]
    hours = TradingHours(frozenset(days), *to_the_minute, ZoneInfo(zone))
    assert TradingHours.parse(str(hours)) == hours
    assert TradingHours.from_json(hours.to_json()) == hours


@given(st.integers(0, 6), st.integers(0, 6))
def test_a_span_of_days_may_go_over_the_weekend(first: int, last: int) -> None:
    hours = TradingHours.parse(f"{DAYS[first]}-{DAYS[last].lower()} 08:00-09:00 UTC")
    assert {first, last} <= hours.days
    assert len(hours.days) == (last - first) % 7 + 1


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("", "days"),
        ("Someday 08:00-09:00 UTC", "days"),
        ("Mon-Someday 08:00-09:00 UTC", "days"),
        ("Mon 8-9 UTC", "times"),
        ("Mon 08:00 UTC", "times"),
        ("Mon 25:00-26:00 UTC", "times"),
        ("Mon 08:00-09:00", "zone"),
        ("Mon 08:00-09:00 Nowhere/Land", "zone"),
        ("Mon 08:00-09:00 ../etc/passwd", "zone"),
    ],
)
def test_hours_that_cannot_be_read_say_what_is_wrong(written: str, wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        TradingHours.parse(written)


@given(amounts, amounts, percents)
def test_a_fall_counts_from_the_peak_and_a_rise_never_does(
    peak: Decimal, equity: Decimal, most: Decimal
) -> None:
    fallen = fallen_too_far(equity, peak, most)
    assert fallen == ((peak - equity) / peak * 100 > most)
    assert not (equity >= peak and fallen)
