"""Which of an account's orders are seen where: plans apart from orders, take-profits and stops apart from the rest."""

from __future__ import annotations

from collections.abc import Iterator

from app.sandbox.dialects.bitget.call import Call
from app.sandbox.dialects.bitget.errors import BitgetError, empty
from app.sandbox.dialects.bitget.notation import engine_id, executing_id, is_plan, is_tpsl, order_id
from app.sandbox.dialects.bitget.parameters import Parameters
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order, State

_CLIENT_ID_KNOWN_FOR = 2 * 60 * 60 * 1_000_000


def exists(order: Order) -> bool:
    """Whether an order has come into being; exits do only when their entry has filled."""
    working = order.group.working if order.group is not None else None
    return working is None or order is working or working.state is State.FILLED


def executing(account: Account) -> Iterator[Order]:
    """The orders proper, latest first: everything but plans that have not triggered."""
    return (
        order
        for order in reversed(account.orders.values())
        if exists(order) and (order.triggered or not is_plan(order))
    )


def waits_as_tpsl(order: Order) -> bool:
    """Whether an order is listed among the take-profits and stops: until it triggers."""
    return is_tpsl(order) and not order.triggered


def plans(account: Account) -> Iterator[Order]:
    """The plans, latest first."""
    return (order for order in reversed(account.orders.values()) if is_plan(order))


def find_executing(call: Call, params: Parameters) -> Order | None:
    """The order proper that an id names, or a client id of the last two hours.

    Raises:
        BitgetError: 40019 when neither is sent.
    """
    account, number = call.account, params.integer("orderId")
    if number is not None:
        order = account.orders.get(engine_id(number))
        named = order is not None and executing_id(order) == str(number)
    else:
        client_id = params.client_id("clientOid")
        if client_id is None:
            raise empty("orderId")
        order = account.by_client_id.get(client_id)
        named = (
            order is not None
            and not is_plan(order)
            and call.venue.now() - order.created_at <= _CLIENT_ID_KNOWN_FOR
        )
    if order is None or not named or not exists(order) or (is_plan(order) and not order.triggered):
        return None
    return order


def find_plan(call: Call, absent: BitgetError) -> Order:
    """The plan that an id or client id names.

    Raises:
        BitgetError: 40019 when neither is sent, ``absent`` when there is no such plan.
    """
    number = call.params.integer("orderId")
    if number is not None:
        order = call.account.orders.get(engine_id(number))
        named = order is not None and order_id(order) == str(number)
    else:
        client_id = call.params.client_id("clientOid")
        if client_id is None:
            raise empty("orderId")
        order = call.account.by_client_id.get(client_id)
        named = order is not None
    if order is None or not named or not is_plan(order):
        raise absent
    return order
