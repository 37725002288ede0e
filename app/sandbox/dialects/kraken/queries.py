"""Reading back orders, trades and the account.

Source: https://docs.kraken.com/api/docs/rest-api/get-open-orders
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import TypeVar

from app.sandbox.dialects.kraken import render
from app.sandbox.dialects.kraken.call import Call
from app.sandbox.dialects.kraken.errors import KrakenError, invalid
from app.sandbox.dialects.kraken.listing import percent
from app.sandbox.dialects.kraken.notation import Json, asset_code, asset_decimals, decode_id, padded, pair_id
from app.sandbox.engine.model import Fill, Order

_SECOND = 1_000_000
_PAGE = 50
_MOST_ORDERS = 50
_MOST_TRADES = 20
_TRADE_TYPES = {"all", "any position", "closed position", "closing position", "no position"}
_MARGIN_TYPES = {"any position", "closed position", "closing position"}
_TIME = re.compile(r"[0-9]{1,12}(\.[0-9]{1,9})?\Z")

T = TypeVar("T")


def balance(call: Call) -> object:
    """POST /0/private/Balance: totals, held or not."""
    return {
        asset_code(asset): padded(held.free + held.locked, asset_decimals(asset))
        for asset, held in call.account.balances.items()
        if held.free or held.locked
    }


def extended_balance(call: Call) -> object:
    """POST /0/private/BalanceEx"""
    return {
        asset_code(asset): {
            "balance": padded(held.free + held.locked, asset_decimals(asset)),
            "hold_trade": padded(held.locked, asset_decimals(asset)),
        }
        for asset, held in call.account.balances.items()
        if held.free or held.locked
    }


def trade_volume(call: Call) -> object:
    """POST /0/private/TradeVolume: everybody stays on the first step of the fee schedule."""
    rules = call.venue.rules
    pairs = [pair_id(market.instrument) for market in (call.markets() if "pair" in call.params else [])]
    return {
        "currency": "ZUSD",
        "volume": "0.0000",
        "fees": {pair: _rate(rules.taker) for pair in pairs},
        "fees_maker": {pair: _rate(rules.maker) for pair in pairs},
    }


def _rate(rate: Decimal) -> Json:
    shown = padded(percent(rate), 4)
    return {
        "fee": shown,
        "minfee": shown,
        "maxfee": shown,
        "nextfee": None,
        "nextvolume": None,
        "tiervolume": "0.0000",
    }


def query_orders(call: Call) -> object:
    """POST /0/private/QueryOrders: what is unknown is left out."""
    call.params.required("txid")
    found = []
    for txid in call.params.words("txid", _MOST_ORDERS):
        number = decode_id("O", txid)
        if number is None:
            raise KrakenError("EOrder:Invalid order")
        if number in call.account.orders:
            found.append(call.account.orders[number])
    return _rendered(call, _named(call, found))


def open_orders(call: Call) -> object:
    """POST /0/private/OpenOrders, newest first."""
    return {"open": _rendered(call, _named(call, reversed(call.account.open_orders.values())))}


def closed_orders(call: Call) -> object:
    """POST /0/private/ClosedOrders: newest first, by when they ended or by when they began."""
    by = call.params.text("closetime") or "both"
    if by not in ("open", "close", "both"):
        raise invalid("closetime")

    def times(order: Order) -> list[int]:
        return {"open": [order.created_at], "close": [order.updated_at]}.get(
            by, [order.created_at, order.updated_at]
        )

    closed = [order for order in call.account.orders.values() if not order.live]
    inside = _inside(call, _named(call, closed), times)
    inside.sort(key=lambda order: (max(times(order)), order.id), reverse=True)
    answer: Json = {"closed": _rendered(call, _page(call, inside))}
    if not call.params.flag("without_count"):
        answer["count"] = len(inside)
    return answer


def trades_history(call: Call) -> object:
    """POST /0/private/TradesHistory, newest first."""
    kind = call.params.text("type") or "all"
    if kind not in _TRADE_TYPES:
        raise invalid("type")
    fills = [] if kind in _MARGIN_TYPES else call.account.fills
    inside = _inside(call, reversed(fills), lambda fill: [fill.at])
    answer: Json = {"trades": _trades(call, _page(call, inside))}
    if not call.params.flag("without_count"):
        answer["count"] = len(inside)
    return answer


def query_trades(call: Call) -> object:
    """POST /0/private/QueryTrades"""
    call.params.required("txid")
    wanted = {decode_id("T", txid) for txid in call.params.words("txid", _MOST_TRADES)}
    if None in wanted:
        raise invalid("txid")
    return _trades(call, [fill for fill in call.account.fills if fill.trade_id in wanted])


def _named(call: Call, orders: Iterable[Order]) -> list[Order]:
    """The orders that carry the client id or user reference asked for."""
    client_id, userref = call.params.text("cl_ord_id"), call.params.integer("userref")
    return [
        order
        for order in orders
        if client_id in (None, order.client_id)
        and (userref is None or order.spec.echo.get("userref") == str(userref))
    ]


def _inside(call: Call, rows: Iterable[T], times: Callable[[T], list[int]]) -> list[T]:
    """What has a time after ``start`` and not after ``end``."""
    start, end = _bound(call, "start"), _bound(call, "end")
    return [
        row
        for row in rows
        if any((start is None or at > start) and (end is None or at <= end) for at in times(row))
    ]


def _bound(call: Call, name: str) -> int | None:
    """A bound in seconds, or the time of the order or trade that is named instead."""
    text = call.params.text(name)
    if text is None:
        return None
    if _TIME.match(text):
        return int(Decimal(text) * _SECOND)
    order = call.account.orders.get(decode_id("O", text) or 0)
    if order is not None:
        return order.created_at
    trade = decode_id("T", text)
    at = next((fill.at for fill in call.account.fills if fill.trade_id == trade), None)
    if at is None:
        raise invalid(name)
    return at


def _page(call: Call, rows: list[T]) -> list[T]:
    offset = call.params.integer("ofs", 0) or 0
    return rows[offset : offset + _PAGE]


def _rendered(call: Call, orders: Iterable[Order]) -> Json:
    trades = call.params.flag("trades")
    return {
        render.txid(order): render.order(order, call.venue.market(order.symbol).instrument, trades=trades)
        for order in orders
    }


def _trades(call: Call, fills: Iterable[Fill]) -> Json:
    ledgers = call.params.flag("ledgers")
    orders = call.account.orders
    return {
        render.trade_id(fill): render.trade(
            fill, orders[fill.order_id], call.venue.market(fill.symbol).instrument, ledgers=ledgers
        )
        for fill in fills
    }
