"""Binance, spot (and the positions of its USDT futures).

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api and the changelog beside it, as of July
2026. Parts: `wire` (hosts, endpoints, enum maps, error table, signing, order parameters), `parse`, `client`.
"""

from app.exchanges.binance.client import Binance

__all__ = ["Binance"]
