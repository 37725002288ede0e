"""Bybit's REST dialect, V5 and spot of the unified account, written from its documentation alone."""

from app.sandbox.dialects.bybit.dialect import Bybit

__all__ = ["Bybit"]
