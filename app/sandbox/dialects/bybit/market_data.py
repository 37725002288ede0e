"""Time, instruments, prices, books and candles.

Source: https://bybit-exchange.github.io/docs/v5/market/tickers and its neighbours
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects import calendar
from app.sandbox.dialects.bybit.call import SPOT, Call
from app.sandbox.dialects.bybit.errors import wrong
from app.sandbox.dialects.bybit.notation import Json, exchange_symbol, milliseconds, text
from app.sandbox.engine.market import DAY, MINUTE, Candle, Level, Market
from app.sandbox.engine.model import Side

_DEEPEST = 500
_MINUTES = {str(n): n * MINUTE for n in (1, 3, 5, 15, 30, 60, 120, 240, 360, 720)} | {"D": DAY}
_PERIODS = {"W": calendar.Period.WEEK, "M": calendar.Period.MONTH}


def server_time(call: Call) -> object:
    """GET /v5/market/time"""
    now = call.venue.now()
    return {"timeSecond": str(now // 1_000_000), "timeNano": str(now * 1000)}


def instruments_info(call: Call) -> object:
    """GET /v5/market/instruments-info: spot, put together from the texts of its instruments; nothing else is listed."""
    category = call.category
    markets = _chosen(call) if category == SPOT else []
    open_only = [market for market in markets if market.instrument.trading]
    rows = ",".join(call.listing.text(market) for market in open_only)
    return f'{{"category":"{category}","nextPageCursor":"","list":[{rows}]}}'.encode()


def tickers(call: Call) -> object:
    """GET /v5/market/tickers: a list, even of one; each row is consistent in itself."""
    call.require_spot()
    rows = []
    for market in _chosen(call):
        with call.venue.alone():
            rows.append(_ticker(call, market))
    return {"category": SPOT, "list": rows}


def _ticker(call: Call, market: Market) -> Json:
    day = market.day(call.venue.now())
    bid, ask = market.best(Side.BUY), market.best(Side.SELL)
    return {
        "symbol": exchange_symbol(market.instrument),
        "bid1Price": text(bid.price if bid else None),
        "bid1Size": text(bid.quantity if bid else None),
        "ask1Price": text(ask.price if ask else None),
        "ask1Size": text(ask.quantity if ask else None),
        "lastPrice": text(day.close),
        "prevPrice24h": text(day.open),
        "price24hPcnt": text(((day.close - day.open) / day.open).quantize(Decimal("0.0001"))),
        "highPrice24h": text(day.high),
        "lowPrice24h": text(day.low),
        "turnover24h": text(day.turnover),
        "volume24h": text(day.volume),
        "usdIndexPrice": text(day.close),
    }


def order_book(call: Call) -> object:
    """GET /v5/market/orderbook: a single level unless more are asked for."""
    call.require_spot()
    market, depth = call.market(), call.params.limit(1, _DEEPEST)
    with call.venue.alone():
        bids, asks = market.levels(Side.BUY, depth), market.levels(Side.SELL, depth)
        updates = market.updates
    now = call.venue.now() // 1000
    return {
        "s": exchange_symbol(market.instrument),
        "b": _levels(bids),
        "a": _levels(asks),
        "ts": now,
        "u": updates,
        "seq": updates,
        "cts": now,
    }


def _levels(levels: list[Level]) -> list[list[str]]:
    return [[text(level.price), text(level.quantity)] for level in levels]


def kline(call: Call) -> object:
    """GET /v5/market/kline: newest first, the one that is still open included."""
    call.require_spot()
    market, interval, limit = call.market(), call.params.required("interval"), call.params.limit(200, 1000)
    now = call.venue.now()
    start = call.params.microseconds("start")
    end = min(now, call.params.microseconds("end") or now)
    if interval in _PERIODS:
        found = calendar.candles(market, now, _PERIODS[interval], start, end, limit)
    elif interval in _MINUTES:
        found = _regular(market, now, _MINUTES[interval], start, end, limit)
    else:
        raise wrong("interval")
    rows = [_candle(candle) for candle in reversed(found)]
    return {"category": SPOT, "symbol": exchange_symbol(market.instrument), "list": rows}


def _regular(market: Market, now: int, length: int, start: int | None, end: int, limit: int) -> list[Candle]:
    """The last candles that open between two times."""
    last = end // length * length
    first = last - (limit - 1) * length
    opens = first if start is None else max(first, -(-start // length) * length)
    return market.candles(now, length, opens, (last - opens) // length + 1)


def _candle(candle: Candle) -> list[str]:
    amounts = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.turnover)
    return [milliseconds(candle.at), *map(text, amounts)]


def _chosen(call: Call) -> list[Market]:
    return [call.market()] if "symbol" in call.params else list(call.listing.markets.values())
