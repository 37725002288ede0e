"""What is traded: a pair of assets and the grid its prices and quantities lie on."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Instrument:
    """One spot market. Prices are quote per base, quantities base, notionals and depth quote.

    ``depth`` is roughly what one level of the synthetic order book holds; ``walks`` says whether the random walk
    moves it.
    """

    base: str
    quote: str
    price: Decimal
    tick: Decimal
    lot: Decimal
    min_quantity: Decimal
    max_quantity: Decimal
    min_notional: Decimal
    max_notional: Decimal
    depth: Decimal
    walks: bool = True
    trading: bool = True

    @property
    def symbol(self) -> str:
        """The neutral name, ``BTC/USDT``."""
        return f"{self.base}/{self.quote}"
