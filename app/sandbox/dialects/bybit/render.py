"""Orders and fills in Bybit's JSON.

Sources: https://bybit-exchange.github.io/docs/v5/order/open-order,
https://bybit-exchange.github.io/docs/v5/order/execution, …/docs/v5/enum
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.bybit.notation import (
    CONDITIONAL,
    PLAIN,
    Json,
    created_at,
    is_exit,
    kind,
    milliseconds,
    order_id,
    symbol_of,
    text,
    trade_id,
)
from app.sandbox.engine.model import STOPS, Fill, Order, OrderType, Reason, State

PRESETS = ("takeProfit", "stopLoss", "tpLimitPrice", "slLimitPrice")

_REJECT_REASONS = {
    Reason.WOULD_MATCH: "EC_PostOnlyWillTakeLiquidity",
    Reason.IOC_REMAINDER: "EC_NoImmediateQtyToFill",
    Reason.NO_LIQUIDITY: "EC_NoImmediateQtyToFill",
    Reason.FOK_UNFILLED: "EC_CancelForNoFullFill",
}
_MARKET = frozenset({OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT})


def ids(order: Order) -> Json:
    """The whole answer to a placement, change or cancellation."""
    return {"orderId": order_id(order), "orderLinkId": order.client_id}


def page(rows: list[Json], cursor: str) -> Json:
    return {"category": "spot", "nextPageCursor": cursor, "list": list(rows)}


def record(order: Order) -> Json:
    """An order as look-ups and lists show it."""
    quote = order.spec.quote_quantity
    return {
        **ids(order),
        "symbol": symbol_of(order),
        "side": order.side.value.capitalize(),
        "orderType": _type(order),
        "timeInForce": "PostOnly" if order.spec.post_only else order.spec.time_in_force.value.upper(),
        "marketUnit": _unit(order),
        "price": text(order.price),
        "qty": text(order.quantity if quote is None else quote),
        "isLeverage": "0",
        "orderStatus": _status(order),
        "cancelType": _cancel_type(order),
        "rejectReason": _REJECT_REASONS.get(order.reason, "EC_NoError") if order.reason else "EC_NoError",
        "avgPrice": text(order.cost / order.filled) if order.filled else "",
        "leavesQty": text(order.remaining) if order.live else "0",
        "leavesValue": _leaves_value(order),
        "cumExecQty": text(order.filled),
        "cumExecValue": text(order.cost),
        "cumExecFee": "",
        "cumFeeDetail": {asset: text(fee) for asset, fee in order.fees.items()},
        "stopOrderType": _stop_order_type(order),
        "triggerPrice": text(order.spec.trigger_price),
        **{name: order.spec.echo.get(name, "") for name in PRESETS},
        "ocoTriggerBy": "",
        "basePrice": order.spec.echo["basePrice"],
        "createdTime": milliseconds(created_at(order)),
        "updatedTime": milliseconds(order.updated_at),
    }


def _type(order: Order) -> str:
    return "Market" if order.spec.type in _MARKET else "Limit"


def _unit(order: Order) -> str:
    if _type(order) == "Limit":
        return ""
    return "baseCoin" if order.spec.quote_quantity is None else "quoteCoin"


def _stop_order_type(order: Order) -> str:
    names = {PLAIN: "", CONDITIONAL: "Stop"}
    return names.get(kind(order), kind(order))


def _leaves_value(order: Order) -> str:
    """What is left to trade in quote: of an order sized so, also when it has ended."""
    quote = order.spec.quote_quantity
    if quote is not None:
        return text(quote - order.cost)
    return text(order.remaining * (order.price or Decimal(0))) if order.live else "0"


def _status(order: Order) -> str:
    """The state; a market order sized in quote ends cancelled when something is left that buys no whole lot."""
    quote = order.spec.quote_quantity
    if order.live:
        if order.waits_for_trigger:
            return "Untriggered"
        return "PartiallyFilled" if order.filled else "New"
    if order.state is State.FILLED and (quote is None or order.cost == quote):
        return "Filled"
    if order.filled:
        return "PartiallyFilledCanceled"
    if order.state is State.REJECTED and not order.triggered:
        return "Rejected"
    return "Deactivated" if order.waits_for_trigger else "Cancelled"


def _cancel_type(order: Order) -> str:
    if order.reason is Reason.CANCELED:
        return "CancelByUser"
    if order.reason is not Reason.SIBLING or not is_exit(order):
        return "UNKNOWN"
    if order.spec.type in STOPS:
        return "CancelByOCOSlCanceledByTpTriggered"
    return "CancelByOCOTpCanceledBySlTriggered"


def execution(order: Order, fill: Fill) -> Json:
    """One fill."""
    rate = fill.fee / (fill.quantity if fill.fee_asset == fill.symbol.split("/")[0] else fill.cost)
    return {
        "symbol": symbol_of(order),
        **ids(order),
        "side": fill.side.value.capitalize(),
        "orderPrice": text(order.price),
        "orderQty": text(order.quantity),
        "leavesQty": text(order.remaining),
        "orderType": _type(order),
        "stopOrderType": _stop_order_type(order),
        "execFee": text(fill.fee),
        "feeCurrency": fill.fee_asset,
        "feeRate": text(round(rate, 6)),
        "execId": trade_id(fill),
        "execPrice": text(fill.price),
        "execQty": text(fill.quantity),
        "execValue": text(fill.cost),
        "execType": "Trade",
        "execTime": milliseconds(fill.at),
        "isMaker": fill.maker,
        "seq": fill.trade_id,
    }
