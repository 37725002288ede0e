"""The arithmetic of a position, and the exits that guard it, for any sequence of executions and any state."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.markets import Market, MarketKind
from app.domain.orders import Side
from app.domain.positions import Execution, Holding, holding, unrealised
from app.domain.protection import Exit, Steps, Target, Wish, guarded, next_steps, trailed

MARKET = Market(
    "BTC/USDT",
    "BTCUSDT",
    "BTC",
    "USDT",
    MarketKind.SPOT,
    True,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    min_notional=Decimal(5),
)

amounts = st.decimals("0.001", 100, places=3)
prices = st.decimals(1, 100_000, places=2)


@st.composite
def executions(draw: st.DrawFn) -> list[Execution]:
    found = []
    for _ in range(draw(st.integers(0, 8))):
        side = draw(st.sampled_from(Side))
        quantity, price = draw(amounts), draw(prices)
        base_fee = quantity / 1000 if side is Side.BUY and draw(st.booleans()) else Decimal(0)
        quote_fee = Decimal(0) if base_fee else quantity * price / 1000
        found.append(Execution(side, quantity, quantity * price, base_fee, quote_fee))
    return found


@given(executions(), amounts)
def test_a_holding_is_never_negative_and_never_more_than_was_bought(
    done: list[Execution], external: Decimal
) -> None:
    held = holding(done, external)
    assert 0 <= held.quantity <= held.bought
    assert held.cost >= 0
    assert (held.quantity > 0) or held.cost == 0


@given(executions())
def test_what_went_out_came_back_as_gain_or_is_still_in_what_is_held(done: list[Execution]) -> None:
    """Money is conserved: realised = proceeds − spendings + what the held part cost, as long as all sold was held."""
    held = Decimal(0)
    for each in done:
        held += each.quantity - each.base_fee if each.side is Side.BUY else -each.quantity
        if held < 0:
            return
    spent = sum((e.cost + e.quote_fee for e in done if e.side is Side.BUY), Decimal(0))
    earned = sum((e.cost - e.quote_fee for e in done if e.side is Side.SELL), Decimal(0))
    found = holding(done)
    assert abs(found.realised - (earned - spent + found.cost)) < Decimal("1E-15")


def test_gains_are_told_after_fees() -> None:
    bought = Execution(Side.BUY, Decimal(1), Decimal(100), quote_fee=Decimal("0.1"))
    sold = Execution(Side.SELL, Decimal(1), Decimal(110), quote_fee=Decimal("0.11"))
    assert holding([bought, sold]) == Holding(
        Decimal(0), Decimal(1), Decimal(0), Decimal("9.79"), Decimal("0.21")
    )
    assert unrealised(holding([bought]), Decimal(110)) == Decimal("9.9")


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    held = draw(st.decimals(0, 10, places=4))
    targets = tuple(
        Target(price, Decimal(draw(st.integers(1, 50))))
        for price in draw(st.lists(prices, max_size=3, unique=True))
    )
    return Wish(
        held=held,
        bought=held + draw(st.decimals(0, 5, places=3)),
        stop_loss=draw(st.none() | prices),
        targets=targets if sum((target.share for target in targets), Decimal(0)) <= 100 else (),
        close=draw(st.sampled_from([Decimal(0), held / 2, held])),
        pairs=draw(st.booleans()),
    )


@st.composite
def exits(draw: st.DrawFn) -> list[Exit]:
    return [
        Exit(
            (number,), draw(amounts), draw(st.none() | prices), draw(st.none() | prices), draw(st.booleans())
        )
        for number in range(1, draw(st.integers(0, 4)) + 1)
    ]


def _apply(steps: Steps, wish: Wish, resting: list[Exit], number: int) -> tuple[Wish, list[Exit]]:
    left = [each for each in resting if not set(each.orders) & set(steps.cancel)]
    for new in steps.place:
        if new.stop_loss is None and new.target is None:
            held = wish.held - new.quantity
            wish = Wish(held, wish.bought, wish.stop_loss, wish.targets, Decimal(0), wish.pairs)
        else:
            number += 1
            left.append(Exit((1000 + number,), new.quantity, new.stop_loss, new.target))
    return wish, left


@given(wishes(), exits())
def test_a_few_rounds_lead_from_any_state_to_the_wish_and_no_round_sells_more_than_is_held(
    wish: Wish, resting: list[Exit]
) -> None:
    for number in range(8):
        steps = next_steps(wish, resting, MARKET)
        if not steps:
            break
        if steps.place:
            placed = sum((new.quantity for new in steps.place), Decimal(0))
            kept = sum((each.quantity for each in resting if not each.by_exchange), Decimal(0))
            assert placed <= wish.held
            assert placed + kept <= wish.held or wish.close > 0
        wish, resting = _apply(steps, wish, resting, number * 10)
    assert not next_steps(wish, resting, MARKET), "it comes to rest"
    least = Decimal(5) / wish.stop_loss if wish.stop_loss else Decimal(0)
    if wish.held > least + 2 * MARKET.lot_size and all(not each.by_exchange for each in resting):
        uncovered = wish.held - sum((e.quantity for e in resting if e.stop_loss is not None), Decimal(0))
        assert guarded(wish, resting, MARKET) or uncovered < least + MARKET.lot_size


@given(st.lists(prices, min_size=1), st.decimals("0.1", 50, places=1))
def test_a_trailing_stop_never_moves_down(path: list[Decimal], percent: Decimal) -> None:
    stop, high = None, path[0]
    for price in path:
        high = max(high, price)
        moved = trailed(stop, high, percent, MARKET)
        assert stop is None or moved >= stop
        assert moved <= high
        stop = moved
