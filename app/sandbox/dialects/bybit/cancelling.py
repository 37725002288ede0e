"""Cancelling and changing orders. An answer says that the request was taken; a look-up says what came of it.

Source: https://bybit-exchange.github.io/docs/v5/order/cancel-order
"""

from __future__ import annotations

from app.sandbox.dialects.bybit import render, rules
from app.sandbox.dialects.bybit.call import Call
from app.sandbox.dialects.bybit.errors import BybitError, already_final, no_order, refused
from app.sandbox.dialects.bybit.notation import CONDITIONAL, PAIR, PLAIN, TPSL, exists, kind
from app.sandbox.dialects.bybit.queries import named
from app.sandbox.engine.model import Order, Refused

_FILTERS = {name: name for name in (PLAIN, TPSL, CONDITIONAL)}
_FILTERS_OF_ALL = {**_FILTERS, PAIR: PAIR, "OcoOrder": "OcoOrder"}


def cancel(call: Call) -> object:
    """POST /v5/order/cancel: an order is found only under its own kind; one that has triggered also as a plain one."""
    call.require_spot()
    market = call.market(170121)
    filter_ = call.params.choice("orderFilter", _FILTERS, PLAIN)
    order = named(call)
    if order is None or order.symbol != market.instrument.symbol or filter_ not in _kinds(order):
        raise no_order()
    if not order.live:
        raise already_final(order)
    call.venue.cancel(order)
    return render.ids(order)


def _kinds(order: Order) -> set[str]:
    own = TPSL if kind(order) == PAIR else kind(order)
    return {own, PLAIN} if order.triggered else {own}


def cancel_all(call: Call) -> object:
    """POST /v5/order/cancel-all, of one market or of all: of one kind, which is that of plain orders unless told."""
    call.require_spot()
    symbol = call.chosen_symbol()
    filter_ = call.params.choice("orderFilter", _FILTERS_OF_ALL, PLAIN)
    gone: list[Order] = []
    for order in list(call.account.open_orders.values()):
        if (
            order.live
            and exists(order)
            and symbol in (None, order.symbol)
            and filter_ in {kind(order), *_kinds(order)}
        ):
            gone += call.venue.cancel(order)
    return {"list": [render.ids(order) for order in gone if exists(order)], "success": "1"}


def amend(call: Call) -> object:
    """POST /v5/order/amend: another quantity in all, price or trigger of an order in place."""
    call.require_spot()
    market, order = call.market(170121), named(call)
    if order is None or order.symbol != market.instrument.symbol:
        raise no_order()
    if not order.live:
        raise already_final(order)
    quantity, price = call.params.amount("qty"), call.params.amount("price")
    trigger = call.params.amount("triggerPrice")
    if quantity is None and price is None and trigger is None:
        raise BybitError(10001, "params error: order not modified")
    rules.check_amendment(order, quantity, price, trigger, market)
    try:
        call.venue.amend(order, quantity=quantity, price=price, trigger_price=trigger)
    except Refused as refusal:
        raise refused(refusal.refusal) from None
    return render.ids(order)
