"""Our requests in Gate.io's words: the bodies of orders, and of triggers that place an order later.

Source: https://www.gate.com/docs/developers/apiv4/#create-an-order and …/#create-price-triggered-order, June 2026.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.domain.markets import Market
from app.domain.money import EXACT, plain
from app.domain.orders import OrderRequest, OrderType, Side
from app.exchanges.gateio.wire import (
    ABOVE,
    ACCOUNT,
    BELOW,
    FORCES,
    PAD,
    POST_ONLY,
    TEXT_PREFIX,
    TRIGGER_ACCOUNT,
)

Params = dict[str, Any]

ZERO = Decimal(0)


def placing(request: OrderRequest, market: Market) -> Params:
    """``POST spot/orders``. A market buy is sized in quote, everything else in base; at the market means at once."""
    size = request.quote_quantity if request.quantity is None else request.quantity
    params = {
        "currency_pair": market.exchange_symbol,
        "type": request.type.lower(),
        "account": ACCOUNT,
        "side": request.side.lower(),
        "amount": plain(size or ZERO),
    }
    if request.price is None:
        params["time_in_force"] = "ioc"
    else:
        params["price"] = plain(request.price)
        params["time_in_force"] = POST_ONLY if request.post_only else FORCES[request.time_in_force]
    if request.client_order_id is not None:
        params["text"] = TEXT_PREFIX + request.client_order_id
    return params


def waiting(request: OrderRequest, market: Market) -> Params:
    """``POST spot/price_orders``: an order that is placed once the last price reaches the trigger. It has no name."""
    trigger = request.trigger_price or ZERO
    at_limit = request.price is not None
    price = (
        request.price if request.price is not None else market.quantize_price(padded(trigger, request.side))
    )
    return {
        "market": market.exchange_symbol,
        "trigger": {
            "price": plain(trigger),
            "rule": BELOW if request.type.waits_below(request.side) else ABOVE,
        },
        "put": {
            "type": "limit",
            "side": request.side.lower(),
            "price": plain(price),
            "amount": plain(request.quantity or ZERO),
            "account": TRIGGER_ACCOUNT,
            "time_in_force": "gtc" if at_limit else "ioc",
        },
    }


def padded(trigger: Decimal, side: Side) -> Decimal:
    """The limit that stands for the market once a trigger has fired."""
    return EXACT.multiply(trigger, 1 - PAD if side is Side.SELL else 1 + PAD)


#: By whether it waits below the market, its side, and whether it executes at a limit that was given.
WAITING = {
    (type_.waits_below(side), side, type_.has_price): type_
    for type_ in OrderType
    for side in Side
    if type_.has_trigger
}


def amending(quantity: Decimal | None, price: Decimal | None, market: Market) -> Params:
    """What changes of a resting order; its quantity is what it is to be in all."""
    params = {}
    if quantity is not None:
        params["amount"] = plain(market.quantize_quantity(quantity))
    if price is not None:
        params["price"] = plain(market.quantize_price(price))
    return params
