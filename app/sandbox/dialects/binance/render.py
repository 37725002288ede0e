"""Engine objects in Binance's JSON.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/trading-endpoints
"""

from __future__ import annotations

from app.sandbox.dialects.binance.call import Call
from app.sandbox.dialects.binance.filters import BASIS_POINTS
from app.sandbox.dialects.binance.notation import Json, fixed
from app.sandbox.engine.model import Fill, Order, OrderGroup, OrderType, Reason, State

TYPE_NAMES = {
    OrderType.MARKET: "MARKET",
    OrderType.LIMIT: "LIMIT",
    OrderType.STOP_LOSS: "STOP_LOSS",
    OrderType.TAKE_PROFIT: "TAKE_PROFIT",
    OrderType.STOP_LIMIT: "STOP_LOSS_LIMIT",
    OrderType.TAKE_PROFIT_LIMIT: "TAKE_PROFIT_LIMIT",
    OrderType.TRAILING_STOP: "STOP_LOSS",
}

_STATES = {
    State.PENDING: "PENDING_NEW",
    State.OPEN: "NEW",
    State.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    State.FILLED: "FILLED",
    State.CANCELED: "CANCELED",
    State.EXPIRED: "EXPIRED",
    # Accepted and then not to be placed or paid for: expired, with REJECTED for a reason.
    State.REJECTED: "EXPIRED",
}

_EXPIRY_REASONS = {
    Reason.IOC_REMAINDER: "UNFILLED_IOC_QUANTITY_EXPIRED",
    Reason.FOK_UNFILLED: "UNFILLED_FOK_ORDER_EXPIRED",
    Reason.NO_LIQUIDITY: "INSUFFICIENT_LIQUIDITY",
    Reason.SIBLING: "OCO_TRIGGER",
    Reason.WORKING_ENDED: "OTO_PHASE_ONE_EXPIRED",
    Reason.INSUFFICIENT_FUNDS: "REJECTED",
    Reason.WOULD_MATCH: "REJECTED",
}


def symbol_of(order: Order) -> str:
    return order.symbol.replace("/", "")


def type_name(order: Order) -> str:
    return "LIMIT_MAKER" if order.spec.post_only else TYPE_NAMES[order.spec.type]


def ack(call: Call, order: Order) -> Json:
    return {
        "symbol": symbol_of(order),
        "orderId": order.id,
        "orderListId": group_id(order),
        "clientOrderId": order.client_id,
        "transactTime": call.time(order.updated_at),
    }


def result(call: Call, order: Order) -> Json:
    """The answer to a placement, without fills."""
    answer = ack(call, order) | state(order)
    if order.working_at is not None:
        answer["workingTime"] = call.time(order.working_at)
    return answer


def full(call: Call, order: Order) -> Json:
    """The answer to a placement, with the fills it met."""
    return result(call, order) | {"fills": [_met(fill) for fill in order.fills]}


def state(order: Order) -> Json:
    """What every record of an order holds."""
    spec = order.spec
    record: Json = {
        "price": fixed(spec.price),
        "origQty": fixed(order.quantity),
        "executedQty": fixed(order.filled),
        "origQuoteOrderQty": fixed(spec.quote_quantity),
        "cummulativeQuoteQty": fixed(order.cost),
        "status": _STATES[order.state],
        "timeInForce": spec.time_in_force.upper(),
        "type": type_name(order),
        "side": spec.side.upper(),
        "selfTradePreventionMode": "NONE",
        **spec.echo,
    }
    if spec.trigger_price is not None:
        record["stopPrice"] = fixed(spec.trigger_price)
    if spec.trailing_percent is not None:
        record["trailingDelta"] = int(spec.trailing_percent * BASIS_POINTS)
    if order.reason in _EXPIRY_REASONS:
        record["expiryReason"] = _EXPIRY_REASONS[order.reason]
    return record


def record(call: Call, order: Order) -> Json:
    """An order as queries show it: without fees and fills."""
    return {
        "symbol": symbol_of(order),
        "orderId": order.id,
        "orderListId": group_id(order),
        "clientOrderId": order.client_id,
        **state(order),
        "stopPrice": fixed(order.spec.trigger_price),
        "icebergQty": fixed(None),
        "time": call.time(order.created_at),
        "updateTime": call.time(order.updated_at),
        "isWorking": order.working_at is not None,
        "workingTime": -1 if order.working_at is None else call.time(order.working_at),
    }


def cancellation(call: Call, order: Order, cancel_id: str) -> Json:
    """A cancelled order: its own client id moves to ``origClientOrderId``."""
    return {
        "symbol": symbol_of(order),
        "origClientOrderId": order.client_id,
        "orderId": order.id,
        "orderListId": group_id(order),
        "clientOrderId": cancel_id,
        "transactTime": call.time(order.updated_at),
        **state(order),
    }


def group_id(order: Order) -> int:
    return -1 if order.group is None else order.group.id


def group(call: Call, orders: OrderGroup) -> Json:
    """An order list as queries show it."""
    return {
        "orderListId": orders.id,
        "contingencyType": "OCO" if orders.working is None else "OTO",
        "listStatusType": "EXEC_STARTED" if orders.live else "ALL_DONE",
        "listOrderStatus": "EXECUTING" if orders.live else "ALL_DONE",
        "listClientOrderId": orders.client_id,
        "transactionTime": call.time(orders.updated_at),
        "symbol": orders.symbol.replace("/", ""),
        "orders": [
            {"symbol": symbol_of(order), "orderId": order.id, "clientOrderId": order.client_id}
            for order in orders.orders
        ],
    }


def trade(call: Call, order: Order, fill: Fill) -> Json:
    return {
        "symbol": symbol_of(order),
        "id": fill.trade_id,
        "orderId": fill.order_id,
        "orderListId": group_id(order),
        "price": fixed(fill.price),
        "qty": fixed(fill.quantity),
        "quoteQty": fixed(fill.cost),
        "commission": fixed(fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": call.time(fill.at),
        "isBuyer": fill.side.value == "buy",
        "isMaker": fill.maker,
        "isBestMatch": True,
    }


def _met(fill: Fill) -> Json:
    return {
        "price": fixed(fill.price),
        "qty": fixed(fill.quantity),
        "commission": fixed(fill.fee),
        "commissionAsset": fill.fee_asset,
        "tradeId": fill.trade_id,
    }
