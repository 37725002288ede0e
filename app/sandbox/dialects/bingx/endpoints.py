"""Every method and path of the dialect, what it is for and how often a second an account may call it."""

from __future__ import annotations

from app.sandbox.dialects.bingx import accounts, cancelling, market_data, placing, queries
from app.sandbox.dialects.bingx.call import public, reading, trading

_PUBLIC = (
    public("swap/v2/server/time", "server_time", market_data.server_time),
    public("spot/v1/server/time", "server_time", market_data.server_time),
    public("spot/v1/common/symbols", "markets", market_data.symbols),
    public("spot/v1/ticker/24hr", "tickers", market_data.tickers),
    public("spot/v1/market/depth", "order_book", market_data.depth),
    public("spot/v1/market/kline", "candles", market_data.kline),
    public("swap/v2/quote/contracts", "", market_data.no_contracts),
    public("cswap/v1/market/contracts", "", market_data.no_contracts),
)

_TRADING = (
    trading("spot/v1/trade/order", "place_order", placing.place, 10),
    trading("spot/v1/trade/cancel", "cancel_order", cancelling.cancel, 5),
    trading("spot/v1/trade/cancelOrders", "cancel_order", cancelling.cancel_several, 2),
    trading("spot/v1/trade/cancelOpenOrders", "cancel_order", cancelling.cancel_open, 2),
    trading("spot/v1/trade/order/cancelReplace", "amend_order", cancelling.replace, 2),
)

_READING = (
    reading("spot/v1/trade/query", "get_order", queries.query, 10),
    reading("spot/v1/trade/openOrders", "open_orders", queries.open_orders, 10),
    reading("spot/v1/trade/historyOrders", "order_history", queries.history, 10),
    reading("spot/v1/trade/myTrades", "fills", queries.trades, 5),
    reading("spot/v1/account/balance", "balances", accounts.balance, 5),
    reading("spot/v1/user/commissionRate", "", accounts.commission_rate, 2),
    reading("wallets/v1/capital/config/getall", "", accounts.coins, 2),
    reading("swap/v2/user/positions", "positions", accounts.positions, 5),
    reading("swap/v3/user/balance", "", accounts.futures_balance, 5),
)

ENDPOINTS = {(x.method, x.path): x for x in (*_PUBLIC, *_TRADING, *_READING)}
