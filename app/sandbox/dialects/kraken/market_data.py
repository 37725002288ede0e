"""Prices, books, candles, trades, and the lists of assets and pairs.

Source: https://docs.kraken.com/api/docs/rest-api/get-ticker-information
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from email.utils import format_datetime

from app.sandbox.dialects.kraken.call import Call
from app.sandbox.dialects.kraken.errors import KrakenError, invalid
from app.sandbox.dialects.kraken.listing import describe_asset
from app.sandbox.dialects.kraken.notation import Json, pair_id, places
from app.sandbox.engine.market import DAY, MINUTE, Candle, Level, Market
from app.sandbox.engine.model import Side

_SECOND = 1_000_000
_INTERVALS = (1, 5, 15, 30, 60, 240, 1440, 10080, 21600)
_MOST_CANDLES = 720
_MOST_LEVELS = 500
_MOST_TRADES = 1000
_LOT_DECIMALS = 8


def server_time(call: Call) -> object:
    """GET /0/public/Time"""
    moment = datetime.fromtimestamp(call.venue.now() // _SECOND, UTC)
    return {"unixtime": int(moment.timestamp()), "rfc1123": format_datetime(moment)}


def system_status(call: Call) -> object:
    """GET /0/public/SystemStatus"""
    moment = datetime.fromtimestamp(call.venue.now() // _SECOND, UTC)
    return {"status": "online", "timestamp": f"{moment:%Y-%m-%dT%H:%M:%SZ}"}


def assets(call: Call) -> object:
    """GET /0/public/Assets"""
    names = call.params.words("asset")
    codes = [call.listing.asset(name) for name in names] or list(call.listing.assets)
    if None in codes:
        raise KrakenError("EQuery:Unknown asset")
    return {code: describe_asset(call.listing.assets[code]) for code in codes if code is not None}


def asset_pairs(call: Call) -> object:
    """GET /0/public/AssetPairs, put together from the texts of its pairs."""
    rows = (f'"{pair_id(market.instrument)}":{call.listing.text(market)}' for market in call.markets())
    return f"{{{','.join(rows)}}}".encode()


def ticker(call: Call) -> object:
    """GET /0/public/Ticker; each row is consistent in itself, and orders pass between rows."""
    rows = {}
    for market in call.markets():
        with call.venue.alone():
            rows[pair_id(market.instrument)] = _ticker(call, market)
    return rows


def _ticker(call: Call, market: Market) -> Json:
    now = call.venue.now()
    day = market.day(now)
    (today,) = market.candles(now, DAY, now // DAY * DAY, 1)
    last = _price(market, market.last)
    return {
        "a": _best(market, market.best(Side.SELL)),
        "b": _best(market, market.best(Side.BUY)),
        "c": [last, _quantity(market.instrument.lot)],
        "v": [_quantity(today.volume), _quantity(day.volume)],
        "p": [_price(market, _average(today)), _price(market, _average(day))],
        "t": [market.updates, market.updates + 1],
        "l": [_price(market, min(today.low, market.last)), _price(market, day.low)],
        "h": [_price(market, max(today.high, market.last)), _price(market, day.high)],
        "o": _price(market, today.open),
    }


def _best(market: Market, level: Level | None) -> list[str]:
    """The price and volume of the top of one side, zeros when it is empty."""
    if level is None:
        return [_price(market, Decimal(0)), "0", "0.000"]
    return [_price(market, level.price), str(int(level.quantity)), f"{level.quantity:.3f}"]


def depth(call: Call) -> object:
    """GET /0/public/Depth"""
    market = call.market()
    count = call.params.integer("count", 1, _MOST_LEVELS) or 100
    now = call.venue.now() // _SECOND
    with call.venue.alone():
        asks, bids = market.levels(Side.SELL, count), market.levels(Side.BUY, count)

    def rows(levels: list[Level]) -> list[list[object]]:
        return [[_price(market, level.price), _quantity(level.quantity), now] for level in levels]

    return {pair_id(market.instrument): {"asks": rows(asks), "bids": rows(bids)}}


def ohlc(call: Call) -> object:
    """GET /0/public/OHLC: the latest candles after ``since``; ``last`` names the latest that is complete."""
    market = call.market()
    interval = call.params.integer("interval") or 1
    since = call.params.integer("since") or 0
    if interval not in _INTERVALS:
        raise invalid("interval")
    length = interval * MINUTE
    now = call.venue.now()
    current = now // length * length
    start = max(current - (_MOST_CANDLES - 1) * length, since * _SECOND + 1)
    with call.venue.alone():
        candles = market.candles(now, length, min(start, current), _MOST_CANDLES)
    rows = [_candle(market, candle) for candle in candles]
    return {pair_id(market.instrument): rows, "last": (current - length) // _SECOND}


def _candle(market: Market, candle: Candle) -> list[object]:
    return [
        candle.at // _SECOND,
        _price(market, candle.open),
        _price(market, candle.high),
        _price(market, candle.low),
        _price(market, candle.close),
        _price(market, _average(candle)),
        _quantity(candle.volume),
        100,
    ]


def trades(call: Call) -> object:
    """GET /0/public/Trades: one of the market's for every minute; ``since`` and ``last`` are in nanoseconds."""
    market = call.market()
    count = call.params.integer("count", 1, _MOST_TRADES) or _MOST_TRADES
    since = call.params.integer("since")
    now = call.venue.now()
    newest = now // MINUTE * MINUTE
    start = newest - (count - 1) * MINUTE if since is None else since // 1000 + 1
    with call.venue.alone():
        candles = market.candles(now, MINUTE, start, count)
    rows = [_trade(market, candle) for candle in candles]
    last = candles[-1].at * 1000 if candles else since
    return {pair_id(market.instrument): rows, "last": str(last)}


def _trade(market: Market, candle: Candle) -> list[object]:
    number = candle.at // MINUTE
    side = "b" if number % 2 else "s"
    price, volume = _price(market, candle.open), _quantity(candle.volume)
    return [price, volume, candle.at / _SECOND, side, "l", "", number]


def _average(candle: Candle) -> Decimal:
    return candle.turnover / candle.volume


def _price(market: Market, price: Decimal) -> str:
    return f"{price:.{places(market.instrument.tick)}f}"


def _quantity(quantity: Decimal) -> str:
    return f"{quantity:.{_LOT_DECIMALS}f}"
