"""How Coinbase writes products, amounts, times and ids; and which of the engine's orders are one order there."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from app.domain.money import plain
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.model import Order

Json = dict[str, object]

_PREFIX = "6f0c0000-0000-4000-8000-"


def product_id(instrument: Instrument) -> str:
    return f"{instrument.base}-{instrument.quote}"


def product_of(order: Order) -> str:
    return order.symbol.replace("/", "-")


def text(value: Decimal | None) -> str:
    """An amount; nothing is "0"."""
    return "0" if value is None else plain(value)


def moment(at: int) -> str:
    """A time in microseconds, as RFC 3339."""
    return (
        datetime.fromtimestamp(at / 1_000_000, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    )


def legs(order: Order) -> tuple[Order, ...]:
    """The exits of the bracket that an order is a leg of, or the order alone."""
    group = order.group
    return group.exits if group is not None and order in group.exits else (order,)


def is_told(order: Order) -> bool:
    """Whether an order is one of its own at Coinbase: the second leg of a bracket is not."""
    return legs(order)[0] is order


def order_id(order: Order) -> str:
    """The id of an order; both legs of a bracket have that of the bracket."""
    return f"{_PREFIX}{legs(order)[0].id:012d}"


def engine_id(text: str) -> int | None:
    """The engine's number of an order."""
    number = text.removeprefix(_PREFIX)
    return int(number) if number.isascii() and number.isdigit() else None
