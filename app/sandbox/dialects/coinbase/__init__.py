"""Coinbase Advanced Trade, spot, API V3, as the sandbox speaks it."""

from app.sandbox.dialects.coinbase.dialect import Coinbase

__all__ = ["Coinbase"]
