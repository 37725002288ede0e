"""KuCoin's answers about what waits for a price, stops and exits in pairs, as our values.

Both are families of calls of their own, and both live on, once triggered, as an order of another id; what is told
here is the waiting one, and how to read it together with the order it became.
Source: https://www.kucoin.com/docs-new/rest/spot-trading/orders, November 2025.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from app.domain.orders import OcoRequest, OrderReport, OrderRequest, OrderStatus, OrderType, Side
from app.exchanges.kucoin.parse import ZERO, Naming, Row, moment, parse_placed
from app.exchanges.kucoin.wire import (
    AT_LIMIT,
    LEG_MARK,
    PAIR_PREFIX,
    PAIR_STATUSES,
    STOP_DIRECTIONS,
    STOP_STATUSES,
    Family,
)
from app.exchanges.rest import milliseconds, positive

# -- stops ------------------------------------------------------------------------------


def parse_stop(row: Row, naming: Naming) -> OrderReport:
    """One stop order; PENDING once it has triggered, for then another order tells what became of it."""
    side, at_limit = Side(row["side"].upper()), row["type"] == AT_LIMIT
    stops = row["stop"] == STOP_DIRECTIONS[side]
    quantity, touched = positive(row["size"]), row.get("stopTriggerTime") or row["createdAt"]
    return OrderReport(
        exchange_order_id=str(row["id"]),
        client_order_id=row["clientOid"],
        symbol=naming(row["symbol"]),
        side=side,
        type=_WAITING[stops, at_limit],
        status=STOP_STATUSES[row["status"]],
        quantity=quantity,
        filled_quantity=ZERO,
        remaining=quantity,
        price=positive(row["price"]),
        trigger_price=Decimal(row["stopPrice"]),
        created_at=milliseconds(row["createdAt"]),
        updated_at=moment(touched),
        raw=row,
    )


#: By whether the price has to turn against the holder, and whether it executes at a limit.
_WAITING = {
    (True, False): OrderType.STOP_LOSS,
    (True, True): OrderType.STOP_LIMIT,
    (False, False): OrderType.TAKE_PROFIT,
    (False, True): OrderType.TAKE_PROFIT_LIMIT,
}


def followed(stop: OrderReport, order: OrderReport) -> OrderReport:
    """A triggered stop as the order it became: that one's id, by which its fills are told, and the stop's kind."""
    return replace(order, type=stop.type, trigger_price=stop.trigger_price)


def parse_placed_stop(data: Row, request: OrderRequest) -> OrderReport:
    """The answer to an order that waits for a price: its id alone, and nothing of it has executed."""
    return replace(parse_placed(data, request), filled_quantity=ZERO, remaining=request.quantity)


# -- exits in pairs --------------------------------------------------------------------------------------------


def parse_placed_pair(data: Row, request: OcoRequest) -> OrderReport:
    """The answer to a pair: its id."""
    return OrderReport(
        exchange_order_id=f"{PAIR_PREFIX}{data['orderId']}",
        client_order_id=request.client_order_id,
        symbol=request.symbol,
        side=request.side,
        type=None,
        status=OrderStatus.OPEN,
        quantity=request.quantity,
        raw=data,
    )


def parse_pair(data: Row, naming: Naming) -> OrderReport:
    """``oco/order/details``: the limit order that takes the profit and the stop beside it, as the pair's children.

    The limit order is the leg further on the side of profit: above for a sale, below for a purchase. Of a pair that
    is done nothing is told but that it is.
    """
    symbol, status, rows = naming(data["symbol"]), PAIR_STATUSES[data["status"]], data["orders"]
    side = Side(rows[0]["side"].upper())
    target, stop = sorted(rows, key=lambda row: Decimal(row["price"]), reverse=side is Side.SELL)
    legs = (
        _parse_leg(stop, data, symbol, OrderType.STOP_LIMIT, "-sl"),
        _parse_leg(target, data, symbol, OrderType.TAKE_PROFIT_LIMIT, "-tp"),
    )
    quantity = legs[0].quantity
    filled = quantity if status is OrderStatus.FILLED else ZERO
    return OrderReport(
        exchange_order_id=f"{PAIR_PREFIX}{data['orderId']}",
        client_order_id=data["clientOid"],
        symbol=symbol,
        side=side,
        type=None,
        status=status,
        quantity=quantity,
        filled_quantity=filled,
        remaining=None if quantity is None or filled is None else quantity - filled,
        created_at=moment(data["orderTime"]),
        updated_at=moment(data["orderTime"]),
        children=legs,
        raw=data,
    )


def _parse_leg(row: Row, pair: Row, symbol: str, type_: OrderType, suffix: str) -> OrderReport:
    quantity = positive(row["size"])
    return OrderReport(
        exchange_order_id=f"{PAIR_PREFIX}{pair['orderId']}{LEG_MARK}{row['id']}",
        client_order_id=pair["clientOid"] + suffix,
        symbol=symbol,
        side=Side(row["side"].upper()),
        type=type_,
        status=PAIR_STATUSES[row["status"]],
        quantity=quantity,
        filled_quantity=ZERO,
        remaining=quantity,
        price=positive(row["price"]),
        trigger_price=positive(row.get("stopPrice") or row["price"]),
        created_at=moment(pair["orderTime"]),
        raw=row,
    )


def executed(pair: OrderReport, order: OrderReport) -> OrderReport:
    """A pair of which one leg became an order: how that order fares is how the leg and the pair do."""
    acting = next((leg for leg in pair.children if leg.status is not OrderStatus.CANCELED), pair.children[0])
    if len({leg.status for leg in pair.children}) == 1:
        acting = next((leg for leg in pair.children if leg.price == order.price), acting)
    legs = (
        _faring(leg, order) if leg is acting else replace(leg, status=OrderStatus.CANCELED)
        for leg in pair.children
    )
    return replace(_faring(pair, order), children=tuple(legs))


def _faring(report: OrderReport, order: OrderReport) -> OrderReport:
    return replace(
        report,
        status=order.status,
        filled_quantity=order.filled_quantity,
        remaining=order.remaining,
        average_price=order.average_price,
        cost=order.cost,
        fees=order.fees,
        updated_at=order.updated_at,
    )


# -- what is cancelled -----------------------------------------------------------------------------------------


def parse_canceled_waiting(
    data: Row, symbol: str, order_id: str | None, client_id: str | None
) -> OrderReport:
    """The answer to the cancellation of a stop or a pair: ids of what is gone, of which nothing had executed."""
    if not data["cancelledOrderIds"]:
        raise ValueError("nothing was cancelled")
    return OrderReport(
        exchange_order_id=order_id,
        client_order_id=client_id,
        symbol=symbol,
        side=None,
        type=None,
        status=OrderStatus.CANCELED,
        filled_quantity=ZERO,
        raw=data,
    )


def canceled(order: OrderReport, kind: Family) -> OrderReport:
    """An order after everything was cancelled: stops and pairs are gone, of orders KuCoin has only taken note."""
    return order if kind is Family.ORDER else replace(order, status=OrderStatus.CANCELED)
