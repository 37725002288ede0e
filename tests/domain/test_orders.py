"""The life of an order: which state may follow which, and that an end is an end."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from app.domain.errors import InvalidTransition
from app.domain.orders import TRANSITIONS, OrderRequest, OrderStatus, OrderType, Side, ensure_transition

S = OrderStatus

#: Spec: PENDING → SUBMITTED → OPEN → PARTIALLY_FILLED → FILLED | CANCELED | EXPIRED; or REJECTED; or DENIED. Written
#: out once more here, so that a change of the table has to be meant.
ALLOWED = {
    (S.PENDING, S.SUBMITTED),
    (S.PENDING, S.DENIED),
    (S.PENDING, S.EXPIRED),
    (S.PENDING, S.CANCELED),
    (S.SUBMITTED, S.PENDING),
    (S.SUBMITTED, S.OPEN),
    (S.SUBMITTED, S.PARTIALLY_FILLED),
    (S.SUBMITTED, S.FILLED),
    (S.SUBMITTED, S.CANCELED),
    (S.SUBMITTED, S.EXPIRED),
    (S.SUBMITTED, S.REJECTED),
    (S.SUBMITTED, S.DENIED),
    (S.OPEN, S.PARTIALLY_FILLED),
    (S.OPEN, S.FILLED),
    (S.OPEN, S.CANCELED),
    (S.OPEN, S.EXPIRED),
    (S.PARTIALLY_FILLED, S.FILLED),
    (S.PARTIALLY_FILLED, S.CANCELED),
    (S.PARTIALLY_FILLED, S.EXPIRED),
}
ENDS = {S.FILLED, S.CANCELED, S.EXPIRED, S.REJECTED, S.DENIED}


@pytest.mark.parametrize("current", S)
@pytest.mark.parametrize("following", S)
def test_a_step_is_allowed_exactly_when_the_life_of_an_order_has_it(current: S, following: S) -> None:
    if (current, following) in ALLOWED:
        ensure_transition(current, following)
    else:
        with pytest.raises(InvalidTransition, match=f"{current} cannot become {following}"):
            ensure_transition(current, following)


def test_every_state_has_its_transitions() -> None:
    assert set(TRANSITIONS) == set(S)


def test_the_ends_are_the_states_nothing_follows() -> None:
    assert {status for status in S if status.is_final} == ENDS


def test_only_an_order_that_was_accepted_and_not_ended_rests_on_the_exchange() -> None:
    assert {status for status in S if status.is_live} == {S.OPEN, S.PARTIALLY_FILLED}


class LifeOfAnOrder(RuleBasedStateMachine):
    """Any sequence of steps, allowed or not, as retries, late answers and impatient people would try them."""

    def __init__(self) -> None:
        super().__init__()
        self.status = S.PENDING
        self.seen = [S.PENDING]

    @rule(wanted=st.sampled_from(S))
    def try_to_step(self, wanted: S) -> None:
        try:
            ensure_transition(self.status, wanted)
        except InvalidTransition:
            return
        self.status = wanted
        self.seen.append(wanted)

    @invariant()
    def an_end_is_the_last_thing_seen(self) -> None:
        assert all(not status.is_final for status in self.seen[:-1])

    @invariant()
    def nothing_was_filled_or_rejected_that_was_not_submitted(self) -> None:
        past_the_wire = {S.OPEN, S.PARTIALLY_FILLED, S.FILLED, S.REJECTED}
        first = next((index for index, status in enumerate(self.seen) if status in past_the_wire), None)
        assert first is None or S.SUBMITTED in self.seen[:first]

    @invariant()
    def what_rested_on_the_exchange_is_never_pending_again(self) -> None:
        live = next((index for index, status in enumerate(self.seen) if status.is_live), len(self.seen))
        assert S.PENDING not in self.seen[live:]
        assert S.SUBMITTED not in self.seen[live:]


TestLifeOfAnOrder = LifeOfAnOrder.TestCase


def test_each_side_closes_what_the_other_opens() -> None:
    assert Side.BUY.opposite is Side.SELL
    assert Side.SELL.opposite is Side.BUY


@pytest.mark.parametrize(
    ("kind", "has_price", "has_trigger"),
    [
        (OrderType.MARKET, False, False),
        (OrderType.LIMIT, True, False),
        (OrderType.STOP_LOSS, False, True),
        (OrderType.TAKE_PROFIT, False, True),
        (OrderType.STOP_LIMIT, True, True),
        (OrderType.TAKE_PROFIT_LIMIT, True, True),
        (OrderType.TRAILING_STOP, False, False),
    ],
)
def test_a_type_says_which_prices_it_needs(kind: OrderType, has_price: bool, has_trigger: bool) -> None:
    assert (kind.has_price, kind.has_trigger) == (has_price, has_trigger)


@pytest.mark.parametrize(
    ("kind", "side", "below"),
    [
        (OrderType.STOP_LOSS, Side.SELL, True),
        (OrderType.STOP_LIMIT, Side.BUY, False),
        (OrderType.TAKE_PROFIT, Side.SELL, False),
        (OrderType.TAKE_PROFIT_LIMIT, Side.BUY, True),
    ],
)
def test_a_trigger_has_passed_when_the_price_is_at_or_beyond_it(
    kind: OrderType, side: Side, below: bool
) -> None:
    request = OrderRequest("BTC/USDT", side, kind, quantity=Decimal(1), trigger_price=Decimal(100))
    assert kind.waits_below(side) is below
    assert [request.would_trigger(Decimal(last)) for last in (99, 100, 101)] == [below, True, not below]


def test_an_order_without_a_trigger_price_has_none_that_could_pass() -> None:
    request = OrderRequest("BTC/USDT", Side.SELL, OrderType.MARKET, quantity=Decimal(1))
    assert request.would_trigger(Decimal(1)) is False
