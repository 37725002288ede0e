"""OCO orders: a limit order and a stop order of one side and size, of which the one ends the other.

Source: https://www.kucoin.com/docs-new/rest/spot-trading/orders/add-oco-order
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from uuid import uuid4

from app.sandbox.dialects.kucoin import placing, render, rules, stops
from app.sandbox.dialects.kucoin.call import Call, asking
from app.sandbox.dialects.kucoin.errors import no_such_order, refused
from app.sandbox.dialects.kucoin.families import in_book, stop_id
from app.sandbox.dialects.kucoin.notation import OCO, Json, amount, milliseconds, number_of, written_id
from app.sandbox.dialects.kucoin.parameters import missing
from app.sandbox.dialects.kucoin.queries import page
from app.sandbox.engine.model import Order, OrderGroup, OrderSpec, OrderType, Refusal, Side


def place(call: Call) -> object:
    """POST /api/v3/oco/order"""
    limit, stop = _read(call)
    market = call.market()
    for spec in (limit, stop):
        rules.check(spec, market)
    _check_prices(limit, stop, market.last)
    rules.check_counts(call.account, stop, new=2)
    client_id = call.params.client_oid() or uuid4().hex
    if any(group.live and group.client_id == client_id for group in call.account.groups.values()):
        raise refused(Refusal.DUPLICATE_CLIENT_ID)
    group = asking(lambda: call.venue.submit_group(call.account, client_id, (limit, stop)))
    return {"orderId": _id(group)}


def _read(call: Call) -> tuple[OrderSpec, OrderSpec]:
    """The limit leg at ``price``, and the stop leg that becomes a limit order at ``limitPrice``."""
    params = call.params
    size, price, stop_price, limit_price = (
        _needed(call, name) for name in ("size", "price", "stopPrice", "limitPrice")
    )
    limit = OrderSpec(
        symbol=call.market().instrument.symbol,
        side=params.choice("side", placing.SIDES),
        type=OrderType.LIMIT,
        quantity=size,
        price=price,
    )
    direction = stops.LOSS if limit.side is Side.SELL else stops.ENTRY
    return limit, stops.waiting(replace(limit, price=limit_price), stop_price, direction)


def _needed(call: Call, name: str) -> Decimal:
    value = call.params.amount(name)
    if value is None:
        raise missing(name)
    return value


def _check_prices(limit: OrderSpec, stop: OrderSpec, last: Decimal) -> None:
    """A sell has its limit above the last price and its stop below, a buy the other way round."""
    if limit.price is None or stop.trigger_price is None:
        raise refused(Refusal.BAD_LEGS)
    below, above = sorted((limit.price, stop.trigger_price))
    profit_above = limit.price == above
    if not below < last < above or profit_above is not (limit.side is Side.SELL):
        raise refused(Refusal.BAD_LEGS)


def get(call: Call) -> object:
    """GET /api/v3/oco/order/{orderId}"""
    return _summary(_by_id(call))


def get_by_client_oid(call: Call) -> object:
    """GET /api/v3/oco/client-order/{clientOid}"""
    return _summary(_by_client_oid(call))


def details(call: Call) -> object:
    """GET /api/v3/oco/order/details/{orderId}: with its two legs."""
    group = _by_id(call)
    return _summary(group) | {"orders": [_leg(order) for order in group.exits]}


def listed(call: Call) -> object:
    """GET /api/v3/oco/orders: latest first."""
    symbol = call.symbol_if_sent()
    ids = call.params.text("orderIds")
    start, end = call.params.integer("startAt"), call.params.integer("endAt")
    rows = [
        _summary(group)
        for group in reversed(call.account.groups.values())
        if symbol in (None, group.symbol)
        and (ids is None or _id(group) in ids.split(","))
        and (start is None or group.created_at >= start * 1000)
        and (end is None or group.created_at < (end + 1) * 1000)
    ]
    return page(call, rows, "currentPage")


def cancel(call: Call) -> object:
    """DELETE /api/v3/oco/order/{orderId}"""
    return {"cancelledOrderIds": _end(call, _by_id(call))}


def cancel_by_client_oid(call: Call) -> object:
    """DELETE /api/v3/oco/client-order/{clientOid}"""
    return {"cancelledOrderIds": _end(call, _by_client_oid(call))}


def cancel_several(call: Call) -> object:
    """DELETE /api/v3/oco/orders: those named, those of a symbol, or all that have not executed."""
    symbol, ids = call.symbol_if_sent(), call.params.text("orderIds")
    found = [
        group
        for group in call.account.groups.values()
        if _status(group) == "NEW"
        and symbol in (None, group.symbol)
        and (ids is None or _id(group) in ids.split(","))
    ]
    return {"cancelledOrderIds": [text for group in found for text in _end(call, group)]}


def _end(call: Call, group: OrderGroup) -> list[str]:
    if _status(group) != "NEW":
        raise no_such_order()
    canceled = asking(lambda: call.venue.cancel(group.exits[0]))
    return [stop_id(order) for order in canceled]


def _by_id(call: Call) -> OrderGroup:
    group = call.account.groups.get(number_of(OCO, call.params.required("orderId")) or 0)
    if group is None:
        raise no_such_order()
    return group


def _by_client_oid(call: Call) -> OrderGroup:
    text = call.params.required("clientOid")
    for group in reversed(call.account.groups.values()):
        if group.client_id == text:
            return group
    raise no_such_order()


def _status(group: OrderGroup) -> str:
    limit, stop = group.exits
    if stop.triggered:
        return "TRIGGERED"
    if limit.fills:
        return "DONE"
    return "CANCELLED" if not group.live else "NEW"


def _id(group: OrderGroup) -> str:
    return written_id(OCO, group.id)


def _summary(group: OrderGroup) -> Json:
    return {
        "orderId": _id(group),
        "symbol": group.symbol.replace("/", "-"),
        "clientOid": group.client_id,
        "orderTime": milliseconds(group.created_at),
        "status": _status(group),
    }


def _leg(order: Order) -> Json:
    """One leg; the limit leg repeats its price where the other tells its trigger."""
    return {
        "id": stop_id(order),
        "symbol": render.symbol_of(order),
        "side": order.side.value,
        "price": amount(order.price),
        "stopPrice": amount(order.spec.trigger_price or order.price),
        "size": amount(order.quantity),
        "status": _leg_status(order),
    }


def _leg_status(order: Order) -> str:
    if in_book(order):
        return "TRIGGERED" if order.triggered else "DONE"
    return "NEW" if order.live else "CANCELLED"
