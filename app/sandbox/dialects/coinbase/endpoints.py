"""Every method and path of the dialect, and what it is for."""

from __future__ import annotations

from app.sandbox.dialects.coinbase import market_data, orders, placing
from app.sandbox.dialects.coinbase.call import Endpoint

_V3 = "/api/v3/brokerage/"


ENDPOINTS = (
    Endpoint("GET", f"{_V3}time", "server_time", market_data.server_time, signed=False),
    Endpoint("GET", f"{_V3}market/products", "markets", market_data.products, signed=False),
    Endpoint("GET", f"{_V3}market/products/{{}}/ticker", "ticker", market_data.ticker, signed=False),
    Endpoint("GET", f"{_V3}market/products/{{}}/candles", "candles", market_data.candles, signed=False),
    Endpoint("GET", f"{_V3}market/products/{{}}", "markets", market_data.product, signed=False),
    Endpoint("GET", f"{_V3}market/product_book", "order_book", market_data.product_book, signed=False),
    Endpoint("GET", f"{_V3}products", "markets", market_data.products),
    Endpoint("GET", f"{_V3}products/{{}}/ticker", "ticker", market_data.ticker),
    Endpoint("GET", f"{_V3}products/{{}}/candles", "candles", market_data.candles),
    Endpoint("GET", f"{_V3}products/{{}}", "markets", market_data.product),
    Endpoint("GET", f"{_V3}product_book", "order_book", market_data.product_book),
    Endpoint("GET", f"{_V3}best_bid_ask", "tickers", market_data.best_bid_ask),
    Endpoint("GET", f"{_V3}accounts", "balances", market_data.accounts),
    Endpoint("GET", f"{_V3}key_permissions", "permissions", market_data.key_permissions),
    Endpoint("GET", f"{_V3}transaction_summary", "", market_data.transaction_summary),
    Endpoint("POST", f"{_V3}orders", "place_order", placing.place_order),
    Endpoint("POST", f"{_V3}orders/edit", "amend_order", orders.edit),
    Endpoint("POST", f"{_V3}orders/batch_cancel", "cancel_order", orders.cancel),
    Endpoint("GET", f"{_V3}orders/historical/batch", "open_orders", orders.list_orders),
    Endpoint("GET", f"{_V3}orders/historical/fills", "fills", orders.list_fills),
    Endpoint("GET", f"{_V3}orders/historical/{{}}", "get_order", orders.get_order),
)


def found(method: str, path: str) -> tuple[Endpoint, str] | None:
    """The endpoint of a path and what it names there."""
    for endpoint in ENDPOINTS:
        subject = endpoint.subject_of(method, path)
        if subject is not None:
            return endpoint, subject
    return None
