"""What guards a position: the exits that should rest on the exchange, against those that do.

Pure: given what is held, what is wished for and what rests, `next_steps` names the orders to cancel and to place next.
Asked again after those are done, it leads in a few rounds to the wish, from whatever state a crash, an execution or
a person left behind. Nothing it names ever sells more than is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.domain.markets import Market
from app.domain.money import EXACT

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Target:
    """A take-profit: at ``price`` (quote), ``share`` percent of what was bought is sold."""

    price: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class Wish:
    """How a position shall be guarded. Amounts in base, prices in quote.

    ``held`` is what our orders brought in and did not sell again; ``close`` of it is to be sold at the market now.
    ``pairs`` says whether the exchange has exits of which one cancels the other; without them two exits would each
    hold the balance, so that only the stop-loss rests, or the targets when there is no stop-loss.
    """

    held: Decimal
    bought: Decimal
    stop_loss: Decimal | None
    targets: tuple[Target, ...]
    close: Decimal
    pairs: bool


@dataclass(frozen=True, slots=True)
class Exit:
    """Exits that rest on the exchange and share one hold of ``quantity``, still to be sold, in base.

    ``orders`` are the ids to cancel; ``stop_loss`` and ``target`` their prices. ``by_exchange`` marks those that came
    with an entry: the exchange sized them, perhaps before it took its fee.
    """

    orders: tuple[int, ...]
    quantity: Decimal
    stop_loss: Decimal | None
    target: Decimal | None
    by_exchange: bool = False


@dataclass(frozen=True, slots=True)
class NewExit:
    """An exit to be placed: a sale at the market when it has neither price."""

    quantity: Decimal
    stop_loss: Decimal | None = None
    target: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Steps:
    """What to do next. Cancellations come first, and what they free is placed in the following round."""

    cancel: tuple[int, ...] = ()
    place: tuple[NewExit, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.cancel or self.place)


def next_steps(wish: Wish, resting: Sequence[Exit], market: Market) -> Steps:
    """The next steps from what rests to what is wished; none when all is as it should be."""
    if wish.held <= 0:
        return _cancelling(resting)
    if wish.close > 0:
        return _closing(wish, resting, market)
    kept, superfluous = _sorted_out(wish, resting, market)
    if superfluous:
        return _cancelling(superfluous)
    missing = _wanted(wish, kept, market)
    if not missing and wish.stop_loss is not None and _uncovered(wish, kept, market):
        # What came in last is too little for a stop-loss of its own: one for it and what others guard.
        return _cancelling([exit_ for exit_ in kept if exit_.target is None])
    return Steps(place=tuple(missing))


def guarded(wish: Wish, resting: Sequence[Exit], market: Market) -> bool:
    """Whether all that is held, but for less than a lot, is under a stop-loss on the exchange, or none is wished."""
    if wish.stop_loss is None or wish.held <= 0:
        return True
    covered = sum((exit_.quantity for exit_ in resting if exit_.stop_loss is not None), _ZERO)
    return market.quantize_quantity(wish.held - covered) <= 0


def target_quantity(target: Target, bought: Decimal, held: Decimal, market: Market) -> Decimal:
    """What a take-profit sells, in base, on the market's grid; the whole rest when its share is everything."""
    wanted = EXACT.divide(EXACT.multiply(bought, target.share), _HUNDRED)
    return market.quantize_quantity(held if target.share >= _HUNDRED else min(wanted, held))


def trailed(stop_loss: Decimal | None, high: Decimal, percent: Decimal, market: Market) -> Decimal:
    """Where a stop that follows the best price at a distance belongs; it never moves down."""
    level = market.quantize_price(EXACT.multiply(high, 1 - EXACT.divide(percent, _HUNDRED)))
    return level if stop_loss is None else max(level, stop_loss)


def _closing(wish: Wish, resting: Sequence[Exit], market: Market) -> Steps:
    selling = market.quantize_quantity(min(wish.close, wish.held))
    free = wish.held - sum((exit_.quantity for exit_ in resting), _ZERO)
    if selling > free and resting:
        return _cancelling(resting)
    return Steps(place=(NewExit(selling),)) if selling > 0 else Steps()


def _sorted_out(wish: Wish, resting: Sequence[Exit], market: Market) -> tuple[list[Exit], list[Exit]]:
    """Those that are as wished, as far as they do not sell too much together, and the others."""
    kept: list[Exit] = []
    superfluous: list[Exit] = []
    left = wish.held
    open_targets = list(wish.targets)
    for exit_ in resting:
        target = next((each for each in open_targets if each.price == exit_.target), None)
        fits = left > 0 if exit_.by_exchange else exit_.quantity <= left
        if fits and exit_.stop_loss == wish.stop_loss and _target_fits(exit_, target, wish):
            kept.append(exit_)
            left -= exit_.quantity
            if target is not None and not exit_.by_exchange:
                open_targets.remove(target)
        else:
            superfluous.append(exit_)
    return kept, superfluous


def _target_fits(exit_: Exit, target: Target | None, wish: Wish) -> bool:
    if exit_.target is None:
        return exit_.stop_loss is not None
    return target is not None and (wish.pairs or exit_.by_exchange or wish.stop_loss is None)


def _wanted(wish: Wish, kept: Sequence[Exit], market: Market) -> list[NewExit]:
    """The exits that are missing, targets first; what no target sells is guarded by a stop-loss of its own."""
    left = _uncovered(wish, kept, market)
    found: list[NewExit] = []
    resting = {exit_.target for exit_ in kept}
    for target in wish.targets if wish.pairs or wish.stop_loss is None else ():
        quantity = min(left, target_quantity(target, wish.bought, wish.held, market))
        new = NewExit(quantity, wish.stop_loss, target.price)
        if target.price not in resting and _placeable(new, market):
            found.append(new)
            left -= quantity
    rest = NewExit(left, wish.stop_loss)
    if wish.stop_loss is not None and _placeable(rest, market):
        found.append(rest)
    return found


def _uncovered(wish: Wish, kept: Sequence[Exit], market: Market) -> Decimal:
    covered = sum((exit_.quantity for exit_ in kept), _ZERO)
    return max(_ZERO, market.quantize_quantity(wish.held - covered))


def _placeable(new: NewExit, market: Market) -> bool:
    """Whether the exchange's least sizes admit it."""
    if new.quantity <= 0 or (market.min_quantity is not None and new.quantity < market.min_quantity):
        return False
    prices = [price for price in (new.stop_loss, new.target) if price is not None]
    if market.min_notional is None or not prices:
        return True
    return EXACT.multiply(new.quantity, min(prices)) >= market.min_notional


def _cancelling(exits: Sequence[Exit]) -> Steps:
    return Steps(cancel=tuple(order for exit_ in exits for order in exit_.orders))
