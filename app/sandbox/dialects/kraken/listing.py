"""The assets and pairs as Kraken spells and describes them.

Source: https://docs.kraken.com/api/docs/rest-api/get-tradable-asset-pairs
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from functools import partial

from app.domain.money import plain
from app.sandbox.dialects import listing
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


class Listing(listing.Listing):
    """The markets by pair id, found by any of Kraken's names for a pair, and the assets by their codes."""

    def __init__(self, number: int, markets: Iterable[Market], rules: VenueRules) -> None:
        super().__init__(number, markets, pair_id, partial(_describe_pair, rules))
        self._by_name = dict(self.markets)
        for market in self.markets.values():
            self._by_name[pair_altname(market.instrument)] = market
            self._by_name[pair_wsname(market.instrument)] = market
        names = {x for m in self.markets.values() for x in (m.instrument.base, m.instrument.quote)}
        self.assets = {asset_code(name): name for name in sorted(names)}

    def find(self, name: str) -> Market | None:
        """The market of a pair id, altname or wsname."""
        return self._by_name.get(name)

    def asset(self, name: str) -> str | None:
        """The code of an asset by code or altname."""
        if name in self.assets:
            return name
        return next((code for code, asset in self.assets.items() if altname(asset) == name), None)


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


def _describe_pair(rules: VenueRules, instrument: Instrument) -> Json:
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
