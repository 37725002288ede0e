"""The arithmetic of a position: what is held, what it cost and what sales earned, from the executions of its orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from app.domain.money import EXACT
from app.domain.orders import Side

_ZERO = Decimal(0)

#: Cost is shared out to this fraction of a quote unit; what one sale is charged less, a later one is charged more.
_FRACTION = Decimal("1E-18")


@dataclass(frozen=True, slots=True)
class Execution:
    """What one order executed: ``quantity`` in base, ``cost`` in quote, and the fees charged in either."""

    side: Side
    quantity: Decimal
    cost: Decimal
    base_fee: Decimal = _ZERO
    quote_fee: Decimal = _ZERO


@dataclass(frozen=True, slots=True)
class Holding:
    """Where executions lead. ``quantity`` and ``bought`` in base, the rest in quote.

    ``cost`` is what the held part was bought for, fees included; ``realised`` what sales earned after all fees.
    """

    quantity: Decimal = _ZERO
    bought: Decimal = _ZERO
    cost: Decimal = _ZERO
    realised: Decimal = _ZERO
    fees: Decimal = _ZERO


_NOTHING = Holding()


def holding(
    executions: Iterable[Execution], external: Decimal = _ZERO, carried: Holding = _NOTHING
) -> Holding:
    """The holding after ``carried``, then these executions, oldest first, and after ``external`` was sold by hand.

    A sale of more than is held sells what is held; of the hand's sales the earnings are not known, so they move
    cost out and earn nothing.
    """
    held = carried
    for each in executions:
        held = _bought(held, each) if each.side is Side.BUY else _sold(held, each)
    return _removed(held, min(external, held.quantity))


def unrealised(held: Holding, price: Decimal) -> Decimal:
    """What selling the rest at ``price`` would earn, before the fee of that sale, in quote."""
    return EXACT.multiply(held.quantity, price) - held.cost


def _bought(held: Holding, buy: Execution) -> Holding:
    received = buy.quantity - buy.base_fee
    return Holding(
        quantity=held.quantity + received,
        bought=held.bought + received,
        cost=held.cost + buy.cost + buy.quote_fee,
        realised=held.realised,
        fees=held.fees + buy.quote_fee + _worth(buy.base_fee, buy),
    )


def _sold(held: Holding, sale: Execution) -> Holding:
    """Also books what of a sale was not the position's: only its share earns."""
    sold = min(sale.quantity, held.quantity)
    if sold <= 0:
        return held
    share = EXACT.divide(sold, sale.quantity)
    fee = _rounded(EXACT.multiply(sale.quote_fee, share))
    left = _removed(held, sold)
    earned = _rounded(EXACT.multiply(sale.cost, share)) - fee - (held.cost - left.cost)
    return Holding(left.quantity, held.bought, left.cost, held.realised + earned, held.fees + fee)


def _removed(held: Holding, quantity: Decimal) -> Holding:
    if quantity <= 0:
        return held
    left = held.quantity - quantity
    cost = _rounded(EXACT.divide(EXACT.multiply(held.cost, left), held.quantity)) if left else _ZERO
    return Holding(left, held.bought, cost, held.realised, held.fees)


def _worth(base_fee: Decimal, buy: Execution) -> Decimal:
    return _rounded(EXACT.divide(EXACT.multiply(buy.cost, base_fee), buy.quantity)) if base_fee else _ZERO


def _rounded(amount: Decimal) -> Decimal:
    return amount.quantize(_FRACTION, ROUND_HALF_EVEN, EXACT)
