"""Time, pairs, prices, books, candles and coins.

Source: https://www.gate.com/docs/developers/apiv4/#retrieve-ticker-information
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.gateio.call import Call
from app.sandbox.dialects.gateio.errors import wrong
from app.sandbox.dialects.gateio.notation import Json, exchange_symbol, milliseconds, seconds, text
from app.sandbox.engine.market import DAY, MINUTE, Candle, Level, Market
from app.sandbox.engine.model import Side

_DEEPEST = 100
_MOST_CANDLES = 1000
_OLDEST = 10_000
_INTERVALS = {
    "10s": MINUTE // 6,
    **{f"{n}m": n * MINUTE for n in (1, 5, 15, 30)},
    **{f"{n}h": n * 60 * MINUTE for n in (1, 4, 8)},
    **{f"{n}d": n * DAY for n in (1, 7, 30)},
}


def server_time(call: Call) -> object:
    """GET /spot/time"""
    return {"server_time": milliseconds(call.venue.now())}


def currency_pairs(call: Call) -> object:
    """GET /spot/currency_pairs, put together from the texts of its pairs."""
    rows = ",".join(call.listing.text(market) for market in call.listing.markets.values())
    return f"[{rows}]".encode()


def currencies(call: Call) -> object:
    """GET /spot/currencies, without networks to move them over."""
    names = {x for m in call.venue.markets.values() for x in (m.instrument.base, m.instrument.quote)}
    return [{"currency": name, "name": name, "delisted": False, "chains": []} for name in sorted(names)]


def nothing(_: Call) -> object:
    """A list of what is not traded here."""
    return []


def tickers(call: Call) -> object:
    """GET /spot/tickers: a list, even of one; each row is consistent in itself."""
    chosen = [call.market()] if "currency_pair" in call.params else call.listing.markets.values()
    rows = []
    for market in chosen:
        with call.venue.alone():
            rows.append(_ticker(call, market))
    return rows


def _ticker(call: Call, market: Market) -> Json:
    day = market.day(call.venue.now())
    bid, ask = market.best(Side.BUY), market.best(Side.SELL)
    return {
        "currency_pair": exchange_symbol(market.instrument),
        "last": text(day.close),
        "lowest_ask": text(ask.price) if ask else "",
        "highest_bid": text(bid.price) if bid else "",
        "change_percentage": text(((day.close - day.open) / day.open * 100).quantize(Decimal("0.01"))),
        "base_volume": text(day.volume),
        "quote_volume": text(day.turnover),
        "high_24h": text(day.high),
        "low_24h": text(day.low),
    }


def order_book(call: Call) -> object:
    """GET /spot/order_book"""
    market, depth = call.market(), call.params.limit(10, _DEEPEST)
    with call.venue.alone():
        bids, asks, updates = market.levels(Side.BUY, depth), market.levels(Side.SELL, depth), market.updates
    now = milliseconds(call.venue.now())
    book: Json = {"current": now, "update": now, "asks": _levels(asks), "bids": _levels(bids)}
    return {"id": updates, **book} if call.params.text("with_id") == "true" else book


def _levels(levels: list[Level]) -> list[list[str]]:
    return [[text(level.price), text(level.quantity)] for level in levels]


def candlesticks(call: Call) -> object:
    """GET /spot/candlesticks: a number of the latest, or those between two times; oldest first."""
    market, now = call.market(), call.venue.now()
    length = call.params.choice("interval", _INTERVALS, _INTERVALS["30m"])
    start, end = call.params.microseconds("from"), call.params.microseconds("to")
    if "limit" in call.params and (start is not None or end is not None):
        raise wrong("limit")
    last = min(now, end or now) // length * length
    first = last - (call.params.limit(100, _MOST_CANDLES) - 1) * length
    if start is not None:
        first = -(-start // length) * length
    number = (last - first) // length + 1
    if number > _MOST_CANDLES or now - first > _OLDEST * length:
        raise wrong("from")
    return [_candle(candle, now, length) for candle in market.candles(now, length, first, max(0, number))]


def _candle(candle: Candle, now: int, length: int) -> list[str]:
    amounts = (candle.turnover, candle.close, candle.high, candle.low, candle.open, candle.volume)
    closed = "true" if candle.at + length <= now else "false"
    return [str(seconds(candle.at)), *map(text, amounts), closed]
