"""Orders and fills in BingX's JSON.

Source: https://bingx-api.github.io/docs-v3/#/en/Spot/Trades%20Endpoints, and answers that other clients have recorded.
"""

from __future__ import annotations

from app.sandbox.dialects.bingx.notation import Json, milliseconds, order_number, symbol_of, text
from app.sandbox.engine.model import ZERO, Fill, Order, State

_STATUSES = {
    State.PENDING: "NEW",
    State.OPEN: "PENDING",
    State.PARTIALLY_FILLED: "PARTIALLY_FILLED",
    State.FILLED: "FILLED",
    State.CANCELED: "CANCELED",
    State.EXPIRED: "CANCELED",
    State.REJECTED: "FAILED",
}


def placed(order: Order) -> Json:
    """The answer to a placement."""
    return {**_common(order), "transactTime": milliseconds(order.created_at), "stopPrice": _trigger(order)}


def cancelled(order: Order) -> Json:
    """The answer to a cancellation, which tells no time."""
    return {**_common(order), "stopPrice": _trigger(order)}


def record(order: Order) -> Json:
    """An order as look-ups and lists show it; they spell the trigger with a capital."""
    asset, fee = next(iter(order.fees.items()), (order.symbol.partition("/")[2], ZERO))
    return {
        **_common(order),
        "StopPrice": _trigger(order),
        "time": milliseconds(order.created_at),
        "updateTime": milliseconds(order.updated_at),
        "origQuoteOrderQty": text(order.spec.quote_quantity),
        "fee": text(-fee),
        "feeAsset": asset,
        "avgPrice": text(order.cost / order.filled if order.filled else None),
    }


def _common(order: Order) -> Json:
    shown: Json = {
        "symbol": symbol_of(order),
        "orderId": order_number(order.id),
        "price": text(order.price),
        "origQty": text(order.quantity),
        "executedQty": text(order.filled),
        "cummulativeQuoteQty": text(order.cost),
        "status": "NEW" if order.live and order.waits_for_trigger else _STATUSES[order.state],
        "type": order.spec.echo["type"],
        "side": order.side.value.upper(),
    }
    return shown | {"clientOrderID": order.client_id} if order.client_id else shown


def _trigger(order: Order) -> str:
    return text(order.spec.trigger_price)


def execution(fill: Fill) -> Json:
    """One fill: the commission is a number, and negative because it was paid."""
    return {
        "symbol": symbol_of(fill),
        "id": fill.trade_id,
        "orderId": order_number(fill.order_id),
        "price": text(fill.price),
        "qty": text(fill.quantity),
        "quoteQty": text(fill.cost),
        "commission": float(-fill.fee),
        "commissionAsset": fill.fee_asset,
        "time": milliseconds(fill.at),
        "isBuyer": fill.side == "buy",
        "isMaker": fill.maker,
    }
