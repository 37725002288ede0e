"""Changing open orders: in place, or the old way by putting a new one in their stead.

Source: https://docs.kraken.com/api/docs/rest-api/amend-order
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.sandbox.dialects.kraken import placing, prices, render
from app.sandbox.dialects.kraken.call import Call
from app.sandbox.dialects.kraken.cancelling import find_open, open_by_txid
from app.sandbox.dialects.kraken.errors import invalid, refused, unknown_order
from app.sandbox.dialects.kraken.limits import amend_cost, edit_cost
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Refusal, Refused


def amend_order(call: Call) -> object:
    """POST /0/private/AmendOrder: another total quantity or other prices, under the same txid."""
    params = call.params
    placing.check_deadline(call)
    order = find_open(call)
    market = call.venue.market(order.symbol)
    quantity = params.amount("order_qty")
    limit = _price(call, "limit_price", order, market, OrderType.LIMIT)
    trigger = _price(call, "trigger_price", order, market, order.spec.type)
    if (quantity, limit, trigger) == (None, None, None):
        raise invalid("order_qty")
    changed = replace(
        order.spec,
        quantity=order.quantity if quantity is None else quantity,
        quote_quantity=None,
        price=order.price if limit is None else limit,
        trigger_price=order.spec.trigger_price if trigger is None else trigger,
    )
    placing.check_size(changed, market)
    post_only = order.spec.post_only or params.flag("post_only")
    if post_only and limit is not None and market.crosses(order.side, limit):
        raise refused(Refusal.WOULD_MATCH)
    now = call.venue.now()
    call.rate.trade(call.account, order.symbol, amend_cost(order, now), now)
    try:
        call.venue.amend(order, quantity=quantity, price=limit, trigger_price=trigger)
    except Refused as refusal:
        raise refused(refusal.refusal) from None
    return {"amend_id": render.amend_id(order)}


def _price(call: Call, name: str, order: Order, market: Market, kind: OrderType) -> Decimal | None:
    text = call.params.text(name)
    if text is None:
        return None
    return prices.read(text, name, market.last, order.side, kind, market.instrument)


def edit_order(call: Call) -> object:
    """POST /0/private/EditOrder: another order in the place of one, under another txid and without a client id."""
    market = call.market()
    order = open_by_txid(call.account, call.params.required("txid"))
    if order is None or order.symbol != market.instrument.symbol:
        raise unknown_order()
    if order.spec.trailing_percent is not None:
        raise refused(Refusal.BAD_AMENDMENT)
    spec = _edited(call, order, market)
    now = call.venue.now()
    call.rate.trade(call.account, order.symbol, edit_cost(order, now), now)
    try:
        new = call.venue.substitute(order, spec)
    except Refused as refusal:
        raise refused(refusal.refusal) from None
    return {
        "status": "ok",
        "txid": render.txid(new),
        "originaltxid": render.txid(order),
        "volume": f"{new.quantity:.8f}",
        "orders_cancelled": 1,
        "descr": render.description(new.spec, market.instrument),
    }


def _edited(call: Call, order: Order, market: Market) -> OrderSpec:
    """The order with the volume and prices that were sent instead of its own."""
    old = order.spec
    if old.trigger_price is None:
        limit, trigger = _price(call, "price", order, market, old.type), None
    else:
        limit = _price(call, "price2", order, market, OrderType.LIMIT)
        trigger = _price(call, "price", order, market, old.type)
    volume = call.params.amount("volume")
    spec = replace(
        old,
        quantity=order.remaining if volume is None else volume,
        price=old.price if limit is None else limit,
        trigger_price=old.trigger_price if trigger is None else trigger,
        client_id=None,
    )
    placing.check_size(spec, market)
    return spec
