"""Gate.io, spot of a classic account (and the positions of its USDT futures), API v4.

Source: https://www.gate.com/docs/developers/apiv4, as of June 2026. Parts: `wire` (hosts, endpoints, enum maps, error
table, signing), `orders`, `parse`, `reads`, `client`.
"""

from app.exchanges.gateio.client import GateIO

__all__ = ["GateIO"]
