"""Reading back orders and fills: latest first, page by page, ninety days back.

Source: https://www.bitget.com/api-doc/spot/trade/Get-Order-Info
"""

from __future__ import annotations

from app.sandbox.dialects.bitget import render
from app.sandbox.dialects.bitget.call import Call
from app.sandbox.dialects.bitget.notation import created_at, executing_id, trade_id
from app.sandbox.dialects.bitget.seeing import executing, find_executing, waits_as_tpsl
from app.sandbox.engine.model import Order

MOST = 100

_HISTORY = 90 * 24 * 60 * 60 * 1_000_000
_TPSL_TYPES = {"normal": False, "tpsl": True}


def get_order(call: Call) -> object:
    """GET /api/v2/spot/trade/orderInfo: an array that is empty when there is no such order."""
    order = find_executing(call, call.params)
    return [] if order is None else [render.record(call, order)]


def unfilled_orders(call: Call) -> object:
    """GET /api/v2/spot/trade/unfilled-orders"""
    return [render.unfilled(call, order) for order in _page(call, live=True)]


def history_orders(call: Call) -> object:
    """GET /api/v2/spot/trade/history-orders"""
    return [render.record(call, order) for order in _page(call, live=False)]


def _page(call: Call, *, live: bool) -> list[Order]:
    tpsl = call.params.choice("tpslType", _TPSL_TYPES, False)
    symbol, order_id = call.chosen_symbol(), call.params.text("orderId")
    before = call.params.integer("idLessThan")
    found = [
        order
        for order in executing(call.account)
        if order.live is live
        and waits_as_tpsl(order) is tpsl
        and symbol in (None, order.symbol)
        and order_id in (None, executing_id(order))
        and within(call, created_at(order))
    ]
    found.sort(key=lambda order: int(executing_id(order)), reverse=True)
    rest = [order for order in found if before is None or int(executing_id(order)) < before]
    return rest[: call.params.limit(MOST, MOST)]


def fills(call: Call) -> object:
    """GET /api/v2/spot/trade/fills"""
    symbol, order_id = call.chosen_symbol(), call.params.text("orderId")
    before = call.params.integer("idLessThan")
    orders = call.account.orders
    found = [
        render.trade(call, orders[fill.order_id], fill)
        for fill in reversed(call.account.fills)
        if symbol in (None, fill.symbol)
        and order_id in (None, executing_id(orders[fill.order_id]))
        and (before is None or int(trade_id(fill)) < before)
        and within(call, fill.at)
    ]
    return found[: call.params.limit(MOST, MOST)]


def within(call: Call, at: int) -> bool:
    """Whether a time lies in the range asked for, and not too far back."""
    start, end = call.params.microseconds("startTime"), call.params.microseconds("endTime")
    earliest = call.venue.now() - _HISTORY
    return at >= max(start or 0, earliest) and (end is None or at // 1000 * 1000 <= end)
