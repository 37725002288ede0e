"""Our requests in Coinbase's words: the ``order_configuration`` of each kind of order, and the bracket of an entry.

Source: https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/create-order, June 2026.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from app.domain.errors import OrderDenied
from app.domain.markets import Market
from app.domain.money import EXACT, plain
from app.domain.orders import Leg, OcoRequest, OrderRequest, OrderType, Side
from app.exchanges.coinbase import wire

Params = dict[str, Any]

ZERO = Decimal(0)


def single(request: OrderRequest, market: Market) -> Params:
    """``POST /orders`` of one order, with the bracket that it carries."""
    body = _head(request.client_order_id, market, request.side, _configuration(request, market))
    if request.stop_loss is not None and request.take_profit is not None:
        bracket = _bracket(request.stop_loss, request.take_profit)
        body["attached_order_configuration"] = {wire.BRACKET: bracket}
    return body


def pair(request: OcoRequest, market: Market) -> Params:
    """``POST /orders`` of two exits: a limit order that takes the profit, and a stop that takes its place."""
    bracket = {"base_size": plain(request.quantity), **_bracket(request.stop_loss, request.take_profit)}
    return _head(request.client_order_id, market, request.side, {wire.BRACKET: bracket})


def _head(client_order_id: str | None, market: Market, side: Side, configuration: Params) -> Params:
    return {
        "client_order_id": client_order_id or "",
        "product_id": market.exchange_symbol,
        "side": side.value,
        "order_configuration": configuration,
    }


def _configuration(request: OrderRequest, market: Market) -> Params:
    base = {"base_size": plain(request.quantity or ZERO)}
    if request.type is OrderType.MARKET:
        by_quote = request.quote_quantity
        return {wire.MARKET: base if by_quote is None else {"quote_size": plain(by_quote)}}
    if request.trigger_price is not None:
        leg = Leg(request.trigger_price, request.price)
        return {
            wire.STOP_LIMIT: {
                **base,
                "limit_price": plain(limit_of(leg, request.side, market)),
                "stop_price": plain(request.trigger_price),
                "stop_direction": wire.DOWN if request.type.waits_below(request.side) else wire.UP,
            }
        }
    limit = {**base, "limit_price": plain(request.price or ZERO)}
    kind = wire.LIMITS_BY_FORCE[request.time_in_force]
    return {kind: {**limit, "post_only": request.post_only} if kind == wire.RESTING else limit}


def limit_of(leg: Leg, side: Side, market: Market) -> Decimal:
    """The limit an exit goes out with: its own, or one so far beyond the trigger that it executes at the market."""
    if leg.limit_price is not None:
        return leg.limit_price
    reach = 1 - wire.MARKET_REACH if side is Side.SELL else 1 + wire.MARKET_REACH
    return market.quantize_price(EXACT.multiply(leg.trigger_price, reach))


def _bracket(stop: Leg, target: Leg) -> Params:
    """A bracket's take-profit rests at its price, and the limit of its stop is Coinbase's to choose.

    Raises:
        OrderDenied: for an exit with a limit of its own.
    """
    if stop.limit_price is not None or target.limit_price not in (None, target.trigger_price):
        raise OrderDenied.because(
            "limit_price",
            "exits in pairs have no limits of their own on Coinbase",
            remedy="Leave the limits of stop-loss and take-profit out.",
        )
    return {"limit_price": plain(target.trigger_price), "stop_trigger_price": plain(stop.trigger_price)}


def is_told_by(body: Params, record: Mapping[str, Any]) -> bool:
    """Whether the record of an order is of what was asked for: under a client id in use, the first order is told."""
    if (record["product_id"], record["side"]) != (body["product_id"], body["side"]):
        return False
    [(kind, terms)] = body["order_configuration"].items()
    told = record["order_configuration"].get(kind)
    if told is None:
        return False
    return all(
        Decimal(told[name]) == Decimal(terms[name]) for name in _AMOUNTS if name in terms and name in told
    )


_AMOUNTS = ("base_size", "quote_size", "limit_price", "stop_price", "stop_trigger_price")
