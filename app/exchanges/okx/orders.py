"""Our requests in OKX's words: spot orders with the exits they carry, and algo orders, alone or in pairs.

Source: https://www.okx.com/docs-v5/en/#order-book-trading-trade and …#order-book-trading-algo-trading, June 2026.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from app.domain.markets import Market
from app.domain.money import plain
from app.domain.orders import Leg, OcoRequest, OrderRequest, OrderType, Side
from app.exchanges.okx import wire

Params = dict[str, Any]

ZERO = Decimal(0)

#: What is added to an entry's client id for the algo order of the exits it carries.
ATTACHED_SUFFIX = "x"


def single(request: OrderRequest, market: Market, trade_mode: str) -> Params:
    """``trade/order``: at the market or at a limit.

    Without ``banAmend`` OKX would silently make a market order smaller that the balance does not cover.
    """
    params = _head(request.side, market, trade_mode)
    if request.client_order_id is not None:
        params["clOrdId"] = request.client_order_id
    if request.type is OrderType.MARKET:
        size, unit = (
            (request.quote_quantity, wire.IN_QUOTE)
            if request.quantity is None
            else (request.quantity, wire.IN_BASE)
        )
        return {
            **params,
            "ordType": wire.MARKET,
            "sz": plain(size or ZERO),
            "tgtCcy": unit,
            "banAmend": True,
        }
    exits = {**_leg("sl", request.stop_loss), **_leg("tp", request.take_profit)}
    if exits:
        params["attachAlgoOrds"] = [
            {"attachAlgoClOrdId": attached_id(request.client_order_id or ""), **exits}
        ]
    return {
        **params,
        "ordType": wire.POST_ONLY if request.post_only else wire.LIMIT_TYPES[request.time_in_force],
        "sz": plain(request.quantity or ZERO),
        "px": plain(request.price or ZERO),
    }


def attached_id(client_order_id: str) -> str:
    """The client id of the algo order that an entry's exits become."""
    return client_order_id + ATTACHED_SUFFIX


def waiting(request: OrderRequest, market: Market, trade_mode: str) -> Params:
    """``trade/order-algo`` of one exit, or of an entry that waits; sized in base."""
    leg = Leg(request.trigger_price or ZERO, request.price)
    params = {
        **_head(request.side, market, trade_mode),
        "ordType": wire.SINGLE,
        "sz": plain(request.quantity or ZERO),
        **_leg("sl" if request.type.is_stop else "tp", leg),
    }
    if request.side is Side.BUY and not request.type.has_price:
        params["tgtCcy"] = wire.IN_BASE
    if request.client_order_id is not None:
        params["algoClOrdId"] = request.client_order_id
    return params


def pair(request: OcoRequest, market: Market, trade_mode: str) -> Params:
    """``trade/order-algo`` of two exits of which one cancels the other."""
    params = {
        **_head(request.side, market, trade_mode),
        "ordType": wire.PAIR,
        "sz": plain(request.quantity),
        **_leg("sl", request.stop_loss),
        **_leg("tp", request.take_profit),
    }
    if request.client_order_id is not None:
        params["algoClOrdId"] = request.client_order_id
    return params


def _head(side: Side, market: Market, trade_mode: str) -> Params:
    return {"instId": market.exchange_symbol, "tdMode": trade_mode, "side": side.lower()}


def _leg(name: str, leg: Leg | None) -> Params:
    """Where a stop-loss (``sl``) or take-profit (``tp``) fires by the last trade, and at what it executes then."""
    if leg is None:
        return {}
    return {
        f"{name}TriggerPx": plain(leg.trigger_price),
        f"{name}OrdPx": wire.AT_MARKET if leg.limit_price is None else plain(leg.limit_price),
        f"{name}TriggerPxType": "last",
    }
