"""Prices, books, candles and the list of instruments.

Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

from app.sandbox.dialects.binance import filters, render
from app.sandbox.dialects.binance.call import Call
from app.sandbox.dialects.binance.errors import BinanceError
from app.sandbox.dialects.binance.parameters import Parameters
from app.sandbox.engine.market import Candle, Market
from app.sandbox.engine.model import Side

_MINUTE = 60_000_000
_DAY = 1440 * _MINUTE
_INTERVALS = {
    "1s": 1_000_000,
    **{f"{n}m": n * _MINUTE for n in (1, 3, 5, 15, 30)},
    **{f"{n}h": n * 60 * _MINUTE for n in (1, 2, 4, 6, 8, 12)},
    **{f"{n}d": n * _DAY for n in (1, 3)},
}
_MONDAY = 4 * _DAY


def ping(_: Call) -> object:
    return {}


def server_time(call: Call) -> object:
    return {"serverTime": call.time(call.venue.now())}


def exchange_info(call: Call) -> object:
    """GET /api/v3/exchangeInfo"""
    status = call.params.text("symbolStatus")
    shown = (market for market in _chosen(call) if status is None or status_of(market) == status)
    return {
        "timezone": "UTC",
        "serverTime": call.time(call.venue.now()),
        "rateLimits": call.rate.describe(),
        "exchangeFilters": [],
        "symbols": [_instrument(market) for market in shown],
    }


def status_of(market: Market) -> str:
    return "TRADING" if market.instrument.trading else "BREAK"


def _instrument(market: Market) -> render.Json:
    instrument = market.instrument
    return {
        "symbol": render.exchange_symbol(instrument),
        "status": status_of(market),
        "baseAsset": instrument.base,
        "baseAssetPrecision": 8,
        "quoteAsset": instrument.quote,
        "quotePrecision": 8,
        "quoteAssetPrecision": 8,
        "baseCommissionPrecision": 8,
        "quoteCommissionPrecision": 8,
        "orderTypes": [
            "LIMIT",
            "LIMIT_MAKER",
            "MARKET",
            "STOP_LOSS",
            "STOP_LOSS_LIMIT",
            "TAKE_PROFIT",
            "TAKE_PROFIT_LIMIT",
        ],
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


def depth(call: Call) -> object:
    """GET /api/v3/depth"""
    market = call.market()
    limit = call.params.limit(100, 5000)
    bids, asks = (
        [[render.fixed(level.price), render.fixed(level.quantity)] for level in market.levels(side, limit)]
        for side in (Side.BUY, Side.SELL)
    )
    return {"lastUpdateId": market.updates, "bids": bids, "asks": asks}


def ticker_price(call: Call) -> object:
    """GET /api/v3/ticker/price"""
    return _one_or_many(
        call,
        [{"symbol": _name(market), "price": render.fixed(market.last)} for market in _chosen(call)],
    )


def book_ticker(call: Call) -> object:
    """GET /api/v3/ticker/bookTicker"""
    return _one_or_many(call, [{"symbol": _name(market), **_best(market)} for market in _chosen(call)])


def ticker_24hr(call: Call) -> object:
    """GET /api/v3/ticker/24hr"""
    kind = call.params.text("type") or "FULL"
    if kind not in ("FULL", "MINI"):
        raise BinanceError(-1139, "Invalid ticker type.")
    render_day = _mini_day if kind == "MINI" else _day
    return _one_or_many(call, [render_day(call, market) for market in _chosen(call)])


def _mini_day(call: Call, market: Market) -> render.Json:
    now = call.venue.now()
    day = market.day(now)
    return {
        "symbol": _name(market),
        "openPrice": render.fixed(day.open),
        "highPrice": render.fixed(day.high),
        "lowPrice": render.fixed(day.low),
        "lastPrice": render.fixed(day.close),
        "volume": render.fixed(day.volume),
        "quoteVolume": render.fixed(day.turnover),
        "openTime": call.time(day.at),
        "closeTime": call.time(now),
        "firstId": 0,
        "lastId": market.updates,
        "count": market.updates + 1,
    }


def _day(call: Call, market: Market) -> render.Json:
    mini = _mini_day(call, market)
    day = market.day(call.venue.now())
    change = day.close - day.open
    return mini | {
        "priceChange": render.fixed(change),
        "priceChangePercent": f"{change / day.open * 100:.3f}",
        "weightedAvgPrice": render.fixed(day.turnover / day.volume),
        "prevClosePrice": render.fixed(day.open),
        "lastQty": render.fixed(market.instrument.lot),
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
    elif interval in ("1w", "1M"):
        candles = _calendar(market, now, interval, start, end, limit)
    else:
        raise BinanceError(-1120, "Invalid interval.")
    return [_kline(call, candle, interval) for candle in candles if candle.at <= end]


def _calendar(
    market: Market, now: int, interval: str, start: int | None, end: int, limit: int
) -> list[Candle]:
    """Weeks from Monday and months from the first, put together from days."""
    opens = [_opening(interval, end)]
    while len(opens) < limit and (start is None or opens[-1] > start):
        opens.append(_opening(interval, opens[-1] - 1))
    wanted = sorted(at for at in opens if start is None or at >= start)
    candles = []
    for at in wanted:
        end_of_it = _closing(interval, at)
        days = [day for day in market.candles(now, _DAY, at, 31) if day.at <= end_of_it]
        candles.append(
            Candle(
                at,
                days[0].open,
                max(day.high for day in days),
                min(day.low for day in days),
                days[-1].close,
                sum((day.volume for day in days), Decimal(0)),
                sum((day.turnover for day in days), Decimal(0)),
            )
        )
    return candles


def _opening(interval: str, at: int) -> int:
    """When the week or month that a time lies in began."""
    if interval == "1w":
        week = 7 * _DAY
        return (at - _MONDAY) // week * week + _MONDAY
    moment = datetime.fromtimestamp(at // 1_000_000, UTC)
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return int(first.timestamp()) * 1_000_000


def _closing(interval: str, opening: int) -> int:
    """The last microsecond of the candle that opens then."""
    if interval in _INTERVALS:
        return opening + _INTERVALS[interval] - 1
    longest = 7 * _DAY if interval == "1w" else 31 * _DAY
    return _opening(interval, opening + longest) - 1 if interval == "1M" else opening + longest - 1


def _kline(call: Call, candle: Candle, interval: str) -> list[object]:
    return [
        call.time(candle.at),
        render.fixed(candle.open),
        render.fixed(candle.high),
        render.fixed(candle.low),
        render.fixed(candle.close),
        render.fixed(candle.volume),
        call.time(_closing(interval, candle.at)),
        render.fixed(candle.turnover),
        100,
        render.fixed(candle.volume / 2),
        render.fixed(candle.turnover / 2),
        "0",
    ]


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
        return list(call.markets.values())
    return [call.market(name) for name in names]


def _one_or_many(call: Call, rows: list[render.Json]) -> object:
    return rows[0] if "symbol" in call.params else rows


def _best(market: Market) -> render.Json:
    bid, ask = market.best(Side.BUY), market.best(Side.SELL)
    return {
        "bidPrice": render.fixed(bid.price if bid else None),
        "bidQty": render.fixed(bid.quantity if bid else None),
        "askPrice": render.fixed(ask.price if ask else None),
        "askQty": render.fixed(ask.quantity if ask else None),
    }


def _name(market: Market) -> str:
    return render.exchange_symbol(market.instrument)
