"""Every method and path of the dialect, what it is for and how often in two seconds it may be called."""

from __future__ import annotations

from app.sandbox.dialects.okx import accounts, algos, changing, market_data, placing, queries
from app.sandbox.dialects.okx.call import public, reading, trading

_PUBLIC = (
    public("public/time", "server_time", market_data.server_time, 10),
    public("public/instruments", "markets", market_data.instruments, 20),
    public("market/ticker", "ticker", market_data.ticker, 20),
    public("market/tickers", "tickers", market_data.tickers, 20),
    public("market/books", "order_book", market_data.order_book, 40),
    public("market/candles", "candles", market_data.candles, 40),
    public("market/history-candles", "candles", market_data.candles, 20),
)

_PLACE = trading("trade/order", "place_order", placing.place_order, 60)
_PLACE_SOME = trading("trade/batch-orders", "place_order", placing.place_orders, 300)
_AMEND = trading("trade/amend-order", "amend_order", changing.amend_order, 60)

_TRADING = (
    _PLACE,
    _PLACE_SOME,
    _AMEND,
    trading("trade/cancel-order", "cancel_order", changing.cancel_order, 60),
    trading("trade/cancel-batch-orders", "cancel_order", changing.cancel_orders, 300),
    trading("trade/order-algo", "place_order", algos.place, 20),
    trading("trade/cancel-algos", "cancel_order", algos.cancel, 20),
)

_READING = (
    reading("trade/order", "get_order", queries.get_order, 60),
    reading("trade/orders-pending", "open_orders", queries.pending, 60),
    reading("trade/orders-history", "order_history", queries.history, 40),
    reading("trade/orders-history-archive", "order_history", queries.history, 20),
    reading("trade/fills", "fills", queries.fills, 60),
    reading("trade/fills-history", "fills", queries.fills, 10),
    reading("trade/order-algo", "get_order", algos.get_one, 20),
    reading("trade/orders-algo-pending", "open_orders", algos.pending, 20),
    reading("trade/orders-algo-history", "order_history", algos.history, 20),
    reading("account/balance", "balances", accounts.balance, 10),
    reading("account/config", "permissions", accounts.config, 5),
    reading("account/positions", "positions", accounts.positions, 10),
    reading("account/trade-fee", "", accounts.trade_fee, 5),
    reading("asset/currencies", "", accounts.currencies, 12),
)

#: What is thrown away when its sender's time is over.
EXPIRING = (_PLACE, _PLACE_SOME, _AMEND)

ENDPOINTS = {(x.method, x.path): x for x in (*_PUBLIC, *_TRADING, *_READING)}
