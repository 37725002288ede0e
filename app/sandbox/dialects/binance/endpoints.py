"""Every method and path of the dialect: what it is for, what it weighs, and the parameters it knows."""

from __future__ import annotations

from app.sandbox.dialects.binance import cancelling, lists, market_data, placing, queries, wallet
from app.sandbox.dialects.binance.call import Call, public, signed
from app.sandbox.dialects.binance.parameters import Parameters

_NEW_ORDER = f"symbol {placing.PLAIN.all()} strategyId strategyType newOrderRespType selfTradePreventionMode"
_OCO = " ".join(names.all() for names in lists.OCO)
_WORKING, _PENDING = lists.WORKING.all(), lists.PENDING.all()
_PENDING_OCO = " ".join(names.all() for names in lists.PENDING_OCO)
_CANCEL = "symbol orderId origClientOrderId newClientOrderId cancelRestrictions"
_REPLACE = "cancelReplaceMode cancelOrderId cancelOrigClientOrderId cancelNewClientOrderId cancelRestrictions"
_HISTORY = "symbol orderId startTime endTime limit"


def _order_counts(call: Call) -> object:
    """GET /api/v3/rateLimit/order"""
    return call.rate.order_counts(call.account.api_key, call.venue.now())


def _open_orders_weight(params: Parameters) -> int:
    return 6 if "symbol" in params else 80


def _trades_weight(params: Parameters) -> int:
    return 5 if "orderId" in params else 20


_PUBLIC = (
    public("/api/v3/ping", "", market_data.ping, 1),
    public("/api/v3/time", "server_time", market_data.server_time, 1),
    public(
        "/api/v3/exchangeInfo",
        "markets",
        market_data.exchange_info,
        20,
        "symbol symbols permissions showPermissionSets symbolStatus",
    ),
    public("/api/v3/depth", "order_book", market_data.depth, market_data.depth_weight, "symbol limit"),
    public(
        "/api/v3/ticker/24hr",
        "tickers",
        market_data.ticker_24hr,
        market_data.day_weight,
        "symbol symbols type symbolStatus",
    ),
    public(
        "/api/v3/ticker/price",
        "tickers",
        market_data.ticker_price,
        market_data.price_weight,
        "symbol symbols symbolStatus",
    ),
    public(
        "/api/v3/ticker/bookTicker",
        "tickers",
        market_data.book_ticker,
        market_data.price_weight,
        "symbol symbols symbolStatus",
    ),
    public(
        "/api/v3/klines", "candles", market_data.klines, 2, "symbol interval startTime endTime timeZone limit"
    ),
    public("/fapi/v1/exchangeInfo", "markets", wallet.no_contracts, 1),
    public("/dapi/v1/exchangeInfo", "markets", wallet.no_contracts, 1),
)

_TRADING = (
    signed("POST", "/api/v3/order", "place_order", placing.place_order, 1, _NEW_ORDER, orders=1),
    signed("POST", "/api/v3/order/test", "", placing.test_order, 1, f"{_NEW_ORDER} computeCommissionRates"),
    signed("DELETE", "/api/v3/order", "cancel_order", cancelling.cancel_order, 1, _CANCEL),
    signed("DELETE", "/api/v3/openOrders", "cancel_order", cancelling.cancel_open_orders, 1, "symbol"),
    signed(
        "POST",
        "/api/v3/order/cancelReplace",
        "amend_order",
        cancelling.cancel_replace,
        1,
        f"{_NEW_ORDER} {_REPLACE}",
        orders=1,
    ),
    signed(
        "PUT",
        "/api/v3/order/amend/keepPriority",
        "amend_order",
        cancelling.amend_keep_priority,
        4,
        "symbol orderId origClientOrderId newClientOrderId newQty",
    ),
    signed(
        "POST", "/api/v3/orderList/oco", "place_order", lists.place_oco, 1, f"{lists.COMMON} {_OCO}", orders=2
    ),
    signed(
        "POST",
        "/api/v3/orderList/oto",
        "place_order",
        lists.place_oto,
        1,
        f"{lists.COMMON} {_WORKING} {_PENDING}",
        orders=2,
    ),
    signed(
        "POST",
        "/api/v3/orderList/otoco",
        "place_order",
        lists.place_otoco,
        1,
        f"{lists.COMMON} {_WORKING} {_PENDING_OCO}",
        orders=3,
    ),
    signed(
        "DELETE",
        "/api/v3/orderList",
        "cancel_order",
        lists.cancel_list,
        1,
        "symbol orderListId listClientOrderId newClientOrderId",
    ),
)

_READING = (
    signed("GET", "/api/v3/order", "get_order", queries.get_order, 4, "symbol orderId origClientOrderId"),
    signed("GET", "/api/v3/openOrders", "open_orders", queries.open_orders, _open_orders_weight, "symbol"),
    signed("GET", "/api/v3/allOrders", "order_history", queries.all_orders, 20, _HISTORY),
    signed("GET", "/api/v3/myTrades", "fills", queries.my_trades, _trades_weight, f"{_HISTORY} fromId"),
    signed("GET", "/api/v3/orderList", "get_order", lists.get_list, 4, "orderListId origClientOrderId"),
    signed("GET", "/api/v3/openOrderList", "open_orders", lists.open_lists, 6),
    signed(
        "GET",
        "/api/v3/allOrderList",
        "order_history",
        lists.all_lists,
        20,
        "fromId startTime endTime limit",
    ),
    signed("GET", "/api/v3/account", "balances", queries.account, 20, "omitZeroBalances"),
    signed("GET", "/api/v3/account/commission", "", queries.commission, 20, "symbol"),
    signed("GET", "/api/v3/rateLimit/order", "", _order_counts, 40),
    signed("GET", "/sapi/v1/account/apiRestrictions", "permissions", wallet.api_restrictions, 1),
    signed("GET", "/sapi/v1/capital/config/getall", "", wallet.coins, 10),
    signed("GET", "/sapi/v1/margin/allPairs", "", wallet.no_pairs, 1),
    signed("GET", "/sapi/v1/margin/isolated/allPairs", "", wallet.no_pairs, 10),
    signed("GET", "/fapi/v3/balance", "positions", wallet.futures_balance, 5),
    signed("GET", "/fapi/v3/positionRisk", "positions", wallet.positions, 5, "symbol"),
)

ENDPOINTS = {(endpoint.method, endpoint.path): endpoint for endpoint in (*_PUBLIC, *_TRADING, *_READING)}
