"""Cancelling and amending orders. An answer says that the request was taken; a look-up says what came of it.

Source: https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-cancel-order
"""

from __future__ import annotations

from app.sandbox.dialects.okx import rules
from app.sandbox.dialects.okx.call import Call
from app.sandbox.dialects.okx.errors import OKXError, not_to_cancel, refused, wrong
from app.sandbox.dialects.okx.notation import Json, client_id, milliseconds, order_id
from app.sandbox.dialects.okx.placing import BATCH
from app.sandbox.dialects.okx.queries import find
from app.sandbox.engine.model import Order, Refusal, Refused


def cancel_order(call: Call) -> object:
    """POST /api/v5/trade/cancel-order"""
    return call.each(_cancel, 1)


def cancel_orders(call: Call) -> object:
    """POST /api/v5/trade/cancel-batch-orders"""
    return call.each(_cancel, BATCH)


def _cancel(call: Call) -> Json:
    call.market()
    order = find(call)
    if order is None or not order.live:
        raise not_to_cancel()
    call.venue.cancel(order)
    return _ids(call, order)


def amend_order(call: Call) -> object:
    """POST /api/v5/trade/amend-order"""
    return call.each(_amend, 1)


def _amend(call: Call) -> Json:
    """Another size, of the whole order, or another price. A size that has filled already ends the order."""
    params, market = call.params, call.market()
    order = find(call)
    if order is None:
        raise refused(Refusal.NOT_OPEN)
    quantity, price = params.amount("newSz"), params.amount("newPx")
    if quantity is None and price is None:
        raise wrong("newSz")
    rules.check_price(price, market.instrument)
    if quantity is not None and quantity % market.instrument.lot:
        raise OKXError("51121", "Order quantity must be a multiple of the lot size")
    try:
        call.venue.amend(order, quantity=quantity, price=price)
    except Refused as refusal:
        raise refused(refusal.refusal) from None
    return {**_ids(call, order), "reqId": ""}


def _ids(call: Call, order: Order) -> Json:
    return {"ordId": order_id(order), "clOrdId": client_id(order), "ts": milliseconds(call.venue.now())}
