"""The arithmetic of a position, and the exits that guard it, for any sequence of executions and any state."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.domain.markets import Market, MarketKind
from app.domain.orders import Side
from app.domain.positions import Execution, Holding, holding, unrealised
from app.domain.protection import Exit, NewExit, Steps, Target, Trail, Wish, guarded, next_steps, trailed

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
distances = st.sampled_from([Decimal("0.5"), Decimal(2), Decimal(20)])


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
        trail=draw(st.none() | st.builds(Trail, distances, prices, st.none() | prices)),
    )


@st.composite
def exits(draw: st.DrawFn) -> list[Exit]:
    found = []
    for number in range(1, draw(st.integers(0, 4)) + 1):
        trailing = draw(st.none() | distances)
        stop = draw(st.none() | prices) if trailing is None else None
        target, by_exchange = draw(st.none() | prices), draw(st.booleans())
        found.append(Exit((number,), draw(amounts), stop, target, by_exchange, trailing))
    return found


def _apply(steps: Steps, wish: Wish, resting: list[Exit], number: int) -> tuple[Wish, list[Exit]]:
    left = [each for each in resting if not set(each.orders) & set(steps.cancel)]
    for new in steps.place:
        if new.stop_loss is None and new.target is None:
            wish = replace(wish, held=wish.held - new.quantity, close=Decimal(0))
        else:
            number += 1
            stop = new.stop_loss if new.trailing is None else None
            left.append(Exit((1000 + number,), new.quantity, stop, new.target, trailing=new.trailing))
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
        uncovered = wish.held - sum((e.quantity for e in resting if e.stops), Decimal(0))
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


@given(
    path=st.lists(st.tuples(st.decimals(100, 1000, places=2), st.booleans()), min_size=1, max_size=30),
    first_stop=st.decimals(50, 99, places=2),
    percent=distances,
)
def test_a_stop_that_the_exchange_moves_is_never_lower_than_one_that_we_would_move(
    path: list[tuple[Decimal, bool]], first_stop: Decimal, percent: Decimal
) -> None:
    """The exchange sees every price and we see some. Whatever falls is caught no later than by our own stop."""
    stop, high, last = first_stop, Decimal(100), Decimal(100)
    resting: list[Exit] = []
    levels: dict[tuple[int, ...], Decimal] = {}
    for number, (price, is_seen) in enumerate(path):
        for exit_ in resting:
            if exit_.trailing is not None:
                levels[exit_.orders] = trailed(levels[exit_.orders], price, percent, MARKET)
        if any(price <= level for level in levels.values()):
            return
        last = price if is_seen else last
        high = max(high, last)
        stop = trailed(stop, high, percent, MARKET)
        if stop >= price:
            return  # what is below its stop already is sold at once
        trail = Trail(percent, high, price if is_seen else None)
        wish = Wish(Decimal(1), Decimal(1), stop, (), Decimal(0), pairs=False, trail=trail)
        moved_by_exchange = bool(resting) and all(exit_.trailing is not None for exit_ in resting)
        for round_ in range(4):
            steps = next_steps(wish, resting, MARKET)
            assert not (steps and moved_by_exchange), "what the exchange moves, we leave alone"
            _, resting = _apply(steps, wish, resting, 10 * number + round_)
            levels = {
                exit_.orders: levels.get(exit_.orders, trailed(exit_.stop_loss, price, percent, MARKET))
                if exit_.trailing is not None
                else exit_.stop_loss or Decimal(0)
                for exit_ in resting
            }
        assert not next_steps(wish, resting, MARKET), "it comes to rest"
        assert guarded(wish, resting, MARKET)
        assert min(levels.values()) >= stop


def test_a_stop_loss_above_where_it_would_trail_rests_until_the_price_has_come_so_far() -> None:
    break_even = Wish(
        Decimal(1),
        Decimal(1),
        stop_loss=Decimal(100),
        targets=(),
        close=Decimal(0),
        pairs=False,
        trail=Trail(Decimal(10), best=Decimal(105), last=Decimal(105)),
    )
    trailing = [Exit((1,), Decimal(1), None, None, trailing=Decimal(10))]
    assert next_steps(break_even, trailing, MARKET) == Steps(cancel=(1,))
    [new] = next_steps(break_even, [], MARKET).place
    assert (new.stop_loss, new.trailing) == (100, None)

    resting = [Exit((2,), Decimal(1), Decimal(100), None)]
    assert not next_steps(break_even, resting, MARKET)
    risen = replace(break_even, stop_loss=Decimal(108), trail=Trail(Decimal(10), Decimal(120), Decimal(120)))
    assert next_steps(risen, resting, MARKET) == Steps(cancel=(2,))
    [new] = next_steps(risen, [], MARKET).place
    assert (new.stop_loss, new.trailing) == (108, 10)


def test_what_is_too_little_to_be_placed_anew_is_not_handed_over() -> None:
    held, stop = Decimal("0.001"), Decimal(4_000)  # worth 4, and the least is 5
    trail = Trail(Decimal(2), best=Decimal(4_900), last=Decimal(4_900))
    wish = Wish(held, held, stop, (), Decimal(0), pairs=False, trail=trail)
    assert not next_steps(wish, [Exit((1,), held, stop, None, by_exchange=True)], MARKET)


def test_a_sale_of_a_part_makes_only_as_many_exits_give_way_as_it_needs() -> None:
    wish = Wish(Decimal(10), Decimal(10), Decimal(100), (), close=Decimal(2), pairs=True)
    resting = [
        Exit((number,), Decimal(size), Decimal(100), None) for number, size in ((1, 5), (2, 3), (3, 2))
    ]
    assert next_steps(wish, resting, MARKET) == Steps(cancel=(3,))
    assert next_steps(replace(wish, close=Decimal(7)), resting, MARKET) == Steps(cancel=(1, 3))
    assert next_steps(wish, resting[:2], MARKET).place == (NewExit(Decimal(2)),)
