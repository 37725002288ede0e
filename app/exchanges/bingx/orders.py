"""Our requests in BingX's words: the parameters of orders, at once or waiting for a price.

Source: https://bingx-api.github.io/docs-v3/#/en/Spot/Trades%20Endpoints/Place%20order, July 2026.
"""

from __future__ import annotations

from app.domain.markets import Market
from app.domain.money import plain
from app.domain.orders import OrderRequest, OrderType
from app.exchanges.bingx import wire

Params = dict[str, str]


def placing(request: OrderRequest, market: Market) -> Params:
    """``trade/order``. Amounts are on the market's grid already: BingX would cut off what is not."""
    params = {"symbol": market.exchange_symbol, "side": request.side.value, "type": _type(request.type)}
    if request.quantity is not None:
        params["quantity"] = plain(request.quantity)
    if request.quote_quantity is not None:
        params["quoteOrderQty"] = plain(request.quote_quantity)
    if request.price is not None:
        params["price"] = plain(request.price)
    if request.trigger_price is not None:
        params["stopPrice"] = plain(request.trigger_price)
    if request.type is OrderType.LIMIT:
        params["timeInForce"] = wire.POST_ONLY if request.post_only else wire.FORCES[request.time_in_force]
    if request.client_order_id is not None:
        params["newClientOrderId"] = request.client_order_id
    return params


def _type(type_: OrderType) -> str:
    if type_.has_trigger:
        return wire.WAITING_AT_LIMIT if type_.has_price else wire.WAITING_AT_MARKET
    return wire.LIMIT if type_.has_price else wire.MARKET
