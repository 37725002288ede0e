"""BingX, spot (and the balances and positions of its USDT futures), openApi v1 to v3.

Source: https://bingx-api.github.io/docs-v3, as of July 2026, which contradicts itself in places: what is recorded of
answers counts more. Parts: `wire` (hosts, endpoints, enum maps, error table, signing), `orders`, `parse`, `reads`,
`client`.
"""

from app.exchanges.bingx.client import BingX

__all__ = ["BingX"]
