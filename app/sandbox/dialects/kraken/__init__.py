"""Kraken Spot's REST dialect, written from its documentation alone."""

from app.sandbox.dialects.kraken.dialect import Kraken

__all__ = ["Kraken"]
