"""Our requests in KuCoin's words: the bodies of orders, of orders that wait for a price, and of exits in pairs.

Source: https://www.kucoin.com/docs-new/rest/spot-trading/orders, November 2025. Amounts travel as strings, flags as
JSON booleans.
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.errors import OrderDenied
from app.domain.markets import Market
from app.domain.money import EXACT, plain
from app.domain.orders import Leg, OcoRequest, OrderRequest, OrderType, Side, TimeInForce
from app.exchanges.kucoin.wire import AT_LIMIT, AT_MARKET, STOP_DIRECTIONS, TARGET_DIRECTIONS, TRADE_TYPE

Body = dict[str, str | bool]

_STOPS = (OrderType.STOP_LOSS, OrderType.STOP_LIMIT)

#: How far beyond its trigger the stop of a pair may sell or buy when it shall execute at the market: a pair's stop
#: always has a limit, and one further away than the market's band (10 % of the last price, mostly) is refused.
MARKET_REACH = Decimal("0.08")


def single(request: OrderRequest, market: Market) -> Body:
    """``POST /hf/orders/sync``: an order at the market or at a limit."""
    body: Body = {
        "symbol": market.exchange_symbol,
        "side": request.side.value.lower(),
        "type": AT_LIMIT if request.type.has_price else AT_MARKET,
    }
    if request.client_order_id is not None:
        body["clientOid"] = request.client_order_id
    if request.quantity is not None:
        body["size"] = plain(request.quantity)
    if request.quote_quantity is not None:
        body["funds"] = plain(request.quote_quantity)
    if request.price is not None:
        body["price"] = plain(request.price)
        if request.time_in_force is not TimeInForce.GTC:
            body["timeInForce"] = request.time_in_force.value
    if request.post_only:
        body["postOnly"] = True
    return body


def stop(request: OrderRequest, market: Market, trigger_price: Decimal) -> Body:
    """``POST /stop-order``: the same once the last price has come to the trigger."""
    directions = STOP_DIRECTIONS if request.type in _STOPS else TARGET_DIRECTIONS
    return single(request, market) | {
        "stop": directions[request.side],
        "stopPrice": plain(trigger_price),
        "tradeType": TRADE_TYPE,
    }


def pair(request: OcoRequest, market: Market) -> Body:
    """``POST /oco/order``: a limit order that takes the profit and a stop, always at a limit, beside it.

    Raises:
        OrderDenied: when the take-profit shall be triggered at one price and be limited by another.
    """
    target, exit_stop = request.take_profit, request.stop_loss
    if target.limit_price not in (None, target.trigger_price):
        raise OrderDenied.because(
            "take_profit",
            "the take-profit of a pair rests at its limit on kucoin: it has no trigger of its own",
            remedy="Leave the limit of the take-profit out.",
        )
    body: Body = {
        "symbol": market.exchange_symbol,
        "side": request.side.value.lower(),
        "size": plain(request.quantity),
        "price": plain(target.trigger_price),
        "stopPrice": plain(exit_stop.trigger_price),
        "limitPrice": plain(_limit(exit_stop, request.side, market)),
        "tradeType": TRADE_TYPE,
    }
    if request.client_order_id is not None:
        body["clientOid"] = request.client_order_id
    return body


def _limit(leg: Leg, side: Side, market: Market) -> Decimal:
    if leg.limit_price is not None:
        return leg.limit_price
    reach = 1 - MARKET_REACH if side is Side.SELL else 1 + MARKET_REACH
    return market.quantize_price(EXACT.multiply(leg.trigger_price, reach))
