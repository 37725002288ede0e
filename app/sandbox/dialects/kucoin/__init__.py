"""KuCoin's classic spot REST dialect, written from its documentation alone."""

from app.sandbox.dialects.kucoin.dialect import KuCoin

__all__ = ["KuCoin"]
