"""Our requests in Bitget's words: the bodies of spot orders with their presets, and of plan orders.

Source: https://www.bitget.com/api-doc/spot/trade/Place-Order and …/spot/plan/Place-Plan-Order, July 2026.
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.markets import Market
from app.domain.money import plain
from app.domain.orders import Leg, OrderRequest, OrderType
from app.exchanges.bitget.wire import FORCES, POST_ONLY

Params = dict[str, str]

ZERO = Decimal(0)


def single(request: OrderRequest, market: Market) -> Params:
    """``place-order``: at the market or at a limit. A market buy is sized in quote, everything else in base."""
    size = request.quote_quantity if request.quantity is None else request.quantity
    params = {
        "symbol": market.exchange_symbol,
        "side": request.side.lower(),
        "orderType": "market" if request.type is OrderType.MARKET else "limit",
        "force": POST_ONLY if request.post_only else FORCES[request.time_in_force],
        "size": plain(size or ZERO),
        **_preset("StopLoss", request.stop_loss),
        **_preset("TakeProfit", request.take_profit),
    }
    if request.price is not None:
        params["price"] = plain(request.price)
    if request.client_order_id is not None:
        params["clientOid"] = request.client_order_id
    return params


def _preset(name: str, leg: Leg | None) -> Params:
    """An exit that the exchange creates once the entry is filled; without a price of its own it sells at the market."""
    if leg is None:
        return {}
    params = {f"preset{name}Price": plain(leg.trigger_price)}
    if leg.limit_price is not None:
        params[f"execute{name}Price"] = plain(leg.limit_price)
    return params


def plan(request: OrderRequest, market: Market) -> Params:
    """``place-plan-order``: waits until the last price reaches the trigger, from whichever side."""
    params = {
        "symbol": market.exchange_symbol,
        "side": request.side.lower(),
        "triggerPrice": plain(request.trigger_price or ZERO),
        "orderType": "limit" if request.type.has_price else "market",
        "planType": "amount",
        "size": plain(request.quantity or ZERO),
        "triggerType": "fill_price",
    }
    if request.price is not None:
        params["executePrice"] = plain(request.price)
    if request.client_order_id is not None:
        params["clientOid"] = request.client_order_id
    return params
