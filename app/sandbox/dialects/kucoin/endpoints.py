"""Every method and path of the dialect: what it is for, and what it takes from which pool."""

from __future__ import annotations

from app.sandbox.dialects.kucoin import (
    accounts,
    cancelling,
    futures,
    market_data,
    oco,
    placing,
    queries,
    stops,
)
from app.sandbox.dialects.kucoin.call import Endpoint, Handler, Routes
from app.sandbox.dialects.kucoin.limits import FUTURES, MANAGEMENT, PUBLIC, SPOT, UNIFIED


def _public(path: str, operation: str, handle: Handler, weight: int, pool: str = PUBLIC) -> Endpoint:
    """A GET that anybody may ask."""
    return Endpoint("GET", path, operation, handle, pool, weight, signed=False)


def _read(path: str, operation: str, handle: Handler, weight: int, pool: str = SPOT) -> Endpoint:
    """A GET of an account."""
    return Endpoint("GET", path, operation, handle, pool, weight)


def _trade(method: str, path: str, operation: str, handle: Handler, weight: int) -> Endpoint:
    """What changes orders, and needs permission to trade."""
    return Endpoint(method, path, operation, handle, SPOT, weight, trades=True)


_PUBLIC = (
    _public("/api/v1/timestamp", "server_time", market_data.server_time, 3),
    _public("/api/v1/status", "", market_data.service_status, 3),
    _public("/api/v2/symbols", "markets", market_data.symbols, 4),
    _public("/api/v2/symbols/{symbol}", "markets", market_data.symbol, 4),
    _public("/api/v3/currencies", "", market_data.currencies, 3),
    _public("/api/v1/market/orderbook/level1", "ticker", market_data.best_ticker, 2),
    _public("/api/v1/market/allTickers", "tickers", market_data.all_tickers, 15),
    _public("/api/v1/market/stats", "ticker", market_data.stats, 15),
    _public("/api/v1/market/orderbook/level2_20", "order_book", market_data.book(20), 2),
    _public("/api/v1/market/orderbook/level2_100", "order_book", market_data.book(100), 4),
    _public("/api/v1/market/candles", "candles", market_data.candles, 3),
    _public("/api/v1/contracts/active", "markets", futures.contracts, 3),
    _public("/api/v1/contracts/{symbol}", "markets", futures.contract, 3),
)

_ACCOUNT = (
    _read("/api/v3/market/orderbook/level2", "order_book", market_data.book(500), 3, PUBLIC),
    _read("/api/v1/accounts", "balances", accounts.balances, 5, MANAGEMENT),
    Endpoint(
        "POST",
        "/api/v3/accounts/universal-transfer",
        "",
        accounts.transfer,
        MANAGEMENT,
        4,
        trades=True,
    ),
    _read("/api/v1/hf/accounts/opened", "", accounts.hf_opened, 30, MANAGEMENT),
    _read("/api/v1/trade-fees", "", accounts.trade_fees, 3),
    _read("/api/v1/user/api-key", "permissions", accounts.key_info, 20, MANAGEMENT),
    _read("/api/ua/v1/account/mode", "", accounts.account_mode, 2, UNIFIED),
    _read("/api/v3/margin/symbols", "", accounts.no_pages, 3, PUBLIC),
    _read("/api/v1/isolated/symbols", "", accounts.nothing, 3, PUBLIC),
    _read("/api/v1/account-overview", "positions", futures.overview, 5, FUTURES),
    _read("/api/v1/positions", "positions", futures.positions, 2, FUTURES),
)

_ORDERS = (
    _trade("POST", "/api/v1/hf/orders", "place_order", placing.place, 1),
    _trade("POST", "/api/v1/hf/orders/sync", "place_order", placing.place_and_wait, 1),
    _trade("POST", "/api/v1/hf/orders/test", "", placing.try_out, 1),
    _trade("POST", "/api/v1/hf/orders/multi", "place_order", placing.place_several, 1),
    _trade("POST", "/api/v1/hf/orders/multi/sync", "place_order", placing.place_several_and_wait, 1),
    _trade("POST", "/api/v1/hf/orders/alter", "amend_order", cancelling.alter, 1),
    _trade("DELETE", "/api/v1/hf/orders", "cancel_order", cancelling.cancel_symbol, 2),
    _trade("DELETE", "/api/v1/hf/orders/cancelAll", "cancel_order", cancelling.cancel_everything, 30),
    _trade("DELETE", "/api/v1/hf/orders/cancel/{orderId}", "amend_order", cancelling.cancel_part, 2),
    _trade("DELETE", "/api/v1/hf/orders/{orderId}", "cancel_order", cancelling.cancel, 1),
    _trade(
        "DELETE",
        "/api/v1/hf/orders/client-order/{clientOid}",
        "cancel_order",
        cancelling.cancel_by_client_oid,
        1,
    ),
    _trade("DELETE", "/api/v1/hf/orders/sync/{orderId}", "cancel_order", cancelling.cancel_and_wait, 1),
    _trade(
        "DELETE",
        "/api/v1/hf/orders/sync/client-order/{clientOid}",
        "cancel_order",
        cancelling.cancel_by_client_oid_and_wait,
        1,
    ),
    _read("/api/v1/hf/orders/active", "open_orders", queries.active, 2),
    _read("/api/v1/hf/orders/active/symbols", "open_orders", queries.active_symbols, 2),
    _read("/api/v1/hf/orders/active/page", "open_orders", queries.active_page, 2),
    _read("/api/v1/hf/orders/done", "order_history", queries.done, 2),
    _read("/api/v1/hf/orders/{orderId}", "get_order", queries.get_order, 2),
    _read("/api/v1/hf/orders/client-order/{clientOid}", "get_order", queries.get_order_by_client_oid, 2),
    _read("/api/v1/hf/fills", "fills", queries.fills, 2),
)

_STOP_ORDERS = (
    _trade("POST", "/api/v1/stop-order", "place_order", stops.place, 1),
    _trade("DELETE", "/api/v1/stop-order/cancel", "cancel_order", stops.cancel_several, 3),
    _trade(
        "DELETE", "/api/v1/stop-order/cancelOrderByClientOid", "cancel_order", stops.cancel_by_client_oid, 5
    ),
    _trade("DELETE", "/api/v1/stop-order/{orderId}", "cancel_order", stops.cancel, 3),
    _read("/api/v1/stop-order", "open_orders", stops.listed, 8),
    _read("/api/v1/stop-order/queryOrderByClientOid", "get_order", stops.get_by_client_oid, 3),
    _read("/api/v1/stop-order/{orderId}", "get_order", stops.get, 3),
)

_OCO_ORDERS = (
    _trade("POST", "/api/v3/oco/order", "place_order", oco.place, 2),
    _trade("DELETE", "/api/v3/oco/order/{orderId}", "cancel_order", oco.cancel, 3),
    _trade("DELETE", "/api/v3/oco/client-order/{clientOid}", "cancel_order", oco.cancel_by_client_oid, 3),
    _trade("DELETE", "/api/v3/oco/orders", "cancel_order", oco.cancel_several, 3),
    _read("/api/v3/oco/order/{orderId}", "get_order", oco.get, 2),
    _read("/api/v3/oco/client-order/{clientOid}", "get_order", oco.get_by_client_oid, 2),
    _read("/api/v3/oco/order/details/{orderId}", "get_order", oco.details, 2),
    _read("/api/v3/oco/orders", "open_orders", oco.listed, 2),
)

ROUTES = Routes((*_PUBLIC, *_ACCOUNT, *_ORDERS, *_STOP_ORDERS, *_OCO_ORDERS))
