"""Which of KuCoin's families an order of the engine belongs to, and how long it is remembered.

A stop order and the legs of an OCO have ids of their own; what they become when they execute is an order of the hf
family with a new id. Source: https://www.kucoin.com/docs-new/rest/spot-trading/orders/add-stop-order
"""

from __future__ import annotations

from collections.abc import Iterator

from app.sandbox.dialects.kucoin.notation import ORDER, STOP_ORDER, number_of, written_id
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order, State

_DAY = 24 * 60 * 60 * 1_000_000
_CANCELED_KEPT, _FILLED_KEPT = 2 * _DAY, 3 * _DAY


def in_book(order: Order) -> bool:
    """Whether an order is of the hf family: plain, or what a stop order or a leg of an OCO became."""
    if order.group is not None:
        return order.state is not State.REJECTED and (order.triggered or bool(order.fills))
    return order.spec.trigger_price is None or (order.triggered and order.state is not State.REJECTED)


def is_stop(order: Order) -> bool:
    """Whether it was placed as a stop order."""
    return order.spec.trigger_price is not None and order.group is None


def order_id(order: Order) -> str:
    """The id an order has now."""
    return written_id(ORDER if in_book(order) else STOP_ORDER, order.id)


def stop_id(order: Order) -> str:
    """The id a stop order or a leg was given when it was placed."""
    return written_id(STOP_ORDER, order.id)


def client_oid(order: Order) -> str:
    """The client id; the legs of an OCO go by that of the OCO."""
    return order.client_id or (order.group.client_id if order.group is not None else "")


def hf_orders(account: Account, symbol: str | None = None) -> Iterator[Order]:
    """The hf family, oldest first."""
    return (o for o in account.orders.values() if symbol in (None, o.symbol) and in_book(o))


def open_orders(account: Account, symbol: str | None = None) -> list[Order]:
    """What of the hf family is open, oldest first."""
    return [o for o in account.open_orders.values() if symbol in (None, o.symbol) and in_book(o)]


def find_hf(account: Account, symbol: str, text: str, now: int) -> Order | None:
    """The order of the hf family with that id, unless it ended too long ago."""
    order = account.orders.get(number_of(ORDER, text) or 0)
    return order if order is not None and _shown(order, symbol, now) else None


def find_hf_by_client_oid(account: Account, symbol: str, text: str, now: int) -> Order | None:
    """The latest order of the hf family with that client id, unless it ended too long ago."""
    order = account.by_client_id.get(text)
    if order is not None:
        return order if _shown(order, symbol, now) else None
    legs = (
        leg for group in reversed(account.groups.values()) if group.client_id == text for leg in group.exits
    )
    return next((leg for leg in legs if _shown(leg, symbol, now)), None)


def _shown(order: Order, symbol: str, now: int) -> bool:
    return order.symbol == symbol and in_book(order) and not forgotten(order, now)


def forgotten(order: Order, now: int) -> bool:
    """Whether an order ended so long ago that look-ups do not find it any more."""
    kept = _FILLED_KEPT if order.state is State.FILLED else _CANCELED_KEPT
    return not order.live and now - order.updated_at > kept
