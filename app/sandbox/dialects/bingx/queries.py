"""Looking orders and fills up.

Source: https://bingx-api.github.io/docs-v3/#/en/Spot/Trades%20Endpoints/Query%20Order%20details and its neighbours
"""

from __future__ import annotations

from app.sandbox.dialects.bingx import render
from app.sandbox.dialects.bingx.call import Call
from app.sandbox.dialects.bingx.errors import missing, no_order, wrong
from app.sandbox.dialects.bingx.notation import engine_id, order_number
from app.sandbox.engine.market import DAY
from app.sandbox.engine.model import Order

_HOUR = DAY // 24
_FOUND_BY_CLIENT_ID = 2 * _HOUR
_FILLS_KEPT = 7 * DAY
_MOST_ROWS, _MOST_FILLS = 10_000, 500


def query(call: Call) -> object:
    """GET /openApi/spot/v1/trade/query"""
    market, order = call.market(), named(call, "orderId", "clientOrderID")
    if order is None or order.symbol != market.instrument.symbol:
        raise no_order()
    return render.record(order)


def open_orders(call: Call) -> object:
    """GET /openApi/spot/v1/trade/openOrders"""
    symbol = call.chosen_symbol()
    mine = [order for order in call.account.open_orders.values() if symbol in (None, order.symbol)]
    return {"orders": [render.record(order) for order in reversed(mine)]}


def history(call: Call) -> object:
    """GET /openApi/spot/v1/trade/historyOrders: what has ended, newest first and a page at a time."""
    index, size = call.params.integer("pageIndex") or 1, call.params.size("pageSize", 100, 100)
    if index * size > _MOST_ROWS:
        raise wrong("pageIndex")
    symbol = call.chosen_symbol()
    start = call.params.microseconds("startTime") or 0
    end = call.params.microseconds("endTime") or call.venue.now()
    ended = [
        order
        for order in call.account.orders.values()
        if not order.live and symbol in (None, order.symbol) and start <= order.created_at <= end + 999
    ]
    page = ended[::-1][(index - 1) * size : index * size]
    return {"orders": [render.record(order) for order in page], "total": len(ended)}


def trades(call: Call) -> object:
    """GET /openApi/spot/v1/trade/myTrades: of the last day unless times are sent, of the last week at most."""
    symbol, now = call.market().instrument.symbol, call.venue.now()
    number, first = call.params.integer("orderId"), call.params.integer("fromId") or 0
    start = max(now - _FILLS_KEPT, call.params.microseconds("startTime") or now - DAY)
    end = call.params.microseconds("endTime") or now
    found = [
        fill
        for fill in call.account.fills
        if fill.symbol == symbol
        and start <= fill.at <= end + 999
        and fill.trade_id >= first
        and number in (None, order_number(fill.order_id))
    ]
    limit = call.params.size("limit", _MOST_FILLS, _MOST_FILLS)
    return {"fills": [render.execution(fill) for fill in found[:limit]]}


def named(call: Call, id_name: str, client_id_name: str) -> Order | None:
    """The order that an id names or, of the last two hours, a client id.

    Raises:
        BingXError: 100400 when neither is sent.
    """
    number, client_id = call.params.integer(id_name), call.params.text(client_id_name)
    if number is not None:
        return call.account.orders.get(engine_id(number))
    if client_id is None:
        raise missing(id_name)
    order = call.account.by_client_id.get(client_id)
    recent = order is not None and call.venue.now() - order.created_at <= _FOUND_BY_CLIENT_ID
    return order if recent else None
