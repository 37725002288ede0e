"""Orders and fills in Bitget's JSON.

Sources: https://www.bitget.com/api-doc/spot/trade/Get-Order-Info,
https://www.bitget.com/api-doc/spot/plan/Get-Current-Plan-Order
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.money import plain
from app.sandbox.dialects.bitget.call import Call
from app.sandbox.dialects.bitget.notation import (
    Json,
    created_at,
    executing_client_id,
    executing_id,
    is_exit,
    is_tpsl,
    long,
    milliseconds,
    order_id,
    symbol_of,
    text,
    trade_id,
)
from app.sandbox.engine.model import Fill, Order, OrderType, Reason, State

PRESETS = (
    "presetTakeProfitPrice",
    "executeTakeProfitPrice",
    "presetStopLossPrice",
    "executeStopLossPrice",
)

_STATES = {
    State.PENDING: "live",
    State.OPEN: "live",
    State.PARTIALLY_FILLED: "partially_filled",
    State.FILLED: "filled",
    State.CANCELED: "cancelled",
    State.EXPIRED: "cancelled",
    State.REJECTED: "reject",
}
_CANCEL_REASONS = {
    Reason.CANCELED: "normal_cancel",
    Reason.IOC_REMAINDER: "ioc_not_matching_cancel",
    Reason.FOK_UNFILLED: "fok_not_enough_matching_cancel",
    Reason.NO_LIQUIDITY: "market_not_enough_matching_cancel",
    Reason.WOULD_MATCH: "post_only_matching_cancel",
    Reason.SIBLING: "oco_cancel",
}
_MARKET = frozenset({OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT})


def ids(order: Order) -> Json:
    """The whole answer to a placement or cancellation."""
    return {"orderId": order_id(order), "clientOid": order.client_id}


def record(call: Call, order: Order) -> Json:
    """An order that trades, or waits to, as a look-up and the history show it."""
    base, quote = order.symbol.split("/")
    return {
        **_head(call, order),
        "price": "0" if order.price is None else text(order.price),
        **_middle(order),
        "priceAvg": text(_average(order)),
        **_volumes(order),
        "orderSource": _source(order),
        "feeDetail": _fee_detail(order),
        "cancelReason": _CANCEL_REASONS.get(order.reason, "") if order.reason is not None else "",
        **_tail(order),
        "baseCoin": base,
        "quoteCoin": quote,
    }


def unfilled(call: Call, order: Order) -> Json:
    """An order as the list of open ones shows it: ``priceAvg`` is its limit and ``basePrice`` what it filled at."""
    return {
        **_head(call, order),
        "priceAvg": text(order.price),
        **_middle(order),
        "basePrice": text(_average(order)),
        **_volumes(order),
        "orderSource": _source(order),
        **_tail(order),
    }


def _head(call: Call, order: Order) -> Json:
    return {
        "userId": str(call.account.uid),
        "symbol": symbol_of(order),
        "orderId": executing_id(order),
        "clientOid": executing_client_id(order),
    }


def _middle(order: Order) -> Json:
    return {
        "size": long(order.spec.quote_quantity or order.quantity),
        "orderType": _type(order),
        "side": order.side.value,
        "status": _STATES[order.state],
    }


def _volumes(order: Order) -> Json:
    filled = order.filled > 0
    return {
        "baseVolume": long(order.filled) if filled else "0",
        "quoteVolume": long(order.cost) if filled else "0",
        "enterPointSource": "API",
    }


def _tail(order: Order) -> Json:
    return {
        **{name: value for name in PRESETS if (value := order.spec.echo.get(name)) is not None},
        "cTime": milliseconds(created_at(order)),
        "uTime": milliseconds(order.updated_at),
        "tpslType": "tpsl" if is_tpsl(order) else "normal",
        "triggerPrice": text(order.spec.trigger_price) if is_tpsl(order) else None,
    }


def _type(order: Order) -> str:
    return "market" if order.spec.type in _MARKET else "limit"


def _source(order: Order) -> str:
    if is_exit(order):
        return "strategy_oco_limit"
    return "market" if _type(order) == "market" else "normal"


def _average(order: Order) -> Decimal | None:
    return order.cost / order.filled if order.filled > 0 else None


def _fee_detail(order: Order) -> str:
    """The fees as JSON in a text; what was paid is negative."""
    if not order.fees:
        return ""
    total = plain(-sum(order.fees.values(), Decimal(0)))
    rows = [
        f'"newFees":{{"c":0,"d":0,"deduction":false,"r":{total},"t":{total},"totalDeductionFee":0}}',
        *(
            f'"{asset}":{{"deduction":false,"feeCoinCode":"{asset}","totalDeductionFee":0,"totalFee":{plain(-fee)}}}'
            for asset, fee in order.fees.items()
        ),
    ]
    return f"{{{','.join(rows)}}}"


def trade(call: Call, order: Order, fill: Fill) -> Json:
    return {
        "userId": str(call.account.uid),
        "symbol": symbol_of(order),
        "orderId": executing_id(order),
        "tradeId": trade_id(fill),
        "orderType": _type(order),
        "side": fill.side.value,
        "priceAvg": text(fill.price),
        "size": text(fill.quantity),
        "amount": text(fill.cost),
        "feeDetail": {
            "deduction": "no",
            "feeCoin": fill.fee_asset,
            "totalDeductionFee": "",
            "totalFee": text(-fill.fee),
        },
        "tradeScope": "maker" if fill.maker else "taker",
        "cTime": milliseconds(fill.at),
        "uTime": milliseconds(fill.at),
    }


def plan(order: Order) -> Json:
    """A plan, waiting or done."""
    return {
        "orderId": order_id(order),
        "clientOid": order.client_id,
        "symbol": symbol_of(order),
        "triggerPrice": text(order.spec.trigger_price),
        "orderType": _type(order),
        "executePrice": text(order.price),
        "planType": order.spec.echo["planType"],
        "size": text(order.spec.quote_quantity or order.quantity),
        "status": _plan_status(order),
        "side": order.side.value,
        "triggerType": order.spec.echo["triggerType"],
        "enterPointSource": "API",
        "stpMode": "none",
        "cTime": milliseconds(created_at(order)),
        "uTime": milliseconds(order.updated_at),
    }


def sub_order(order: Order) -> Json:
    """The order that a plan turned into."""
    return {
        "orderId": executing_id(order),
        "price": text(order.price),
        "type": _type(order),
        "status": _STATES[order.state],
    }


def _plan_status(order: Order) -> str:
    if order.state is State.REJECTED:
        return "fail_execute"
    if order.triggered:
        return "executed"
    return "live" if order.live else "cancelled"
