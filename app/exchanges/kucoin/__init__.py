"""KuCoin, spot (and the positions of its USDT futures).

Source: https://www.kucoin.com/docs-new (classic REST, the high-frequency order family), as of November 2025, and the
exchange's fact sheet. Parts: `wire` (hosts, endpoints, words, error table, signing), `orders` (our requests in their
words), `parse` and, for stops and pairs, `waiting` (their answers), `market_data` (the public half), `client`.
"""

from app.exchanges.kucoin.client import KuCoin

__all__ = ["KuCoin"]
