"""The random walk: the same for the same seed, sane for ever, and silent when told to stand."""

from __future__ import annotations

import time
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from app.sandbox.server import create_sandbox
from app.sandbox.world import World
from tests.fixtures.sandbox import SandboxServer


def world(seed: int) -> World:
    return create_sandbox(seed=seed).world


def prices(of: World) -> dict[str, Decimal]:
    return {symbol: market.last for symbol, market in of.exchanges["binance"].venue.markets.items()}


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.integers(1, 20))
def test_a_seed_fixes_the_prices_and_every_price_lies_on_its_grid(seed: int, steps: int) -> None:
    first, second = world(seed), world(seed)
    for _ in range(steps):
        first.walk.step()
        second.walk.step()
    assert prices(first) == prices(second)
    for symbol, market in first.exchanges["binance"].venue.markets.items():
        assert market.last > 0, symbol
        assert market.last % market.instrument.tick == 0, symbol


def test_a_long_walk_stays_near_where_it_began() -> None:
    walked = world(7)
    for _ in range(3000):
        walked.walk.step()
    before, after = prices(world(7))["BTC/USDT"], prices(walked)["BTC/USDT"]
    assert before != after
    assert abs(after / before - 1) < Decimal("0.15")


def test_a_reset_begins_the_walk_anew() -> None:
    walked = world(3)
    walked.walk.step()
    once = prices(walked)
    walked.reset()
    walked.walk.step()
    assert prices(walked) == once


def test_prices_move_once_walking_is_switched_on(fresh_sandbox: SandboxServer) -> None:
    assert fresh_sandbox.look("health")["walking"] is False
    fresh_sandbox.control("walk", walking=True, interval="0.01")
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        price = fresh_sandbox._http.get(
            fresh_sandbox.at("binance") + "/api/v3/ticker/price?symbol=BTCUSDT"
        ).json()
        if price["price"] != "60000.00000000":
            return
    raise AssertionError("the price never moved")
