"""Every method and path of the dialect, what it is for and how often a second a user may call it."""

from __future__ import annotations

from app.sandbox.dialects.bybit import accounts, cancelling, market_data, placing, queries
from app.sandbox.dialects.bybit.call import public, reading, trading

_PUBLIC = (
    public("market/time", "server_time", market_data.server_time),
    public("market/instruments-info", "markets", market_data.instruments_info),
    public("market/tickers", "tickers", market_data.tickers),
    public("market/orderbook", "order_book", market_data.order_book),
    public("market/kline", "candles", market_data.kline),
)

_TRADING = (
    trading("order/create", "place_order", placing.create, 20),
    trading("order/amend", "amend_order", cancelling.amend, 10),
    trading("order/cancel", "cancel_order", cancelling.cancel, 20),
    trading("order/cancel-all", "cancel_order", cancelling.cancel_all, 20),
)

_READING = (
    reading("order/realtime", "open_orders", queries.realtime, 50),
    reading("order/history", "order_history", queries.history, 50),
    reading("execution/list", "fills", queries.executions, 50),
    reading("account/wallet-balance", "balances", accounts.wallet_balance, 50),
    reading("account/fee-rate", "", accounts.fee_rate, 5),
    reading("account/info", "", accounts.account_info, 50),
    reading("user/query-api", "permissions", accounts.query_api, 10),
    reading("asset/coin/query-info", "", accounts.coin_info, 5),
    reading("position/list", "positions", accounts.positions, 50),
)

ENDPOINTS = {(x.method, x.path): x for x in (*_PUBLIC, *_TRADING, *_READING)}
