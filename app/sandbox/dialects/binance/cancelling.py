"""Cancelling, replacing and amending orders.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints#cancel-order-trade
"""

from __future__ import annotations

from itertools import groupby

from app.sandbox.dialects.binance import filters, placing, render
from app.sandbox.dialects.binance.call import Call
from app.sandbox.dialects.binance.errors import BinanceError, missing, refused, unknown_order_on_cancel
from app.sandbox.dialects.binance.notation import Json, fixed
from app.sandbox.engine.model import Order, Refused, State

_RESTRICTIONS = {"ONLY_NEW": State.OPEN, "ONLY_PARTIALLY_FILLED": State.PARTIALLY_FILLED}


def find_order(call: Call, id_name: str, client_id_name: str, absent: BinanceError) -> Order:
    """The signer's order of this symbol by exchange id, client id, or both if they agree.

    Raises:
        BinanceError: -1102 when neither id is sent, ``absent`` when there is no such order, -2039 on a mismatch.
    """
    market = call.market()
    order_id, client_id = call.params.integer(id_name), call.params.client_id(client_id_name)
    if order_id is None and client_id is None:
        message = f"Param '{client_id_name}' or '{id_name}' must be sent, but both were empty/null!"
        raise BinanceError(-1102, message)
    account = call.account
    by_client_id = account.by_client_id.get(client_id or "")
    order = by_client_id if order_id is None else account.orders.get(order_id)
    if order is None or order.symbol != market.instrument.symbol:
        raise absent
    if client_id is not None and order.client_id != client_id:
        raise BinanceError(-2039, "Client order ID is not correct for this order ID.")
    return order


def cancel_order(call: Call) -> object:
    """DELETE /api/v3/order; cancelling a leg cancels its whole list."""
    order = find_order(call, "orderId", "origClientOrderId", unknown_order_on_cancel())
    return _cancel(call, order, call.params.client_id("newClientOrderId"))


def _cancel(call: Call, order: Order, cancel_id: str | None) -> Json:
    restriction = call.params.text("cancelRestrictions")
    if restriction is not None and restriction not in _RESTRICTIONS:
        message = "`cancelRestrictions` has to be either `ONLY_NEW` or `ONLY_PARTIALLY_FILLED`."
        raise BinanceError(-1145, message)
    if restriction is not None and order.live and order.state is not _RESTRICTIONS[restriction]:
        raise BinanceError(-2011, "Order was not canceled due to cancel restrictions.")
    try:
        canceled = call.venue.cancel(order)
    except Refused as refusal:
        raise refused(refusal.refusal) from None
    return canceled_answer(call, canceled, cancel_id or placing.random_id())


def canceled_answer(call: Call, canceled: list[Order], cancel_id: str) -> Json:
    """One cancelled order, or the list it took with it."""
    group = canceled[0].group
    if group is None:
        return render.cancellation(call, canceled[0], cancel_id)
    reports = [render.cancellation(call, order, cancel_id) for order in canceled]
    return render.group(call, group) | {"orderReports": reports}


def cancel_open_orders(call: Call) -> object:
    """DELETE /api/v3/openOrders: everything open on one symbol."""
    symbol = call.market().instrument.symbol
    mine = [order for order in call.account.open_orders.values() if order.symbol == symbol]
    if not mine:
        raise unknown_order_on_cancel()
    answers: list[Json] = []
    for _, members in groupby(mine, key=lambda order: order.id if order.group is None else order.group):
        canceled = call.venue.cancel(next(members))
        answers.append(canceled_answer(call, canceled, placing.random_id()))
    return answers


def cancel_replace(call: Call) -> object:
    """POST /api/v3/order/cancelReplace: the new order is checked first, then the old one cancelled."""
    mode = call.params.required("cancelReplaceMode")
    if mode not in ("STOP_ON_FAILURE", "ALLOW_FAILURE"):
        raise BinanceError(-1130, "Data sent for parameter 'cancelReplaceMode' is not valid.")
    if "cancelOrderId" not in call.params and "cancelOrigClientOrderId" not in call.params:
        raise missing("cancelOrigClientOrderId")
    spec, style = placing.read_new_order(call)
    outcome: dict[str, object] = {"newOrderResult": "NOT_ATTEMPTED", "newOrderResponse": None}
    failures = 0
    try:
        order = find_order(call, "cancelOrderId", "cancelOrigClientOrderId", unknown_order_on_cancel())
        answer = _cancel(call, order, call.params.client_id("cancelNewClientOrderId"))
        outcome |= {"cancelResult": "SUCCESS", "cancelResponse": answer}
    except BinanceError as error:
        failures += 1
        outcome |= {"cancelResult": "FAILURE", "cancelResponse": error.content()}
        if mode == "STOP_ON_FAILURE":
            raise BinanceError(-2022, "Order cancel-replace failed.", data=outcome) from None
    try:
        placed = placing.render_new(call, placing.submit(call, spec), style)
        outcome |= {"newOrderResult": "SUCCESS", "newOrderResponse": placed}
    except BinanceError as error:
        failures += 1
        outcome |= {"newOrderResult": "FAILURE", "newOrderResponse": error.content()}
    if failures == 1:
        raise BinanceError(-2021, "Order cancel-replace partially failed.", 409, data=outcome)
    if failures == 2:
        raise BinanceError(-2022, "Order cancel-replace failed.", data=outcome)
    return outcome


def amend_keep_priority(call: Call) -> object:
    """PUT /api/v3/order/amend/keepPriority: a smaller quantity, under a client id that is new unless it is sent."""
    order = find_order(call, "orderId", "origClientOrderId", unknown_order_on_cancel())
    quantity = call.params.need(call.params.amount, "newQty")
    if not order.live or quantity >= order.quantity:
        raise BinanceError(-2038, "Order amend (quantity increase) is not supported.")
    filters.check_amendment(quantity, call.market(), order.price)
    filters.check_amends(order.amendments)
    former_id = order.client_id
    try:
        new_id = call.params.client_id("newClientOrderId") or placing.random_id()
        call.venue.amend(order, quantity=quantity, client_id=new_id)
    except Refused as refusal:
        raise refused(refusal.refusal) from None
    amended = {
        "symbol": render.symbol_of(order),
        "orderId": order.id,
        "orderListId": render.group_id(order),
        "origClientOrderId": former_id,
        "clientOrderId": order.client_id,
        **render.state(order),
        "qty": fixed(order.quantity),
        "cumulativeQuoteQty": fixed(order.cost),
        "preventedQty": fixed(None),
        "quoteOrderQty": fixed(None),
        "workingTime": -1 if order.working_at is None else call.time(order.working_at),
    }
    answer: Json = {
        "transactTime": call.time(order.updated_at),
        "executionId": order.id * 1000 + order.amendments,
        "amendedOrder": amended,
    }
    if order.group is not None:
        answer["listStatus"] = render.group(call, order.group)
    return answer
