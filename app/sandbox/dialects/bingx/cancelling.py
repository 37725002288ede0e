"""Cancelling orders, and replacing one by another.

Source: https://bingx-api.github.io/docs-v3/#/en/Spot/Trades%20Endpoints/Cancel%20Order
"""

from __future__ import annotations

from collections.abc import Iterable

from app.sandbox.dialects.bingx import placing, render
from app.sandbox.dialects.bingx.call import Call
from app.sandbox.dialects.bingx.errors import BingXError, already_final, nothing_to_cancel, wrong
from app.sandbox.dialects.bingx.notation import Json, engine_id
from app.sandbox.dialects.bingx.queries import named
from app.sandbox.engine.model import Order

_MODES = {"STOP_ON_FAILURE": True, "ALLOW_FAILURE": False}


def cancel(call: Call) -> object:
    """POST /openApi/spot/v1/trade/cancel"""
    return render.cancelled(_cancelled(call, named(call, "orderId", "clientOrderID")))


def cancel_several(call: Call) -> object:
    """POST /openApi/spot/v1/trade/cancelOrders: orders by their ids, with commas between."""
    call.market()
    ids = call.params.required("orderIds").split(",")
    if not all(each.isascii() and each.isdigit() and len(each) < 20 for each in ids):
        raise wrong("orderIds")
    gone, fails = [], []
    for each in ids:
        try:
            gone.append(_cancelled(call, call.account.orders.get(engine_id(int(each)))))
        except BingXError as error:
            fails.append({"orderId": int(each), "code": error.code, "msg": error.message})
    return {"orders": _shown(gone), "fails": fails}


def cancel_open(call: Call) -> object:
    """POST /openApi/spot/v1/trade/cancelOpenOrders: all of one market, or all there are."""
    symbol = call.chosen_symbol()
    gone = [order for order in call.account.open_orders.values() if symbol in (None, order.symbol)]
    for order in gone:
        call.venue.cancel(order)
    return {"orders": _shown(gone)}


def replace(call: Call) -> object:
    """POST /openApi/spot/v1/trade/order/cancelReplace: a half that failed is told in an answer that is a success."""
    strict = call.params.choice("cancelReplaceMode", _MODES)
    spec = placing.read(call)
    outcome: dict[str, object] = {}
    try:
        order = named(call, "cancelOrderId", "cancelClientOrderID")
        outcome["orderCancelResponse"] = render.cancelled(_cancelled(call, order))
        outcome["cancelResult"] = _verdict(None)
    except BingXError as error:
        if strict:
            raise
        outcome["cancelResult"] = _verdict(error)
    try:
        outcome["orderOpenResponse"] = render.placed(placing.submit(call, spec))
        outcome["openResult"] = _verdict(None)
    except BingXError as error:
        outcome["openResult"] = _verdict(error)
    return outcome


def _verdict(error: BingXError | None) -> Json:
    if error is None:
        return {"code": 0, "msg": "", "result": True}
    return {"code": error.code, "msg": error.message, "result": False}


def _cancelled(call: Call, order: Order | None) -> Order:
    if order is None or order.symbol != call.market().instrument.symbol:
        raise nothing_to_cancel()
    if not order.live:
        raise already_final(order)
    call.venue.cancel(order)
    return order


def _shown(orders: Iterable[Order]) -> list[Json]:
    return [render.cancelled(order) for order in orders]
