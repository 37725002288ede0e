"""Prices as orders state them: absolute, or relative to another price.

``+5`` and ``-5`` lie above and below, ``#5`` on the side that makes sense for the order; ``%`` makes it a share.

Source: https://docs.kraken.com/api/docs/rest-api/add-order
"""

from __future__ import annotations

import re
from decimal import Decimal

from app.domain.money import floor_to_step, is_multiple
from app.sandbox.dialects.kraken.errors import KrakenError, invalid
from app.sandbox.dialects.kraken.notation import pair_id, places
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.model import STOPS, OrderType, Side

_PRICE = re.compile(r"([+\-#]?)([0-9]{1,20}(?:\.[0-9]{1,20})?)(%?)\Z")


def read(
    text: str, name: str, reference: Decimal, side: Side, kind: OrderType, instrument: Instrument
) -> Decimal:
    """The price that a parameter states, on the pair's grid.

    Raises:
        KrakenError: it is no price, or one that the pair's decimals or tick do not allow.
    """
    match = _PRICE.match(text)
    if match is None or (match[3] and not match[1]):
        raise invalid(name)
    number = Decimal(match[2])
    if not match[1]:
        check(number, instrument)
        return number
    offset = reference * number / 100 if match[3] else number
    above = match[1] == "+" if match[1] != "#" else _lies_above(side, kind)
    price = floor_to_step(reference + offset if above else reference - offset, instrument.tick)
    if price <= 0:
        raise KrakenError("EOrder:Invalid price")
    return price


def read_distance(text: str, name: str) -> Decimal:
    """The percent at which a trailing stop follows: written with a plus, whichever way it looks.

    Raises:
        KrakenError: it is anything else, a distance in quote included, which the sandbox does not offer.
    """
    match = _PRICE.match(text)
    if match is None or match[1] != "+" or not match[3]:
        raise invalid(name)
    percent = Decimal(match[2])
    if not 0 < percent < 100:
        raise KrakenError("EOrder:Invalid price")
    return percent


def check(price: Decimal, instrument: Instrument) -> None:
    """Hold a price against the pair's decimals and tick."""
    decimals = places(instrument.tick)
    if price <= 0:
        raise KrakenError("EOrder:Invalid price")
    if not is_multiple(price, Decimal(1).scaleb(-decimals)):
        raise KrakenError(
            f"EOrder:Invalid price:{pair_id(instrument)} price can only be specified up to {decimals} decimals."
        )
    if not is_multiple(price, instrument.tick):
        raise KrakenError("EOrder:Tick size check failed")


def _lies_above(side: Side, kind: OrderType) -> bool:
    """A stop lies where it hurts, everything else where it profits."""
    return (side is Side.BUY) is (kind in STOPS)
