"""How BingX writes symbols, amounts, times and ids."""

from __future__ import annotations

from decimal import Decimal

from app.domain.money import plain
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.model import Fill, Order

Json = dict[str, object]

#: Beyond what a float holds, as real ids are.
_FIRST_ORDER = 1_735_963_671_248_000_000


def exchange_symbol(instrument: Instrument) -> str:
    return f"{instrument.base}-{instrument.quote}"


def symbol_of(order: Order | Fill) -> str:
    return order.symbol.replace("/", "-")


def text(value: Decimal | None) -> str:
    """An amount without needless zeros; nothing is "0"."""
    return "0" if value is None else plain(value)


def milliseconds(at: int) -> int:
    return at // 1000


def order_number(order_id: int) -> int:
    """The exchange's id of an order that the engine numbers so."""
    return _FIRST_ORDER + order_id


def engine_id(exchange_id: int) -> int:
    """The engine's number of an order."""
    return exchange_id - _FIRST_ORDER
