"""How Bybit writes symbols, amounts, times and ids."""

from __future__ import annotations

import secrets
from decimal import Decimal

from app.domain.money import plain
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.model import Fill, Order, State

Json = dict[str, object]

#: Kinds of order, as a cancellation names them.
PLAIN, TPSL, CONDITIONAL, PAIR = "Order", "tpslOrder", "StopOrder", "BidirectionalTpslOrder"

_FIRST_ORDER = 1_523_000_000_000_000_000
_FIRST_TRADE = 2_290_000_000_000_000_000
_FIRST_CLIENT_ID = 1_600_000_000_000_000_000
_CLIENT_IDS = 10**15


def exchange_symbol(instrument: Instrument) -> str:
    return f"{instrument.base}{instrument.quote}"


def symbol_of_pair(symbol: str) -> str:
    return symbol.replace("/", "")


def symbol_of(order: Order) -> str:
    return symbol_of_pair(order.symbol)


def text(value: Decimal | None) -> str:
    """An amount without needless zeros; nothing is "0"."""
    return "0" if value is None else plain(value)


def milliseconds(at: int) -> str:
    return str(at // 1000)


def kind(order: Order) -> str:
    """Which kind of order it was placed as; two exits of one entry are a pair."""
    if is_exit(order) and order.group is not None and len(order.group.exits) > 1:
        return PAIR
    return order.spec.echo.get("orderFilter", PLAIN)


def is_exit(order: Order) -> bool:
    """Whether an order was attached to another, which it closes."""
    return order.group is not None and order in order.group.exits


def exists(order: Order) -> bool:
    """Whether an order has come into being; exits do only when their entry has filled."""
    working = order.group.working if order.group is not None else None
    return working is None or order is working or working.state is State.FILLED


def created_at(order: Order) -> int:
    """When an order came into being: for an exit, when its entry had filled."""
    working = order.group.working if order.group is not None and is_exit(order) else None
    return order.created_at if working is None else working.updated_at


def order_id(order: Order) -> str:
    return str(_FIRST_ORDER + order.id)


def engine_id(exchange_id: int) -> int:
    """The engine's number of an order."""
    return exchange_id - _FIRST_ORDER


def trade_id(fill: Fill) -> str:
    return str(_FIRST_TRADE + fill.trade_id)


def new_client_id() -> str:
    """The client id of an order that was sent without one."""
    return str(_FIRST_CLIENT_ID + secrets.randbelow(_CLIENT_IDS))
