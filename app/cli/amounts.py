"""How amounts are written on the command line."""

from __future__ import annotations

from decimal import Decimal

from app.domain.money import to_decimal
from app.domain.orders import PriceOrPercent


def amount(text: str) -> Decimal:
    """An exact amount; a percent sign after it is allowed.

    Raises:
        InvalidAmount: it is no number.
    """
    return to_decimal(text.removesuffix("%"))


def price_or_percent(text: str) -> PriceOrPercent:
    """A price, or a distance from the entry as ``2%``.

    Raises:
        InvalidAmount: it is no number.
    """
    return PriceOrPercent.read(text)
