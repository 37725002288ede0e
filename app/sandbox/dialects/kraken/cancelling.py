"""Cancelling orders: one, several, all, and all when the customer falls silent.

Source: https://docs.kraken.com/api/docs/rest-api/cancel-order
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from app.sandbox.dialects.kraken.call import Call
from app.sandbox.dialects.kraken.errors import KrakenError, invalid, unknown_order
from app.sandbox.dialects.kraken.limits import cancel_cost
from app.sandbox.dialects.kraken.notation import decode_id
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order

_SECOND = 1_000_000
_BATCH = 50
_LONGEST_TIMEOUT = 24 * 60 * 60


def open_by_txid(account: Account, txid: str) -> Order | None:
    number = decode_id("O", txid)
    return None if number is None else account.open_orders.get(number)


def open_by_client_id(account: Account, client_id: str) -> Order | None:
    order = account.by_client_id.get(client_id)
    return order if order is not None and order.live else None


def find_open(call: Call) -> Order:
    """The signer's open order that ``txid`` or ``cl_ord_id`` names.

    Raises:
        KrakenError: invalid arguments unless exactly one of them is sent, EOrder:Unknown order when it is not open.
    """
    txid, client_id = call.params.text("txid"), call.params.text("cl_ord_id")
    if (txid is None) == (client_id is None):
        raise invalid("txid")
    order = open_by_txid(call.account, txid) if txid else open_by_client_id(call.account, client_id or "")
    if order is None:
        raise unknown_order()
    return order


def cancel_order(call: Call) -> object:
    """POST /0/private/CancelOrder: by txid, by client id, or all with one user reference."""
    txid = call.params.text("txid")
    if txid is not None and "cl_ord_id" not in call.params and _is_userref(txid):
        orders = _with_userref(call.account, txid)
    else:
        orders = [find_open(call)]
    if not orders:
        raise unknown_order()
    return {"count": _cancel(call, orders)}


def cancel_order_batch(call: Call) -> object:
    """POST /0/private/CancelOrderBatch: what is not open is passed over."""
    names, client_ids = call.params.texts("orders"), call.params.texts("cl_ord_ids")
    if not 1 <= len(names) + len(client_ids) <= _BATCH:
        raise invalid("orders")
    found: dict[int, Order] = {}
    for name in names:
        by_txid = open_by_txid(call.account, name)
        orders = [by_txid] if by_txid is not None else _with_userref(call.account, name)
        found |= {order.id: order for order in orders}
    for client_id in client_ids:
        order = open_by_client_id(call.account, client_id)
        if order is not None:
            found[order.id] = order
    return {"count": _cancel(call, list(found.values()))}


def cancel_all(call: Call) -> object:
    """POST /0/private/CancelAll: the whole account, whatever the counters say."""
    orders = list(call.account.open_orders.values())
    for order in orders:
        call.venue.cancel(order)
    return {"count": len(orders)}


def cancel_all_orders_after(call: Call) -> object:
    """POST /0/private/CancelAllOrdersAfter: everything open goes when the time is up, 0 calls it off."""
    timeout = call.params.integer("timeout", 0, _LONGEST_TIMEOUT)
    if timeout is None:
        raise invalid("timeout")
    now = call.venue.now()
    at = now + timeout * _SECOND if timeout else None
    call.venue.cancel_all_at(call.account, at)
    return {"currentTime": _iso(now), "triggerTime": "0" if at is None else _iso(at)}


def _cancel(call: Call, orders: list[Order]) -> int:
    now = call.venue.now()
    costs: dict[str, Decimal] = {}
    for order in orders:
        costs[order.symbol] = costs.get(order.symbol, Decimal(0)) + cancel_cost(order, now)
    for symbol, cost in costs.items():
        call.rate.trade(call.account, symbol, cost, now)
    for order in orders:
        call.venue.cancel(order)
    return len(orders)


def _is_userref(text: str) -> bool:
    if decode_id("O", text) is not None:
        return False
    if text.removeprefix("-").isdigit():
        return True
    raise KrakenError("EOrder:Invalid order")


def _with_userref(account: Account, userref: str) -> list[Order]:
    return [order for order in account.open_orders.values() if order.spec.echo.get("userref") == userref]


def _iso(at: int) -> str:
    return f"{datetime.fromtimestamp(at // _SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}"
