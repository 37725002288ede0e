"""How Binance writes amounts and symbols."""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.model import ZERO

Json = dict[str, object]


def fixed(value: Decimal | None) -> str:
    """An amount with the eight decimals of an asset."""
    return f"{ZERO if value is None else value:.8f}"


def exchange_symbol(instrument: Instrument) -> str:
    return f"{instrument.base}{instrument.quote}"
