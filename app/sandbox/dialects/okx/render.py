"""Orders and fills in OKX's JSON.

Source: https://www.okx.com/docs-v5/en/#order-book-trading-trade-get-order-details
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.okx.notation import (
    Json,
    algo_client_id,
    algo_id,
    bill_id,
    client_id,
    instrument_of,
    is_algo,
    milliseconds,
    order_id,
    text,
)
from app.sandbox.dialects.okx.placing import attached_record
from app.sandbox.engine.model import Fill, Order, State

_STATES = {
    State.PENDING: "live",
    State.OPEN: "live",
    State.PARTIALLY_FILLED: "partially_filled",
    State.FILLED: "filled",
    State.CANCELED: "canceled",
    State.EXPIRED: "canceled",
    State.REJECTED: "canceled",
}


def state(order: Order) -> str:
    """An order's state in OKX's word."""
    return _STATES[order.state]


def order(order: Order) -> Json:
    """An order proper, as look-ups and lists show it."""
    asset, fee = next(iter(order.fees.items()), (_fee_asset(order), Decimal(0)))
    last = order.fills[-1] if order.fills else None
    algo = is_algo(order)
    return {
        "instType": "SPOT",
        "instId": instrument_of(order),
        "ordId": order_id(order),
        "clOrdId": client_id(order),
        "tag": "",
        "ordType": _type(order),
        "side": order.side.value,
        "posSide": "",
        "tdMode": "cash",
        "tgtCcy": order.spec.echo.get("tgtCcy", ""),
        "px": text(order.price),
        "sz": text(order.spec.quote_quantity or order.quantity),
        "state": state(order),
        "accFillSz": text(order.filled),
        "avgPx": text(order.cost / order.filled) if order.filled else "",
        "fillPx": text(last.price) if last else "",
        "fillSz": text(last.quantity) if last else "0",
        "fillTime": milliseconds(last.at) if last else "",
        "tradeId": str(last.trade_id) if last else "",
        "fee": text(-fee),
        "feeCcy": asset,
        "rebate": "0",
        "rebateCcy": order.symbol.split("/")[1],
        "category": "normal",
        "source": "7" if algo else "",
        "cancelSource": "31" if order.spec.post_only and order.state is State.CANCELED else "",
        "attachAlgoOrds": attached_record(order),
        "algoId": algo_id(order) if algo else "",
        "algoClOrdId": algo_client_id(order) if algo else "",
        "reduceOnly": "false",
        "cTime": milliseconds((order.working_at if algo else None) or order.created_at),
        "uTime": milliseconds(order.updated_at),
    }


def _type(order: Order) -> str:
    return order.spec.echo.get("ordType") or ("market" if order.price is None else "limit")


def _fee_asset(order: Order) -> str:
    base, quote = order.symbol.split("/")
    return base if order.side.value == "buy" else quote


def fill(order: Order, fill: Fill) -> Json:
    """One execution."""
    return {
        "instType": "SPOT",
        "instId": instrument_of(order),
        "tradeId": str(fill.trade_id),
        "ordId": order_id(order),
        "clOrdId": client_id(order),
        "billId": bill_id(fill),
        "side": fill.side.value,
        "posSide": "net",
        "fillPx": text(fill.price),
        "fillSz": text(fill.quantity),
        "execType": "M" if fill.maker else "T",
        "fee": text(-fill.fee),
        "feeCcy": fill.fee_asset,
        "feeRate": "",
        "fillTime": milliseconds(fill.at),
        "ts": milliseconds(fill.at),
    }
