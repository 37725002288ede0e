"""Reading back orders, fills and the account.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/account-endpoints
"""

from __future__ import annotations

from app.sandbox.dialects.binance import render
from app.sandbox.dialects.binance.call import Call
from app.sandbox.dialects.binance.cancelling import find_order
from app.sandbox.dialects.binance.errors import BinanceError, unknown_order_on_query
from app.sandbox.dialects.binance.notation import exchange_symbol, fixed

_DAY = 24 * 60 * 60 * 1_000_000


def get_order(call: Call) -> object:
    """GET /api/v3/order"""
    return render.record(call, find_order(call, "orderId", "origClientOrderId", unknown_order_on_query()))


def open_orders(call: Call) -> object:
    """GET /api/v3/openOrders, of one symbol or all."""
    symbol = call.market().instrument.symbol if "symbol" in call.params else None
    return [
        render.record(call, order)
        for order in call.account.open_orders.values()
        if symbol in (None, order.symbol)
    ]


def all_orders(call: Call) -> object:
    """GET /api/v3/allOrders: oldest first; without a range, the latest."""
    symbol = call.market().instrument.symbol
    from_id = call.params.integer("orderId")
    start, end = _range(call)
    found = [
        order
        for order in call.account.orders.values()
        if order.symbol == symbol
        and (from_id is None or order.id >= from_id)
        and (start is None or order.created_at >= start)
        and (end is None or order.created_at <= end)
    ]
    limit = call.params.limit(500, 1000)
    page = found[-limit:] if from_id is None and start is None else found[:limit]
    return [render.record(call, order) for order in page]


def my_trades(call: Call) -> object:
    """GET /api/v3/myTrades: oldest first; without a range, the latest."""
    symbol = call.market().instrument.symbol
    order_id, from_id = call.params.integer("orderId"), call.params.integer("fromId")
    start, end = _range(call)
    if from_id is not None and (start is not None or end is not None):
        raise BinanceError(-1128, "Combination of optional parameters invalid.")
    account = call.account
    found = [
        fill
        for fill in account.fills
        if fill.symbol == symbol
        and (order_id is None or fill.order_id == order_id)
        and (from_id is None or fill.trade_id >= from_id)
        and (start is None or fill.at >= start)
        and (end is None or fill.at <= end)
    ]
    limit = call.params.limit(500, 1000)
    page = found[-limit:] if from_id is None and start is None else found[:limit]
    return [render.trade(call, account.orders[fill.order_id], fill) for fill in page]


def account(call: Call) -> object:
    """GET /api/v3/account: a row for every asset listed, zero or not, unless they are omitted."""
    owner, rules = call.account, call.venue.rules
    assets = {x for m in call.venue.markets.values() for x in (m.instrument.base, m.instrument.quote)}
    if call.params.flag("omitZeroBalances"):
        assets = set()
    held = {name for name, balance in owner.balances.items() if balance.free or balance.locked}
    rows = [
        {"asset": asset, "free": fixed(balance.free), "locked": fixed(balance.locked)}
        for asset in sorted(assets | held)
        for balance in (owner.balance(asset),)
    ]
    return {
        "makerCommission": int(rules.maker * 10_000),
        "takerCommission": int(rules.taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": _rates(call),
        "canTrade": owner.permissions.trade,
        "canWithdraw": owner.permissions.withdraw,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": call.time(call.venue.now()),
        "accountType": "SPOT",
        "balances": rows,
        "permissions": ["SPOT"],
        "uid": owner.uid,
    }


def commission(call: Call) -> object:
    """GET /api/v3/account/commission"""
    nothing = {name: fixed(None) for name in ("maker", "taker", "buyer", "seller")}
    return {
        "symbol": exchange_symbol(call.market().instrument),
        "standardCommission": _rates(call),
        "specialCommission": nothing,
        "taxCommission": nothing,
        "discount": {
            "enabledForAccount": False,
            "enabledForSymbol": False,
            "discountAsset": "BNB",
            "discount": "0.75000000",
        },
    }


def _rates(call: Call) -> dict[str, str]:
    rules = call.venue.rules
    return {
        "maker": fixed(rules.maker),
        "taker": fixed(rules.taker),
        "buyer": fixed(None),
        "seller": fixed(None),
    }


def _range(call: Call) -> tuple[int | None, int | None]:
    """The times asked for, which may lie 24 hours apart at most."""
    start, end = call.microsecond("startTime"), call.microsecond("endTime")
    if start is not None and end is not None and not 0 <= end - start <= _DAY:
        raise BinanceError(-1127, "More than 24 hours between startTime and endTime.")
    return start, end
