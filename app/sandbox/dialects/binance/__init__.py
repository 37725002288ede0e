"""Binance Spot's REST dialect, written from its documentation alone."""

from app.sandbox.dialects.binance.dialect import Binance

__all__ = ["Binance"]
