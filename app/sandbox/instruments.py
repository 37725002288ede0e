"""The instruments every sandbox exchange lists: plausible pairs, prices and grids, and more of them on demand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import count

from app.sandbox.engine.instrument import Instrument

#: base, price in USDT, price decimals, quantity decimals
_COINS = (
    ("BTC", "60000", 2, 5),
    ("ETH", "3000", 2, 4),
    ("SOL", "150", 2, 3),
    ("BNB", "600", 2, 3),
    ("XRP", "0.5", 4, 1),
    ("ADA", "0.4", 4, 1),
    ("DOGE", "0.1", 5, 0),
    ("LTC", "80", 2, 3),
    ("AVAX", "30", 2, 2),
    ("LINK", "15", 2, 2),
    ("DOT", "6", 3, 2),
    ("TRX", "0.12", 4, 1),
    ("ATOM", "8", 3, 2),
    ("UNI", "9", 3, 2),
    ("BCH", "400", 1, 3),
    ("XLM", "0.11", 4, 0),
    ("NEAR", "5", 3, 1),
    ("APT", "9", 3, 2),
    ("ARB", "0.8", 4, 1),
    ("OP", "1.8", 3, 2),
    ("SHIB", "0.00002", 8, 0),
)

#: base, quote, price, price decimals, quantity decimals
_CROSSES = (
    ("BTC", "USDC", "60000", 2, 5),
    ("ETH", "USDC", "3000", 2, 4),
    ("SOL", "USDC", "150", 2, 3),
    ("USDC", "USDT", "1", 4, 0),
    ("ETH", "BTC", "0.05", 5, 3),
    ("SOL", "BTC", "0.0025", 6, 2),
    ("LTC", "BTC", "0.00133", 6, 2),
    ("BTC", "EUR", "55000", 2, 5),
    ("ETH", "EUR", "2750", 2, 4),
    ("XRP", "EUR", "0.46", 4, 1),
    ("BTC", "USD", "60000", 2, 5),
    ("ETH", "USD", "3000", 2, 4),
)

#: quote: minimum and maximum order value, value of one level of the order book
_QUOTES = {
    "USDT": ("5", "9000000", "50000"),
    "USDC": ("5", "9000000", "50000"),
    "USD": ("5", "9000000", "50000"),
    "EUR": ("5", "9000000", "50000"),
    "BTC": ("0.0001", "150", "1"),
}

_MAX_LOTS = 900_000_000


def _instrument(base: str, quote: str, price: str, price_decimals: int, quantity_decimals: int) -> Instrument:
    minimum, maximum, depth = map(Decimal, _QUOTES[quote])
    lot = Decimal(1).scaleb(-quantity_decimals)
    return Instrument(
        base=base,
        quote=quote,
        price=Decimal(price),
        tick=Decimal(1).scaleb(-price_decimals),
        lot=lot,
        min_quantity=lot,
        max_quantity=lot * _MAX_LOTS,
        min_notional=minimum,
        max_notional=maximum,
        depth=depth,
    )


def listed() -> tuple[Instrument, ...]:
    """The standard listing."""
    return (
        *(_instrument(base, "USDT", price, tick, lot) for base, price, tick, lot in _COINS),
        *(_instrument(*row) for row in _CROSSES),
    )


def generated(number: int, taken: frozenset[str]) -> Iterator[Instrument]:
    """Further instruments against USDT (``GEN0001/USDT`` …) that stand still, for loading markets in bulk.

    ``taken`` are symbols listed already, which are skipped.
    """
    model = replace(_instrument("GEN", "USDT", "10", 3, 2), walks=False)
    fresh = (
        instrument
        for index in count(1)
        if (instrument := replace(model, base=f"GEN{index:04d}")).symbol not in taken
    )
    for _ in range(number):
        yield next(fresh)


def listing(symbol: str, price: Decimal) -> Instrument:
    """A single instrument that stands still, on a grid of eight significant digits or less."""
    base, quote = symbol.split("/")
    decimals = max(0, 4 - price.adjusted())
    wanted = quote if quote in _QUOTES else "USDT"
    instrument = _instrument(base, wanted, str(price), min(decimals, 8), max(0, 8 - decimals - 2))
    return replace(instrument, quote=quote, walks=False)
