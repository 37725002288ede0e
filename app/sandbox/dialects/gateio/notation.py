"""How Gate.io writes symbols, amounts, times and ids."""

from __future__ import annotations

from decimal import Decimal

from app.domain.money import plain
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.model import Fill, Order, State

Json = dict[str, object]

TEXT_PREFIX = "t-"

_FIRST_ORDER = 1_800_000_000
_FIRST_FIRED = 2_800_000_000
_FIRST_TRIGGER = 900_000
_FIRST_TRADE = 55_000


def exchange_symbol(instrument: Instrument) -> str:
    return pair(instrument.symbol)


def pair(symbol: str) -> str:
    return symbol.replace("/", "_")


def text(value: Decimal | None) -> str:
    """An amount without needless zeros; nothing is "0"."""
    return "0" if value is None else plain(value)


def decimals(step: Decimal) -> int:
    """How many decimals a grid has."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def seconds(at: int) -> int:
    return at // 1_000_000


def milliseconds(at: int) -> int:
    return at // 1000


def is_trigger(order: Order) -> bool:
    """Whether an order was placed as a trigger, which has an id of its own beside that of the order it places."""
    return order.spec.waits


def executes(order: Order) -> bool:
    """Whether there is an order that trades: a trigger has placed one once it has fired and could be paid for."""
    return not is_trigger(order) or (order.triggered and order.state is not State.REJECTED)


def order_id(order: Order) -> str:
    """The id of the order that trades."""
    return str((_FIRST_FIRED if is_trigger(order) else _FIRST_ORDER) + order.id)


def trigger_id(order: Order) -> int:
    return _FIRST_TRIGGER + order.id


def engine_id(exchange_id: int, *, trigger: bool = False) -> int:
    """The engine's number of a trigger, or of an order that trades."""
    if trigger:
        return exchange_id - _FIRST_TRIGGER
    return exchange_id - (_FIRST_FIRED if exchange_id > _FIRST_FIRED else _FIRST_ORDER)


def trade_id(fill: Fill) -> str:
    return str(_FIRST_TRADE + fill.trade_id)


def text_of(order: Order) -> str:
    """What an order is called: by its customer, or by where it came from."""
    return TEXT_PREFIX + order.client_id if order.client_id else "apiv4"
