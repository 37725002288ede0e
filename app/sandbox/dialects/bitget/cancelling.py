"""Cancelling and replacing orders. An answer says that the request was taken; a look-up says what came of it.

Source: https://www.bitget.com/api-doc/spot/trade/Cancel-Order
"""

from __future__ import annotations

from dataclasses import replace

from app.sandbox.dialects.bitget import placing, render
from app.sandbox.dialects.bitget.call import Call
from app.sandbox.dialects.bitget.errors import BitgetError, already_final, empty, no_order, refused, wrong
from app.sandbox.dialects.bitget.notation import Json, executing_client_id, executing_id, new_client_id
from app.sandbox.dialects.bitget.parameters import Parameters
from app.sandbox.dialects.bitget.seeing import executing, find_executing, waits_as_tpsl
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Reason, Refused

_TPSL_TYPES = {"normal": False, "tpsl": True}
_SECOND = 1_000_000


def cancel_order(call: Call) -> object:
    """POST /api/v2/spot/trade/cancel-order"""
    return _ids(cancel(call, _find(call, call.params)))


def batch_cancel(call: Call) -> object:
    """POST /api/v2/spot/trade/batch-cancel-order"""
    done: list[Json] = []
    failed: list[Json] = []
    for row in call.params.rows("orderList", placing.BATCH):
        symbol = row.text("symbol") or call.params.text("symbol")
        try:
            done.append(_ids(cancel(call, _find(call, row.joined(symbol=symbol)))))
        except BitgetError as error:
            failed.append(placing.failure(error, row.text("orderId") or "", row.text("clientOid") or ""))
    return {"successList": done, "failureList": failed}


def cancel_symbol(call: Call) -> object:
    """POST /api/v2/spot/trade/cancel-symbol-order: all that is open on it but plans, take-profits and stops."""
    market = call.market()
    for order in list(executing(call.account)):
        if order.live and order.symbol == market.instrument.symbol and not waits_as_tpsl(order):
            cancel(call, order)
    return {"symbol": call.params.required("symbol")}


def replace_order(call: Call) -> object:
    """POST /api/v2/spot/trade/cancel-replace-order"""
    return _replace(call, call.params)


def batch_replace(call: Call) -> object:
    """POST /api/v2/spot/trade/batch-cancel-replace-order"""
    answers: list[Json] = []
    for row in call.params.rows("orderList", placing.BATCH):
        try:
            answers.append(_replace(call, row))
        except BitgetError as error:
            client_id = row.text("newClientOid") or row.text("clientOid") or ""
            answers.append(_not_replaced(client_id, error))
    return answers


def cancel(call: Call, order: Order) -> Order:
    """Cancel an order.

    Raises:
        BitgetError: 43026 when it has ended already, 45129 when it was cancelled less than a second ago.
    """
    if order.reason is Reason.CANCELED and call.venue.now() - order.updated_at < _SECOND:
        raise BitgetError("45129", "The same order can be cancelled once a second only")
    try:
        call.venue.cancel(order)
    except Refused as refusal:
        raise refused(refusal.refusal) from None
    return order


def _find(call: Call, params: Parameters) -> Order:
    """The order to cancel; take-profits and stops go by order id and need neither symbol nor client id."""
    tpsl = params.choice("tpslType", _TPSL_TYPES, False)
    if tpsl:
        if "orderId" not in params:
            raise empty("orderId")
        symbol = None
    else:
        symbol = call.market(params).instrument.symbol
    order = find_executing(call, params)
    if order is None or symbol not in (None, order.symbol):
        raise no_order()
    if order.live and waits_as_tpsl(order) is not tpsl:
        raise no_order()
    return order


def _replace(call: Call, params: Parameters) -> Json:
    """Cancel a limit order and place another; when that fails the first is gone all the same."""
    order = _find(call, params)
    if not order.live:
        raise already_final()
    if order.spec.type is not OrderType.LIMIT:
        raise wrong("orderType")
    market = call.market(params)
    client_id = params.client_id("newClientOid") or new_client_id()
    spec, exits = placing.preset(
        call,
        params,
        OrderSpec(
            symbol=order.symbol,
            side=order.side,
            type=OrderType.LIMIT,
            quantity=params.need(params.amount, "size"),
            price=params.need(params.amount, "price"),
            time_in_force=order.spec.time_in_force,
            post_only=order.spec.post_only,
        ),
        market,
    )
    cancel(call, order)
    try:
        placed = placing.submit(call, replace(spec, client_id=client_id), exits)
    except BitgetError as error:
        return _not_replaced(client_id, error)
    return render.ids(placed) | {"success": "success", "msg": None}


def _not_replaced(client_id: str, error: BitgetError) -> Json:
    return {"orderId": None, "clientOid": client_id, "success": "failure", "msg": error.message}


def _ids(order: Order) -> Json:
    return {"orderId": executing_id(order), "clientOid": executing_client_id(order)}
