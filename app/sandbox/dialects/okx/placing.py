"""Placing orders, plain or with exits attached, one by one or in batches.

Source: https://www.okx.com/docs-v5/en/#order-book-trading-trade-post-place-order
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.sandbox.dialects.okx import rules
from app.sandbox.dialects.okx.accounts import trade_mode
from app.sandbox.dialects.okx.call import Call
from app.sandbox.dialects.okx.errors import OKXError, refused, wrong
from app.sandbox.dialects.okx.notation import Json, algo_client_id, milliseconds, order_id
from app.sandbox.dialects.okx.parameters import Parameters
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Refused, Side, TimeInForce

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
BATCH = 20

_TYPES = {
    "market": (TimeInForce.GTC, False),
    "limit": (TimeInForce.GTC, False),
    "post_only": (TimeInForce.GTC, True),
    "ioc": (TimeInForce.IOC, False),
    "fok": (TimeInForce.FOK, False),
}
_UNITS = {"base_ccy": False, "quote_ccy": True}
_EXITS = (
    ("sl", OrderType.STOP_LOSS, OrderType.STOP_LIMIT),
    ("tp", OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT),
)
_AT_MARKET = Decimal(-1)


def place_order(call: Call) -> object:
    """POST /api/v5/trade/order"""
    return call.each(_place, 1)


def place_orders(call: Call) -> object:
    """POST /api/v5/trade/batch-orders: each order is accepted or refused on its own."""
    return call.each(_place, BATCH)


def _place(call: Call) -> Json:
    """Read, check and submit one order with the exits attached to it; the answer is an acknowledgement only."""
    spec, exits = _read(call)
    rules.check_count(call.account, spec.symbol)
    order = submit(call, spec, exits)
    return {
        "ordId": order_id(order),
        "clOrdId": order.client_id,
        "tag": "",
        "ts": milliseconds(order.created_at),
        "subCode": "",
    }


def submit(call: Call, spec: OrderSpec, exits: tuple[OrderSpec, ...] = ()) -> Order:
    """Hand an order to the engine, its exits to follow once it has filled."""
    try:
        if not exits:
            return call.venue.submit(call.account, spec)
        return call.venue.submit_group(call.account, spec.client_id or "", exits, spec).orders[0]
    except Refused as refusal:
        raise refused(refusal.refusal) from None


def check_mode(call: Call) -> None:
    """Raises:
    OKXError: 51000 when the trade mode is not that of the account.
    """
    if call.params.required("tdMode") != trade_mode(call.account):
        raise wrong("tdMode")


def _read(call: Call) -> tuple[OrderSpec, tuple[OrderSpec, ...]]:
    params, market = call.params, call.market()
    check_mode(call)
    side, type_ = params.choice("side", SIDES), params.required("ordType")
    force, post_only = params.choice("ordType", _TYPES)
    at_market = type_ == "market"
    by_quote = at_market and params.choice("tgtCcy", _UNITS, side is Side.BUY)
    size = params.need(params.amount, "sz")
    if at_market and side is Side.BUY and not by_quote and not params.flag("banAmend"):
        size = min(size, market.quantity_for(side, call.account.balance(market.instrument.quote).free))
    spec = OrderSpec(
        symbol=market.instrument.symbol,
        side=side,
        type=OrderType.MARKET if at_market else OrderType.LIMIT,
        quantity=None if by_quote else size,
        quote_quantity=size if by_quote else None,
        price=None if at_market else params.need(params.amount, "px"),
        time_in_force=force,
        post_only=post_only,
        client_id=params.client_id("clOrdId"),
        echo={"ordType": type_, "tgtCcy": ("quote_ccy" if by_quote else "base_ccy") if at_market else ""},
    )
    rules.check(spec, market)
    exits = _attached(params, spec, market)
    rules.check_attached(spec, exits, market.last)
    return spec, exits


def _attached(params: Parameters, entry: OrderSpec, market: Market) -> tuple[OrderSpec, ...]:
    """The exits of an entry, which take their size from what it brings in."""
    rows = params.inner("attachAlgoOrds")
    if not rows:
        return ()
    if len(rows) > 1:
        raise wrong("attachAlgoOrds")
    if entry.type is OrderType.MARKET and (entry.quantity is not None) is (entry.side is Side.BUY):
        raise OKXError("51000", "Attached orders do not go with this unit of size")
    if "tpOrdKind" in rows[0] and rows[0].text("tpOrdKind") == "limit":
        raise OKXError("51094", "You can't place TP limit orders in spot trading")
    exits = read_exits(rows[0], market, entry.side.opposite, None, rows[0].client_id("attachAlgoClOrdId"))
    return tuple(replace(exit_, echo={**exit_.echo, "attached": "true"}) for exit_ in exits)


def read_exits(
    params: Parameters, market: Market, side: Side, quantity: Decimal | None, client_id: str | None
) -> tuple[OrderSpec, ...]:
    """One exit or two; the first has the client id of both.

    Raises:
        OKXError: 51000 when there is none, or one without its price.
    """
    exits: list[OrderSpec] = []
    for name, at_market, at_limit in _EXITS:
        trigger = params.amount(f"{name}TriggerPx")
        if trigger is None:
            continue
        text = params.required(f"{name}OrdPx")
        price = None if text == str(_AT_MARKET) else params.need(params.amount, f"{name}OrdPx")
        if params.text(f"{name}TriggerPxType") not in (None, "last"):
            raise OKXError("51415", "Spot trading supports the last price as the trigger only")
        exits.append(
            OrderSpec(
                symbol=market.instrument.symbol,
                side=side,
                type=at_market if price is None else at_limit,
                quantity=quantity,
                price=price,
                trigger_price=trigger,
                client_id=None if exits else client_id,
            )
        )
    if not exits:
        raise wrong("slTriggerPx")
    for exit_ in exits:
        rules.check_price(exit_.price, market.instrument)
        rules.check_price(exit_.trigger_price, market.instrument)
    return tuple(exits)


def attached_record(order: Order) -> list[Json]:
    """The exits of an entry as its own record names them."""
    group = order.group
    if group is None or order is not group.working:
        return []
    record: Json = {"attachAlgoId": "", "attachAlgoClOrdId": algo_client_id(group.exits[0]), "sz": ""}
    return [record | exit_prices(group.exits)]


def exit_prices(exits: tuple[Order, ...]) -> Json:
    """Triggers and prices of one exit or two, the others empty."""
    found: Json = {}
    for name, at_market, at_limit in _EXITS:
        exit_ = next((each for each in exits if each.spec.type in (at_market, at_limit)), None)
        trigger = "" if exit_ is None or exit_.spec.trigger_price is None else f"{exit_.spec.trigger_price:f}"
        price = "" if exit_ is None else "-1" if exit_.price is None else f"{exit_.price:f}"
        found |= {f"{name}TriggerPx": trigger, f"{name}OrdPx": price, f"{name}TriggerPxType": "last"}
    return found
