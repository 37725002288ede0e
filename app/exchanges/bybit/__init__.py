"""Bybit, spot of a unified trading account (and the positions of its USDT futures), API V5.

Source: https://bybit-exchange.github.io/docs/v5/intro, as of July 2026. Parts: `wire` (hosts, endpoints, enum maps,
error table, signing), `orders`, `parse`, `reads`, `client`.
"""

from app.exchanges.bybit.client import Bybit

__all__ = ["Bybit"]
