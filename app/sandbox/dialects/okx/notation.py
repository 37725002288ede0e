"""How OKX writes instruments, amounts, times and ids."""

from __future__ import annotations

from decimal import Decimal

from app.domain.money import plain
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.model import Fill, Order, State

Json = dict[str, object]

_FIRST_ORDER = 2_400_000_000_000_000_000
_FIRST_PLACED = 2_410_000_000_000_000_000
_FIRST_ALGO = 2_420_000_000_000_000_000
_FIRST_BILL = 2_430_000_000_000_000_000


def instrument_id(instrument: Instrument) -> str:
    return f"{instrument.base}-{instrument.quote}"


def instrument_of(order: Order) -> str:
    return order.symbol.replace("/", "-")


def text(value: Decimal | None) -> str:
    """An amount; what is not there is empty."""
    return "" if value is None else plain(value)


def milliseconds(at: int) -> str:
    return str(at // 1000)


def is_algo(order: Order) -> bool:
    """Whether an order waits, or waited, for a price."""
    return order.spec.waits


def is_exit(order: Order) -> bool:
    """Whether an order is one of several exits, or attached to an entry."""
    return order.group is not None and order in order.group.exits


def exists(order: Order) -> bool:
    """Whether an order has come into being; exits do only when their entry has filled."""
    working = order.group.working if order.group is not None else None
    return working is None or order is working or working.state is State.FILLED


def trades(order: Order) -> bool:
    """Whether an order is in the book, or was: an algo order is not before it has triggered and could be paid for."""
    return exists(order) and (not is_algo(order) or (order.triggered and order.state is not State.REJECTED))


def order_id(order: Order) -> str:
    """The id of an order proper, be it the one that an algo order places."""
    return str((_FIRST_PLACED if is_algo(order) else _FIRST_ORDER) + order.id)


def engine_id(number: int) -> int:
    """The engine's number of an order proper."""
    return number - (_FIRST_PLACED if number > _FIRST_PLACED else _FIRST_ORDER)


def algo_id(order: Order) -> str:
    """The id of an algo order; two exits that exclude each other have one."""
    first = order.group.exits[0] if order.group is not None and is_exit(order) else order
    return str(_FIRST_ALGO + first.id)


def algo_client_id(order: Order) -> str:
    """Its client id, which is the first exit's at the engine."""
    first = order.group.exits[0] if order.group is not None and is_exit(order) else order
    return first.client_id


def client_id(order: Order) -> str:
    """The client id of an order proper; one that an algo order placed has none."""
    return "" if is_algo(order) else order.client_id


def created_at(order: Order) -> int:
    """When an algo order came into being: for an exit, when its entry had filled."""
    working = order.group.working if order.group is not None and is_exit(order) else None
    return order.created_at if working is None else working.updated_at


def bill_id(fill: Fill) -> str:
    return str(_FIRST_BILL + fill.trade_id)
