"""What guards a position: the exits that should rest on the exchange, against those that do.

Pure: given what is held, what is wished for and what rests, `next_steps` names the orders to cancel and to place next.
Asked again after those are done, it leads in a few rounds to the wish, from whatever state a crash, an execution or
a person left behind. Nothing it names ever sells more than is held.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from app.domain.markets import Market
from app.domain.money import EXACT
from app.domain.orders import OrderRequest, OrderType, Side

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)

#: The rules of a market that a sale breaks by being too small.
_LEAST_SIZES = frozenset({"lot_size", "min_quantity", "min_notional"})


@dataclass(frozen=True, slots=True)
class Target:
    """A take-profit: at ``price`` (quote), ``share`` percent of what was bought is sold."""

    price: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class Trail:
    """What lets the exchange itself move a stop-loss: ``percent`` behind the best price since it was placed.

    ``best`` is the best price seen since the distance was wished, and ``last`` the price now, in quote; None when no
    fresh one is known.
    """

    percent: Decimal
    best: Decimal
    last: Decimal | None


@dataclass(frozen=True, slots=True)
class Wish:
    """How a position shall be guarded. Amounts in base, prices in quote.

    ``held`` is what our orders brought in and did not sell again; ``close`` of it is to be sold at the market now.
    ``pairs`` says whether the exchange has exits of which one cancels the other; without them two exits would each
    hold the balance, so that only the stop-loss rests, or the targets when there is no stop-loss. ``stop_loss`` is
    where it stands now; with a ``trail`` the exchange may move it from there, None when nobody does or we do.
    """

    held: Decimal
    bought: Decimal
    stop_loss: Decimal | None
    targets: tuple[Target, ...]
    close: Decimal
    pairs: bool
    trail: Trail | None = None

    def follows(self, market: Market) -> Decimal | None:
        """The distance of the exchange's own trailing stops that may rest; None where they would stand too low."""
        if self.trail is None:
            return None
        seen = [price for price in (self.trail.best, self.trail.last) if price is not None]
        return self._from(max(seen), self.trail, market)

    def begins(self, market: Market) -> Decimal | None:
        """The distance of one to be placed now; None while it would begin below where the stop-loss stands.

        None, too, for less than the exchange takes: what rests of it would be cancelled for nothing.
        """
        whole = NewExit(market.quantize_quantity(self.held), self.stop_loss)
        if self.trail is None or self.trail.last is None or not _placeable(whole, market):
            return None
        return self._from(self.trail.last, self.trail, market)

    def _from(self, price: Decimal, trail: Trail, market: Market) -> Decimal | None:
        level = trailed(None, price, trail.percent, market)
        return trail.percent if self.stop_loss is not None and level >= self.stop_loss else None


@dataclass(frozen=True, slots=True)
class Exit:
    """Exits that rest on the exchange and share one hold of ``quantity``, still to be sold, in base.

    ``orders`` are the ids to cancel; ``stop_loss`` and ``target`` their prices. A stop-loss that the exchange moves has
    its distance in ``trailing`` instead of a price. ``by_exchange`` marks those that came with an entry: the exchange
    sized them, perhaps before it took its fee.
    """

    orders: tuple[int, ...]
    quantity: Decimal
    stop_loss: Decimal | None
    target: Decimal | None
    by_exchange: bool = False
    trailing: Decimal | None = None

    @property
    def stops(self) -> bool:
        """Whether a stop-loss is among them."""
        return self.stop_loss is not None or self.trailing is not None


@dataclass(frozen=True, slots=True)
class NewExit:
    """An exit to be placed: a sale at the market when it has neither price.

    With ``trailing``, a distance in percent, the exchange moves the stop-loss that begins at or above ``stop_loss``.
    """

    quantity: Decimal
    stop_loss: Decimal | None = None
    target: Decimal | None = None
    trailing: Decimal | None = None


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
    bare = [exit_ for exit_ in kept if exit_.target is None]
    if not missing and wish.stop_loss is not None and _uncovered(wish, kept, market):
        # What came in last is too little for a stop-loss of its own: one for it and what others guard.
        return _cancelling(bare)
    if bare and _lacks_target(wish, kept, missing, market):
        return _cancelling(bare)  # stop-losses alone hold what a target is to share with one
    return Steps(place=tuple(missing))


def guarded(wish: Wish, resting: Sequence[Exit], market: Market) -> bool:
    """Whether all that is held, but for less than a lot, is under a stop-loss on the exchange, or none is wished."""
    if wish.stop_loss is None or wish.held <= 0:
        return True
    covered = sum((exit_.quantity for exit_ in resting if exit_.stops), _ZERO)
    return market.quantize_quantity(wish.held - covered) <= 0


def target_quantity(target: Target, bought: Decimal, held: Decimal, market: Market) -> Decimal:
    """What a take-profit sells, in base, on the market's grid; the whole rest when its share is everything."""
    wanted = EXACT.divide(EXACT.multiply(bought, target.share), _HUNDRED)
    return market.quantize_quantity(held if target.share >= _HUNDRED else min(wanted, held))


def whole_if_rest_is_crumbs(
    quantity: Decimal, held: Decimal, stop_loss: Decimal | None, market: Market
) -> Decimal:
    """What to sell, in base, when ``quantity`` is wished: all that is held where the rest could not be guarded."""
    rest = NewExit(market.quantize_quantity(held - quantity), stop_loss)
    return quantity if _placeable(rest, market) else held


def too_little(quantity: Decimal, last: Decimal | None, market: Market) -> str | None:
    """Why the exchange takes no sale at the market of only so much, in base; None when it does.

    ``last`` is the price now, in quote; what the sale is worth is not judged without one.
    """
    sale = OrderRequest(market.symbol, Side.SELL, OrderType.MARKET, quantity=quantity)
    broken = market.check(sale, last_price=last)
    return next((violation.message for violation in broken if violation.rule in _LEAST_SIZES), None)


def trailed(stop_loss: Decimal | None, high: Decimal, percent: Decimal, market: Market) -> Decimal:
    """Where a stop that follows the best price at a distance belongs; it never moves down."""
    level = market.quantize_price(EXACT.multiply(high, 1 - EXACT.divide(percent, _HUNDRED)))
    return level if stop_loss is None else max(level, stop_loss)


def _closing(wish: Wish, resting: Sequence[Exit], market: Market) -> Steps:
    selling = market.quantize_quantity(min(wish.close, wish.held))
    free = wish.held - sum((exit_.quantity for exit_ in resting), _ZERO)
    if selling > free and resting:
        return _cancelling(_giving_way(resting, selling - free))
    return Steps(place=(NewExit(selling),)) if selling > 0 else Steps()


def _giving_way(resting: Sequence[Exit], quantity: Decimal) -> list[Exit]:
    """As few exits as hold so much, so that the others guard on: the least that is enough, or the largest and more."""
    left, found = sorted(resting, key=lambda exit_: exit_.quantity), list[Exit]()
    while quantity > 0 and left:
        gone = next((exit_ for exit_ in left if exit_.quantity >= quantity), left[-1])
        left.remove(gone)
        found.append(gone)
        quantity -= gone.quantity
    return found


def _sorted_out(wish: Wish, resting: Sequence[Exit], market: Market) -> tuple[list[Exit], list[Exit]]:
    """Those that are as wished, as far as they do not sell too much together, and the others."""
    kept: list[Exit] = []
    superfluous: list[Exit] = []
    left = wish.held
    open_targets = list(wish.targets)
    for exit_ in resting:
        target = next((each for each in open_targets if each.price == exit_.target), None)
        fits = left > 0 if exit_.by_exchange else exit_.quantity <= left
        if fits and _stop_fits(exit_, wish, market) and _target_fits(exit_, target, wish):
            kept.append(exit_)
            left -= exit_.quantity
            if target is not None and not exit_.by_exchange:
                open_targets.remove(target)
        else:
            superfluous.append(exit_)
    return kept, superfluous


def _stop_fits(exit_: Exit, wish: Wish, market: Market) -> bool:
    """Whether its stop-loss is the one that is wished: by its distance where the exchange moves its level.

    One that does not move fits until one that does would begin no lower.
    """
    if exit_.trailing is not None:
        return exit_.trailing == wish.follows(market)
    return exit_.stop_loss == wish.stop_loss and wish.begins(market) is None


def _target_fits(exit_: Exit, target: Target | None, wish: Wish) -> bool:
    if exit_.target is None:
        return exit_.stops
    return target is not None and (wish.pairs or exit_.by_exchange or wish.stop_loss is None)


def _wanted(wish: Wish, kept: Sequence[Exit], market: Market) -> list[NewExit]:
    """The exits that are missing, targets first; what no target sells is guarded by a stop-loss of its own."""
    left, trailing = _uncovered(wish, kept, market), wish.begins(market)
    found: list[NewExit] = []
    resting = {exit_.target for exit_ in kept}
    for target in wish.targets if wish.pairs or wish.stop_loss is None else ():
        quantity = min(left, target_quantity(target, wish.bought, wish.held, market))
        new = NewExit(quantity, wish.stop_loss, target.price, trailing)
        if target.price not in resting and _placeable(new, market):
            found.append(new)
            left -= quantity
    rest = NewExit(left, wish.stop_loss, trailing=trailing)
    if wish.stop_loss is not None and _placeable(rest, market):
        found.append(rest)
    elif wish.stop_loss is not None and found:
        found[-1] = replace(found[-1], quantity=found[-1].quantity + left)  # crumbs go with the last target
    return found


def _lacks_target(wish: Wish, kept: Sequence[Exit], missing: Sequence[NewExit], market: Market) -> bool:
    """Whether a target would rest if stop-losses alone did not hold what it sells."""
    paired = [exit_ for exit_ in kept if exit_.target is not None]
    possible = {new.target for new in _wanted(wish, paired, market)}
    return not possible - {None} <= {new.target for new in missing}


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
