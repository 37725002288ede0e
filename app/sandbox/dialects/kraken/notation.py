"""How Kraken writes assets, pairs, amounts, times and ids."""

from __future__ import annotations

import re
from decimal import Decimal

from app.domain.money import floor_to_step, plain
from app.sandbox.engine.instrument import Instrument

Json = dict[str, object]

#: Assets listed early carry an X, currencies a Z; two of them go by a ticker of Kraken's own.
_COINS = ("BTC", "DOGE", "ETC", "ETH", "LTC", "MLN", "REP", "XLM", "XMR", "XRP", "ZEC")
_CURRENCIES = ("AUD", "CAD", "EUR", "GBP", "JPY", "USD")
_OWN_TICKERS = {"BTC": "XBT", "DOGE": "XDG"}
_STABLE = ("USDT", "USDC")

_SECOND = 1_000_000

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_SPACE = 1 << 80
_SPREAD = 0x9E37_79B9_7F4A_7C15_F39D
_GATHER = pow(_SPREAD, -1, _SPACE)
_ID = re.compile(r"([A-Z])([A-Z2-7]{5})-([A-Z2-7]{5})-([A-Z2-7]{6})\Z")


def altname(asset: str) -> str:
    """``XBT`` for BTC; most assets keep their name."""
    return _OWN_TICKERS.get(asset, asset)


def asset_code(asset: str) -> str:
    """``XXBT`` for BTC, ``ZUSD`` for USD, ``SOL`` for SOL."""
    if asset in _COINS:
        return f"X{altname(asset)}"
    return f"Z{asset}" if asset in _CURRENCIES else asset


def pair_altname(instrument: Instrument) -> str:
    """``XBTUSD``"""
    return altname(instrument.base) + altname(instrument.quote)


def pair_id(instrument: Instrument) -> str:
    """``XXBTZUSD`` where both assets carry a prefix, otherwise the altname: ``XBTUSDT``."""
    if all(asset_code(asset) != altname(asset) for asset in (instrument.base, instrument.quote)):
        return asset_code(instrument.base) + asset_code(instrument.quote)
    return pair_altname(instrument)


def pair_wsname(instrument: Instrument) -> str:
    """``XBT/USD``"""
    return f"{altname(instrument.base)}/{altname(instrument.quote)}"


def asset_decimals(asset: str) -> int:
    if asset in _CURRENCIES:
        return 4
    return 8 if asset in _STABLE else 10


def cost_decimals(quote: str) -> int:
    return 5 if quote in (*_CURRENCIES, *_STABLE) else 10


def places(step: Decimal) -> int:
    """How many decimals a grid has."""
    return len(plain(step).partition(".")[2])


def padded(value: Decimal, decimals: int) -> str:
    """An amount with at least so many decimals, and never rounded."""
    whole, _, fraction = plain(value).partition(".")
    fraction = fraction.ljust(decimals, "0")
    return f"{whole}.{fraction}" if fraction else whole


def cut(value: Decimal, decimals: int) -> str:
    """An amount with exactly so many decimals, the rest cut off."""
    return f"{floor_to_step(value, Decimal(1).scaleb(-decimals)):.{decimals}f}"


def seconds(at: int) -> float:
    """A time of the engine in seconds with a fraction."""
    return round(at / _SECOND, 6)


def encode_id(letter: str, number: int) -> str:
    """``OQCLML-BW3P3-BUCMWZ``: a letter for the kind, then sixteen that do not show how many came before."""
    spread, digits = number * _SPREAD % _SPACE, ""
    for _ in range(16):
        spread, digit = divmod(spread, len(_ALPHABET))
        digits += _ALPHABET[digit]
    return f"{letter}{digits[:5]}-{digits[5:10]}-{digits[10:]}"


def decode_id(letter: str, text: str) -> int | None:
    """The number behind an id, or None when the text is no id of this kind."""
    match = _ID.match(text)
    if match is None or match[1] != letter:
        return None
    spread = 0
    for digit in reversed("".join(match.groups()[1:])):
        spread = spread * len(_ALPHABET) + _ALPHABET.index(digit)
    return spread * _GATHER % _SPACE
