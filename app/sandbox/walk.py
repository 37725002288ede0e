"""The random walk that makes a demo's prices move."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterable
from decimal import Decimal

from app.domain.money import floor_to_step
from app.sandbox.engine.venue import Venue

_VOLATILITY_PPM = 400
_PULL_PPM = 2_000
_MILLION = 1_000_000


class Walk:
    """Moves the price of every walking instrument of every venue, step by step.

    The same seed and the same number of steps give the same prices. Prices are drawn back towards the
    instrument's first one, so that a demo left alone for a week still looks sane.
    """

    def __init__(self, venues: Callable[[], Iterable[Venue]], seed: int, interval: float) -> None:
        self.walking = False
        self.interval = interval
        self._venues = venues
        self._seed = seed
        self._random = random.Random(seed)  # noqa: S311 - prices, not secrets
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def restart(self) -> None:
        """Begin the sequence anew."""
        self._random = random.Random(self._seed)  # noqa: S311 - prices, not secrets

    def step(self) -> None:
        """Move every price once."""
        for venue in self._venues():
            for symbol, market in list(venue.markets.items()):
                instrument = market.instrument
                if not instrument.walks:
                    continue
                drift = (instrument.price - market.last) / instrument.price * _PULL_PPM
                ppm = int(drift) + round(self._random.gauss(0, _VOLATILITY_PPM))
                price = floor_to_step(market.last * (_MILLION + ppm) / Decimal(_MILLION), instrument.tick)
                venue.set_price(symbol, max(price, instrument.tick))

    def start(self) -> None:
        """Walk in a background thread while ``walking`` is on."""
        self._thread = threading.Thread(target=self._run, name="sandbox-walk", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop the background thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(self.interval):
            if self.walking:
                self.step()
