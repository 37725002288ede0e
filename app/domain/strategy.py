"""What an alert that tells what its strategy holds comes to, where nothing can be sold short.

A strategy is flat, long or short; a spot account holds something or nothing, so that short is the same as flat. Whether
the two were in step before the alert shows in what the strategy held then.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

from app.domain.alerts import Signal, StrategyPosition
from app.domain.money import EXACT, plain
from app.domain.orders import Side

_ZERO = Decimal(0)

#: A difference of this fraction is what fees took, and no reason to trade.
_AS_GOOD_AS_NONE = Decimal("0.01")


class Way(StrEnum):
    """What there is to do."""

    AS_WRITTEN = "AS_WRITTEN"
    BUY = "BUY"
    SELL = "SELL"
    NOTHING = "NOTHING"


@dataclass(frozen=True, slots=True)
class Course:
    """What leads to what the strategy holds.

    ``quantity`` of base is bought or sold; without one a purchase has the size that the alert gives, and a sale sells
    all that is held. ``out_of_step`` says in words how the account differed from the strategy before the alert, if at
    all.
    """

    way: Way
    why: str = ""
    quantity: Decimal | None = None
    out_of_step: str | None = None


def course(signal: Signal, held: Decimal) -> Course:
    """The course of an order's signal, with all defaults in it, on an account that holds so much of the base."""
    if signal.market_position is None:
        return Course(Way.AS_WRITTEN)
    drift = _drift(signal, held)
    if signal.market_position is not StrategyPosition.LONG:
        return _toward_nothing(signal, held, drift)
    if held > 0 and signal.prev_market_position in (None, StrategyPosition.LONG):
        return Course(Way.AS_WRITTEN)
    if held > 0:
        return _toward_size(signal, held, drift)
    return _from_nothing(signal, drift)


def _drift(signal: Signal, held: Decimal) -> str | None:
    before = signal.prev_market_position
    if before is None and held <= 0 and _sells_a_part(signal):
        before = StrategyPosition.LONG
    if before is None or (before is StrategyPosition.LONG) is (held > 0):
        return None
    holds = f"{plain(held)} is held" if held > 0 else "nothing is held"
    return f"out of step: the strategy was {before} before this alert, and {holds}"


def _toward_nothing(signal: Signal, held: Decimal, drift: str | None) -> Course:
    if held > 0:
        return Course(Way.SELL, f"the strategy is {signal.market_position} now", out_of_step=drift)
    short = signal.market_position is StrategyPosition.SHORT
    why = "a spot market cannot be sold short" if short else "the strategy is flat, and nothing is held"
    return Course(Way.NOTHING, why, out_of_step=drift)


def _toward_size(signal: Signal, held: Decimal, drift: str | None) -> Course:
    """Something is held that the strategy did not hold: what counts is how much it holds now."""
    wanted = _told_size(signal)
    if wanted is None or abs(wanted - held) <= EXACT.multiply(wanted, _AS_GOOD_AS_NONE):
        return Course(Way.NOTHING, "what the strategy holds now is held already", out_of_step=drift)
    way = Way.BUY if wanted > held else Way.SELL
    return Course(way, f"the strategy holds {plain(wanted)} now", abs(wanted - held), drift)


def _from_nothing(signal: Signal, drift: str | None) -> Course:
    """Where a strategy turns from short, its order covers the short position as well: that part is left out."""
    wanted = _told_size(signal)
    turned = signal.prev_market_position is StrategyPosition.SHORT
    if wanted is not None and (turned or drift is not None):
        return Course(Way.BUY, f"the strategy holds {plain(wanted)} now", wanted, drift)
    if drift is None:
        return Course(Way.AS_WRITTEN)
    if _sells_a_part(signal):
        return Course(Way.NOTHING, "how much the strategy holds is not told", out_of_step=drift)
    return Course(Way.BUY, "the strategy is long now", out_of_step=drift)


def _sells_a_part(signal: Signal) -> bool:
    places = signal.action.places
    sells = places is not None and places[0] is Side.SELL
    return sells and signal.market_position is StrategyPosition.LONG


def _told_size(signal: Signal) -> Decimal | None:
    """What the strategy holds, in base. It is another account's size where the alert sizes by a share or an amount."""
    size = signal.size
    if signal.position_size is None or signal.position_size <= _ZERO or size is None:
        return None
    return signal.position_size if size[0] == "quantity" else None
