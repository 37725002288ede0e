"""Exact decimal arithmetic for prices and amounts.

Money never passes through a binary float: what an exchange or a person wrote is kept digit for digit, and what is
sent is the plain decimal string of that value.
"""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation

from app.domain.errors import InvalidAmount

#: Longest text accepted as an amount, also when written plainly; ``1e400000`` is refused before it grows.
MAX_TEXT = 64
MAX_EXPONENT = 40

#: Wide enough that a product of two amounts is exact, and that the largest can be counted in the smallest step.
EXACT = Context(prec=2 * MAX_TEXT)


def to_decimal(value: object) -> Decimal:
    """The exact Decimal of an int, Decimal or numeric string.

    Floats and bools are refused because their digits are not the ones that were written; NaN and infinities
    because they are not amounts.

    Raises:
        InvalidAmount: for anything that is not one finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise InvalidAmount(f"{type(value).__name__} is not an exact number; give a decimal string")
    if isinstance(value, str):
        value = value.strip()
        if not value or len(value) > MAX_TEXT or "_" in value or not value.isascii():
            raise InvalidAmount(f"{value[:MAX_TEXT]!r} is not a number")
    try:
        number = Decimal(value)
    except InvalidOperation:
        raise InvalidAmount(f"{value!r} is not a number") from None
    if not number.is_finite():
        raise InvalidAmount(f"{number} is not a finite number")
    if abs(number.adjusted()) > MAX_EXPONENT or (isinstance(value, str) and len(plain(number)) > MAX_TEXT):
        raise InvalidAmount(f"{number:.3e} is outside the range of amounts")
    return number


def plain(value: Decimal) -> str:
    """The shortest plain decimal string of an amount: no exponent, no trailing zeros, no negative zero."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def floor_to_step(value: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of ``step`` not further from zero than ``value``; never enlarges an amount.

    A step of zero means the exchange sets no grid, and the value is returned as it is.
    """
    if step <= 0:
        return value
    return EXACT.multiply(EXACT.divide_int(value, step), step)


def is_multiple(value: Decimal, step: Decimal) -> bool:
    """Whether a value lies on an exchange's grid; every value does when the step is zero."""
    return step <= 0 or EXACT.remainder(value, step) == 0
