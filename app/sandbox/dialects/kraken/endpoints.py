"""Every method and path of the dialect: what it is for, and what the call costs."""

from __future__ import annotations

from app.sandbox.dialects.kraken import amending, cancelling, market_data, placing, queries
from app.sandbox.dialects.kraken.call import public, reading, trading

_PUBLIC = (
    public("Time", "server_time", market_data.server_time),
    public("SystemStatus", "", market_data.system_status),
    public("Assets", "", market_data.assets),
    public("AssetPairs", "markets", market_data.asset_pairs),
    public("Ticker", "tickers", market_data.ticker),
    public("Depth", "order_book", market_data.depth),
    public("OHLC", "candles", market_data.ohlc),
    public("Trades", "", market_data.trades),
)

_READING = (
    reading("Balance", "balances", queries.balance),
    reading("BalanceEx", "balances", queries.extended_balance),
    reading("TradeVolume", "", queries.trade_volume),
    reading("QueryOrders", "get_order", queries.query_orders),
    reading("OpenOrders", "open_orders", queries.open_orders),
    reading("ClosedOrders", "order_history", queries.closed_orders),
    reading("TradesHistory", "fills", queries.trades_history, cost=2),
    reading("QueryTrades", "fills", queries.query_trades, cost=2),
)

_TRADING = (
    trading("AddOrder", "place_order", placing.add_order),
    trading("AddOrderBatch", "place_order", placing.add_order_batch),
    trading("AmendOrder", "amend_order", amending.amend_order),
    trading("EditOrder", "amend_order", amending.edit_order),
    trading("CancelOrder", "cancel_order", cancelling.cancel_order),
    trading("CancelOrderBatch", "cancel_order", cancelling.cancel_order_batch),
    trading("CancelAll", "cancel_order", cancelling.cancel_all, cost=1),
    trading("CancelAllOrdersAfter", "", cancelling.cancel_all_orders_after, cost=1),
)

ENDPOINTS = {(endpoint.method, endpoint.path): endpoint for endpoint in (*_PUBLIC, *_READING, *_TRADING)}
