"""Our requests in Bybit's words: the bodies of orders, plain, with exits attached, or waiting for a price.

Source: https://bybit-exchange.github.io/docs/v5/order/create-order, July 2026.
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.markets import Market
from app.domain.money import plain
from app.domain.orders import Leg, OrderRequest
from app.exchanges.bybit.wire import BASE_UNIT, FORCES, POST_ONLY, QUOTE_UNIT, SPOT, TPSL

Params = dict[str, str]


def placing(request: OrderRequest, market: Market) -> Params:
    """``order/create``. The unit of a market order is always told: left out, it changes with the side."""
    size = request.quote_quantity if request.quantity is None else request.quantity
    params = {
        **SPOT,
        "symbol": market.exchange_symbol,
        "side": request.side.capitalize(),
        "orderType": "Limit" if request.type.has_price else "Market",
        "qty": plain(size or Decimal(0)),
    }
    if request.price is not None:
        params["price"] = plain(request.price)
        params["timeInForce"] = POST_ONLY if request.post_only else FORCES[request.time_in_force]
    else:
        params["marketUnit"] = BASE_UNIT if request.quote_quantity is None else QUOTE_UNIT
    if request.trigger_price is not None:
        params |= {"orderFilter": TPSL, "triggerPrice": plain(request.trigger_price)}
    if request.client_order_id is not None:
        params["orderLinkId"] = request.client_order_id
    return (
        params | _exit("stopLoss", "sl", request.stop_loss) | _exit("takeProfit", "tp", request.take_profit)
    )


def _exit(name: str, short: str, leg: Leg | None) -> Params:
    """An exit that Bybit places once the entry has executed; without a price of its own it sells at the market."""
    if leg is None:
        return {}
    if leg.limit_price is None:
        return {name: plain(leg.trigger_price), f"{short}OrderType": "Market"}
    return {
        name: plain(leg.trigger_price),
        f"{short}OrderType": "Limit",
        f"{short}LimitPrice": plain(leg.limit_price),
    }


def amending(quantity: Decimal | None, price: Decimal | None, market: Market) -> Params:
    """What changes of a resting order; its quantity is what it is to be in all."""
    params = {}
    if quantity is not None:
        params["qty"] = plain(market.quantize_quantity(quantity))
    if price is not None:
        params["price"] = plain(market.quantize_price(price))
    return params
