"""One instrument's market: its last price, an order book around it, and a history that looks lived in.

The book is synthetic and refills itself, so that orders of different accounts never compete, unless one is set:
a book that was set is finite, is consumed by what trades against it, and lasts until the price next moves.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from zlib import crc32

from app.domain.money import floor_to_step
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.model import ZERO, Side

MAX_LEVELS = 500
_LEVEL_GAP = Decimal("0.0001")
_PPM = Decimal("0.000001")

MINUTE = 60_000_000
DAY = 1440 * MINUTE
_KNOT = 360 * MINUTE


@dataclass(frozen=True, slots=True)
class Level:
    price: Decimal
    quantity: Decimal


@dataclass(frozen=True, slots=True)
class Candle:
    """Opening time in microseconds; volume in base, turnover in quote."""

    at: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal
    turnover: Decimal


class Market:
    """The state of one instrument's trading; not locked here, its venue does that."""

    def __init__(self, instrument: Instrument, seed: int) -> None:
        self.instrument = instrument
        self.last = instrument.price
        self.high = self.low = instrument.price
        self.updates = 1
        self._seed = seed
        self._set: dict[Side, list[Level]] | None = None

    def move(self, price: Decimal) -> None:
        """Trade at a new price: the synthetic book follows it."""
        self.last = price
        self.high = max(self.high, price)
        self.low = min(self.low, price)
        self.updates += 1
        self._set = None

    def set_book(self, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Replace the book by one that is given."""
        self.updates += 1
        self._set = {
            Side.BUY: sorted(bids, key=lambda level: level.price, reverse=True),
            Side.SELL: sorted(asks, key=lambda level: level.price),
        }

    def levels(self, side: Side, depth: int = MAX_LEVELS) -> list[Level]:
        """The best levels of the bids (``BUY``) or asks (``SELL``), best first."""
        return list(islice(self._levels(side), depth))

    def best(self, side: Side) -> Level | None:
        """The top of one side, or None when it is empty."""
        return next(self._levels(side), None)

    def crosses(self, side: Side, price: Decimal) -> bool:
        """Whether a limit order at this price would trade at once."""
        if side is Side.BUY:
            ask = self.best(Side.SELL)
            return ask is not None and price >= ask.price
        bid = self.best(Side.BUY)
        return bid is not None and price <= bid.price

    def sweep(self, side: Side, quantity: Decimal, limit: Decimal | None = None) -> list[Level]:
        """What a taker on ``side`` would get, at most ``quantity`` and no worse than ``limit``."""
        taken: list[Level] = []
        for level in self._levels(side.opposite):
            if quantity <= 0 or (limit is not None and _worse(side, level.price, limit)):
                break
            part = min(quantity, level.quantity)
            taken.append(Level(level.price, part))
            quantity -= part
        return taken

    def quantity_for(self, side: Side, quote: Decimal) -> Decimal:
        """The most whole lots that cost (or earn) no more than ``quote``."""
        quantity = ZERO
        for level in self._levels(side.opposite):
            affordable = quote / level.price
            quantity += min(affordable, level.quantity)
            if affordable <= level.quantity:
                break
            quote -= level.price * level.quantity
        return floor_to_step(quantity, self.instrument.lot)

    def consume(self, side: Side, taken: Iterable[Level]) -> None:
        """Take what a taker on ``side`` got out of a book that was set; the synthetic one refills itself."""
        if self._set is None:
            return
        gone = {level.price: level.quantity for level in taken}
        book = self._set[side.opposite]
        rest = (Level(level.price, level.quantity - gone.get(level.price, ZERO)) for level in book)
        self._set[side.opposite] = [level for level in rest if level.quantity > 0]
        self.updates += 1

    def _levels(self, side: Side) -> Iterator[Level]:
        if self._set is not None:
            yield from self._set[side]
            return
        instrument = self.instrument
        gap = max(instrument.tick, floor_to_step(self.last * _LEVEL_GAP, instrument.tick))
        lots = max(instrument.lot, floor_to_step(instrument.depth / self.last, instrument.lot))
        price = self.last if side is Side.BUY else self.last + instrument.tick
        for index in range(MAX_LEVELS):
            if price <= 0:
                return
            yield Level(price, lots * (1 + index * 7 % 5))
            price = price - gap if side is Side.BUY else price + gap

    def candles(self, now: int, interval: int, start: int, limit: int) -> list[Candle]:
        """At most ``limit`` candles from ``start`` on, oldest first; times and interval in microseconds.

        The past is a fixed function of the seed and the instrument's first price, so that every look at it shows
        the same; the candle that is still open closes at the last price.
        """
        first = -(-start // interval) * interval
        opens = range(first, now + 1, interval)[:limit]
        return [self.candle(at, interval, now) for at in opens]

    def candle(self, at: int, interval: int, now: int) -> Candle:
        """The candle that opens at a time, aligned or not, and lasts for ``interval``."""
        opening = self.past_price(at)
        closing = self.last if at + interval > now else self.past_price(at + interval)
        wick = Decimal(self._noise(at, interval) % 1000) * _PPM
        tick = self.instrument.tick
        high = floor_to_step(max(opening, closing) * (1 + wick), tick)
        low = max(tick, floor_to_step(min(opening, closing) * (1 - wick), tick))
        volume = self.instrument.lot * (1000 + self._noise(at, interval) % 9000)
        return Candle(at, opening, high, low, closing, volume, volume * closing)

    def past_price(self, at: int) -> Decimal:
        """The price at a time gone by: within 3 % of the instrument's first price."""
        knot, offset = divmod(at, _KNOT)
        before, after = (self._noise(index, _KNOT) % 60_000 - 30_000 for index in (knot, knot + 1))
        ppm = before + (after - before) * offset // _KNOT
        price = floor_to_step(self.instrument.price * (1 + ppm * _PPM), self.instrument.tick)
        return max(price, self.instrument.tick)

    def day(self, now: int) -> Candle:
        """The last 24 hours as one candle."""
        opening = self.past_price(now - DAY)
        volume = self.instrument.lot * (1_000_000 + self._noise(now // DAY, DAY) % 9_000_000)
        high = max(self.high, opening, self.last)
        low = min(self.low, opening, self.last)
        return Candle(now - DAY, opening, high, low, self.last, volume, volume * self.last)

    def _noise(self, *key: int) -> int:
        return crc32(repr((self.instrument.symbol, self._seed, *key)).encode())


def _worse(side: Side, price: Decimal, limit: Decimal) -> bool:
    return price > limit if side is Side.BUY else price < limit
