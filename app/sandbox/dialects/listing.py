"""The instruments as an exchange spells and describes them, rendered once per state of the listing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable

from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market

Json = dict[str, object]


class Listing:
    """The markets of one state of a venue's listing (``number``), by the exchange's symbol."""

    def __init__(
        self,
        number: int,
        markets: Iterable[Market],
        spell: Callable[[Instrument], str],
        describe: Callable[[Instrument], Json],
    ) -> None:
        self.number = number
        self.markets = {spell(market.instrument): market for market in markets}
        self._spell = spell
        self._describe = describe
        self._texts: dict[str, str] = {}

    def text(self, market: Market) -> str:
        """An instrument's record, as JSON text."""
        symbol = self._spell(market.instrument)
        text = self._texts.get(symbol)
        if text is None:
            text = json.dumps(self._describe(market.instrument), separators=(",", ":"))
            self._texts[symbol] = text
        return text
