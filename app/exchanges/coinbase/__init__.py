"""Coinbase Advanced Trade, spot, API V3 (brokerage).

Source: https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis, as of June 2026. Parts: `wire` (host, endpoints,
words, fault table), `tokens` (the signed token of each request), `orders`, `parse`, `reads` (what asks) and `client`.
"""

from app.exchanges.coinbase.client import Coinbase

__all__ = ["Coinbase"]
