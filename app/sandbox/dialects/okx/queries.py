"""Reading back orders and fills: latest first, page by page; what was cancelled unfilled is forgotten in two hours.

Source: https://www.okx.com/docs-v5/en/#order-book-trading-trade-get-order-details
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from app.sandbox.dialects.okx import render
from app.sandbox.dialects.okx.call import Call
from app.sandbox.dialects.okx.errors import empty, no_order
from app.sandbox.dialects.okx.notation import Json, bill_id, client_id, engine_id, order_id, trades
from app.sandbox.engine.model import Order

MOST = 100

_FORGOTTEN_AFTER = 2 * 60 * 60 * 1_000_000

T = TypeVar("T")


def get_order(call: Call) -> object:
    """GET /api/v5/trade/order"""
    call.market()
    order = find(call)
    if order is None:
        raise no_order()
    return [render.order(order)]


def pending(call: Call) -> object:
    """GET /api/v5/trade/orders-pending"""
    return _page(call, live=True)


def history(call: Call) -> object:
    """GET /api/v5/trade/orders-history, and its archive"""
    call.params.required("instType")
    return _page(call, live=False)


def _page(call: Call, *, live: bool) -> list[Json]:
    symbol, state = call.chosen_symbol(), call.params.text("state")
    found = [
        order
        for order in _known(call)
        if order.live is live
        and symbol in (None, order.symbol)
        and state in (None, render.state(order))
        and _within(call, order.created_at)
    ]
    found.sort(key=lambda order: int(order_id(order)), reverse=True)
    return [render.order(order) for order in paged(call, found, order_id)][: call.params.limit(MOST)]


def fills(call: Call) -> object:
    """GET /api/v5/trade/fills, and its history"""
    symbol, wanted = call.chosen_symbol(), call.params.text("ordId")
    orders = call.account.orders
    found = [
        fill
        for fill in reversed(call.account.fills)
        if symbol in (None, fill.symbol)
        and wanted in (None, order_id(orders[fill.order_id]))
        and _within(call, fill.at)
    ]
    page = list(paged(call, found, bill_id))[: call.params.limit(MOST)]
    return [render.fill(orders[fill.order_id], fill) for fill in page]


def paged(call: Call, rows: Iterable[T], name: Callable[[T], str]) -> Iterator[T]:
    """The rows older than ``after`` and newer than ``before``, which are ids."""
    after, before = call.params.integer("after"), call.params.integer("before")
    for row in rows:
        number = int(name(row))
        if (after is None or number < after) and (before is None or number > before):
            yield row


def find(call: Call) -> Order | None:
    """The order proper that an id names, or the latest of a client id.

    Raises:
        OKXError: 50014 when neither is sent.
    """
    number = call.params.integer("ordId")
    if number is not None:
        order = call.account.orders.get(engine_id(number))
        return order if order in list(_known(call)) and order_id(order) == str(number) else None
    wanted = call.params.client_id("clOrdId")
    if wanted is None:
        raise empty("ordId")
    named = (order for order in _known(call) if client_id(order) == wanted)
    return max(named, key=lambda order: order.id, default=None)


def _known(call: Call) -> Iterator[Order]:
    """The orders proper that are not forgotten."""
    earliest = call.venue.now() - _FORGOTTEN_AFTER
    for order in call.account.orders.values():
        if trades(order) and (order.live or order.filled or order.updated_at >= earliest):
            yield order


def _within(call: Call, at: int) -> bool:
    start, end = call.params.microseconds("begin"), call.params.microseconds("end")
    return (start is None or at >= start) and (end is None or at // 1000 * 1000 <= end)
