"""Placing orders, plain or with exits attached, one by one or in batches.

Source: https://www.bitget.com/api-doc/spot/trade/Place-Order
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.sandbox.dialects.bitget import render, rules
from app.sandbox.dialects.bitget.call import Call
from app.sandbox.dialects.bitget.errors import BitgetError, refused, wrong
from app.sandbox.dialects.bitget.notation import Json, new_client_id
from app.sandbox.dialects.bitget.parameters import Parameters
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Refused, Side, TimeInForce

SIDES = {"buy": Side.BUY, "sell": Side.SELL}
AT_MARKET = {"limit": False, "market": True}
BATCH = 20

_FORCES = {
    "gtc": (TimeInForce.GTC, False),
    "post_only": (TimeInForce.GTC, True),
    "ioc": (TimeInForce.IOC, False),
    "fok": (TimeInForce.FOK, False),
}
_STP_MODES = {name: name for name in ("none", "cancel_taker", "cancel_maker", "cancel_both")}
_TPSL_TYPES = {"normal": False, "tpsl": True}
_BATCH_MODES = {"single": False, "multiple": True}
_LONGEST_WINDOW = 60_000


def place_order(call: Call) -> object:
    """POST /api/v2/spot/trade/place-order"""
    return render.ids(place(call, call.params))


def batch_orders(call: Call) -> object:
    """POST /api/v2/spot/trade/batch-orders: each order is accepted or refused on its own."""
    several = call.params.choice("batchMode", _BATCH_MODES, False)
    symbol = None if several else call.params.required("symbol")
    done: list[Json] = []
    failed: list[Json] = []
    for row in call.params.rows("orderList", BATCH):
        try:
            done.append(render.ids(place(call, row if symbol is None else row.joined(symbol=symbol))))
        except BitgetError as error:
            failed.append(failure(error, "", row.text("clientOid") or ""))
    return {"successList": done, "failureList": failed}


def failure(error: BitgetError, order_id: str, client_id: str) -> Json:
    """One order of a batch that was refused."""
    return {
        "orderId": order_id,
        "clientOid": client_id,
        "errorMsg": error.message,
        "errorCode": error.code,
    }


def place(call: Call, params: Parameters) -> Order:
    """Read, check and submit one order with the exits attached to it.

    Raises:
        BitgetError: for whatever the real exchange would refuse before matching.
    """
    _check_window(params, call.venue.now())
    params.choice("stpMode", _STP_MODES, "none")
    if params.choice("tpslType", _TPSL_TYPES, False):
        return submit(call, _read_tpsl(call, params))
    spec, exits = read_entry(call, params)
    rules.check_count(call.account, spec.symbol)
    return submit(call, spec, exits)


def submit(call: Call, spec: OrderSpec, exits: tuple[OrderSpec, ...] = ()) -> Order:
    """Hand an order to the engine, its exits to follow once it has filled."""
    try:
        if not exits:
            return call.venue.submit(call.account, spec)
        group = call.venue.submit_group(call.account, spec.client_id or "", exits, spec)
    except Refused as refusal:
        raise refused(refusal.refusal) from None
    return group.orders[0]


def read_entry(call: Call, params: Parameters) -> tuple[OrderSpec, tuple[OrderSpec, ...]]:
    """An order that executes at once or rests, and the exits preset for it."""
    market = call.market(params)
    side = params.choice("side", SIDES)
    at_market = params.choice("orderType", AT_MARKET)
    force, post_only = (TimeInForce.GTC, False) if at_market else params.choice("force", _FORCES)
    size = params.need(params.amount, "size")
    by_quote = at_market and side is Side.BUY
    spec = OrderSpec(
        symbol=market.instrument.symbol,
        side=side,
        type=OrderType.MARKET if at_market else OrderType.LIMIT,
        quantity=None if by_quote else size,
        quote_quantity=size if by_quote else None,
        price=None if at_market else params.need(params.amount, "price"),
        time_in_force=force,
        post_only=post_only,
        client_id=params.client_id("clientOid") or new_client_id(),
    )
    return preset(call, params, spec, market)


def preset(
    call: Call, params: Parameters, spec: OrderSpec, market: Market
) -> tuple[OrderSpec, tuple[OrderSpec, ...]]:
    """A checked entry and its exits, which take their size from what the entry brings in."""
    rules.check(spec, call.venue)
    take_profit, stop_loss = params.amount("presetTakeProfitPrice"), params.amount("presetStopLossPrice")
    rules.check_preset(spec, take_profit, stop_loss, market.last)
    exits = []
    kinds = (
        (take_profit, "executeTakeProfitPrice", OrderType.TAKE_PROFIT, OrderType.TAKE_PROFIT_LIMIT),
        (stop_loss, "executeStopLossPrice", OrderType.STOP_LOSS, OrderType.STOP_LIMIT),
    )
    for trigger, name, at_market, at_limit in kinds:
        limit = params.amount(name)
        if trigger is None:
            continue
        rules.check_price("triggerPrice", trigger, market.instrument)
        rules.check_price(name, limit, market.instrument)
        exits.append(
            OrderSpec(
                symbol=spec.symbol,
                side=spec.side.opposite,
                type=at_market if limit is None else at_limit,
                price=limit,
                trigger_price=trigger,
                client_id=new_client_id(),
                echo={"tpslType": "tpsl"},
            )
        )
    if exits:
        shown = {name: params.text(name) or "" for name in render.PRESETS}
        spec = replace(spec, echo=shown)
    return spec, tuple(exits)


def _read_tpsl(call: Call, params: Parameters) -> OrderSpec:
    """A take-profit or stop-loss of its own, which knows neither client ids nor exits."""
    for name in ("clientOid", *render.PRESETS):
        if name in params:
            raise wrong(name)
    market = call.market(params)
    side = params.choice("side", SIDES)
    at_market = params.choice("orderType", AT_MARKET)
    size = params.need(params.amount, "size")
    by_quote = at_market and side is Side.BUY
    trigger = params.need(params.amount, "triggerPrice")
    spec = OrderSpec(
        symbol=market.instrument.symbol,
        side=side,
        type=triggered_type(side, trigger, market.last, at_market=at_market),
        quantity=None if by_quote else size,
        quote_quantity=size if by_quote else None,
        price=None if at_market else params.need(params.amount, "price"),
        trigger_price=trigger,
        client_id=new_client_id(),
        echo={"tpslType": "tpsl"},
    )
    rules.check(spec, call.venue)
    return spec


def triggered_type(side: Side, trigger: Decimal, last: Decimal, *, at_market: bool) -> OrderType:
    """Which kind of order waits for the price to come to its trigger from where it is."""
    if (trigger >= last) == (side is Side.BUY):
        return OrderType.STOP_LOSS if at_market else OrderType.STOP_LIMIT
    return OrderType.TAKE_PROFIT if at_market else OrderType.TAKE_PROFIT_LIMIT


def _check_window(params: Parameters, now: int) -> None:
    """Refuse an order that comes later than its sender wanted.

    Raises:
        BitgetError: 40079 for a window that makes no sense, 40078 for one that is over.
    """
    window, sent = params.integer("receiveWindow"), params.microseconds("requestTime")
    if window is not None and not 0 < window <= _LONGEST_WINDOW:
        raise BitgetError("40079", "receiveWindow must lie between 1 and 60000")
    if window is not None and sent is not None and now - sent > window * 1000:
        raise BitgetError("40078", "The request did not arrive within receiveWindow")
