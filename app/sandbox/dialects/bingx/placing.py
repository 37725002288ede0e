"""Placing orders: at once, at a limit, or waiting for a price.

Source: https://bingx-api.github.io/docs-v3/#/en/Spot/Trades%20Endpoints/Place%20order
"""

from __future__ import annotations

from dataclasses import dataclass

from app.sandbox.dialects.bingx import render, rules
from app.sandbox.dialects.bingx.call import Call
from app.sandbox.dialects.bingx.errors import missing, refused
from app.sandbox.dialects.bingx.parameters import Parameters
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Refused, Side, TimeInForce

_SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
_FORCES = {
    "GTC": (TimeInForce.GTC, False),
    "IOC": (TimeInForce.IOC, False),
    "FOK": (TimeInForce.FOK, False),
    "PostOnly": (TimeInForce.GTC, True),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """What a type of order wants: a limit, a trigger; and whether it holds no balance while it waits.

    Whether plans hold balance is not documented: it is assumed that they do not, and that stops do.
    """

    at_limit: bool
    waits: bool = False
    plan: bool = False


_KINDS = {
    "MARKET": Kind(at_limit=False),
    "LIMIT": Kind(at_limit=True),
    "TAKE_STOP_MARKET": Kind(at_limit=False, waits=True),
    "TAKE_STOP_LIMIT": Kind(at_limit=True, waits=True),
    "TRIGGER_MARKET": Kind(at_limit=False, waits=True, plan=True),
    "TRIGGER_LIMIT": Kind(at_limit=True, waits=True, plan=True),
}

#: By whether a stop is meant, and whether it executes at a limit.
_WAITING = {
    (True, False): OrderType.STOP_LOSS,
    (True, True): OrderType.STOP_LIMIT,
    (False, False): OrderType.TAKE_PROFIT,
    (False, True): OrderType.TAKE_PROFIT_LIMIT,
}


def place(call: Call) -> object:
    """POST /openApi/spot/v1/trade/order"""
    return render.placed(submit(call, read(call)))


def read(call: Call) -> OrderSpec:
    """The order that a request asks for, cut to the grid and held against the rules."""
    market = call.market()
    spec = rules.cut(_read(call.params, market), market.instrument)
    rules.check(spec, market, call.account)
    return spec


def submit(call: Call, spec: OrderSpec) -> Order:
    """Hand an order to the engine."""
    try:
        return call.venue.submit(call.account, spec)
    except Refused as refusal:
        raise refused(refusal.refusal) from None


def _read(params: Parameters, market: Market) -> OrderSpec:
    """One order; of two sizes the one in base counts, and one in quote that is not at the market is turned into it."""
    side, word = params.choice("side", _SIDES), params.required("type")
    kind = params.choice("type", _KINDS)
    quantity, quote = params.amount("quantity"), params.amount("quoteOrderQty")
    price = params.need(params.amount, "price") if kind.at_limit else None
    trigger = params.need(params.amount, "stopPrice") if kind.waits else None
    if quantity is None and quote is None:
        raise missing("quantity")
    if quantity is None and quote is not None and price is not None:
        quantity = quote / price
    force, post_only = params.choice("timeInForce", _FORCES, _FORCES["GTC"])
    type_ = OrderType.LIMIT if kind.at_limit else OrderType.MARKET
    if trigger is not None:
        # Nothing says what it waits for, so it waits for the price to come to its trigger from where it is.
        stops = (trigger >= market.last) is (side is Side.BUY)
        type_ = _WAITING[stops, kind.at_limit]
    return OrderSpec(
        symbol=market.instrument.symbol,
        side=side,
        type=type_,
        quantity=quantity,
        quote_quantity=quote if quantity is None else None,
        price=price,
        trigger_price=trigger,
        time_in_force=force if kind.at_limit else TimeInForce.GTC,
        post_only=post_only and kind.at_limit,
        client_id=params.client_id("newClientOrderId"),
        holds=False if kind.plan else None,
        echo={"type": word},
    )
