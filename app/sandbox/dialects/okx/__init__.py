"""OKX spot, API V5, as the sandbox speaks it."""

from app.sandbox.dialects.okx.dialect import OKX

__all__ = ["OKX"]
