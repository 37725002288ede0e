"""Our requests in Binance's words: the parameters of single orders, of exits in pairs and of entries with exits.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints, July 2026.
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.markets import Market
from app.domain.money import EXACT, plain
from app.domain.orders import Leg, OcoRequest, OrderRequest, OrderType, Side, TimeInForce
from app.exchanges.binance.wire import BASIS_POINTS_OF_A_PERCENT, ORDER_TYPES, POST_ONLY

Params = dict[str, str]

#: What is added to the client id of an entry or a pair for the ids of its legs.
STOP_SUFFIX, TARGET_SUFFIX = "-sl", "-tp"


def single(request: OrderRequest, market: Market) -> Params:
    """``POST /order``. The whole answer is asked for: Binance acknowledges stop orders without it only."""
    params = {
        "symbol": market.exchange_symbol,
        "side": request.side.value,
        "type": POST_ONLY if request.post_only else ORDER_TYPES[request.type],
        **_amounts(request),
        "newOrderRespType": "FULL",
    }
    if request.client_order_id is not None:
        params["newClientOrderId"] = request.client_order_id
    return params


def _amounts(request: OrderRequest) -> Params:
    params = {}
    if request.quantity is not None:
        params["quantity"] = plain(request.quantity)
    if request.quote_quantity is not None:
        params["quoteOrderQty"] = plain(request.quote_quantity)
    if request.price is not None:
        params["price"] = plain(request.price)
        if not request.post_only:
            params["timeInForce"] = request.time_in_force.value
    if request.trigger_price is not None:
        params["stopPrice"] = plain(request.trigger_price)
    if request.trailing_percent is not None:
        params["trailingDelta"] = _delta(request.trailing_percent)
    return params


def _delta(percent: Decimal) -> str:
    return plain(EXACT.multiply(percent, BASIS_POINTS_OF_A_PERCENT))


def pair(request: OcoRequest, market: Market) -> Params:
    """``POST /orderList/oco``: two exits, one above the market and one below it.

    A stop that trails has its distance instead of a price.
    """
    exits = _above_and_below(
        "", request.side, request.stop_loss, request.take_profit, request.client_order_id
    )
    if request.trailing_percent is not None:
        stop_at = "below" if request.side is Side.SELL else "above"
        del exits[f"{stop_at}StopPrice"]
        exits[f"{stop_at}TrailingDelta"] = _delta(request.trailing_percent)
    params = {
        "symbol": market.exchange_symbol,
        "side": request.side.value,
        "quantity": plain(request.quantity),
        **exits,
        "newOrderRespType": "FULL",
    }
    if request.client_order_id is not None:
        params["listClientOrderId"] = request.client_order_id
    return params


def exit_quantity(request: OrderRequest, market: Market, base_fee: Decimal) -> Decimal:
    """How much an attached exit may sell (or, after a sale, buy back): never more than the entry leaves.

    ``base_fee`` is the fraction kept from the coins bought: an exit that the balance does not cover is dropped.
    """
    quantity = request.quantity or Decimal(0)
    if request.side is Side.SELL:
        return quantity
    return market.quantize_quantity(EXACT.multiply(quantity, 1 - base_fee))


def entry_with_exits(request: OrderRequest, market: Market, exit_quantity: Decimal) -> Params:
    """``POST /orderList/oto`` for one attached exit, ``/otoco`` for both; placed once the entry is filled whole."""
    entry = {_named("working", name): value for name, value in _amounts(request).items()}
    params = {
        "symbol": market.exchange_symbol,
        "workingType": POST_ONLY if request.post_only else ORDER_TYPES[request.type],
        "workingSide": request.side.value,
        **entry,
        "pendingSide": request.side.opposite.value,
        "pendingQuantity": plain(exit_quantity),
        **_pending_exits(request),
        "newOrderRespType": "FULL",
    }
    if request.client_order_id is not None:
        params["workingClientOrderId"] = request.client_order_id
    return params


def _pending_exits(request: OrderRequest) -> Params:
    stop, target, client_id = request.stop_loss, request.take_profit, request.client_order_id
    if stop is not None and target is not None:
        return _above_and_below("pending", request.side.opposite, stop, target, client_id)
    if stop is not None:
        return _leg("pending", stop, _STOP_TYPES, client_id, STOP_SUFFIX)
    return {} if target is None else _leg("pending", target, _TARGET_TYPES, client_id, TARGET_SUFFIX)


_STOP_TYPES = (ORDER_TYPES[OrderType.STOP_LOSS], ORDER_TYPES[OrderType.STOP_LIMIT])
_TARGET_TYPES = (ORDER_TYPES[OrderType.TAKE_PROFIT], ORDER_TYPES[OrderType.TAKE_PROFIT_LIMIT])


def _above_and_below(prefix: str, exit_side: Side, stop: Leg, target: Leg, client_id: str | None) -> Params:
    """The two legs by where they lie: a sale takes its profit above the market and stops below it."""
    above, below = _named(prefix, "above"), _named(prefix, "below")
    stop_at, target_at = (below, above) if exit_side is Side.SELL else (above, below)
    return _leg(stop_at, stop, _STOP_TYPES, client_id, STOP_SUFFIX) | _leg(
        target_at, target, _TARGET_TYPES, client_id, TARGET_SUFFIX
    )


def _leg(prefix: str, leg: Leg, types: tuple[str, str], client_id: str | None, suffix: str) -> Params:
    at_market, at_limit = types
    params = {
        f"{prefix}Type": at_market if leg.limit_price is None else at_limit,
        f"{prefix}StopPrice": plain(leg.trigger_price),
    }
    if leg.limit_price is not None:
        params[f"{prefix}Price"] = plain(leg.limit_price)
        params[f"{prefix}TimeInForce"] = TimeInForce.GTC.value
    if client_id is not None:
        params[f"{prefix}ClientOrderId"] = client_id + suffix
    return params


def _named(prefix: str, name: str) -> str:
    """A parameter of one order among several: ``quantity`` of the working order is ``workingQuantity``."""
    return prefix + name[0].upper() + name[1:] if prefix else name
