"""Where an alert's strategy and an account that cannot go short lead each other."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alerts import AlertAction, Signal, StrategyPosition
from app.domain.strategy import Way, course

LONG, FLAT, SHORT = StrategyPosition.LONG, StrategyPosition.FLAT, StrategyPosition.SHORT
BUY, SELL = AlertAction.BUY_MARKET, AlertAction.SELL_MARKET
NONE, ONE = Decimal(0), Decimal(1)


def alert(
    action: AlertAction, before: StrategyPosition | None, after: StrategyPosition, size: str | None = None
) -> Signal:
    """An order of a strategy for two coins, after which it holds ``size``."""
    return Signal(
        action,
        symbol="X",
        quantity=Decimal(2),
        market_position=after,
        prev_market_position=before,
        position_size=None if size is None else Decimal(size),
    )


@pytest.mark.parametrize(
    ("signal", "held", "way", "quantity"),
    [
        (alert(BUY, FLAT, LONG), NONE, Way.AS_WRITTEN, None),
        (alert(BUY, LONG, LONG, "3"), ONE, Way.AS_WRITTEN, None),
        (alert(SELL, LONG, LONG, "1"), ONE, Way.AS_WRITTEN, None),
        (alert(SELL, LONG, FLAT, "0"), ONE, Way.SELL, None),
        (alert(BUY, None, LONG), NONE, Way.AS_WRITTEN, None),
        (alert(SELL, None, FLAT), ONE, Way.SELL, None),
        # A spot account takes short for flat.
        (alert(SELL, LONG, SHORT, "-1"), ONE, Way.SELL, None),
        (alert(SELL, FLAT, SHORT, "-2"), NONE, Way.NOTHING, None),
        (alert(BUY, SHORT, FLAT, "0"), NONE, Way.NOTHING, None),
        (alert(BUY, SHORT, LONG, "1"), NONE, Way.BUY, ONE),
    ],
)
def test_in_step_it_does_what_the_strategy_does(
    signal: Signal, held: Decimal, way: Way, quantity: Decimal | None
) -> None:
    found = course(signal, held)

    assert (found.way, found.quantity, found.out_of_step) == (way, quantity, None)


@pytest.mark.parametrize(
    ("signal", "held", "way", "quantity"),
    [
        # The entry did not come.
        (alert(SELL, LONG, FLAT, "0"), NONE, Way.NOTHING, None),
        (alert(BUY, LONG, LONG, "5"), NONE, Way.BUY, Decimal(5)),
        (alert(BUY, LONG, LONG), NONE, Way.BUY, None),
        (alert(SELL, LONG, LONG, "1"), NONE, Way.BUY, ONE),
        (alert(SELL, LONG, LONG), NONE, Way.NOTHING, None),
        (alert(SELL, None, LONG), NONE, Way.NOTHING, None),
        # The exit did not come.
        (alert(BUY, FLAT, LONG, "3"), ONE, Way.BUY, Decimal(2)),
        (alert(BUY, FLAT, LONG, "0.4"), ONE, Way.SELL, Decimal("0.6")),
        (alert(AlertAction.BUY_LIMIT, FLAT, LONG, "0.4"), ONE, Way.SELL, Decimal("0.6")),
        (alert(BUY, FLAT, LONG, "1.005"), ONE, Way.NOTHING, None),
        (alert(BUY, FLAT, LONG), ONE, Way.NOTHING, None),
        (alert(SELL, FLAT, SHORT, "-1"), ONE, Way.SELL, None),
        (alert(BUY, SHORT, FLAT, "0"), ONE, Way.SELL, None),
    ],
)
def test_out_of_step_it_leads_to_what_the_strategy_holds_now(
    signal: Signal, held: Decimal, way: Way, quantity: Decimal | None
) -> None:
    found = course(signal, held)

    assert (found.way, found.quantity) == (way, quantity)
    assert found.out_of_step is not None


def test_another_accounts_size_counts_only_where_the_alert_sizes_by_quantity() -> None:
    missed = replace(alert(BUY, LONG, LONG, "5"), quantity=None, percent=Decimal(10))

    assert course(missed, NONE).quantity is None


def test_an_alert_that_tells_nothing_of_its_strategy_is_taken_as_it_is_written() -> None:
    assert course(Signal(SELL, symbol="X", quantity=ONE), ONE).way is Way.AS_WRITTEN


@given(
    action=st.sampled_from([action for action in AlertAction if action.places]),
    before=st.sampled_from([None, *StrategyPosition]),
    after=st.sampled_from([FLAT, SHORT]),
    held=st.decimals(min_value=0, max_value=10, places=3),
)
def test_a_strategy_that_holds_nothing_long_never_leads_to_a_purchase(
    action: AlertAction, before: StrategyPosition | None, after: StrategyPosition, held: Decimal
) -> None:
    way = course(alert(action, before, after), held).way

    assert way is (Way.SELL if held > 0 else Way.NOTHING)
