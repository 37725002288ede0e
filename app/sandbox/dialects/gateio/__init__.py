"""Gate.io's REST dialect, v4 and the classic spot account, written from its documentation alone."""

from app.sandbox.dialects.gateio.dialect import GateIO

__all__ = ["GateIO"]
