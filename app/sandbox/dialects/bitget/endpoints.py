"""Every method and path of the dialect, what it is for and how often a second it may be called."""

from __future__ import annotations

from app.sandbox.dialects.bitget import accounts, cancelling, market_data, placing, plans, queries
from app.sandbox.dialects.bitget.call import Endpoint, public, reading, trading

_PUBLIC = (
    public("public/time", "server_time", market_data.server_time, 20),
    public("spot/public/symbols", "markets", market_data.symbols, 20),
    public("spot/public/coins", "", market_data.coins, 3),
    public("spot/market/tickers", "tickers", market_data.tickers, 20),
    public("spot/market/orderbook", "order_book", market_data.order_book, 20),
    public("spot/market/merge-depth", "order_book", market_data.merged_book, 20),
    public("spot/market/candles", "candles", market_data.candles, 20),
    public("spot/market/history-candles", "candles", market_data.history_candles, 20),
    public("mix/market/contracts", "", market_data.no_contracts, 20),
    public("margin/currencies", "", market_data.no_contracts, 10),
)

_TRADING = (
    trading("spot/trade/place-order", "place_order", placing.place_order, 10),
    trading("spot/trade/batch-orders", "place_order", placing.batch_orders, 5),
    trading("spot/trade/cancel-order", "cancel_order", cancelling.cancel_order, 10),
    trading("spot/trade/batch-cancel-order", "cancel_order", cancelling.batch_cancel, 10),
    trading("spot/trade/cancel-symbol-order", "cancel_order", cancelling.cancel_symbol, 5),
    trading("spot/trade/cancel-replace-order", "amend_order", cancelling.replace_order, 5),
    trading("spot/trade/batch-cancel-replace-order", "amend_order", cancelling.batch_replace, 5),
    trading("spot/trade/place-plan-order", "place_order", plans.place_plan, 20),
    trading("spot/trade/modify-plan-order", "amend_order", plans.modify_plan, 20),
    trading("spot/trade/cancel-plan-order", "cancel_order", plans.cancel_plan, 20),
    trading("spot/trade/batch-cancel-plan-order", "cancel_order", plans.batch_cancel_plans, 5),
)

_READING = (
    reading("spot/trade/orderInfo", "get_order", queries.get_order, 20),
    reading("spot/trade/unfilled-orders", "open_orders", queries.unfilled_orders, 20),
    reading("spot/trade/history-orders", "order_history", queries.history_orders, 20),
    reading("spot/trade/fills", "fills", queries.fills, 10),
    reading("spot/trade/current-plan-order", "open_orders", plans.current_plans, 20),
    reading("spot/trade/history-plan-order", "order_history", plans.history_plans, 20),
    reading("spot/trade/plan-sub-order", "get_order", plans.sub_orders, 20),
    reading("spot/account/assets", "balances", accounts.assets, 10),
    reading("spot/account/info", "permissions", accounts.info, 1),
    reading("common/trade-rate", "", accounts.trade_rate, 10),
    reading("mix/account/accounts", "positions", accounts.futures_accounts, 10),
    reading("mix/position/all-position", "positions", accounts.positions, 5),
)

_UNIFIED = Endpoint("GET", "/api/v3/account/settings", "", accounts.unified_settings, 20, signed=True)

ENDPOINTS = {(x.method, x.path): x for x in (*_PUBLIC, *_TRADING, *_READING, _UNIFIED)}
