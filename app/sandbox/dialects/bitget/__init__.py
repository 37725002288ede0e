"""Bitget's spot REST dialect, V2 and the classic account, written from its documentation alone."""

from app.sandbox.dialects.bitget.dialect import Bitget

__all__ = ["Bitget"]
