"""Orders and fills of the engine in KuCoin's JSON: flags instead of a status, no average price.

Source: https://www.kucoin.com/docs-new/rest/spot-trading/orders/get-order-by-orderld
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.kucoin.families import client_oid, order_id
from app.sandbox.dialects.kucoin.notation import ORDER, Json, amount, milliseconds, written_id
from app.sandbox.engine.model import ZERO, Fill, Order, OrderType
from app.sandbox.engine.settlement import VenueRules

_AT_MARKET = frozenset({OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT})


def symbol_of(order: Order) -> str:
    return order.symbol.replace("/", "-")


def fee_currency(order: Order) -> str:
    """Fees are paid in quote on both sides."""
    return order.symbol.partition("/")[2]


def type_name(order: Order) -> str:
    return "market" if order.spec.type in _AT_MARKET else "limit"


def sizes(order: Order) -> dict[str, Decimal]:
    """What was asked for, what is done, what is left and what was cancelled, in base.

    A market order by funds has no size, and tells only what is done.
    """
    asked = order.spec.quantity
    if asked is None:
        return {"asked": ZERO, "done": order.filled, "left": ZERO, "cancelled": ZERO}
    left = order.remaining if order.live else ZERO
    return {
        "asked": asked,
        "done": order.filled,
        "left": left,
        "cancelled": asked - order.filled - left,
    }


def _funds(order: Order) -> dict[str, Decimal]:
    """The same in quote, which only limit orders and market orders by funds have."""
    whole = order.spec.quote_quantity
    if whole is not None:
        return {"asked": whole, "left": whole - order.cost, "cancelled": ZERO}
    price, size = order.price or ZERO, sizes(order)
    return {name: size[name] * price for name in ("asked", "left", "cancelled")}


def record(order: Order) -> Json:
    """An order of the hf family."""
    spec, size, funds = order.spec, sizes(order), _funds(order)
    ended_short = not order.live and spec.quote_quantity is not None and funds["left"] > 0
    return {
        "id": order_id(order),
        "clientOid": client_oid(order),
        "symbol": symbol_of(order),
        "opType": "DEAL",
        "type": type_name(order),
        "side": order.side.value,
        "price": amount(order.price),
        "size": amount(size["asked"]),
        "funds": amount(funds["asked"]),
        "dealSize": amount(size["done"]),
        "dealFunds": amount(order.cost),
        "remainSize": amount(size["left"]),
        "remainFunds": amount(funds["left"]),
        "cancelledSize": amount(size["cancelled"]),
        "cancelledFunds": amount(funds["cancelled"]),
        "fee": amount(order.fees.get(fee_currency(order))),
        "feeCurrency": fee_currency(order),
        **conditions(order),
        "channel": "API",
        "cancelExist": size["cancelled"] > 0 or ended_short,
        "tradeType": "TRADE",
        "inOrderBook": order.live and type_name(order) == "limit",
        "active": order.live,
        "tax": "0",
        "createdAt": milliseconds(order.working_at or order.created_at),
        "lastUpdatedAt": milliseconds(order.updated_at),
    }


def conditions(order: Order) -> Json:
    """Under what conditions an order works."""
    spec, echo = order.spec, order.spec.echo
    return {
        "stp": echo.get("stp"),
        "timeInForce": echo.get("timeInForce", spec.time_in_force.upper()),
        "postOnly": spec.post_only,
        "hidden": "hidden" in echo,
        "iceberg": "iceberg" in echo,
        "visibleSize": echo.get("visibleSize", "0"),
        "cancelAfter": int(echo.get("cancelAfter", "0")),
        "remark": echo.get("remark"),
        "tags": echo.get("tags"),
    }


def progress(order: Order) -> Json:
    """What the synchronous calls add to the ids."""
    size = sizes(order)
    return {
        "originSize": amount(size["asked"]),
        "dealSize": amount(size["done"]),
        "remainSize": amount(size["left"]),
        "canceledSize": amount(size["cancelled"]),
        "status": "open" if order.live else "done",
    }


def fill_record(order: Order, fill: Fill, rules: VenueRules) -> Json:
    """A fill; whoever stood on the other side of it has no orders of their own."""
    return {
        "id": fill.trade_id,
        "symbol": symbol_of(order),
        "tradeId": fill.trade_id,
        "orderId": order_id(order),
        "counterOrderId": written_id(ORDER, 0),
        "side": fill.side.value,
        "liquidity": "maker" if fill.maker else "taker",
        "forceTaker": False,
        "price": amount(fill.price),
        "size": amount(fill.quantity),
        "funds": amount(fill.cost),
        "fee": amount(fill.fee),
        "feeRate": amount(rules.maker if fill.maker else rules.taker),
        "feeCurrency": fill.fee_asset,
        "stop": order.spec.echo.get("stop", ""),
        "tradeType": "TRADE",
        "type": type_name(order),
        "createdAt": milliseconds(fill.at),
    }
