"""Every method and path of the dialect, and what it is for."""

from __future__ import annotations

from app.sandbox.dialects.gateio import accounts, market_data, orders, queries, triggers
from app.sandbox.dialects.gateio.call import ID, Endpoint, public, reading, trading
from app.sandbox.dialects.gateio.limits import CANCELS, ORDERS

_PUBLIC = (
    public("spot/time", "server_time", market_data.server_time),
    public("spot/currency_pairs", "markets", market_data.currency_pairs),
    public("spot/currencies", "", market_data.currencies),
    public("spot/tickers", "tickers", market_data.tickers),
    public("spot/order_book", "order_book", market_data.order_book),
    public("spot/candlesticks", "candles", market_data.candlesticks),
    public("margin/currency_pairs", "", market_data.nothing),
    public(f"futures/usdt/contracts/{ID}", "", accounts.contract),
)

_TRADING = (
    trading("POST", "spot/orders", "place_order", orders.place, ORDERS),
    trading("PATCH", f"spot/orders/{ID}", "amend_order", orders.amend, ORDERS),
    trading("DELETE", f"spot/orders/{ID}", "cancel_order", orders.cancel, CANCELS),
    trading("DELETE", "spot/orders", "cancel_order", orders.cancel_all, CANCELS),
    trading("POST", "spot/price_orders", "place_order", triggers.place),
    trading("DELETE", f"spot/price_orders/{ID}", "cancel_order", triggers.cancel, CANCELS),
    trading("DELETE", "spot/price_orders", "cancel_order", triggers.cancel_all, CANCELS),
)

_READING = (
    reading(f"spot/orders/{ID}", "get_order", queries.get_order),
    reading("spot/orders", "open_orders", queries.list_orders),
    reading("spot/open_orders", "open_orders", queries.open_orders),
    reading(f"spot/price_orders/{ID}", "get_order", triggers.get),
    reading("spot/price_orders", "open_orders", triggers.list_),
    reading("spot/my_trades", "fills", queries.my_trades),
    reading("spot/accounts", "balances", accounts.spot_accounts),
    reading("account/detail", "permissions", accounts.detail),
    reading("wallet/fee", "", accounts.fee),
    reading("futures/usdt/accounts", "positions", accounts.futures_account),
    reading("futures/usdt/positions", "positions", accounts.positions),
)

ENDPOINTS = {(x.method, x.path): x for x in (*_PUBLIC, *_TRADING, *_READING)}


def matching(method: str, path: str) -> tuple[Endpoint, str] | None:
    """The endpoint of a path, and what its last part names where that is an id."""
    endpoint = ENDPOINTS.get((method, path))
    if endpoint is not None:
        return endpoint, ""
    family, _, last = path.rpartition("/")
    endpoint = ENDPOINTS.get((method, f"{family}/{ID}"))
    return None if endpoint is None or last == ID else (endpoint, last)
