"""Cancelling, changing and reading back orders and fills: latest first, page by page.

Source: https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/list-orders
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from app.sandbox.dialects.coinbase import render, rules
from app.sandbox.dialects.coinbase.call import Call, amount
from app.sandbox.dialects.coinbase.errors import Refused, invalid, not_found, refused
from app.sandbox.dialects.coinbase.notation import Json, engine_id, is_told, legs, order_id, product_of
from app.sandbox.engine.model import Order, OrderType, State
from app.sandbox.engine.model import Refused as EngineRefused

_MOST = 250

T = TypeVar("T")


def cancel(call: Call) -> Json:
    """POST /api/v3/brokerage/orders/batch_cancel: each is taken or refused on its own."""
    ids = call.body.get("order_ids")
    if not isinstance(ids, list) or not ids or len(ids) > 100:
        raise invalid("order_ids must name 1 to 100 orders")
    return {"results": [_cancel(call, str(each)) for each in ids]}


def _cancel(call: Call, number: str) -> Json:
    order = _find(call, number)
    if order is None or not _is_live(order):
        return {"success": False, "failure_reason": "UNKNOWN_CANCEL_ORDER", "order_id": number}
    call.venue.cancel(next(leg for leg in legs(order) if leg.live))
    return {"success": True, "failure_reason": "UNKNOWN_CANCEL_FAILURE_REASON", "order_id": number}


def edit(call: Call) -> Json:
    """POST /api/v3/brokerage/orders/edit: size and price of a resting limit order, both of them."""
    try:
        _edit(call)
    except Refused as error:
        return {"success": False, "errors": [{"edit_failure_reason": error.reason}]}
    return {"success": True, "errors": []}


def _edit(call: Call) -> None:
    order = _find(call, str(call.body.get("order_id")))
    if order is None:
        raise Refused("ORDER_NOT_FOUND")
    size, price = amount(call.body, "size"), amount(call.body, "price")
    if size is None or price is None or order.spec.type is not OrderType.LIMIT:
        raise Refused("INVALID_EDITED_SIZE")
    instrument = call.venue.market(order.symbol).instrument
    rules.check_quantity(size, instrument)
    rules.check_price(price, instrument)
    try:
        call.venue.amend(order, quantity=size, price=price)
    except EngineRefused as refusal:
        raise refused(refusal.refusal) from None


def get_order(call: Call) -> Json:
    """GET /api/v3/brokerage/orders/historical/{order_id}"""
    order = _find(call, call.subject)
    if order is None:
        raise not_found()
    return {"order": render.order(order)}


def list_orders(call: Call) -> Json:
    """GET /api/v3/brokerage/orders/historical/batch"""
    wanted, products, since = call.query.get("order_status"), _products(call), _moment(call, "start_date")
    found = [
        order
        for order in reversed(call.account.orders.values())
        if is_told(order)
        and (not wanted or render.status(order) in wanted)
        and (not products or product_of(order) in products)
        and (since is None or order.created_at >= since)
    ]
    return _page(call, found, "orders", render.order)


def list_fills(call: Call) -> Json:
    """GET /api/v3/brokerage/orders/historical/fills"""
    ids, products, since = (
        call.query.get("order_ids"),
        _products(call),
        _moment(call, "start_sequence_timestamp"),
    )
    orders = call.account.orders
    found = [
        (orders[fill.order_id], fill)
        for fill in reversed(call.account.fills)
        if (not ids or order_id(orders[fill.order_id]) in ids)
        and (not products or product_of(orders[fill.order_id]) in products)
        and (since is None or fill.at >= since)
    ]
    return _page(call, found, "fills", lambda pair: render.fill(*pair))


def _page(call: Call, rows: list[T], name: str, show: Callable[[T], Json]) -> Json:
    limit, start = call.number("limit", 100), call.number("cursor", 0) if call.one("cursor") else 0
    if not 0 < limit <= max(_MOST, 1000):
        raise invalid("limit is out of range")
    page = rows[start : start + limit]
    more = start + limit < len(rows)
    return {
        name: [show(row) for row in page],
        "has_next": more,
        "cursor": str(start + limit) if more else "",
    }


def _products(call: Call) -> list[str]:
    return [*call.query.get("product_ids", ()), *call.query.get("product_id", ())]


def _moment(call: Call, name: str) -> int | None:
    text = call.one(name)
    if not text:
        return None
    try:
        return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1_000_000)
    except ValueError:
        raise invalid(f"{name} is no time") from None


def _find(call: Call, number: str) -> Order | None:
    engine = engine_id(number)
    order = None if engine is None else call.account.orders.get(engine)
    return order if order is not None and is_told(order) and order_id(order) == number else None


def _is_live(order: Order) -> bool:
    """Whether it may be cancelled: a bracket that waits for its entry goes with that."""
    return any(leg.live and leg.state is not State.PENDING for leg in legs(order))
