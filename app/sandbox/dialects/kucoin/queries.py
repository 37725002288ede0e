"""Reading back orders of the hf family and fills.

Source: https://www.kucoin.com/docs-new/rest/spot-trading/orders/get-order-by-orderld
"""

from __future__ import annotations

from app.sandbox.dialects.kucoin import render
from app.sandbox.dialects.kucoin.call import Call
from app.sandbox.dialects.kucoin.families import (
    find_hf,
    find_hf_by_client_oid,
    hf_orders,
    in_book,
    open_orders,
    order_id,
)
from app.sandbox.dialects.kucoin.notation import Json
from app.sandbox.engine.model import Fill, Order


def get_order(call: Call) -> object:
    """GET /api/v1/hf/orders/{orderId}: null when there is none."""
    symbol = call.market().instrument.symbol
    order = find_hf(call.account, symbol, call.params.required("orderId"), call.venue.now())
    return None if order is None else render.record(order)


def get_order_by_client_oid(call: Call) -> object:
    """GET /api/v1/hf/orders/client-order/{clientOid}: null when there is none."""
    symbol = call.market().instrument.symbol
    text = call.params.required("clientOid")
    order = find_hf_by_client_oid(call.account, symbol, text, call.venue.now())
    return None if order is None else render.record(order)


def active(call: Call) -> object:
    """GET /api/v1/hf/orders/active, of one symbol."""
    return [render.record(order) for order in open_orders(call.account, call.market().instrument.symbol)]


def active_symbols(call: Call) -> object:
    """GET /api/v1/hf/orders/active/symbols"""
    return {"symbols": sorted({render.symbol_of(order) for order in open_orders(call.account)})}


def active_page(call: Call) -> object:
    """GET /api/v1/hf/orders/active/page"""
    found = open_orders(call.account, call.market().instrument.symbol)
    return page(call, [render.record(order) for order in reversed(found)], "pageNum")


def done(call: Call) -> object:
    """GET /api/v1/hf/orders/done: what is not open any more, latest first."""
    symbol = call.market().instrument.symbol
    ended = [order for order in hf_orders(call.account, symbol) if not order.live and _wanted(call, order)]
    last_id, start, end = (call.params.integer(name) for name in ("lastId", "startAt", "endAt"))
    found = [
        order
        for order in reversed(ended)
        if (last_id is None or order.id < last_id)
        and (start is None or order.created_at >= start * 1000)
        and (end is None or order.created_at < (end + 1) * 1000)
    ]
    rows = found[: call.params.page_size("limit", 20, 100)]
    return {"lastId": rows[-1].id if rows else 0, "items": [render.record(order) for order in rows]}


def fills(call: Call) -> object:
    """GET /api/v1/hf/fills, latest first."""
    symbol = call.market().instrument.symbol
    wanted = call.params.text("orderId")
    last_id, start, end = (call.params.integer(name) for name in ("lastId", "startAt", "endAt"))
    found: list[tuple[Order, Fill]] = []
    for fill in reversed(call.account.fills):
        order = call.account.orders[fill.order_id]
        if (
            fill.symbol == symbol
            and (wanted is None or order_id(order) == wanted)
            and (last_id is None or fill.trade_id < last_id)
            and (start is None or fill.at >= start * 1000)
            and (end is None or fill.at < (end + 1) * 1000)
            and _wanted(call, order)
        ):
            found.append((order, fill))
    rows = found[: call.params.page_size("limit", 20, 100)]
    items = [render.fill_record(order, fill, call.venue.rules) for order, fill in rows]
    return {"lastId": rows[-1][1].trade_id if rows else 0, "items": items}


def _wanted(call: Call, order: Order) -> bool:
    """Whether an order is of the side and type asked for."""
    side, kind = call.params.text("side"), call.params.text("type")
    return side in (None, order.side.value) and kind in (None, render.type_name(order)) and in_book(order)


def page(call: Call, rows: list[Json], number_name: str) -> Json:
    """One page of rows; pages are counted from 1."""
    size = call.params.page_size("pageSize", 50, 500)
    number = max(1, call.params.integer(number_name) or 1)
    return {
        "currentPage": number,
        "pageSize": size,
        "totalNum": len(rows),
        "totalPage": -(-len(rows) // size),
        "items": rows[(number - 1) * size : number * size],
    }
