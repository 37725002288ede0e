"""A market's rules: every one that a request breaks is named, and nothing is enlarged to meet one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.markets import Market, MarketKind
from app.domain.money import is_multiple
from app.domain.orders import Leg, OrderRequest, OrderType, Side

MARKET = Market(
    symbol="BTC/USDT",
    exchange_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    kind=MarketKind.SPOT,
    active=True,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.00001"),
    min_quantity=Decimal("0.0001"),
    max_quantity=Decimal(100),
    min_notional=Decimal(5),
    max_market_quantity=Decimal(10),
    quote_lot_size=Decimal("0.01"),
)
LIMIT = OrderRequest("BTC/USDT", Side.BUY, OrderType.LIMIT, quantity=Decimal("0.01"), price=Decimal(50_000))
AT_MARKET = OrderRequest("BTC/USDT", Side.BUY, OrderType.MARKET, quantity=Decimal("0.01"))
TRAILING = replace(AT_MARKET, side=Side.SELL, type=OrderType.TRAILING_STOP, trailing_percent=Decimal("1.5"))

sizes = st.decimals(min_value=Decimal("0.000000000001"), max_value=Decimal("1e9"), places=12)
grids = st.sampled_from(
    [Decimal(grid) for grid in ("0.00000001", "0.0001", "0.01", "0.5", "1", "25", "0.003")]
)


def rules(request: OrderRequest, market: Market = MARKET, last_price: str | None = None) -> list[str]:
    """The names of the rules a request breaks."""
    last = None if last_price is None else Decimal(last_price)
    return [violation.rule for violation in market.check(request, last_price=last)]


def test_an_order_within_every_rule_breaks_none() -> None:
    assert rules(LIMIT) == []
    assert rules(AT_MARKET, last_price="50000") == []
    assert rules(TRAILING, last_price="50000") == []


@pytest.mark.parametrize(
    ("request_", "broken"),
    [
        (replace(LIMIT, quantity=None), "size"),
        (replace(LIMIT, quote_quantity=Decimal(10)), "size"),
        (replace(LIMIT, quantity=Decimal(0)), "size"),
        (replace(LIMIT, quantity=Decimal(-1)), "size"),
        (replace(LIMIT, quantity=Decimal("0.000009")), "lot_size"),
        (replace(LIMIT, quantity=Decimal("0.00009999")), "min_quantity"),
        (replace(LIMIT, quantity=Decimal("100.00001")), "max_quantity"),
        (replace(AT_MARKET, quantity=Decimal("10.00001")), "max_quantity"),
        (replace(LIMIT, price=None), "price"),
        (replace(LIMIT, price=Decimal(0)), "price"),
        (replace(LIMIT, price=Decimal(-5)), "price"),
        (replace(AT_MARKET, price=Decimal(50_000)), "price"),
        (replace(LIMIT, price=Decimal("0.009"), quantity=Decimal(1)), "tick_size"),
        (replace(LIMIT, trigger_price=Decimal(49_000)), "trigger_price"),
        (replace(AT_MARKET, type=OrderType.STOP_LOSS), "trigger_price"),
        (replace(AT_MARKET, type=OrderType.TRAILING_STOP), "trailing_percent"),
        (replace(TRAILING, trailing_percent=Decimal(0)), "trailing_percent"),
        (replace(TRAILING, trailing_percent=Decimal(100)), "trailing_percent"),
        (replace(TRAILING, trigger_price=Decimal(49_000)), "trigger_price"),
        (replace(TRAILING, price=Decimal(49_000)), "price"),
        (replace(AT_MARKET, trailing_percent=Decimal(1)), "trailing_percent"),
        (replace(LIMIT, quantity=Decimal("0.0001"), price=Decimal("49999.99")), "min_notional"),
        (replace(AT_MARKET, quantity=None, quote_quantity=Decimal("4.999")), "min_notional"),
        (replace(LIMIT, stop_loss=Leg(Decimal("50000.01"))), "stop_loss"),
        (replace(LIMIT, stop_loss=Leg(Decimal(50_000))), "stop_loss"),
        (replace(LIMIT, stop_loss=Leg(Decimal("0.001"))), "stop_loss"),
        (replace(LIMIT, take_profit=Leg(Decimal("49999.99"))), "take_profit"),
        (replace(LIMIT, take_profit=Leg(Decimal(60_000), limit_price=Decimal(0))), "take_profit"),
        (replace(LIMIT, side=Side.SELL, stop_loss=Leg(Decimal(49_000))), "stop_loss"),
        (replace(LIMIT, side=Side.SELL, take_profit=Leg(Decimal(51_000))), "take_profit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_broken_rule_is_named(request_: OrderRequest, broken: str) -> None:
    assert broken in rules(request_)


def test_every_broken_rule_is_named_not_only_the_first() -> None:
    hopeless = replace(LIMIT, quantity=Decimal("0.00001"), price=Decimal(1), stop_loss=Leg(Decimal(2)))

    assert set(rules(hopeless, replace(MARKET, active=False))) == {
        "market_closed",
        "min_quantity",
        "min_notional",
        "stop_loss",
    }


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (replace(LIMIT, quantity=Decimal("0.00009")), "0.00009 BTC is below the minimum of 0.0001"),
        (replace(LIMIT, quantity=Decimal("1E-6")), "0.000001 BTC is less than one lot of 0.00001"),
        (replace(LIMIT, quantity=Decimal("1E+3")), "1000 BTC is above the maximum of 100"),
        (
            replace(LIMIT, quantity=Decimal("0.0001"), price=Decimal(10)),
            "worth 0.001 USDT, below the minimum of 5",
        ),
    ],
)
def test_a_violation_says_the_value_and_the_limit_in_plain_numbers(
    request_: OrderRequest, words: str
) -> None:
    assert any(words in violation.message for violation in MARKET.check(request_))


def test_an_order_exactly_at_a_limit_is_within_it() -> None:
    assert rules(replace(LIMIT, quantity=Decimal("0.0001"), price=Decimal(50_000))) == []
    assert rules(replace(LIMIT, quantity=Decimal(100))) == []
    assert rules(replace(AT_MARKET, quantity=Decimal(10))) == []
    assert rules(replace(AT_MARKET, quantity=None, quote_quantity=Decimal(5))) == []


def test_a_closed_market_takes_no_order() -> None:
    assert rules(LIMIT, replace(MARKET, active=False)) == ["market_closed"]


def test_a_market_order_in_base_is_valued_at_the_last_price_and_unvalued_without_one() -> None:
    small = replace(AT_MARKET, quantity=Decimal("0.0001"))

    assert rules(small, last_price="49999") == ["min_notional"]
    assert rules(small, last_price="50000") == []
    assert rules(small) == []
    assert MARKET.notional(small) is None


def test_a_stop_order_is_valued_at_its_trigger() -> None:
    stop = replace(AT_MARKET, side=Side.SELL, type=OrderType.STOP_LOSS, trigger_price=Decimal(40_000))

    assert MARKET.notional(stop, Decimal(50_000)) == Decimal(400)


def test_a_rule_the_exchange_does_not_set_is_not_checked() -> None:
    free = replace(
        MARKET,
        tick_size=Decimal(0),
        lot_size=Decimal(0),
        min_quantity=None,
        max_quantity=None,
        max_market_quantity=None,
        min_notional=None,
    )

    assert rules(replace(LIMIT, quantity=Decimal("1e-12"), price=Decimal("1e-12")), free) == []
    assert rules(replace(LIMIT, quantity=Decimal("1e12")), free) == []


def test_the_maximum_of_limit_orders_holds_for_market_orders_that_have_none_of_their_own() -> None:
    market = replace(MARKET, max_market_quantity=None)

    assert rules(replace(AT_MARKET, quantity=Decimal("100.00001")), market) == ["max_quantity"]


@given(sizes, grids)
def test_quantising_never_enlarges_and_lands_on_the_grid(size: Decimal, grid: Decimal) -> None:
    market = replace(MARKET, tick_size=grid, lot_size=grid, quote_lot_size=grid)

    for quantised in (
        market.quantize_price(size),
        market.quantize_quantity(size),
        market.quantize_quote(size),
    ):
        assert 0 <= quantised <= size
        assert size - quantised < grid
        assert is_multiple(quantised, grid)


@given(st.decimals(min_value=Decimal("0.00000001"), max_value=Decimal("0.00009999"), places=8))
def test_a_size_below_the_minimum_is_refused_and_never_enlarged_to_it(size: Decimal) -> None:
    assert MARKET.quantize_quantity(size) <= size
    assert set(rules(replace(LIMIT, quantity=size))) & {"lot_size", "min_quantity"}


@given(sizes, sizes)
def test_an_order_that_breaks_no_rule_is_worth_the_minimum_and_within_the_bounds_after_rounding(
    size: Decimal, price: Decimal
) -> None:
    request = replace(LIMIT, quantity=size, price=price)
    if rules(request):
        return
    quantity, rounded = MARKET.quantize_quantity(size), MARKET.quantize_price(price)

    assert Decimal("0.0001") <= quantity <= Decimal(100)
    assert quantity * rounded >= 5
