"""The instruments as Binance spells and describes them, rendered once for as long as nothing is listed or closed."""

from __future__ import annotations

import json
from collections.abc import Iterable

from app.sandbox.dialects.binance import filters
from app.sandbox.dialects.binance.notation import Json, exchange_symbol
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market

_ORDER_TYPES = [
    "LIMIT",
    "LIMIT_MAKER",
    "MARKET",
    "STOP_LOSS",
    "STOP_LOSS_LIMIT",
    "TAKE_PROFIT",
    "TAKE_PROFIT_LIMIT",
]


class Listing:
    """The markets of one state of the venue's listing, by Binance's symbol."""

    def __init__(self, number: int, markets: Iterable[Market]) -> None:
        self.number = number
        self.markets = {exchange_symbol(market.instrument): market for market in markets}
        self._texts: dict[str, str] = {}

    def text(self, market: Market) -> str:
        """An instrument's record in exchangeInfo, as JSON text."""
        symbol = exchange_symbol(market.instrument)
        text = self._texts.get(symbol)
        if text is None:
            text = json.dumps(_record(market.instrument), separators=(",", ":"))
            self._texts[symbol] = text
        return text


def status(instrument: Instrument) -> str:
    return "TRADING" if instrument.trading else "BREAK"


def _record(instrument: Instrument) -> Json:
    return {
        "symbol": exchange_symbol(instrument),
        "status": status(instrument),
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": _ORDER_TYPES,
        "icebergAllowed": False,
        "ocoAllowed": True,
        "otoAllowed": True,
        "opoAllowed": False,
        "quoteOrderQtyMarketAllowed": True,
        "allowTrailingStop": False,
        "cancelReplaceAllowed": True,
        "amendAllowed": True,
        "pegInstructionsAllowed": False,
        "isSpotTradingAllowed": True,
        "isMarginTradingAllowed": False,
        "filters": filters.describe(instrument),
        "permissions": [],
        "permissionSets": [["SPOT"]],
        "defaultSelfTradePreventionMode": "NONE",
        "allowedSelfTradePreventionModes": ["NONE"],
    }
