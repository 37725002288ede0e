"""Looking orders and fills up.

Source: https://www.gate.com/docs/developers/apiv4/#list-orders
"""

from __future__ import annotations

from collections import defaultdict
from typing import TypeVar

from app.sandbox.dialects.gateio import render
from app.sandbox.dialects.gateio.call import Call
from app.sandbox.dialects.gateio.errors import no_order, no_text, wrong
from app.sandbox.dialects.gateio.notation import TEXT_PREFIX, engine_id, executes, order_id, pair, seconds
from app.sandbox.engine.model import Order

_DAY = 86_400 * 1_000_000
_STATUSES = {"open": True, "finished": False}

T = TypeVar("T")


def get_order(call: Call) -> object:
    """GET /spot/orders/{id}"""
    return render.order(find(call))


def find(call: Call) -> Order:
    """The order that the path names: by its id, or while it is open by the text its customer gave; the newest then.

    Raises:
        GateError: ORDER_NOT_FOUND or CLIENT_ID_NOT_FOUND.
    """
    market = call.market()
    if call.id.startswith(TEXT_PREFIX):
        order = call.account.by_client_id.get(call.id.removeprefix(TEXT_PREFIX))
        if order is None or not order.live or order.symbol != market.instrument.symbol:
            raise no_text()
        return order
    if not (call.id.isascii() and call.id.isdigit()) or len(call.id) > 15:
        raise wrong("order_id")
    order = call.account.orders.get(engine_id(int(call.id)))
    known = order is not None and order_id(order) == call.id and executes(order)
    if order is None or not known or order.symbol != market.instrument.symbol:
        raise no_order()
    return order


def open_orders(call: Call) -> object:
    """GET /spot/open_orders: market by market, each at most so many."""
    groups: defaultdict[str, list[Order]] = defaultdict(list)
    for order in reversed(call.account.open_orders.values()):
        if render.is_open(order):
            groups[order.symbol].append(order)
    limit = call.params.limit(100, 100)
    return [
        {
            "currency_pair": pair(symbol),
            "total": len(orders),
            "orders": [render.order(order) for order in orders[:limit]],
        }
        for symbol, orders in groups.items()
    ]


def list_orders(call: Call) -> object:
    """GET /spot/orders of one market: open ones, or ended ones by when they ended; the latest first."""
    symbol, is_open = call.market().instrument.symbol, call.params.choice("status", _STATUSES)
    start, end = call.params.microseconds("from") or 0, call.params.microseconds("to")
    found = [
        order
        for order in reversed(call.account.orders.values())
        if order.symbol == symbol
        and executes(order)
        and order.live is is_open
        and (is_open or start <= order.updated_at)
        and (is_open or end is None or seconds(order.updated_at) <= seconds(end))
    ]
    return [render.order(order) for order in _page(call, found, 100)]


def my_trades(call: Call) -> object:
    """GET /spot/my_trades: of the last week unless times are told, or of one order; the latest first."""
    now, orders = call.venue.now(), call.account.orders
    wanted, symbol = call.params.text("order_id"), call.chosen_symbol()
    start, end = call.params.microseconds("from"), call.params.microseconds("to")
    if start is not None and (end or now) - start > 30 * _DAY:
        raise wrong("from")
    found = [
        (orders[fill.order_id], fill)
        for fill in reversed(call.account.fills)
        if symbol in (None, fill.symbol)
        and wanted in (None, order_id(orders[fill.order_id]))
        and (now - 7 * _DAY if start is None else start) <= fill.at
        and (end is None or seconds(fill.at) <= seconds(end))
    ]
    return [render.trade(order, fill) for order, fill in _page(call, found, 1000)]


def _page(call: Call, rows: list[T], most: int) -> list[T]:
    limit = call.params.limit(100, most)
    first = ((call.params.integer("page") or 1) - 1) * limit
    return rows[first : first + limit]
