"""Placing, changing and cancelling orders, each answered with the whole order as it is after that.

Source: https://www.gate.com/docs/developers/apiv4/#create-an-order
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

from app.sandbox.dialects.gateio import render, rules
from app.sandbox.dialects.gateio.call import Call
from app.sandbox.dialects.gateio.errors import already_final, refused, wrong
from app.sandbox.dialects.gateio.queries import find
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Refused, Side, TimeInForce

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
_AT_MARKET = {"limit": False, "market": True}
_ACCOUNTS = {"spot": "spot"}
_FORCES = {
    "gtc": (TimeInForce.GTC, False),
    "poc": (TimeInForce.GTC, True),
    "ioc": (TimeInForce.IOC, False),
    "fok": (TimeInForce.FOK, False),
}

T = TypeVar("T")


def place(call: Call) -> object:
    """POST /spot/orders"""
    spec = _read(call, call.market())
    rules.check(spec, call.market())
    return render.order(asking(lambda: call.venue.submit(call.account, spec)))


def asking(do: Callable[[], T]) -> T:
    """What the engine does, its refusals in Gate.io's words."""
    try:
        return do()
    except Refused as refusal:
        raise refused(refusal.refusal) from None


def _read(call: Call, market: Market) -> OrderSpec:
    """One order: a market buy is sized in quote, and what executes at the market may not rest."""
    params = call.params
    params.choice("account", _ACCOUNTS, "spot")
    side, at_market = params.choice("side", SIDES), params.choice("type", _AT_MARKET, False)
    force, post_only = params.choice("time_in_force", _FORCES, _FORCES["gtc"])
    if at_market and force is TimeInForce.GTC:
        raise wrong("time_in_force")
    size, by_quote = params.need(params.amount, "amount"), at_market and side is Side.BUY
    return OrderSpec(
        symbol=market.instrument.symbol,
        side=side,
        type=OrderType.MARKET if at_market else OrderType.LIMIT,
        quantity=None if by_quote else size,
        quote_quantity=size if by_quote else None,
        price=None if at_market else params.need(params.amount, "price"),
        time_in_force=force,
        post_only=post_only,
        client_id=params.client_id(),
    )


def amend(call: Call) -> object:
    """PATCH /spot/orders/{id}: another quantity in all, or another price."""
    order, market = _resting(call), call.market()
    quantity, price = call.params.amount("amount"), call.params.amount("price")
    if quantity is None and price is None:
        raise wrong("amount")
    rules.check_price(price, market.instrument)
    worth = price or order.price or Decimal(0)
    rules.check_size(quantity or order.quantity, None, worth, market.instrument)
    return render.order(asking(lambda: call.venue.amend(order, quantity=quantity, price=price)))


def cancel(call: Call) -> object:
    """DELETE /spot/orders/{id}"""
    order = _resting(call)
    call.venue.cancel(order)
    return render.order(order)


def _resting(call: Call) -> Order:
    order = find(call)
    if not order.live:
        raise already_final(order)
    return order


def cancel_all(call: Call) -> object:
    """DELETE /spot/orders: of one market, or of every one when none is named; triggers stay."""
    symbol = call.chosen_symbol()
    gone = [
        order
        for order in list(call.account.open_orders.values())
        if render.is_open(order) and symbol in (None, order.symbol)
    ]
    for order in gone:
        call.venue.cancel(order)
    return [render.order(order) for order in gone]
