"""Prices, books, candles and instruments.

Source: https://www.okx.com/docs-v5/en/#order-book-trading-market-data
"""

from __future__ import annotations

from app.sandbox.dialects.okx.accounts import CONTRACT
from app.sandbox.dialects.okx.bars import openings
from app.sandbox.dialects.okx.call import Call
from app.sandbox.dialects.okx.errors import wrong
from app.sandbox.dialects.okx.notation import Json, instrument_id, milliseconds, text
from app.sandbox.engine.market import Level, Market
from app.sandbox.engine.model import Side

_TYPES = {name: name for name in ("SPOT", "SWAP", "FUTURES", "OPTION", "MARGIN")}
_DEEPEST = 400
_MOST_CANDLES = 300


def server_time(call: Call) -> object:
    """GET /api/v5/public/time"""
    return [{"ts": milliseconds(call.venue.now())}]


def instruments(call: Call) -> object:
    """GET /api/v5/public/instruments, put together from the texts of the spot instruments; a swap when it is named."""
    kind = call.params.choice("instType", _TYPES)
    if kind == "SWAP" and "instId" in call.params:
        return [_swap(call.params.required("instId"))]
    if kind != "SPOT":
        return []
    chosen = [call.market()] if "instId" in call.params else list(call.listing.markets.values())
    return f"[{','.join(call.listing.text(market) for market in chosen)}]".encode()


def _swap(instrument: str) -> Json:
    return {
        "instType": "SWAP",
        "instId": instrument,
        "ctVal": text(CONTRACT),
        "ctMult": "1",
        "ctValCcy": instrument.split("-")[0],
        "settleCcy": "USDT",
        "state": "live",
    }


def ticker(call: Call) -> object:
    """GET /api/v5/market/ticker"""
    return [_ticker(call, call.market())]


def tickers(call: Call) -> object:
    """GET /api/v5/market/tickers; each row is consistent in itself."""
    if call.params.choice("instType", _TYPES) != "SPOT":
        return []
    return [_ticker(call, market) for market in call.listing.markets.values()]


def _ticker(call: Call, market: Market) -> Json:
    with call.venue.alone():
        now = call.venue.now()
        day = market.day(now)
        bid, ask = market.best(Side.BUY), market.best(Side.SELL)
    return {
        "instType": "SPOT",
        "instId": instrument_id(market.instrument),
        "last": text(day.close),
        "lastSz": "0",
        "askPx": text(ask.price if ask else None),
        "askSz": text(ask.quantity if ask else None),
        "bidPx": text(bid.price if bid else None),
        "bidSz": text(bid.quantity if bid else None),
        "open24h": text(day.open),
        "high24h": text(day.high),
        "low24h": text(day.low),
        "vol24h": text(day.volume),
        "volCcy24h": text(day.turnover),
        "sodUtc0": text(day.open),
        "sodUtc8": text(day.open),
        "ts": milliseconds(now),
    }


def order_book(call: Call) -> object:
    """GET /api/v5/market/books: one level a side unless more are asked for."""
    market, asked = call.market(), call.params.integer("sz")
    depth = 1 if asked is None else asked
    if not 0 < depth <= _DEEPEST:
        raise wrong("sz")
    with call.venue.alone():
        bids, asks = market.levels(Side.BUY, depth), market.levels(Side.SELL, depth)
    at = milliseconds(call.venue.now())
    return [{"asks": _levels(asks), "bids": _levels(bids), "ts": at, "seqId": market.updates}]


def _levels(levels: list[Level]) -> list[list[str]]:
    return [[text(level.price), text(level.quantity), "0", "1"] for level in levels]


def candles(call: Call) -> object:
    """GET /api/v5/market/candles, and its history: latest first, between ``before`` and ``after``."""
    market, now = call.market(), call.venue.now()
    after, before = call.params.microseconds("after"), call.params.microseconds("before")
    limit = call.params.limit(_MOST_CANDLES) if "limit" in call.params else 100
    opens = openings(call.params.text("bar") or "1m", now if after is None else min(now, after - 1))
    if opens is None:
        raise wrong("bar")
    rows: list[list[str]] = []
    for at, length in opens:
        if len(rows) == limit or (before is not None and at <= before):
            break
        candle = market.candle(at, length, now)
        prices = (candle.open, candle.high, candle.low, candle.close, candle.volume, candle.turnover)
        confirmed = "0" if at + length > now else "1"
        rows.append([milliseconds(at), *map(text, prices), text(candle.turnover), confirmed])
    return rows
