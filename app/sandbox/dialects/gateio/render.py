"""Orders, triggers and fills in Gate.io's JSON.

Source: https://www.gate.com/docs/developers/apiv4/#schemaorder
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.gateio.notation import (
    Json,
    executes,
    milliseconds,
    order_id,
    pair,
    seconds,
    text,
    text_of,
    trade_id,
    trigger_id,
)
from app.sandbox.engine.model import Fill, Order, OrderType, Reason, State, TimeInForce

_WHY = {
    Reason.CANCELED: "cancelled",
    Reason.IOC_REMAINDER: "ioc",
    Reason.FOK_UNFILLED: "fok",
    Reason.NO_LIQUIDITY: "depth_not_enough",
}
_ENDED = {State.FILLED: "closed", State.EXPIRED: "closed", State.CANCELED: "cancelled"}


def is_open(order: Order) -> bool:
    """Whether an order is one that trades and rests."""
    return order.live and executes(order)


def order(order: Order) -> Json:
    """An order that trades. ``amount`` and ``left`` of a market buy are in quote; ``fill_price`` is a sum."""
    quote, fees = order.spec.quote_quantity, order.fees
    base, other = order.symbol.split("/")
    left = order.remaining if quote is None else quote - order.cost
    received = base if order.side.value == "buy" else other
    return {
        "id": order_id(order),
        "text": text_of(order),
        "amend_text": "-",
        "create_time": str(seconds(_created(order))),
        "update_time": str(seconds(order.updated_at)),
        "create_time_ms": milliseconds(_created(order)),
        "update_time_ms": milliseconds(order.updated_at),
        "status": "open" if order.live else _ENDED[order.state],
        "currency_pair": pair(order.symbol),
        "type": "market" if order.spec.type is OrderType.MARKET else "limit",
        "account": "spot",
        "side": order.side.value,
        "amount": text(order.quantity if quote is None else quote),
        "price": text(order.price),
        "time_in_force": _force(order),
        "iceberg": "0",
        "left": text(left),
        "filled_amount": text(order.filled),
        "fill_price": text(order.cost),
        "filled_total": text(order.cost),
        "avg_deal_price": text(order.cost / order.filled) if order.filled else "",
        "fee": text(sum(fees.values(), Decimal(0))),
        "fee_currency": next(iter(fees), received),
        "point_fee": "0",
        "gt_fee": "0",
        "gt_maker_fee": "0",
        "gt_taker_fee": "0",
        "gt_discount": False,
        "rebated_fee": "0",
        "rebated_fee_currency": other,
        "finish_as": _finish(order, left),
    }


def _created(order: Order) -> int:
    """When an order began to trade: one of a trigger, when that had fired."""
    return (order.working_at or order.updated_at) if order.spec.waits else order.created_at


def _force(order: Order) -> str:
    if order.spec.type is OrderType.MARKET and order.spec.time_in_force is TimeInForce.GTC:
        return "ioc"
    return "poc" if order.spec.post_only else order.spec.time_in_force.value


def _finish(order: Order, left: Decimal) -> str:
    """How an order ended; a market buy that has a little left over ended as one that was to fill at once."""
    if order.live:
        return "open"
    if order.state is State.FILLED:
        return "filled" if not left else "ioc"
    return _WHY.get(order.reason, "cancelled") if order.reason is not None else "cancelled"


def trigger(order: Order) -> Json:
    """A trigger, waiting or done."""
    fired = int(order_id(order)) if executes(order) else 0
    return {
        "id": trigger_id(order),
        "user": 1,
        "market": pair(order.symbol),
        "trigger": {
            "price": text(order.spec.trigger_price),
            "rule": ">=" if order.spec.triggers_above else "<=",
            "expiration": 0,
        },
        "put": {
            "type": "limit",
            "side": order.side.value,
            "price": text(order.price),
            "amount": text(order.quantity),
            "account": "normal",
            "time_in_force": order.spec.time_in_force.value,
            "text": "api",
        },
        "status": _trigger_status(order),
        "ctime": seconds(order.created_at),
        "ftime": 0 if order.live and not order.triggered else seconds(order.updated_at),
        "fired_order_id": fired,
        "reason": "BALANCE_NOT_ENOUGH" if order.state is State.REJECTED else "",
    }


def _trigger_status(order: Order) -> str:
    if order.state is State.REJECTED:
        return "failed"
    if order.triggered:
        return "finish"
    if order.live:
        return "open"
    return "expired" if order.reason is Reason.TIME_OUT else "cancelled"


def trade(order: Order, fill: Fill) -> Json:
    """One fill."""
    return {
        "id": trade_id(fill),
        "create_time": str(seconds(fill.at)),
        "create_time_ms": f"{fill.at / 1000:.3f}",
        "currency_pair": pair(fill.symbol),
        "side": fill.side.value,
        "role": "maker" if fill.maker else "taker",
        "amount": text(fill.quantity),
        "price": text(fill.price),
        "order_id": order_id(order),
        "fee": text(fill.fee),
        "fee_currency": fill.fee_asset,
        "point_fee": "0",
        "gt_fee": "0",
        "text": text_of(order),
        "sequence_id": str(fill.trade_id),
        "deal": text(fill.cost),
    }
