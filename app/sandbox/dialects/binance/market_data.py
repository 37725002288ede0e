"""Prices, books, candles and the list of instruments.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial

from app.sandbox.dialects import calendar
from app.sandbox.dialects.binance.call import Call
from app.sandbox.dialects.binance.errors import BinanceError
from app.sandbox.dialects.binance.listing import status
from app.sandbox.dialects.binance.notation import Json, exchange_symbol, fixed
from app.sandbox.dialects.binance.parameters import Parameters
from app.sandbox.dialects.calendar import Period
from app.sandbox.engine.market import Candle, Level, Market
from app.sandbox.engine.model import Side

_MINUTE = 60_000_000
_DAY = 1440 * _MINUTE
_INTERVALS = {
    "1s": 1_000_000,
    **{f"{n}m": n * _MINUTE for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * 60 * _MINUTE for n in (1, 2, 4, 6, 8, 12)},
    **{f"{n}d": n * _DAY for n in (1, 3)},
}
_PERIODS = {"1w": Period.WEEK, "1M": Period.MONTH}


def ping(_: Call) -> object:
    return {}


def server_time(call: Call) -> object:
    return {"serverTime": call.time(call.venue.now())}


def exchange_info(call: Call) -> object:
    """GET /api/v3/exchangeInfo, put together from the texts of its instruments."""
    wanted = call.params.text("symbolStatus")
    shown = (call.listing.text(m) for m in _chosen(call) if wanted in (None, status(m.instrument)))
    head = {
        "timezone": "UTC",
        "serverTime": call.time(call.venue.now()),
        "rateLimits": call.rate.describe(),
        "exchangeFilters": [],
    }
    return f'{json.dumps(head)[:-1]},"symbols":[{",".join(shown)}]}}'.encode()


def depth(call: Call) -> object:
    """GET /api/v3/depth"""
    market = call.market()
    limit = call.params.limit(100, 5000)
    with call.venue.alone():
        updates, bids, asks = market.updates, market.levels(Side.BUY, limit), market.levels(Side.SELL, limit)
    return {"lastUpdateId": updates, "bids": _levels(bids), "asks": _levels(asks)}


def _levels(levels: list[Level]) -> list[list[str]]:
    return [[fixed(level.price), fixed(level.quantity)] for level in levels]


def ticker_price(call: Call) -> object:
    """GET /api/v3/ticker/price"""
    return _tickers(call, lambda market: {"symbol": _name(market), "price": fixed(market.last)})


def book_ticker(call: Call) -> object:
    """GET /api/v3/ticker/bookTicker"""
    return _tickers(call, lambda market: {"symbol": _name(market), **_best(market)})


def ticker_24hr(call: Call) -> object:
    """GET /api/v3/ticker/24hr"""
    kind = call.params.text("type") or "FULL"
    if kind not in ("FULL", "MINI"):
        raise BinanceError(-1139, "Invalid ticker type.")
    return _tickers(call, partial(_mini_day if kind == "MINI" else _day, call))


def _tickers(call: Call, describe: Callable[[Market], Json]) -> object:
    """One row for one symbol, otherwise a list; each row is consistent in itself, and orders pass between rows."""
    rows = []
    for market in _chosen(call):
        with call.venue.alone():
            rows.append(describe(market))
    return rows[0] if "symbol" in call.params else rows


def _mini_day(call: Call, market: Market) -> Json:
    now = call.venue.now()
    day = market.day(now)
    return {
        "symbol": _name(market),
        "openPrice": fixed(day.open),
        "highPrice": fixed(day.high),
        "lowPrice": fixed(day.low),
        "lastPrice": fixed(day.close),
        "volume": fixed(day.volume),
        "quoteVolume": fixed(day.turnover),
        "openTime": call.time(day.at),
        "closeTime": call.time(now),
        "firstId": 0,
        "lastId": market.updates,
        "count": market.updates + 1,
    }


def _day(call: Call, market: Market) -> Json:
    mini = _mini_day(call, market)
    day = market.day(call.venue.now())
    change = day.close - day.open
    return mini | {
        "priceChange": fixed(change),
        "priceChangePercent": f"{change / day.open * 100:.3f}",
        "weightedAvgPrice": fixed(day.turnover / day.volume),
        "prevClosePrice": fixed(day.open),
        "lastQty": fixed(market.instrument.lot),
        **_best(market),
    }


def klines(call: Call) -> object:
    """GET /api/v3/klines"""
    market = call.market()
    interval = call.params.required("interval")
    limit = call.params.limit(500, 1000)
    now = call.venue.now()
    end = min(now, call.microsecond("endTime") or now)
    start = call.microsecond("startTime")
    if interval in _INTERVALS:
        length = _INTERVALS[interval]
        first = end // length * length - (limit - 1) * length if start is None else start
        candles = market.candles(now, length, first, limit)
    elif interval in _PERIODS:
        candles = calendar.candles(market, now, _PERIODS[interval], start, end, limit)
    else:
        raise BinanceError(-1120, "Invalid interval.")
    return [_kline(call, candle, interval) for candle in candles if candle.at <= end]


def _kline(call: Call, candle: Candle, interval: str) -> list[object]:
    return [
        call.time(candle.at),
        fixed(candle.open),
        fixed(candle.high),
        fixed(candle.low),
        fixed(candle.close),
        fixed(candle.volume),
        call.time(_closing(interval, candle.at)),
        fixed(candle.turnover),
        100,
        fixed(candle.volume / 2),
        fixed(candle.turnover / 2),
        "0",
    ]


def _closing(interval: str, opened: int) -> int:
    """The last microsecond of the candle that opened then."""
    if interval in _INTERVALS:
        return opened + _INTERVALS[interval] - 1
    return calendar.closing(_PERIODS[interval], opened)


def symbols_in(params: Parameters) -> list[str] | None:
    """The symbols a market-data call names, or None for all.

    Raises:
        BinanceError: when ``symbols`` is not a JSON array, repeats a symbol, or stands next to ``symbol``.
    """
    symbol, text = params.symbol("symbol"), params.text("symbols")
    if symbol is not None and text is not None:
        raise BinanceError(-1128, "Combination of optional parameters invalid.")
    if symbol is not None:
        return [symbol]
    if text is None:
        return None
    try:
        names = json.loads(text)
    except ValueError:
        names = None
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        legal = r"^\[(\"[A-Z0-9-_.]{1,20}\"(,\"[A-Z0-9-_.]{1,20}\"){0,}){0,1}\]$"
        raise BinanceError(
            -1100, f"Illegal characters found in parameter 'symbols'; legal range is '{legal}'."
        )
    if len(set(names)) < len(names):
        raise BinanceError(-1151, "Symbol is present multiple times in the list.")
    return names


def price_weight(params: Parameters) -> int:
    """What a price or best bid and ask weighs."""
    return 2 if "symbol" in params else 4


def day_weight(params: Parameters) -> int:
    """What a 24 hour ticker weighs by the number of symbols."""
    names = symbols_in(params)
    if names is None or len(names) > 100:
        return 80
    return 2 if len(names) <= 20 else 40


def depth_weight(params: Parameters) -> int:
    """How much a book weighs by the depth asked for."""
    limit = params.limit(100, 5000)
    return next(weight for most, weight in ((100, 5), (500, 25), (1000, 50), (5000, 250)) if limit <= most)


def _chosen(call: Call) -> list[Market]:
    names = symbols_in(call.params)
    if names is None:
        return list(call.listing.markets.values())
    return [call.market(name) for name in names]


def _best(market: Market) -> Json:
    bid, ask = market.best(Side.BUY), market.best(Side.SELL)
    return {
        "bidPrice": fixed(bid.price if bid else None),
        "bidQty": fixed(bid.quantity if bid else None),
        "askPrice": fixed(ask.price if ask else None),
        "askQty": fixed(ask.quantity if ask else None),
    }


def _name(market: Market) -> str:
    return exchange_symbol(market.instrument)
