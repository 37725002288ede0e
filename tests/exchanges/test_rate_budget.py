"""The budget never lets more through than the exchange allows: in one process, and shared through a real Redis."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from redis import Redis

from app.exchanges.budget import (
    Charge,
    Limit,
    LocalRateBudget,
    RateBudget,
    RedisRateBudget,
    Refill,
    Scope,
    Spent,
)

VENUE = "https://api.example.com"
WEIGHT = Limit("weight", 100, 60, Scope.ADDRESS, reserved=20)
ORDERS = Limit("orders", 5, 10, Scope.ACCOUNT)
COUNTER = Limit("counter", 15, 45, Scope.ACCOUNT, refill=Refill.DRIP)

Budgets = Callable[[], RateBudget]


@pytest.fixture(params=["local", "redis"])
def budgets(request: pytest.FixtureRequest) -> Budgets:
    """Makes views of one and the same budget, as several processes would hold them."""
    if request.param == "local":
        only = LocalRateBudget()
        return lambda: only
    url = request.getfixturevalue("redis_url")
    return lambda: RedisRateBudget(Redis.from_url(url))


def weight(cost: int) -> list[Charge]:
    return [Charge(WEIGHT, "address", cost)]


def orders(owner: str = "me", cost: int = 1) -> list[Charge]:
    return [Charge(WEIGHT, "address", 0), Charge(ORDERS, owner, cost)]


def test_sixteen_threads_never_spend_more_than_the_limit(budgets: Budgets) -> None:
    granted: list[int] = []
    start = threading.Barrier(16)

    def spend() -> None:
        budget = budgets()
        start.wait()
        for _ in range(20):
            try:
                budget.spend(VENUE, weight(1), urgent=True)
            except Spent:
                continue
            granted.append(1)

    threads = [threading.Thread(target=spend) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(granted) == WEIGHT.capacity


def test_reads_cannot_spend_what_is_reserved_for_orders(budgets: Budgets) -> None:
    budget = budgets()
    budget.spend(VENUE, weight(80), urgent=False)
    with pytest.raises(Spent):
        budget.spend(VENUE, weight(1), urgent=False)
    budget.spend(VENUE, weight(20), urgent=True)
    with pytest.raises(Spent):
        budget.spend(VENUE, weight(1), urgent=True)


def test_a_spent_allowance_says_how_long_to_wait(budgets: Budgets) -> None:
    budget = budgets()
    budget.spend(VENUE, weight(100), urgent=True)
    with pytest.raises(Spent, match="weight") as caught:
        budget.spend(VENUE, weight(1), urgent=True)
    assert 59 < caught.value.seconds <= 66


def test_all_charges_are_taken_or_none(budgets: Budgets) -> None:
    budget = budgets()
    charges = [Charge(WEIGHT, "address", 10), Charge(ORDERS, "me", 6)]
    with pytest.raises(Spent, match="orders"):
        budget.spend(VENUE, charges, urgent=True)
    assert budget.used(VENUE, weight(0)[0]).used == 0


def test_spending_tells_what_is_used_now(budgets: Budgets) -> None:
    budget = budgets()
    assert budget.spend(VENUE, orders(), urgent=True) == [0, 1]
    assert budgets().spend(VENUE, orders(), urgent=True) == [0, 2]


def test_accounts_and_venues_are_counted_apart(budgets: Budgets) -> None:
    budget = budgets()
    budget.spend(VENUE, orders("me", 5), urgent=True)
    with pytest.raises(Spent):
        budget.spend(VENUE, orders("me"), urgent=True)
    budget.spend(VENUE, orders("you"), urgent=True)
    budget.spend("https://testnet.example.com", orders("me"), urgent=True)


def test_what_the_exchange_reports_raises_our_count_and_never_lowers_it(budgets: Budgets) -> None:
    budget = budgets()
    budget.spend(VENUE, weight(10), urgent=False)
    budget.correct(VENUE, weight(0)[0], 75)
    assert budgets().used(VENUE, weight(0)[0]).used == 75
    budget.correct(VENUE, weight(0)[0], 3)
    assert budgets().used(VENUE, weight(0)[0]).used == 75
    with pytest.raises(Spent):
        budget.spend(VENUE, weight(6), urgent=False)


def test_a_ban_is_honoured_by_all_for_the_owner_it_concerns(budgets: Budgets) -> None:
    budgets().ban(VENUE, "address", 30)
    other = budgets()
    with pytest.raises(Spent, match="ban") as caught:
        other.spend(VENUE, orders(), urgent=True)
    assert 29 < caught.value.seconds <= 30
    budgets().ban("https://other.example.com", "me", 30)
    other.spend("https://other.example.com", weight(1), urgent=True)


def test_a_window_comes_back_when_it_has_passed(budgets: Budgets) -> None:
    short = Limit("short", 10, 0.2)
    budget = budgets()
    began = time.monotonic()
    budget.spend(VENUE, [Charge(short, "address", 10)], urgent=True)
    waited = _until_it_fits(budget, [Charge(short, "address", 10)], began)
    assert waited >= short.seconds, "less than a window apart, twenty would fall into one window"


def test_a_drip_drains_steadily(budgets: Budgets) -> None:
    fast = Limit("fast", 10, 0.5, refill=Refill.DRIP)
    budget = budgets()
    began = time.monotonic()
    budget.spend(VENUE, [Charge(fast, "address", 10)], urgent=True)
    waited = _until_it_fits(budget, [Charge(fast, "address", 2)], began)
    assert 0.1 * 0.9 <= waited < 0.5, "two of ten drain in a fifth of the time"


def _until_it_fits(budget: RateBudget, charges: list[Charge], began: float) -> float:
    while True:
        try:
            budget.spend(VENUE, charges, urgent=True)
        except Spent as spent:
            assert time.monotonic() - began < 10
            threading.Event().wait(min(spent.seconds, 0.02))
        else:
            return time.monotonic() - began


# -- the window, by a clock of our own -------------------------------------------------------------------------


def test_no_stretch_as_long_as_the_window_holds_more_than_the_limit() -> None:
    now = 1_000_000.0
    budget = LocalRateBudget(clock=lambda: now)
    granted: list[float] = []
    for step in range(2_000):
        now = 1_000_000.0 + step * 0.1
        for _ in range(3):
            try:
                budget.spend(VENUE, weight(1), urgent=True)
            except Spent:
                break
            granted.append(now)
    for begin in granted:
        assert sum(begin <= at < begin + WEIGHT.seconds for at in granted) <= WEIGHT.capacity
    assert len(granted) >= 3 * WEIGHT.capacity, "it must not be needlessly strict either"


def test_waiting_as_long_as_told_is_enough() -> None:
    now = 1_000_000.0
    budget = LocalRateBudget(clock=lambda: now)
    for cost in (30, 50, 20):
        budget.spend(VENUE, weight(cost), urgent=True)
        now += 7
    for cost in (30, 60, 100):
        with pytest.raises(Spent) as caught:
            budget.spend(VENUE, weight(cost), urgent=True)
        assert caught.value.seconds > 0
    now += caught.value.seconds
    budget.spend(VENUE, weight(100), urgent=True)


# -- without Redis ---------------------------------------------------------------------------------------------


@pytest.fixture
def dead_redis(tmp_path: Path) -> RedisRateBudget:
    return RedisRateBudget(Redis.from_url(f"unix://{tmp_path}/nobody.sock"))


def test_no_order_waits_for_a_redis_that_is_away(dead_redis: RedisRateBudget) -> None:
    began = time.monotonic()
    for _ in range(5):
        dead_redis.spend(VENUE, orders(), urgent=True)
    assert time.monotonic() - began < 1
    with pytest.raises(Spent):
        dead_redis.spend(VENUE, orders(), urgent=True)


def test_reads_take_only_the_share_of_one_process_while_redis_is_away(dead_redis: RedisRateBudget) -> None:
    share = (WEIGHT.capacity - WEIGHT.reserved) // RedisRateBudget.PROCESSES
    dead_redis.spend(VENUE, weight(share), urgent=False)
    with pytest.raises(Spent):
        dead_redis.spend(VENUE, weight(1), urgent=False)
    dead_redis.spend(VENUE, weight(80), urgent=True)


def test_a_redis_that_is_away_is_logged_once(
    dead_redis: RedisRateBudget, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    for _ in range(3):
        dead_redis.spend(VENUE, orders(), urgent=True)
    dead_redis.correct(VENUE, weight(0)[0], 50)
    dead_redis.ban(VENUE, "me", 30)
    assert len(caplog.records) == 1
    assert "counts alone" in caplog.text
    assert dead_redis.used(VENUE, weight(0)[0]).used == 50
    with pytest.raises(Spent, match="ban"):
        dead_redis.spend(VENUE, orders(), urgent=True)


def test_redis_is_used_again_when_it_is_back(
    redis_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RedisRateBudget, "RETRY_SECONDS", 0.0)
    caplog.set_level(logging.INFO)
    door = tmp_path / "redis.sock"
    budget = RedisRateBudget(Redis.from_url(f"unix://{door}"))
    budget.spend(VENUE, orders(), urgent=True)
    door.symlink_to(urlsplit(redis_url).path)
    assert budget.spend(VENUE, orders(), urgent=True) == [0, 1]
    assert RedisRateBudget(Redis.from_url(redis_url)).used(VENUE, orders()[1]).used == 1
    assert [record.message for record in caplog.records][1:] == ["the shared rate budget is back"]


def test_what_is_given_back_may_be_spent_again(budgets: Budgets) -> None:
    budget = budgets()
    for _ in range(3 * ORDERS.capacity):
        budget.spend(VENUE, orders(), urgent=True)
        budget.refund(VENUE, orders())

    assert budget.used(VENUE, orders()[1]).used == 0


def test_giving_back_returns_no_more_than_was_taken(budgets: Budgets) -> None:
    budget = budgets()
    budget.spend(VENUE, orders(), urgent=True)
    budget.refund(VENUE, orders(cost=3))

    for _ in range(ORDERS.capacity):
        budget.spend(VENUE, orders(), urgent=True)
    with pytest.raises(Spent):
        budget.spend(VENUE, orders(), urgent=True)


def test_what_a_counter_that_drains_took_comes_back_too_and_no_more_than_that(budgets: Budgets) -> None:
    budget = budgets()
    budget.spend(VENUE, [Charge(COUNTER, "me", 15)], urgent=True)
    budget.refund(VENUE, [Charge(COUNTER, "me", 7)])
    assert budget.used(VENUE, Charge(COUNTER, "me", 0)).used == 8
    budget.refund(VENUE, [Charge(COUNTER, "me", 20)])
    assert budget.used(VENUE, Charge(COUNTER, "me", 0)).used == 0
    budget.spend(VENUE, [Charge(COUNTER, "me", 15)], urgent=True)
    with pytest.raises(Spent):
        budget.spend(VENUE, [Charge(COUNTER, "me", 1)], urgent=True)
