"""Our requests in Kraken's words: the parameters of an order, and the one exit that it may carry.

Source: https://docs.kraken.com/api/docs/rest-api/add-order, July 2026. Fields that Kraken does not know it ignores
without a word, so that a misspelt exit would be no exit: every name here is tested against the documented ones.
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.markets import Market
from app.domain.money import plain
from app.domain.orders import Leg, OrderRequest, OrderType, TimeInForce
from app.exchanges.kraken.wire import IN_QUOTE, ORDER_TYPES, POST_ONLY

Params = dict[str, str]


def single(request: OrderRequest, market: Market) -> Params:
    """``AddOrder``. ``volume`` is in base, or in quote when the flag says so."""
    flags = []
    if request.quote_quantity is not None:
        flags.append(IN_QUOTE)
    if request.post_only:
        flags.append(POST_ONLY)
    params = {
        "pair": market.exchange_symbol,
        "type": request.side.value.lower(),
        "ordertype": ORDER_TYPES[request.type],
        "volume": plain(_volume(request)),
        **_prices(request),
        **_trailing(request),
    }
    if request.time_in_force is not TimeInForce.GTC and request.type.has_price:
        params["timeinforce"] = request.time_in_force.value
    if flags:
        params["oflags"] = ",".join(flags)
    if request.client_order_id is not None:
        params["cl_ord_id"] = request.client_order_id
    return params | _exit(request)


def _volume(request: OrderRequest) -> Decimal:
    """The one size of a request; its market has checked that there is one."""
    sizes = (request.quantity, request.quote_quantity)
    return next(size for size in sizes if size is not None)


def _prices(request: OrderRequest) -> Params:
    """``price`` is the trigger of an order that has one, and ``price2`` then its limit."""
    told = [price for price in (request.trigger_price, request.price) if price is not None]
    return {name: plain(price) for name, price in zip(("price", "price2"), told, strict=False)}


def _trailing(request: OrderRequest) -> Params:
    """A distance is always written with a plus: the side of the order tells the direction."""
    if request.trailing_percent is None:
        return {}
    return {"price": f"+{plain(request.trailing_percent)}%", "trigger": "last"}


def _exit(request: OrderRequest) -> Params:
    """The exit that Kraken places, opposite and of the same size, with each execution of the order."""
    if request.stop_loss is not None:
        return _close(request.stop_loss, OrderType.STOP_LOSS, OrderType.STOP_LIMIT)
    if request.take_profit is not None:
        return _close(request.take_profit, OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT)
    return {}


def _close(leg: Leg, at_market: OrderType, at_limit: OrderType) -> Params:
    params = {
        "close[ordertype]": ORDER_TYPES[at_market if leg.limit_price is None else at_limit],
        "close[price]": plain(leg.trigger_price),
    }
    if leg.limit_price is not None:
        params["close[price2]"] = plain(leg.limit_price)
    return params
