"""OKX, spot of the trading account (and the positions of its USDT swaps), API V5.

Source: https://www.okx.com/docs-v5/en, as of June 2026. Parts: `wire` (hosts, endpoints, words, error table, signing),
`orders`, `parse`, `algos` (orders that wait for a price, alone, in pairs or attached to an entry), `reads`, `client`.
"""

from app.exchanges.okx.client import OKX

__all__ = ["OKX"]
