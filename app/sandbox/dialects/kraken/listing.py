"""The instruments as Kraken spells and describes them, rendered once for as long as nothing is listed or closed.

Source: https://docs.kraken.com/api/docs/rest-api/get-tradable-asset-pairs
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from decimal import Decimal

from app.domain.money import plain
from app.sandbox.dialects.kraken.notation import (
    Json,
    altname,
    asset_code,
    asset_decimals,
    cost_decimals,
    pair_altname,
    pair_id,
    pair_wsname,
    places,
)
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market
from app.sandbox.engine.settlement import VenueRules

_SHOWN_DECIMALS = 5


class Listing:
    """The markets of one state of the venue's listing, by pair id and by all of Kraken's names for a pair."""

    def __init__(self, number: int, markets: Iterable[Market], rules: VenueRules) -> None:
        self.number = number
        self.markets = {pair_id(market.instrument): market for market in markets}
        self._by_name = dict(self.markets)
        for market in self.markets.values():
            self._by_name[pair_altname(market.instrument)] = market
            self._by_name[pair_wsname(market.instrument)] = market
        names = {x for m in self.markets.values() for x in (m.instrument.base, m.instrument.quote)}
        self.assets = {asset_code(name): name for name in sorted(names)}
        self._rules = rules
        self._texts: dict[str, str] = {}

    def find(self, name: str) -> Market | None:
        """The market of a pair id, altname or wsname."""
        return self._by_name.get(name)

    def asset(self, name: str) -> str | None:
        """The code of an asset by code or altname."""
        if name in self.assets:
            return name
        return next((code for code, asset in self.assets.items() if altname(asset) == name), None)

    def text(self, market: Market) -> str:
        """A pair's entry in AssetPairs, as JSON text."""
        key = pair_id(market.instrument)
        text = self._texts.get(key)
        if text is None:
            record = _record(market.instrument, self._rules)
            text = f'"{key}":{json.dumps(record, separators=(",", ":"))}'
            self._texts[key] = text
        return text


def status(instrument: Instrument) -> str:
    return "online" if instrument.trading else "cancel_only"


def percent(fraction: Decimal) -> Decimal:
    return fraction * 100


def describe_asset(asset: str) -> Json:
    return {
        "aclass": "currency",
        "altname": altname(asset),
        "decimals": asset_decimals(asset),
        "display_decimals": min(_SHOWN_DECIMALS, asset_decimals(asset)),
        "status": "enabled",
    }


def _record(instrument: Instrument, rules: VenueRules) -> Json:
    return {
        "altname": pair_altname(instrument),
        "wsname": pair_wsname(instrument),
        "aclass_base": "currency",
        "base": asset_code(instrument.base),
        "aclass_quote": "currency",
        "quote": asset_code(instrument.quote),
        "lot": "unit",
        "cost_decimals": cost_decimals(instrument.quote),
        "pair_decimals": places(instrument.tick),
        "lot_decimals": places(instrument.lot),
        "lot_multiplier": 1,
        "leverage_buy": [],
        "leverage_sell": [],
        "fees": [[0, float(percent(rules.taker))]],
        "fees_maker": [[0, float(percent(rules.maker))]],
        "fee_volume_currency": "ZUSD",
        "margin_call": 80,
        "margin_stop": 40,
        "ordermin": plain(instrument.min_quantity),
        "costmin": plain(instrument.min_notional),
        "tick_size": plain(instrument.tick),
        "status": status(instrument),
    }
