"""Prices, books, candles, and the lists of symbols and currencies.

Source: https://www.kucoin.com/docs-new/rest/spot-trading/market-data/get-all-symbols
"""

from __future__ import annotations

from app.sandbox.dialects import calendar
from app.sandbox.dialects.calendar import Period
from app.sandbox.dialects.kucoin import rules
from app.sandbox.dialects.kucoin.call import Call, Handler
from app.sandbox.dialects.kucoin.errors import bad_parameter
from app.sandbox.dialects.kucoin.notation import Json, amount, exchange_symbol, milliseconds
from app.sandbox.engine.market import DAY, MINUTE, Candle, Level, Market
from app.sandbox.engine.model import Side

_INTERVALS = {
    **{f"{n}min": n * MINUTE for n in (1, 3, 5, 15, 30)},
    **{f"{n}hour": n * 60 * MINUTE for n in (1, 2, 4, 6, 8, 12)},
    "1day": DAY,
}
_PERIODS = {"1week": Period.WEEK, "1month": Period.MONTH}
_MOST_CANDLES = 1500
_USUAL_CANDLES = 100


def server_time(call: Call) -> object:
    """GET /api/v1/timestamp"""
    return milliseconds(call.venue.now())


def service_status(_: Call) -> object:
    """GET /api/v1/status"""
    return {"status": "open", "msg": ""}


def symbols(call: Call) -> object:
    """GET /api/v2/symbols, of one kind of market or all."""
    wanted = call.params.text("market")
    shown = (m for m in call.listing.markets.values() if wanted in (None, rules.area(m.instrument)))
    return f"[{','.join(map(call.listing.text, shown))}]".encode()


def symbol(call: Call) -> object:
    """GET /api/v2/symbols/{symbol}"""
    return rules.describe(call.market().instrument)


def currencies(call: Call) -> object:
    """GET /api/v3/currencies: every asset listed, without chains to move it over."""
    assets = {x for m in call.venue.markets.values() for x in (m.instrument.base, m.instrument.quote)}
    return [
        {
            "currency": asset,
            "name": asset,
            "fullName": asset,
            "precision": 8,
            "isMarginEnabled": False,
            "isDebitEnabled": False,
            "chains": [],
        }
        for asset in sorted(assets)
    ]


def best_ticker(call: Call) -> object:
    """GET /api/v1/market/orderbook/level1"""
    with call.venue.alone():
        market = call.market()
        bid, ask = market.best(Side.BUY), market.best(Side.SELL)
        return {
            "time": milliseconds(call.venue.now()),
            "sequence": str(market.updates),
            "price": amount(market.last),
            "size": amount(market.instrument.lot),
            "bestBid": amount(bid.price if bid else None),
            "bestBidSize": amount(bid.quantity if bid else None),
            "bestAsk": amount(ask.price if ask else None),
            "bestAskSize": amount(ask.quantity if ask else None),
        }


def all_tickers(call: Call) -> object:
    """GET /api/v1/market/allTickers; each row is consistent in itself, and orders pass between rows."""
    rows = []
    for market in call.venue.markets.values():
        with call.venue.alone():
            rows.append(_day(call, market) | {"symbolName": exchange_symbol(market.instrument)})
    return {"time": milliseconds(call.venue.now()), "ticker": rows}


def stats(call: Call) -> object:
    """GET /api/v1/market/stats: the last 24 hours of one symbol."""
    with call.venue.alone():
        return {"time": milliseconds(call.venue.now())} | _day(call, call.market())


def _day(call: Call, market: Market) -> Json:
    day = market.day(call.venue.now())
    bid, ask = market.best(Side.BUY), market.best(Side.SELL)
    rates = call.venue.rules
    return {
        "symbol": exchange_symbol(market.instrument),
        "buy": amount(bid.price) if bid else None,
        "sell": amount(ask.price) if ask else None,
        "changeRate": f"{(day.close - day.open) / day.open:.4f}",
        "changePrice": amount(day.close - day.open),
        "high": amount(day.high),
        "low": amount(day.low),
        "vol": amount(day.volume),
        "volValue": amount(day.turnover),
        "last": amount(day.close),
        "averagePrice": amount((day.high + day.low) / 2),
        "takerFeeRate": amount(rates.taker),
        "makerFeeRate": amount(rates.maker),
        "takerCoefficient": "1",
        "makerCoefficient": "1",
    }


def book(depth: int) -> Handler:
    """The order book to so many levels."""

    def answer(call: Call) -> object:
        with call.venue.alone():
            market = call.market()
            bids, asks = market.levels(Side.BUY, depth), market.levels(Side.SELL, depth)
            return {
                "time": milliseconds(call.venue.now()),
                "sequence": str(market.updates),
                "bids": _levels(bids),
                "asks": _levels(asks),
            }

    return answer


def _levels(levels: list[Level]) -> list[list[str]]:
    return [[amount(level.price), amount(level.quantity)] for level in levels]


def candles(call: Call) -> object:
    """GET /api/v1/market/candles: newest first; times in seconds, and the close before the high."""
    market, now = call.market(), call.venue.now()
    interval = call.params.required("type")
    start, end = call.params.integer("startAt"), call.params.integer("endAt")
    if min(start or 0, end or 0) < 0:
        raise bad_parameter("startAt and endAt should not be negative")
    last = min(now, end * 1_000_000) if end else now
    first = start * 1_000_000 if start else None
    limit = _USUAL_CANDLES if first is None else _MOST_CANDLES
    if interval in _PERIODS:
        found = calendar.candles(market, now, _PERIODS[interval], first, last, limit)
    elif interval in _INTERVALS:
        length = _INTERVALS[interval]
        earliest = last // length * length - (limit - 1) * length
        found = market.candles(now, length, max(first or 0, earliest), limit)
    else:
        raise bad_parameter("Incorrect candlestick type.")
    return [_row(candle) for candle in reversed(found) if candle.at <= last]


def _row(candle: Candle) -> list[str]:
    prices = (candle.open, candle.close, candle.high, candle.low, candle.volume, candle.turnover)
    return [str(candle.at // 1_000_000), *map(amount, prices)]
