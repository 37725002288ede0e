"""How Bitget writes symbols, amounts, times and ids."""

from __future__ import annotations

import secrets
from decimal import Decimal

from app.domain.money import plain
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.model import Fill, Order

Json = dict[str, object]

_FIRST_ORDER = 1_400_000_000_000_000_000
_FIRST_SUB_ORDER = 1_410_000_000_000_000_000
_FIRST_TRADE = 1_420_000_000_000_000_000
_FIRST_CLIENT_ID = 1_500_000_000_000_000_000
_CLIENT_IDS = 10**15


def exchange_symbol(instrument: Instrument) -> str:
    return f"{instrument.base}{instrument.quote}"


def symbol_of(order: Order) -> str:
    return order.symbol.replace("/", "")


def text(value: Decimal | None) -> str:
    """An amount without needless zeros; nothing is "0"."""
    return "0" if value is None else plain(value)


def long(value: Decimal) -> str:
    """An amount with the sixteen decimals that records of orders have."""
    return f"{value:.16f}"


def decimals(step: Decimal) -> int:
    """How many decimals a grid has."""
    exponent = step.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def milliseconds(at: int) -> str:
    return str(at // 1000)


def is_plan(order: Order) -> bool:
    """Whether an order was placed as a plan; the order it turns into when triggered has an id of its own."""
    return "planType" in order.spec.echo


def is_tpsl(order: Order) -> bool:
    """Whether an order is a take-profit or stop-loss, placed as one or attached to an entry."""
    return order.spec.echo.get("tpslType") == "tpsl"


def is_exit(order: Order) -> bool:
    """Whether an order was attached to another, which it closes."""
    return order.group is not None and order in order.group.exits


def created_at(order: Order) -> int:
    """When an order came into being: for an exit, when its entry had filled."""
    working = order.group.working if order.group is not None and is_exit(order) else None
    return order.created_at if working is None else working.updated_at


def order_id(order: Order) -> str:
    """The id that an order was placed under."""
    return str(_FIRST_ORDER + order.id)


def executing_id(order: Order) -> str:
    """The id of the order that trades: the plan's sub order for a plan, otherwise the one it was placed under."""
    return str(_FIRST_SUB_ORDER + order.id) if is_plan(order) else order_id(order)


def executing_client_id(order: Order) -> str:
    return executing_id(order) if is_plan(order) else order.client_id


def engine_id(exchange_id: int) -> int:
    """The engine's number of an order or sub order."""
    first = _FIRST_SUB_ORDER if exchange_id > _FIRST_SUB_ORDER else _FIRST_ORDER
    return exchange_id - first


def trade_id(fill: Fill) -> str:
    return str(_FIRST_TRADE + fill.trade_id)


def new_client_id() -> str:
    """The client id of an order that was sent without one."""
    return str(_FIRST_CLIENT_ID + secrets.randbelow(_CLIENT_IDS))
