"""Kraken, spot. Its futures are another host with keys, signatures and errors of their own, and not part of this.

Source: https://docs.kraken.com/api/docs/rest-api (spot), as of July 2026. Parts: `wire` (hosts, endpoints, words,
asset codes, fault table, signing), `orders`, `parse`, `reader` (what asks) and `client` (what changes).
"""

from app.exchanges.kraken.client import Kraken

__all__ = ["Kraken"]
