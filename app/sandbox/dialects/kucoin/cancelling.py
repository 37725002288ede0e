"""Cancelling orders of the hf family, whole or in part, and altering them.

Source: https://www.kucoin.com/docs-new/rest/spot-trading/orders/cancel-order-by-orderld
"""

from __future__ import annotations

from dataclasses import replace

from app.sandbox.dialects.kucoin import render, rules
from app.sandbox.dialects.kucoin.call import Call, asking
from app.sandbox.dialects.kucoin.errors import bad_parameter, not_cancellable
from app.sandbox.dialects.kucoin.families import (
    client_oid,
    find_hf,
    find_hf_by_client_oid,
    open_orders,
    order_id,
)
from app.sandbox.dialects.kucoin.notation import Json, amount
from app.sandbox.dialects.kucoin.parameters import missing
from app.sandbox.engine.model import Order, OrderType


def cancel(call: Call) -> object:
    """DELETE /api/v1/hf/orders/{orderId}"""
    order = _by_id(call)
    _end(call, order)
    return {"orderId": order_id(order)}


def cancel_by_client_oid(call: Call) -> object:
    """DELETE /api/v1/hf/orders/client-order/{clientOid}"""
    order = _by_client_oid(call)
    _end(call, order)
    return {"clientOid": client_oid(order)}


def cancel_and_wait(call: Call) -> object:
    """DELETE /api/v1/hf/orders/sync/{orderId}"""
    order = _by_id(call)
    _end(call, order)
    return {"orderId": order_id(order)} | render.progress(order)


def cancel_by_client_oid_and_wait(call: Call) -> object:
    """DELETE /api/v1/hf/orders/sync/client-order/{clientOid}"""
    order = _by_client_oid(call)
    _end(call, order)
    return {"clientOid": client_oid(order)} | render.progress(order)


def cancel_part(call: Call) -> object:
    """DELETE /api/v1/hf/orders/cancel/{orderId}: take ``cancelSize`` off what is left."""
    order = _by_id(call)
    size = call.params.amount("cancelSize")
    if size is None:
        raise missing("cancelSize")
    if not order.live or size > order.remaining:
        raise not_cancellable()
    if size == order.remaining:
        _end(call, order)
    else:
        asking(lambda: call.venue.amend(order, quantity=order.quantity - size))
    return {"orderId": order_id(order), "cancelSize": amount(size)}


def cancel_symbol(call: Call) -> object:
    """DELETE /api/v1/hf/orders: everything open on one symbol; stop orders stay."""
    _end_all(call, call.market().instrument.symbol)
    return "success"


def cancel_everything(call: Call) -> object:
    """DELETE /api/v1/hf/orders/cancelAll"""
    return {"succeedSymbols": _end_all(call, None), "failedSymbols": []}


def alter(call: Call) -> object:
    """POST /api/v1/hf/orders/alter: another order takes the place and the client id of the one there is."""
    market = call.market()
    order = _by_id(call) if "orderId" in call.params else _by_client_oid(call)
    price, size = call.params.amount("newPrice"), call.params.amount("newSize")
    if price is None and size is None:
        raise bad_parameter("newPrice or newSize is required")
    if not order.live or order.price is None:
        raise not_cancellable()
    size = order.quantity if size is None else size
    if size <= order.filled:
        _end(call, order)
        return _altered(order)
    # What a stop order became is altered as the limit order it is by now.
    spec = replace(
        order.spec,
        type=OrderType.LIMIT,
        trigger_price=None,
        quantity=size - order.filled,
        price=order.price if price is None else price,
        client_id=client_oid(order),
    )
    rules.check(replace(spec, quantity=size), market)
    return _altered(asking(lambda: call.venue.substitute(order, spec)))


def _altered(order: Order) -> Json:
    return {"newOrderId": order_id(order), "clientOid": client_oid(order)}


def _by_id(call: Call) -> Order:
    symbol = call.market().instrument.symbol
    order = find_hf(call.account, symbol, call.params.required("orderId"), call.venue.now())
    if order is None:
        raise not_cancellable()
    return order


def _by_client_oid(call: Call) -> Order:
    symbol = call.market().instrument.symbol
    text = call.params.required("clientOid")
    order = find_hf_by_client_oid(call.account, symbol, text, call.venue.now())
    if order is None:
        raise not_cancellable()
    return order


def _end(call: Call, order: Order) -> None:
    asking(lambda: call.venue.cancel(order))


def _end_all(call: Call, symbol: str | None) -> list[str]:
    """Cancel what is open and tell of which symbols; an order may go with another of its OCO."""
    found = open_orders(call.account, symbol)
    for order in found:
        if order.live:
            _end(call, order)
    return sorted({render.symbol_of(order) for order in found})
