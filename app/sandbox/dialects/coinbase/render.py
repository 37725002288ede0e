"""Orders and fills in Coinbase's JSON.

Source: https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/get-order
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.coinbase.notation import Json, legs, moment, order_id, product_of, text
from app.sandbox.dialects.coinbase.placing import BRACKET, MARKET, STOP_LIMIT
from app.sandbox.engine.model import TRIGGERED, Fill, Order, OrderType, Side, State

_STATUSES = {
    State.PENDING: "PENDING",
    State.OPEN: "OPEN",
    State.PARTIALLY_FILLED: "OPEN",
    State.FILLED: "FILLED",
    State.CANCELED: "CANCELLED",
    State.EXPIRED: "CANCELLED",
    State.REJECTED: "FAILED",
}
#: What a bracket is when a leg is.
_FURTHEST = ("FILLED", "OPEN", "PENDING", "FAILED", "CANCELLED")
_TYPES = {MARKET: "MARKET", STOP_LIMIT: "STOP_LIMIT", BRACKET: "BRACKET"}
_FORCES = {
    "sor_limit_ioc": "IMMEDIATE_OR_CANCEL",
    MARKET: "IMMEDIATE_OR_CANCEL",
    "limit_limit_fok": "FILL_OR_KILL",
}


def status(order: Order) -> str:
    """An order's status; a bracket's is that of the leg that came furthest."""
    return min((_STATUSES[leg.state] for leg in legs(order)), key=_FURTHEST.index)


def order(order: Order) -> Json:
    """An order; of a bracket, what either leg has executed."""
    exits = legs(order)
    filled, cost = (sum((getattr(leg, name) for leg in exits), Decimal(0)) for name in ("filled", "cost"))
    fees = sum((fee for leg in exits for fee in leg.fees.values()), Decimal(0))
    fills = [fill for leg in exits for fill in leg.fills]
    kind = order.spec.echo["kind"]
    group = order.group
    shown: Json = {
        "order_id": order_id(order),
        "product_id": product_of(order),
        "user_id": "",
        "order_configuration": {kind: _terms(kind, order, exits)},
        "side": order.side.value.upper(),
        "client_order_id": order.client_id,
        "status": status(order),
        "time_in_force": _FORCES.get(kind, "GOOD_UNTIL_CANCELLED"),
        "created_time": moment(order.created_at),
        "completion_percentage": text((filled / order.quantity * 100).quantize(Decimal("0.01")))
        if order.quantity
        else "0",
        "filled_size": text(filled),
        "average_filled_price": text(cost / filled) if filled else "0",
        "fee": "",
        "number_of_fills": str(len(fills)),
        "filled_value": text(cost),
        "pending_cancel": False,
        "size_in_quote": "quote_size" in order.spec.echo,
        "total_fees": text(fees),
        "size_inclusive_of_fees": "quote_size" in order.spec.echo,
        "total_value_after_fees": text(cost + fees if order.side is Side.BUY else cost - fees),
        "trigger_status": _trigger_status(exits),
        "order_type": _TYPES.get(kind, "LIMIT"),
        "reject_reason": "REJECT_REASON_UNSPECIFIED",
        "settled": not any(leg.live for leg in exits),
        "product_type": "SPOT",
        "reject_message": "",
        "cancel_message": "",
        "order_placement_source": "RETAIL_ADVANCED",
        "outstanding_hold_amount": text(exits[0].held),
        "last_fill_time": moment(fills[-1].at) if fills else None,
        "edit_history": [],
        "attached_order_id": "",
        "originating_order_id": "",
    }
    if group is not None and order is group.working:
        shown["attached_order_id"] = order_id(group.exits[0])
        shown["attached_order_configuration"] = {BRACKET: _bracket(group.exits)}
    elif group is not None and group.working is not None:
        shown["originating_order_id"] = order_id(group.working)
    return shown


def _terms(kind: str, order: Order, exits: tuple[Order, ...]) -> Json:
    size = text(order.quantity)
    if kind == MARKET:
        quote = order.spec.echo.get("quote_size")
        return {"base_size": size} if quote is None else {"quote_size": quote}
    if kind == BRACKET:
        return {"base_size": size, **_bracket(exits)}
    terms: Json = {"base_size": size, "limit_price": text(order.price)}
    if kind == STOP_LIMIT:
        direction = "UP" if order.spec.triggers_above else "DOWN"
        return terms | {
            "stop_price": text(order.spec.trigger_price),
            "stop_direction": f"STOP_DIRECTION_STOP_{direction}",
        }
    return terms | {"post_only": order.spec.post_only}


def _bracket(exits: tuple[Order, ...]) -> Json:
    stop = next(leg for leg in exits if leg.spec.type in TRIGGERED)
    target = next(leg for leg in exits if leg.spec.type is OrderType.LIMIT)
    return {"limit_price": text(target.price), "stop_trigger_price": text(stop.spec.trigger_price)}


def _trigger_status(exits: tuple[Order, ...]) -> str:
    if not any(leg.spec.waits for leg in exits):
        return "INVALID_ORDER_TYPE"
    return "STOP_TRIGGERED" if any(leg.triggered for leg in exits) else "STOP_PENDING"


def fill(order: Order, fill: Fill) -> Json:
    """One execution; the fee is in quote."""
    return {
        "entry_id": str(fill.trade_id),
        "trade_id": str(fill.trade_id),
        "order_id": order_id(order),
        "trade_time": moment(fill.at),
        "trade_type": "FILL",
        "price": text(fill.price),
        "size": text(fill.quantity),
        "commission": text(fill.fee),
        "product_id": product_of(order),
        "sequence_timestamp": moment(fill.at),
        "liquidity_indicator": "MAKER" if fill.maker else "TAKER",
        "size_in_quote": False,
        "user_id": "",
        "side": fill.side.value.upper(),
    }
