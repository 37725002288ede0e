"""Looking orders and fills up. Nothing found is an empty list, never a refusal.

Source: https://bybit-exchange.github.io/docs/v5/order/open-order and …/order/order-list
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from app.sandbox.dialects.bybit import render
from app.sandbox.dialects.bybit.call import Call
from app.sandbox.dialects.bybit.errors import empty, wrong
from app.sandbox.dialects.bybit.notation import Json, created_at, engine_id, exists
from app.sandbox.engine.model import Fill, Order

_DAY = 24 * 60 * 60 * 1_000_000
_SPAN = 7 * _DAY
_CLOSED_AT_HAND = 500

T = TypeVar("T")


def realtime(call: Call) -> object:
    """GET /v5/order/realtime: what is open, or the latest that have ended; by an id, either."""
    call.require_spot()
    if _names_an_order(call):
        return _one(call, [*_open(call), *_ended(call)])
    ended = call.params.choice("openOnly", {"0": False, "1": True}, False)
    return _orders(call, _ended(call) if ended else _open(call))


def history(call: Call) -> object:
    """GET /v5/order/history: what has ended; what had not filled at all is gone after a day."""
    call.require_spot()
    kept = [
        order
        for order in call.account.orders.values()
        if not order.live and exists(order) and (order.filled or call.venue.now() - order.updated_at <= _DAY)
    ]
    if _names_an_order(call):
        return _one(call, kept)
    start, end = _times(call)
    return _orders(call, [order for order in kept if start <= created_at(order) <= end])


def executions(call: Call) -> object:
    """GET /v5/execution/list: times do not matter where an order is named."""
    call.require_spot()
    orders = call.account.orders
    if _names_an_order(call):
        order = named(call)
        found = [] if order is None else order.fills
    else:
        symbol, (start, end) = call.chosen_symbol(), _times(call)
        found = [x for x in call.account.fills if symbol in (None, x.symbol) and start <= x.at <= end]

    def row(fill: Fill) -> Json:
        return render.execution(orders[fill.order_id], fill)

    return _page(call, found, lambda fill: (fill.at, fill.trade_id), row, default=50, most=100)


def named(call: Call) -> Order | None:
    """The order that an id, or else a client id, names.

    Raises:
        BybitError: 10001 when neither is sent.
    """
    number, client_id = call.params.integer("orderId"), call.params.text("orderLinkId")
    if number is not None:
        order = call.account.orders.get(engine_id(number))
    elif client_id is not None:
        order = call.account.by_client_id.get(client_id)
    else:
        raise empty("orderId")
    return order if order is not None and exists(order) else None


def _names_an_order(call: Call) -> bool:
    return "orderId" in call.params or "orderLinkId" in call.params


def _open(call: Call) -> list[Order]:
    return [order for order in call.account.open_orders.values() if order.live and exists(order)]


def _ended(call: Call) -> list[Order]:
    ended = [order for order in call.account.orders.values() if not order.live and exists(order)]
    return sorted(ended, key=lambda order: order.updated_at)[-_CLOSED_AT_HAND:]


def _one(call: Call, orders: Iterable[Order]) -> Json:
    order = named(call)
    return render.page([render.record(order)] if order is not None and order in orders else [], "")


def _times(call: Call) -> tuple[int, int]:
    """The stretch of time asked for, of seven days at most and the last seven unless told.

    Raises:
        BybitError: 10001 for a longer one.
    """
    start, end = call.params.microseconds("startTime"), call.params.microseconds("endTime")
    if end is None:
        end = call.venue.now() if start is None else start + _SPAN
    if start is None:
        start = end - _SPAN
    if end - start > _SPAN:
        raise wrong("startTime")
    return start, end + 999


def _orders(call: Call, orders: Iterable[Order]) -> Json:
    symbol = call.chosen_symbol()
    chosen = [order for order in orders if symbol in (None, order.symbol)]
    return _page(
        call, chosen, lambda order: (created_at(order), order.id), render.record, default=20, most=50
    )


def _page(
    call: Call,
    rows: Iterable[T],
    place: Callable[[T], tuple[int, int]],
    show: Callable[[T], Json],
    *,
    default: int,
    most: int,
) -> Json:
    """Rows newest first, from where the page before ended."""
    after, limit = call.params.cursor(), call.params.limit(default, most)
    newest_first = sorted(rows, key=place, reverse=True)
    rest = [row for row in newest_first if after is None or place(row) < after]
    page = rest[:limit]
    cursor = "{}:{}".format(*place(page[-1])) if len(rest) > limit else ""
    return render.page([show(row) for row in page], cursor)
