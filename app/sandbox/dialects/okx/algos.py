"""Algo orders: exits that wait for a price, alone or in pairs, with ids of their own. None of them holds balance.

Source: https://www.okx.com/docs-v5/en/#order-book-trading-algo-trading
"""

from __future__ import annotations

from collections.abc import Iterator

from app.sandbox.dialects.okx import rules
from app.sandbox.dialects.okx.call import Call
from app.sandbox.dialects.okx.errors import empty, no_order, not_to_cancel, refused, wrong
from app.sandbox.dialects.okx.notation import (
    Json,
    algo_client_id,
    algo_id,
    created_at,
    exists,
    instrument_of,
    is_algo,
    is_exit,
    milliseconds,
    order_id,
    text,
)
from app.sandbox.dialects.okx.placing import SIDES, check_mode, exit_prices, read_exits, submit
from app.sandbox.dialects.okx.queries import MOST, paged
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import STOPS, Order, OrderSpec, Refused, State

_SINGLE, _PAIR = "conditional", "oco"
_KINDS = {_SINGLE: 1, _PAIR: 2}
_UNITS = {"base_ccy": False, "quote_ccy": True}
_MOST_CANCELS = 10
_STATES = frozenset({"effective", "canceled", "order_failed"})


def place(call: Call) -> object:
    """POST /api/v5/trade/order-algo"""
    return call.each(_place, 1)


def _place(call: Call) -> Json:
    params, market = call.params, call.market()
    check_mode(call)
    wanted = params.choice("ordType", _KINDS)
    if params.choice("tgtCcy", _UNITS, False):
        raise wrong("tgtCcy")
    exits = read_exits(
        params,
        market,
        params.choice("side", SIDES),
        params.need(params.amount, "sz"),
        params.client_id("algoClOrdId"),
    )
    for spec in exits:
        rules.check(spec, market)
        rules.check_trigger(spec, market.last)
    order = _submit(call, exits[:wanted])
    return {"algoId": algo_id(order), "algoClOrdId": algo_client_id(order), "clOrdId": "", "tag": ""}


def _submit(call: Call, exits: tuple[OrderSpec, ...]) -> Order:
    """One exit, or two that exclude each other; of two sent as one alone the stop-loss is taken."""
    if len(exits) == 1:
        return submit(call, exits[0])
    try:
        return call.venue.submit_group(call.account, exits[0].client_id or "", exits).exits[0]
    except Refused as refusal:
        raise refused(refusal.refusal) from None


def cancel(call: Call) -> object:
    """POST /api/v5/trade/cancel-algos"""
    return call.each(_cancel, _MOST_CANCELS)


def _cancel(call: Call) -> Json:
    order = _find(call)
    if order is None or _state(order) != "live":
        raise not_to_cancel()
    call.venue.cancel(order)
    return {"algoId": algo_id(order), "algoClOrdId": algo_client_id(order)}


def get_one(call: Call) -> object:
    """GET /api/v5/trade/order-algo"""
    order = _find(call)
    if order is None:
        raise no_order()
    return [_record(order)]


def pending(call: Call) -> object:
    """GET /api/v5/trade/orders-algo-pending"""
    return _page(call, "live")


def history(call: Call) -> object:
    """GET /api/v5/trade/orders-algo-history, of one state at a time."""
    state = call.params.required("state")
    if state not in _STATES:
        raise wrong("state")
    return _page(call, state)


def _page(call: Call, state: str) -> list[Json]:
    kinds = call.params.required("ordType").split(",")
    if not set(kinds) <= _KINDS.keys():
        raise wrong("ordType")
    symbol = call.chosen_symbol()
    found = [
        order
        for order in _every(call.account)
        if _state(order) == state and _kind(order) in kinds and symbol in (None, order.symbol)
    ]
    found.sort(key=lambda order: int(algo_id(order)), reverse=True)
    return [_record(order) for order in paged(call, found, algo_id)][: call.params.limit(MOST)]


def _every(account: Account) -> Iterator[Order]:
    """Algo orders, each by its first exit."""
    for order in account.orders.values():
        if is_algo(order) and exists(order) and _legs(order)[0] is order:
            yield order


def _find(call: Call) -> Order | None:
    number, client_id = call.params.text("algoId"), call.params.text("algoClOrdId")
    if number is None and client_id is None:
        raise empty("algoId")
    latest_first = reversed(list(_every(call.account)))
    if number is not None:
        return next((order for order in latest_first if algo_id(order) == number), None)
    return next((order for order in latest_first if algo_client_id(order) == client_id), None)


def _legs(order: Order) -> tuple[Order, ...]:
    return order.group.exits if order.group is not None and is_exit(order) else (order,)


def _kind(order: Order) -> str:
    return _SINGLE if len(_legs(order)) == 1 else _PAIR


def _state(order: Order) -> str:
    legs = _legs(order)
    if any(leg.state is State.REJECTED for leg in legs):
        return "order_failed"
    if any(leg.triggered for leg in legs):
        return "effective"
    return "live" if any(leg.live for leg in legs) else "canceled"


def _record(order: Order) -> Json:
    legs, state = _legs(order), _state(order)
    fired = next((leg for leg in legs if leg.triggered), None)
    placed = [order_id(fired)] if fired is not None and state == "effective" else []
    updated = max(leg.updated_at for leg in legs)
    return {
        "algoId": algo_id(order),
        "algoClOrdId": algo_client_id(order),
        "instType": "SPOT",
        "instId": instrument_of(order),
        "ordType": _kind(order),
        "state": state,
        "side": order.side.value,
        "sz": text(order.quantity),
        "tgtCcy": "base_ccy",
        "tdMode": "cash",
        **exit_prices(legs),
        "actualSide": "" if fired is None else "sl" if fired.spec.type in STOPS else "tp",
        "ordId": placed[0] if placed else "",
        "ordIdList": placed,
        "failCode": "51008" if state == "order_failed" else "",
        "triggerTime": milliseconds(fired.working_at or updated) if fired is not None else "",
        "last": "",
        "cTime": milliseconds(created_at(order)),
        "uTime": milliseconds(updated),
    }
