"""How KuCoin writes symbols, amounts and the ids of orders."""

from __future__ import annotations

from decimal import Decimal
from string import hexdigits

from app.domain.money import plain
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.model import ZERO

Json = dict[str, object]

ORDER, STOP_ORDER, OCO = "67", "vs8h", "6c"
_DIGITS = {ORDER: 22, STOP_ORDER: 20, OCO: 22}


def amount(value: Decimal | None) -> str:
    """An amount as text, "0" for one there is not."""
    return plain(ZERO if value is None else value)


def exchange_symbol(instrument: Instrument) -> str:
    return f"{instrument.base}-{instrument.quote}"


def written_id(family: str, number: int) -> str:
    """The id of an order, a stop order or an OCO, each family in a form of its own."""
    return f"{family}{number:0{_DIGITS[family]}x}"


def number_of(family: str, text: str) -> int | None:
    """The number behind an id of that family, or None when it is none."""
    digits = text.removeprefix(family)
    if digits == text or len(digits) != _DIGITS[family] or not set(digits) <= set(hexdigits):
        return None
    return int(digits, 16)


def milliseconds(at: int) -> int:
    """A time of the engine, which counts microseconds, as KuCoin writes it."""
    return at // 1000
