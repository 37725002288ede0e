"""Bitget, spot of a classic account (and the positions of its USDT futures), API V2.

Source: https://www.bitget.com/api-doc/spot/intro and the changelog beside it, as of July 2026. Parts: `wire` (hosts,
endpoints, enum maps, error table, signing), `orders`, `parse`, `reads`, `client`.
"""

from app.exchanges.bitget.client import Bitget

__all__ = ["Bitget"]
