"""Stop orders: a plain order that waits for a price, under an id and in a list of its own.

Source: https://www.kucoin.com/docs-new/rest/spot-trading/orders/add-stop-order
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial

from app.sandbox.dialects.kucoin import placing, render, rules
from app.sandbox.dialects.kucoin.call import Call, asking
from app.sandbox.dialects.kucoin.errors import no_such_order
from app.sandbox.dialects.kucoin.families import client_oid, is_stop, stop_id
from app.sandbox.dialects.kucoin.notation import STOP_ORDER, Json, amount, milliseconds, number_of
from app.sandbox.dialects.kucoin.parameters import missing
from app.sandbox.dialects.kucoin.queries import page
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Side

LOSS, ENTRY = "loss", "entry"
_DIRECTIONS = {LOSS: LOSS, ENTRY: ENTRY}
#: by whether it executes at market, and whether it stops rather than takes a profit
_ENGINE_TYPES = {
    (True, True): OrderType.STOP_LOSS,
    (True, False): OrderType.TAKE_PROFIT,
    (False, True): OrderType.STOP_LIMIT,
    (False, False): OrderType.TAKE_PROFIT_LIMIT,
}


def place(call: Call) -> object:
    """POST /api/v1/stop-order"""
    params, plain = call.params, placing.read_terms(call, call.params)
    market = call.market()
    trigger = params.amount("stopPrice")
    if trigger is None:
        raise missing("stopPrice")
    # Without a direction it is taken to lie ahead of the price, wherever that is.
    default = LOSS if trigger <= market.last else ENTRY
    spec = waiting(plain, trigger, params.choice("stop", _DIRECTIONS, default))
    rules.check(spec, market)
    rules.check_counts(call.account, spec)
    order = asking(lambda: call.venue.submit(call.account, spec))
    return {"orderId": stop_id(order)}


def waiting(plain: OrderSpec, trigger: Decimal, direction: str) -> OrderSpec:
    """A plain order that fires when the last price falls (``loss``) or rises (``entry``) to the trigger."""
    stops = (direction == LOSS) == (plain.side is Side.SELL)
    kind = _ENGINE_TYPES[plain.type is OrderType.MARKET, stops]
    return replace(plain, type=kind, trigger_price=trigger, echo={**plain.echo, "stop": direction})


def get(call: Call) -> object:
    """GET /api/v1/stop-order/{orderId}"""
    order = _find(call, call.params.required("orderId"))
    return None if order is None else record(order)


def get_by_client_oid(call: Call) -> object:
    """GET /api/v1/stop-order/queryOrderByClientOid: an array."""
    symbol, text = call.symbol_if_sent(), call.params.required("clientOid")
    return [
        record(order)
        for order in call.account.orders.values()
        if _kept(order) and order.client_id == text and symbol in (None, order.symbol)
    ]


def listed(call: Call) -> object:
    """GET /api/v1/stop-order: those that still wait, latest first."""
    params, symbol = call.params, call.symbol_if_sent()
    ids = params.text("orderIds")
    side, kind = params.text("side"), params.text("type")
    start, end = params.integer("startAt"), params.integer("endAt")
    rows = [
        record(order)
        for order in reversed(_waiting(call, symbol))
        if side in (None, order.side.value)
        and kind in (None, render.type_name(order))
        and (ids is None or stop_id(order) in ids.split(","))
        and (start is None or order.created_at >= start * 1000)
        and (end is None or order.created_at < (end + 1) * 1000)
    ]
    return page(call, rows, "currentPage")


def cancel(call: Call) -> object:
    """DELETE /api/v1/stop-order/{orderId}"""
    order = _find(call, call.params.required("orderId"))
    if order is None or not order.waits_for_trigger:
        raise no_such_order()
    return {"cancelledOrderIds": _end(call, [order])}


def cancel_by_client_oid(call: Call) -> object:
    """DELETE /api/v1/stop-order/cancelOrderByClientOid"""
    text = call.params.required("clientOid")
    for order in _waiting(call, call.symbol_if_sent()):
        if order.client_id == text:
            return {"cancelledOrderId": _end(call, [order])[0], "clientOid": text}
    raise no_such_order()


def cancel_several(call: Call) -> object:
    """DELETE /api/v1/stop-order/cancel: those named, those of a symbol, or all."""
    ids = call.params.text("orderIds")
    found = _waiting(call, call.symbol_if_sent())
    return {
        "cancelledOrderIds": _end(call, [o for o in found if ids is None or stop_id(o) in ids.split(",")])
    }


def record(order: Order) -> Json:
    """A stop order, waiting or triggered."""
    spec = order.spec
    return {
        "id": stop_id(order),
        "symbol": render.symbol_of(order),
        "status": "NEW" if order.waits_for_trigger else "TRIGGERED",
        "type": render.type_name(order),
        "side": order.side.value,
        "price": amount(order.price),
        "size": amount(spec.quantity),
        "funds": None if spec.quote_quantity is None else amount(spec.quote_quantity),
        **render.conditions(order),
        "channel": "API",
        "clientOid": client_oid(order),
        "domainId": "kucoin",
        "tradeSource": "USER",
        "tradeType": "TRADE",
        "feeCurrency": render.fee_currency(order),
        "createdAt": milliseconds(order.created_at),
        "stop": spec.echo.get("stop"),
        "stopTriggerTime": milliseconds(order.working_at) if order.working_at is not None else None,
        "stopPrice": amount(spec.trigger_price),
    }


def _kept(order: Order) -> bool:
    """Whether there is a record of a stop order: one that was cancelled leaves none."""
    return is_stop(order) and (order.live or order.triggered)


def _waiting(call: Call, symbol: str | None) -> list[Order]:
    """The stop orders that have not triggered, oldest first."""
    return [
        order
        for order in call.account.open_orders.values()
        if is_stop(order) and order.waits_for_trigger and symbol in (None, order.symbol)
    ]


def _find(call: Call, text: str) -> Order | None:
    order = call.account.orders.get(number_of(STOP_ORDER, text) or 0)
    return order if order is not None and _kept(order) else None


def _end(call: Call, orders: Sequence[Order]) -> list[str]:
    for order in orders:
        asking(partial(call.venue.cancel, order))
    return [stop_id(order) for order in orders]
