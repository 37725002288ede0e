"""BingX spot, openApi v1, as the sandbox speaks it."""

from app.sandbox.dialects.bingx.dialect import BingX

__all__ = ["BingX"]
