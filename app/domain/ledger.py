"""The money ledger: what an execution moves on an account, to the last digit."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple, Protocol

from app.domain.money import EXACT
from app.domain.orders import Side

_ZERO = Decimal(0)


class EntryKind(StrEnum):
    """Why an amount of the ledger came or went."""

    OPENING = "OPENING"
    """What the account held when its ledger was opened."""
    TRADE = "TRADE"
    """One side of an execution of ours: the base or the quote."""
    FEE = "FEE"
    """What the exchange charged for an execution of ours; a rebate is positive."""
    EXTERNAL = "EXTERNAL"
    """What changed without an order of ours: a deposit, a withdrawal, a trade made by hand."""


class Movement(NamedTuple):
    """An amount of one asset that came (positive) or went (negative)."""

    asset: str
    amount: Decimal
    kind: EntryKind


class Executed(Protocol):
    """What the ledger asks of an execution: amounts in base and quote, and the fee in its asset where it was told."""

    @property
    def quantity(self) -> Decimal: ...
    @property
    def cost(self) -> Decimal: ...
    @property
    def fee(self) -> Decimal | None: ...
    @property
    def fee_asset(self) -> str | None: ...


def movements(symbol: str, side: Side, fill: Executed) -> list[Movement]:
    """What one execution of a spot order moved: the base, the quote, and the fee in whatever asset it was taken.

    ``fill.cost`` is what the exchange says changed hands; it is price times quantity only where the exchange tells
    no amount of its own. A fee it does not tell moves nothing here, and shows as drift of the balance.
    """
    base, _, quote = symbol.partition("/")
    bought = side is Side.BUY
    moved = [
        Movement(base, _signed(fill.quantity, came=bought), EntryKind.TRADE),
        Movement(quote, _signed(fill.cost, came=not bought), EntryKind.TRADE),
    ]
    if fill.fee and fill.fee_asset:
        moved.append(Movement(fill.fee_asset, _signed(fill.fee, came=False), EntryKind.FEE))
    return moved


def tells_fee(fill: Executed) -> bool:
    """Whether the exchange told what it charged for an execution, and in which asset."""
    return fill.fee is not None and (not fill.fee or fill.fee_asset is not None)


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """The sum with every digit; the plain one is cut to 28 of them."""
    total = _ZERO
    for amount in amounts:
        total = EXACT.add(total, amount)
    return total


def _signed(amount: Decimal, *, came: bool) -> Decimal:
    return amount if came else amount.copy_negate()
