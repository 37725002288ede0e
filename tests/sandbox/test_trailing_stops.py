"""A trailing stop's trigger follows the market at its distance, never turns back, and fires when it is reached."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Refusal, Refused, Side, State
from app.sandbox.engine.settlement import VenueRules
from app.sandbox.engine.venue import Venue
from app.sandbox.instruments import listed

BTC = "BTC/USDT"
START = Decimal(60_000)

percents = st.decimals("0.01", "99.99", places=2)
moves = st.lists(st.integers(1, 12_000_000).map(lambda ticks: ticks * Decimal("0.01")), max_size=30)


def trailing(side: Side, percent: Decimal) -> tuple[Venue, Account, Order]:
    """A venue where bitcoin stands at 60,000, and a trailing stop placed there."""
    venue = Venue("any", VenueRules(maker=Decimal("0.001"), taker=Decimal("0.001")), listed())
    account = venue.open_account("key", "secret", None, {"BTC": Decimal(1), "USDT": Decimal(200_000)})
    spec = OrderSpec(BTC, side, OrderType.TRAILING_STOP, Decimal("0.01"), trailing_percent=percent)
    return venue, account, venue.submit(account, spec)


@given(side=st.sampled_from(Side), percent=percents, prices=moves)
def test_it_fires_exactly_when_the_price_has_turned_by_its_distance_from_the_best(
    side: Side, percent: Decimal, prices: list[Decimal]
) -> None:
    venue, _, order = trailing(side, percent)
    best = START
    for price in prices:
        venue.set_price(BTC, price)
        best = max(best, price) if side is Side.SELL else min(best, price)
        turned = best - price if side is Side.SELL else price - best
        if turned * 100 >= best * percent:
            assert order.triggered
            return
        assert (order.triggered, order.state) == (False, State.OPEN)


@given(side=st.sampled_from(Side), percent=percents, prices=moves)
def test_its_trigger_never_moves_away_from_the_market_nor_to_the_other_side_of_it(
    side: Side, percent: Decimal, prices: list[Decimal]
) -> None:
    venue, account, order = trailing(side, percent)
    asset = "BTC" if side is Side.SELL else "USDT"
    for price in prices:
        before, held = order.trigger_price, order.held
        venue.set_price(BTC, price)
        after = order.trigger_price
        assert before is not None
        assert after is not None
        if order.triggered:
            assert after == before
            return
        assert before <= after < price if side is Side.SELL else before >= after > price
        assert order.held <= held, "a stop that comes nearer never needs more"
        assert account.balance(asset).locked == order.held


def test_it_cannot_be_given_a_trigger_and_may_be_made_smaller() -> None:
    venue, account, order = trailing(Side.SELL, Decimal(2))
    with pytest.raises(Refused, match=Refusal.BAD_AMENDMENT):
        venue.amend(order, trigger_price=Decimal(59_000))
    with pytest.raises(Refused, match=Refusal.BAD_AMENDMENT):
        venue.amend(order, price=Decimal(59_000))
    venue.amend(order, quantity=Decimal("0.005"))
    assert account.balance("BTC").locked == Decimal("0.005")
    venue.set_price(BTC, Decimal(58_800))
    assert (order.state, order.filled) == (State.FILLED, Decimal("0.005"))
