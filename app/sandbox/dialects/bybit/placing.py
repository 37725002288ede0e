"""Placing orders: plain, with exits attached, or waiting for a price.

Source: https://bybit-exchange.github.io/docs/v5/order/create-order
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.bybit import render, rules
from app.sandbox.dialects.bybit.call import Call
from app.sandbox.dialects.bybit.errors import refused, wrong
from app.sandbox.dialects.bybit.notation import CONDITIONAL, PLAIN, TPSL, new_client_id, text
from app.sandbox.dialects.bybit.parameters import Parameters
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Refused, Side, TimeInForce

SIDES = {"Buy": Side.BUY, "Sell": Side.SELL}
_AT_MARKET = {"Limit": False, "Market": True}
_FORCES = {
    "GTC": (TimeInForce.GTC, False),
    "PostOnly": (TimeInForce.GTC, True),
    "IOC": (TimeInForce.IOC, False),
    "FOK": (TimeInForce.FOK, False),
}
_FILTERS = {name: name for name in (PLAIN, TPSL, CONDITIONAL)}
_BY_QUOTE = {"baseCoin": False, "quoteCoin": True}
#: By whether a stop is meant, and whether it executes at the market.
_WAITING = {
    (True, True): OrderType.STOP_LOSS,
    (True, False): OrderType.STOP_LIMIT,
    (False, True): OrderType.TAKE_PROFIT,
    (False, False): OrderType.TAKE_PROFIT_LIMIT,
}


def create(call: Call) -> object:
    """POST /v5/order/create: the answer says that the order was taken, not what came of it."""
    call.require_spot()
    market = call.market(170121)
    spec = _read(call.params, market)
    rules.check(spec, call.venue)
    exits = _exits(call.params, spec, market)
    rules.check_count(call.account, spec.symbol, spec.echo["orderFilter"])
    return render.ids(_submit(call, spec, exits))


def _submit(call: Call, spec: OrderSpec, exits: tuple[OrderSpec, ...]) -> Order:
    """Hand an order to the engine, its exits to follow once it has filled."""
    try:
        if not exits:
            return call.venue.submit(call.account, spec)
        return call.venue.submit_group(call.account, spec.client_id or "", exits, spec).orders[0]
    except Refused as refusal:
        raise refused(refusal.refusal) from None


def _read(params: Parameters, market: Market) -> OrderSpec:
    """One order, with what its records are to repeat. A market buy is sized in quote unless its unit is told."""
    side, at_market = params.choice("side", SIDES), params.choice("orderType", _AT_MARKET)
    filter_ = params.choice("orderFilter", _FILTERS, PLAIN)
    trigger, size = params.amount("triggerPrice"), params.need(params.amount, "qty")
    if (trigger is None) is not (filter_ == PLAIN):
        raise wrong("triggerPrice")
    by_quote = at_market and params.choice("marketUnit", _BY_QUOTE, side is Side.BUY)
    force, post_only = (
        (TimeInForce.IOC, False) if at_market else params.choice("timeInForce", _FORCES, _FORCES["GTC"])
    )
    return OrderSpec(
        symbol=market.instrument.symbol,
        side=side,
        type=_type(side, trigger, market.last, at_market=at_market),
        quantity=None if by_quote else size,
        quote_quantity=size if by_quote else None,
        price=None if at_market else params.need(params.amount, "price"),
        trigger_price=trigger,
        time_in_force=force,
        post_only=post_only,
        client_id=params.client_id() or new_client_id(),
        holds=filter_ != CONDITIONAL,
        echo={
            "orderFilter": filter_,
            "basePrice": text(market.last),
            **{name: params.text(name) or "" for name in render.PRESETS},
        },
    )


def _type(side: Side, trigger: Decimal | None, last: Decimal, *, at_market: bool) -> OrderType:
    """What is meant; an order that waits does so for the price to come to its trigger from where it is."""
    if trigger is None:
        return OrderType.MARKET if at_market else OrderType.LIMIT
    return _WAITING[(trigger >= last) is (side is Side.BUY), at_market]


def _exits(params: Parameters, spec: OrderSpec, market: Market) -> tuple[OrderSpec, ...]:
    """The exits attached to an entry, which take their size from what it brings in."""
    take_profit, stop_loss = params.amount("takeProfit"), params.amount("stopLoss")
    rules.check_exits(spec, take_profit, stop_loss)
    found = []
    for stops, trigger, short in ((False, take_profit, "tp"), (True, stop_loss, "sl")):
        if trigger is None:
            continue
        at_market = params.choice(f"{short}OrderType", _AT_MARKET, True)
        limit = None if at_market else params.need(params.amount, f"{short}LimitPrice")
        rules.check_price(trigger, market.instrument)
        rules.check_price(limit, market.instrument)
        found.append(
            OrderSpec(
                symbol=spec.symbol,
                side=spec.side.opposite,
                type=_WAITING[stops, at_market],
                price=limit,
                trigger_price=trigger,
                client_id=new_client_id(),
                holds=True,
                echo={"orderFilter": TPSL, "basePrice": text(spec.price)},
            )
        )
    return tuple(found)
