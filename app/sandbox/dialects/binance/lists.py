"""Order lists: OCO, OTO and OTOCO.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints#order-lists
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.binance import filters, render
from app.sandbox.dialects.binance.call import Call
from app.sandbox.dialects.binance.cancelling import canceled_answer
from app.sandbox.dialects.binance.errors import (
    BinanceError,
    missing,
    refused,
    rejected,
    unknown_order_on_cancel,
    unknown_order_on_query,
)
from app.sandbox.dialects.binance.notation import Json, fixed
from app.sandbox.dialects.binance.placing import Names, random_id, read_order, render_new, response_type
from app.sandbox.engine.model import STOPS, Order, OrderGroup, OrderSpec, OrderType, Refused, Side

COMMON = "symbol listClientOrderId newOrderRespType selfTradePreventionMode"


def _leg(prefix: str, *, side: str = "", quantity: str = "") -> Names:
    return Names(
        type=f"{prefix}Type",
        side=side or f"{prefix}Side",
        quantity=quantity or f"{prefix}Quantity",
        price=f"{prefix}Price",
        stop_price=f"{prefix}StopPrice",
        time_in_force=f"{prefix}TimeInForce",
        client_id=f"{prefix}ClientOrderId",
        iceberg=f"{prefix}IcebergQty",
        trailing=f"{prefix}TrailingDelta",
    )


OCO = (_leg("above", side="side", quantity="quantity"), _leg("below", side="side", quantity="quantity"))
WORKING = _leg("working")
PENDING = _leg("pending")
PENDING_OCO = tuple(
    _leg(f"pending{where}", side="pendingSide", quantity="pendingQuantity") for where in ("Above", "Below")
)


def place_oco(call: Call) -> object:
    """POST /api/v3/orderList/oco"""
    above, below = (read_order(call, names) for names in OCO)
    _check_pair(above, below)
    _check_prices(above, below, call.market().last)
    return _submit(call, (above, below))


def place_oto(call: Call) -> object:
    """POST /api/v3/orderList/oto"""
    return _submit(call, (read_order(call, PENDING),), _read_working(call))


def place_otoco(call: Call) -> object:
    """POST /api/v3/orderList/otoco"""
    working = _read_working(call)
    above, below = (read_order(call, names) for names in PENDING_OCO)
    _check_pair(above, below)
    last = call.market().last
    if _level(above, last) <= _level(below, last):
        raise rejected("The relationship of the prices for the orders is not correct.")
    return _submit(call, (above, below), working)


def _read_working(call: Call) -> OrderSpec:
    working = read_order(call, WORKING)
    if working.type is not OrderType.LIMIT:
        raise BinanceError(-1014, "Unsupported order combination.")
    return working


def _check_pair(above: OrderSpec, below: OrderSpec) -> None:
    """Which types an OCO takes, and on which side of the price each may stand."""
    for spec in (above, below):
        if spec.type is OrderType.MARKET or (spec.type is OrderType.LIMIT and not spec.post_only):
            raise BinanceError(-1158, "Order type not supported in OCO.")
    if above.post_only and below.post_only:
        raise BinanceError(-1168, "At least one OCO order must be contingent.")
    selling = above.side is Side.SELL
    profit, stop = (above, below) if selling else (below, above)
    side, where, other = ("sell", "above", "below") if selling else ("buy", "below", "above")
    if stop.post_only:
        raise BinanceError(-1166 if selling else -1165, f"A limit order in a {side} OCO must be {where}.")
    if profit.type in STOPS:
        raise BinanceError(-1197 if selling else -1196, f"A stop loss order in a {side} OCO must be {other}.")
    if stop.type not in STOPS:
        raise BinanceError(
            -1199 if selling else -1198, f"A take profit order in a {side} OCO must be {where}."
        )


def _check_prices(above: OrderSpec, below: OrderSpec, last: Decimal) -> None:
    if not _level(below, last) < last < _level(above, last):
        raise rejected("The relationship of the prices for the orders is not correct.")


def _level(spec: OrderSpec, last: Decimal) -> Decimal:
    """Where an exit acts; a trailing stop at its distance from the market."""
    trigger = spec.trigger_from(last)
    level = trigger if trigger is not None else spec.price
    if level is None:
        raise missing("price")
    return level


def _submit(call: Call, exits: tuple[OrderSpec, ...], working: OrderSpec | None = None) -> Json:
    specs = exits if working is None else (working, *exits)
    filters.check_counts(call.account, specs, as_list=True)
    client_id = call.params.client_id("listClientOrderId") or random_id()
    if any(group.live and group.client_id == client_id for group in call.account.groups.values()):
        raise rejected("Duplicate order sent.")
    style = response_type(call, "RESULT")
    try:
        group = call.venue.submit_group(call.account, client_id, exits, working)
    except Refused as refusal:
        raise refused(refusal.refusal) from None
    return _placed(call, group, style)


def _placed(call: Call, group: OrderGroup, style: str) -> Json:
    """The answer to a placement: a waiting exit shows PENDING_NEW even when the working order has filled already."""
    reports = [render_new(call, order, style) for order in group.orders]
    if group.working is not None and style != "ACK":
        for report, order in zip(reports, group.orders, strict=True):
            if order is not group.working:
                report |= _as_accepted(order)
    return render.group(call, group) | {"orderReports": reports}


def _as_accepted(order: Order) -> Json:
    accepted: Json = {"status": "PENDING_NEW", "executedQty": fixed(None)}
    return accepted | {"cummulativeQuoteQty": fixed(None)}


def get_list(call: Call) -> object:
    """GET /api/v3/orderList"""
    return render.group(call, _find(call, "origClientOrderId", unknown_order_on_query()))


def cancel_list(call: Call) -> object:
    """DELETE /api/v3/orderList"""
    symbol = call.market().instrument.symbol
    group = _find(call, "listClientOrderId", unknown_order_on_cancel())
    alive = [order for order in group.orders if order.live]
    if not alive or group.symbol != symbol:
        raise unknown_order_on_cancel()
    canceled = call.venue.cancel(alive[0])
    return canceled_answer(call, canceled, call.params.client_id("newClientOrderId") or random_id())


def open_lists(call: Call) -> object:
    """GET /api/v3/openOrderList"""
    return [render.group(call, group) for group in call.account.groups.values() if group.live]


def all_lists(call: Call) -> object:
    """GET /api/v3/allOrderList"""
    from_id = call.params.integer("fromId")
    start, end = call.microsecond("startTime"), call.microsecond("endTime")
    if from_id is not None and (start is not None or end is not None):
        raise BinanceError(-1128, "Combination of optional parameters invalid.")
    found = [
        group
        for group in call.account.groups.values()
        if (from_id is None or group.id >= from_id)
        and (start is None or group.created_at >= start)
        and (end is None or group.created_at <= end)
    ]
    limit = call.params.limit(500, 1000)
    page = found[-limit:] if from_id is None and start is None else found[:limit]
    return [render.group(call, group) for group in page]


def _find(call: Call, client_id_name: str, absent: BinanceError) -> OrderGroup:
    list_id, client_id = call.params.integer("orderListId"), call.params.client_id(client_id_name)
    if list_id is None and client_id is None:
        message = f"Param '{client_id_name}' or 'orderListId' must be sent, but both were empty/null!"
        raise BinanceError(-1102, message)
    for group in reversed(call.account.groups.values()):
        if (list_id is None or group.id == list_id) and (client_id is None or group.client_id == client_id):
            return group
    raise absent
