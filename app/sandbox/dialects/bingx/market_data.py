"""Time, symbols, prices, books and candles.

Source: https://bingx-api.github.io/docs-v3/#/en/Spot/Market%20Data
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from itertools import islice

from app.sandbox.dialects.bingx.call import Call
from app.sandbox.dialects.bingx.errors import wrong
from app.sandbox.dialects.bingx.notation import Json, exchange_symbol, milliseconds, text
from app.sandbox.dialects.openings import months, regular
from app.sandbox.engine.market import DAY, MINUTE, Candle, Level, Market
from app.sandbox.engine.model import Side

_HOUR = 60 * MINUTE
_MONDAY = 4 * DAY
#: How far ahead of UTC the clock is that days, weeks and months follow unless another is asked for.
_USUAL_ZONE = 8
_ZONES = {str(hours): hours for hours in range(24)}

_SHORT = {
    **{f"{n}m": n * MINUTE for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * _HOUR for n in (1, 2, 4, 6, 8, 12)},
}
_LONG = {"1d": (DAY, 0), "3d": (3 * DAY, 0), "1w": (7 * DAY, _MONDAY)}


def server_time(call: Call) -> object:
    """GET /openApi/swap/v2/server/time, and the same under spot."""
    return {"serverTime": milliseconds(call.venue.now())}


def no_contracts(_: Call) -> object:
    """GET /openApi/swap/v2/quote/contracts and its like: no futures are traded here."""
    return []


def symbols(call: Call) -> object:
    """GET /openApi/spot/v1/common/symbols, put together from the texts of the instruments."""
    rows = ",".join(call.listing.text(market) for market in _chosen(call))
    return f'{{"symbols":[{rows}]}}'.encode()


def tickers(call: Call) -> object:
    """GET /openApi/spot/v1/ticker/24hr: a list, even of one; each row is consistent in itself."""
    rows = []
    for market in _chosen(call):
        with call.venue.alone():
            rows.append(_ticker(call, market))
    return rows


def _ticker(call: Call, market: Market) -> Json:
    now = call.venue.now()
    day, bid, ask = market.day(now), market.best(Side.BUY), market.best(Side.SELL)
    change = ((day.close - day.open) / day.open * 100).quantize(Decimal("0.01"))
    return {
        "symbol": exchange_symbol(market.instrument),
        "openPrice": text(day.open),
        "highPrice": text(day.high),
        "lowPrice": text(day.low),
        "lastPrice": text(day.close),
        "volume": float(day.volume),
        "quoteVolume": float(day.turnover),
        "priceChangePercent": f"{change}%",
        "openTime": milliseconds(day.at),
        "closeTime": milliseconds(now),
        "bidPrice": text(bid.price) if bid else 0,
        "bidQty": text(bid.quantity) if bid else 0,
        "askPrice": text(ask.price) if ask else 0,
        "askQty": text(ask.quantity) if ask else 0,
        "count": market.updates,
    }


def depth(call: Call) -> object:
    """GET /openApi/spot/v1/market/depth: offers come worst first."""
    market, levels = call.market(), call.params.size("limit", 20, 1000)
    with call.venue.alone():
        bids, asks = market.levels(Side.BUY, levels), market.levels(Side.SELL, levels)
        updates = market.updates
    return {
        "bids": _levels(bids),
        "asks": _levels(asks[::-1]),
        "ts": milliseconds(call.venue.now()),
        "lastUpdateId": updates,
    }


def _levels(levels: list[Level]) -> list[list[str]]:
    return [[text(level.price), text(level.quantity)] for level in levels]


def kline(call: Call) -> object:
    """GET /openApi/spot/v1/market/kline: numbers, newest first; one that opens at the start itself is left out."""
    market, limit, now = call.market(), call.params.size("limit", 500, 1440), call.venue.now()
    start = call.params.microseconds("startTime") or 0
    end = min(now, call.params.microseconds("endTime") or now)
    zone = call.params.choice("timeZone", _ZONES, _USUAL_ZONE)
    opens = islice(_openings(call.params.required("interval"), end, zone * _HOUR), limit)
    return [_candle(market.candle(at, length, now), length) for at, length in opens if at > start]


def _openings(interval: str, end: int, ahead: int) -> Iterator[tuple[int, int]]:
    """Opening time and length of the candles that have opened by ``end``, latest first."""
    if interval == "1M":
        return months(end, ahead)
    if interval in _SHORT:
        return regular(end, _SHORT[interval], 0)
    if interval not in _LONG:
        raise wrong("interval")
    length, first = _LONG[interval]
    return regular(end, length, first - ahead)


def _candle(candle: Candle, length: int) -> list[int | float]:
    prices = (candle.open, candle.high, candle.low, candle.close, candle.volume)
    closes = milliseconds(candle.at + length) - 1
    return [milliseconds(candle.at), *map(float, prices), closes, float(candle.turnover)]


def _chosen(call: Call) -> list[Market]:
    return [call.market()] if "symbol" in call.params else list(call.listing.markets.values())
