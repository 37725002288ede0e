"""New orders of the hf family: one, several, waited for, or only tried.

Source: https://www.kucoin.com/docs-new/rest/spot-trading/orders/add-order
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import uuid4

from app.sandbox.dialects.kucoin import render, rules
from app.sandbox.dialects.kucoin.call import Call, asking
from app.sandbox.dialects.kucoin.errors import KuCoinError, bad_parameter
from app.sandbox.dialects.kucoin.families import client_oid, order_id
from app.sandbox.dialects.kucoin.notation import Json, milliseconds
from app.sandbox.dialects.kucoin.parameters import Parameters, missing
from app.sandbox.engine.model import Order, OrderSpec, OrderType, Side, TimeInForce

SIDES = {side.value: side for side in Side}
_TYPES = {"limit": OrderType.LIMIT, "market": OrderType.MARKET}
_TIMES_IN_FORCE = {
    "GTC": TimeInForce.GTC,
    "GTT": TimeInForce.GTC,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
}
_SELF_TRADE = {name: name for name in ("DC", "CO", "CN", "CB")}
_MOST_TEXT = 20
_MOST_AT_ONCE = 5


def place(call: Call) -> object:
    """POST /api/v1/hf/orders"""
    return ids(_submit(call, read_new_order(call, call.params)))


def place_and_wait(call: Call) -> object:
    """POST /api/v1/hf/orders/sync"""
    return placed(_submit(call, read_new_order(call, call.params)))


def try_out(call: Call) -> object:
    """POST /api/v1/hf/orders/test: everything but the matching."""
    spec = read_new_order(call, call.params)
    return {"orderId": uuid4().hex[:24], "clientOid": spec.client_id}


def place_several(call: Call) -> object:
    """POST /api/v1/hf/orders/multi"""
    return _several(call, ids)


def place_several_and_wait(call: Call) -> object:
    """POST /api/v1/hf/orders/multi/sync"""
    return _several(call, placed)


def ids(order: Order) -> Json:
    return {"orderId": order_id(order), "clientOid": client_oid(order)}


def placed(order: Order) -> Json:
    """The ids and what has become of the order."""
    times = {"orderTime": milliseconds(order.created_at), "matchTime": milliseconds(order.updated_at)}
    return ids(order) | render.progress(order) | times


def _several(call: Call, answer: Callable[[Order], Json]) -> list[Json]:
    rows = call.params.rows("orderList")
    if not 0 < len(rows) <= _MOST_AT_ONCE:
        raise bad_parameter(f"orderList should hold 1 to {_MOST_AT_ONCE} orders")
    if len({row.required("symbol") for row in rows}) > 1 or any(row.text("type") != "limit" for row in rows):
        raise bad_parameter("orderList should hold limit orders of one symbol")
    return [_one_of_several(call, row, answer) for row in rows]


def _one_of_several(call: Call, row: Parameters, answer: Callable[[Order], Json]) -> Json:
    try:
        return answer(_submit(call, read_new_order(call, row))) | {"success": True}
    except KuCoinError as error:
        return {"clientOid": row.text("clientOid"), "success": False, "failMsg": error.message}


def _submit(call: Call, spec: OrderSpec) -> Order:
    rules.check_counts(call.account, spec)
    return asking(lambda: call.venue.submit(call.account, spec))


def read_new_order(call: Call, params: Parameters) -> OrderSpec:
    """An order of the hf family as the engine wants it.

    Raises:
        KuCoinError: for whatever the real exchange would refuse before matching.
    """
    spec = read_terms(call, params)
    rules.check(spec, call.market_of(params.required("symbol")))
    return spec


def read_terms(call: Call, params: Parameters) -> OrderSpec:
    """What plain and stop orders share, as a plain order that is not held against its instrument yet."""
    _check_own_window(call, params)
    kind = params.choice("type", _TYPES)
    price, size, funds = (params.amount(name) for name in ("price", "size", "funds"))
    if kind is OrderType.LIMIT:
        if price is None or size is None:
            raise missing("price" if price is None else "size")
        if funds is not None:
            raise bad_parameter("funds is for market orders only")
    elif (size is None) == (funds is None):
        raise bad_parameter("a market order has either size or funds")
    time_in_force, lasting = _read_life(params)
    echo = {"timeInForce": "GTT", "cancelAfter": str(lasting)} if lasting else {}
    return OrderSpec(
        symbol=call.market_of(params.required("symbol")).instrument.symbol,
        side=params.choice("side", SIDES),
        type=kind,
        quantity=size,
        quote_quantity=funds,
        price=price if kind is OrderType.LIMIT else None,
        time_in_force=time_in_force,
        post_only=kind is OrderType.LIMIT and params.flag("postOnly"),
        client_id=params.client_oid() or uuid4().hex,
        echo=echo | _read_remarks(params),
        expires_at=call.venue.now() + lasting * 1_000_000 if lasting else None,
    )


def _read_life(params: Parameters) -> tuple[TimeInForce, int | None]:
    """How long an order works; the engine knows GTT as GTC for so many seconds."""
    time_in_force = params.choice("timeInForce", _TIMES_IN_FORCE, "GTC")
    if params.flag("postOnly") and time_in_force is not TimeInForce.GTC:
        raise bad_parameter("postOnly is not allowed with IOC and FOK")
    if params.text("timeInForce") != "GTT":
        return time_in_force, None
    seconds = params.integer("cancelAfter")
    if seconds is None or seconds <= 0:
        raise bad_parameter("cancelAfter is required with GTT")
    return time_in_force, seconds


def _read_remarks(params: Parameters) -> dict[str, str]:
    """What the exchange merely repeats."""
    echo = {name: "true" for name in ("hidden", "iceberg") if params.flag(name)}
    if "stp" in params:
        echo["stp"] = params.choice("stp", _SELF_TRADE)
    if "visibleSize" in params:
        echo["visibleSize"] = params.required("visibleSize")
    for name in ("tags", "remark"):
        text = params.text(name)
        if text is not None:
            if len(text) > _MOST_TEXT or not text.isascii():
                raise bad_parameter(f"{name} should be at most {_MOST_TEXT} ASCII characters")
            echo[name] = text
    return echo


def _check_own_window(call: Call, params: Parameters) -> None:
    """The window an order may set itself: no more than so many milliseconds after it was written."""
    sent, window = params.integer("clientTimestamp"), params.integer("allowMaxTimeWindow")
    if sent is not None and window is not None and milliseconds(call.venue.now()) - sent > window:
        raise KuCoinError("102425", "The order was received outside of its time window.")
