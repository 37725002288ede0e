"""Plan orders: conditional orders with ids of their own, which turn into orders when their trigger is reached.

Source: https://www.bitget.com/api-doc/spot/plan/Place-Plan-Order
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from app.sandbox.dialects.bitget import render, rules
from app.sandbox.dialects.bitget.call import Call
from app.sandbox.dialects.bitget.errors import no_plan, refused, wrong
from app.sandbox.dialects.bitget.notation import Json, new_client_id, order_id
from app.sandbox.dialects.bitget.parameters import Parameters
from app.sandbox.dialects.bitget.placing import AT_MARKET, SIDES, submit, triggered_type
from app.sandbox.dialects.bitget.queries import MOST, within
from app.sandbox.dialects.bitget.seeing import find_plan, plans
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import Order, OrderSpec, Refused, Side

_PLAN_TYPES = {"amount": False, "total": True}
_TRIGGER_TYPES = {"fill_price": "fill_price", "mark_price": "mark_price"}


def place_plan(call: Call) -> object:
    """POST /api/v2/spot/trade/place-plan-order"""
    return render.ids(submit(call, _read(call)))


def modify_plan(call: Call) -> object:
    """POST /api/v2/spot/trade/modify-plan-order: other terms for a plan that waits."""
    order = find_plan(call, no_plan())
    spec = _terms(call.params, order.side, call.venue.market(order.symbol))
    rules.check(spec, call.venue)
    try:
        call.venue.restate(order, replace(spec, client_id=order.client_id, echo=order.spec.echo))
    except Refused as refusal:
        raise refused(refusal.refusal) from None
    return render.ids(order)


def cancel_plan(call: Call) -> object:
    """POST /api/v2/spot/trade/cancel-plan-order"""
    order = find_plan(call, no_plan())
    if order.triggered or not order.live:
        raise no_plan()
    call.venue.cancel(order)
    return {"result": "success"}


def batch_cancel_plans(call: Call) -> object:
    """POST /api/v2/spot/trade/batch-cancel-plan-order, of the symbols listed or of all."""
    wanted = {
        call.market(call.params.joined(symbol=name)).instrument.symbol
        for name in call.params.texts("symbolList")
    }
    waiting = [order for order in plans(call.account) if order.live and not order.triggered]
    chosen = [order for order in waiting if not wanted or order.symbol in wanted]
    for order in chosen:
        call.venue.cancel(order)
    return {"successList": [render.ids(order) for order in chosen], "failureList": []}


def current_plans(call: Call) -> object:
    """GET /api/v2/spot/trade/current-plan-order"""
    return _page(call, (order for order in plans(call.account) if order.live and not order.triggered))


def history_plans(call: Call) -> object:
    """GET /api/v2/spot/trade/history-plan-order"""
    return _page(call, (order for order in plans(call.account) if order.triggered or not order.live))


def sub_orders(call: Call) -> object:
    """GET /api/v2/spot/trade/plan-sub-order: the order a plan turned into, if it has."""
    wanted = call.params.required("planOrderId")
    for order in plans(call.account):
        if order_id(order) == wanted:
            return [render.sub_order(order)] if order.triggered else []
    raise no_plan()


def _page(call: Call, orders: Iterable[Order]) -> Json:
    symbol, before = call.chosen_symbol(), call.params.integer("idLessThan")
    limit = call.params.limit(MOST, MOST)
    found = [
        order
        for order in orders
        if symbol in (None, order.symbol)
        and (before is None or int(order_id(order)) < before)
        and within(call, order.created_at)
    ]
    page = found[:limit]
    return {
        "nextFlag": len(found) > limit,
        "idLessThan": order_id(page[-1]) if page else None,
        "orderList": [render.plan(order) for order in page],
    }


def _read(call: Call) -> OrderSpec:
    """A plan to place."""
    params = call.params
    spec = _terms(params, params.choice("side", SIDES), call.market())
    by_quote = spec.quote_quantity is not None
    if params.choice("planType", _PLAN_TYPES, by_quote) is not by_quote:
        raise wrong("planType")
    rules.check(spec, call.venue)
    echo = {
        "planType": "total" if by_quote else "amount",
        "triggerType": params.choice("triggerType", _TRIGGER_TYPES),
    }
    return replace(spec, client_id=params.client_id("clientOid") or new_client_id(), echo=echo)


def _terms(params: Parameters, side: Side, market: Market) -> OrderSpec:
    """Trigger, size and limit; a buy at market is sized in quote, everything else in base."""
    at_market = params.choice("orderType", AT_MARKET)
    by_quote = at_market and side is Side.BUY
    trigger, size = params.need(params.amount, "triggerPrice"), params.need(params.amount, "size")
    return OrderSpec(
        symbol=market.instrument.symbol,
        side=side,
        type=triggered_type(side, trigger, market.last, at_market=at_market),
        quantity=None if by_quote else size,
        quote_quantity=size if by_quote else None,
        price=None if at_market else params.need(params.amount, "executePrice"),
        trigger_price=trigger,
    )
