"""Prices, books, candles, instruments and coins.

Source: https://www.bitget.com/api-doc/spot/market/Get-Tickers
"""

from __future__ import annotations

from collections import defaultdict
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from app.sandbox.dialects.bitget.call import Call
from app.sandbox.dialects.bitget.errors import wrong
from app.sandbox.dialects.bitget.granularities import openings
from app.sandbox.dialects.bitget.notation import Json, exchange_symbol, milliseconds, text
from app.sandbox.engine.market import Level, Market
from app.sandbox.engine.model import Side

_STEPS = {f"step{number}": number for number in range(6)}
_SCALES = {f"scale{number}": number for number in range(4)}
_DEEPEST = 150
_ALL_LEVELS = 500


def server_time(call: Call) -> object:
    """GET /api/v2/public/time"""
    return {"serverTime": milliseconds(call.venue.now())}


def symbols(call: Call) -> object:
    """GET /api/v2/spot/public/symbols, put together from the texts of its instruments."""
    return f"[{','.join(call.listing.text(market) for market in _chosen(call))}]".encode()


def coins(call: Call) -> object:
    """GET /api/v2/spot/public/coins, without networks to move them over."""
    wanted = call.params.text("coin")
    names = sorted({x for m in call.venue.markets.values() for x in (m.instrument.base, m.instrument.quote)})
    return [
        {"coinId": str(number), "coin": name, "transfer": "true", "chains": []}
        for number, name in enumerate(names, 1)
        if wanted in (None, name)
    ]


def tickers(call: Call) -> object:
    """GET /api/v2/spot/market/tickers: an array, even of one; each row is consistent in itself."""
    rows = []
    for market in _chosen(call):
        with call.venue.alone():
            rows.append(_ticker(call, market))
    return rows


def _ticker(call: Call, market: Market) -> Json:
    now = call.venue.now()
    day = market.day(now)
    bid, ask = market.best(Side.BUY), market.best(Side.SELL)
    change = text(((day.close - day.open) / day.open).quantize(Decimal("0.00001")))
    return {
        "symbol": exchange_symbol(market.instrument),
        "open": text(day.open),
        "openUtc": text(day.open),
        "high24h": text(day.high),
        "low24h": text(day.low),
        "lastPr": text(day.close),
        "bidPr": text(bid.price if bid else None),
        "askPr": text(ask.price if ask else None),
        "bidSz": text(bid.quantity if bid else None),
        "askSz": text(ask.quantity if ask else None),
        "baseVolume": text(day.volume),
        "quoteVolume": text(day.turnover),
        "usdtVolume": text(day.turnover),
        "change24h": change,
        "changeUtc24h": change,
        "ts": milliseconds(now),
    }


def order_book(call: Call) -> object:
    """GET /api/v2/spot/market/orderbook"""
    step = call.params.choice("type", _STEPS, 0)
    return _book(call, step, call.params.limit(_DEEPEST, _DEEPEST))


def merged_book(call: Call) -> object:
    """GET /api/v2/spot/market/merge-depth"""
    scale = call.params.choice("precision", _SCALES, 0)
    asked = call.params.text("limit")
    limit = _DEEPEST if asked in (None, "max") else call.params.limit(_DEEPEST, _DEEPEST)
    tick = call.market().instrument.tick
    return _book(call, scale, limit) | {
        "precision": f"scale{scale}",
        "scale": text(tick.scaleb(scale)),
        "isMaxPrecision": "YES" if scale == 0 else "NO",
    }


def _book(call: Call, coarseness: int, depth: int) -> Json:
    """Both sides, their prices merged to the grid that is so many times ten coarser."""
    market = call.market()
    raw = depth if coarseness == 0 else _ALL_LEVELS
    with call.venue.alone():
        bids, asks = market.levels(Side.BUY, raw), market.levels(Side.SELL, raw)
    grid = market.instrument.tick.scaleb(coarseness)
    return {
        "asks": _levels(asks, grid, ROUND_CEILING)[:depth],
        "bids": _levels(bids, grid, ROUND_FLOOR)[:depth],
        "ts": milliseconds(call.venue.now()),
    }


def _levels(levels: list[Level], grid: Decimal, rounding: str) -> list[list[str]]:
    merged: dict[Decimal, Decimal] = defaultdict(Decimal)
    for level in levels:
        merged[(level.price / grid).to_integral_value(rounding) * grid] += level.quantity
    return [[text(price), text(quantity)] for price, quantity in merged.items()]


def candles(call: Call) -> object:
    """GET /api/v2/spot/market/candles: oldest first, the one that is still open included."""
    return _candles(call, call.params.microseconds("startTime"), call.params.limit(100, 1000))


def history_candles(call: Call) -> object:
    """GET /api/v2/spot/market/history-candles: back from ``endTime``."""
    call.params.required("endTime")
    return _candles(call, None, call.params.limit(100, 200))


def _candles(call: Call, start: int | None, limit: int) -> list[list[str]]:
    market, now = call.market(), call.venue.now()
    end = min(now, call.params.microseconds("endTime") or now)
    opens = openings(call.params.required("granularity"), end)
    if opens is None:
        raise wrong("granularity")
    rows: list[list[str]] = []
    for at, length in opens:
        if len(rows) == limit or (start is not None and at < start):
            break
        candle = market.candle(at, length, now)
        turnover = text(candle.turnover)
        prices = (candle.open, candle.high, candle.low, candle.close, candle.volume)
        rows.append([milliseconds(at), *map(text, prices), turnover, turnover])
    return rows[::-1]


def no_contracts(_: Call) -> object:
    """The futures contracts and margin coins there are: none."""
    return []


def _chosen(call: Call) -> list[Market]:
    return [call.market()] if "symbol" in call.params else list(call.listing.markets.values())
