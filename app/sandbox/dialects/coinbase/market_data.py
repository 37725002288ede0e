"""Prices, books, candles and products; wallets and what the key may do.

Source: https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api
"""

from __future__ import annotations

import json

from app.sandbox.dialects.coinbase.call import Call
from app.sandbox.dialects.coinbase.errors import invalid
from app.sandbox.dialects.coinbase.notation import Json, moment, product_id, text
from app.sandbox.engine.market import MINUTE, Level, Market
from app.sandbox.engine.model import Side

_GRANULARITIES = {
    "ONE_MINUTE": 1,
    "FIVE_MINUTE": 5,
    "FIFTEEN_MINUTE": 15,
    "THIRTY_MINUTE": 30,
    "ONE_HOUR": 60,
    "TWO_HOUR": 120,
    "FOUR_HOUR": 240,
    "SIX_HOUR": 360,
    "ONE_DAY": 1440,
}
_MOST_CANDLES = 350
_SECOND = 1_000_000


def server_time(call: Call) -> Json:
    """GET /api/v3/brokerage/time"""
    now = call.venue.now()
    return {
        "iso": moment(now),
        "epochSeconds": str(now // _SECOND),
        "epochMillis": str(now // 1000),
    }


def products(call: Call) -> Json | bytes:
    """GET /api/v3/brokerage/market/products, with or without authentication: the prices of now in the known texts."""
    if call.one("product_type") not in (None, "SPOT"):
        return {"products": [], "num_products": 0}
    rows = [_product(call, market) for market in call.listing.markets.values()]
    return f'{{"products":[{",".join(rows)}],"num_products":{len(rows)}}}'.encode()


def product(call: Call) -> bytes:
    """GET /api/v3/brokerage/market/products/{product_id}"""
    return _product(call, call.market(call.subject)).encode()


def _product(call: Call, market: Market) -> str:
    row = json.loads(call.listing.text(market))
    day = market.day(call.venue.now())
    row |= {
        "price": text(day.close),
        "volume_24h": text(day.volume),
        "approximate_quote_24h_volume": text(day.turnover),
    }
    return json.dumps(row, separators=(",", ":"))


def ticker(call: Call) -> Json:
    """GET /api/v3/brokerage/market/products/{product_id}/ticker: the last trade and the best of the book."""
    market = call.market(call.subject)
    with call.venue.alone():
        bid, ask = market.best(Side.BUY), market.best(Side.SELL)
    trade = {
        "trade_id": str(market.updates),
        "product_id": call.subject,
        "price": text(market.last),
        "size": text(market.instrument.lot),
        "time": moment(call.venue.now()),
        "side": "BUY",
    }
    return {
        "trades": [trade],
        "best_bid": text(bid.price if bid else None),
        "best_ask": text(ask.price if ask else None),
    }


def product_book(call: Call) -> Json:
    """GET /api/v3/brokerage/market/product_book"""
    market, depth = call.market(call.one("product_id")), call.number("limit", 20)
    if not 0 < depth <= 500:
        raise invalid("limit is out of range")
    return {"pricebook": _book(call, market, depth)}


def best_bid_ask(call: Call) -> Json:
    """GET /api/v3/brokerage/best_bid_ask"""
    names = call.query.get("product_ids") or list(call.listing.markets)
    return {"pricebooks": [_book(call, call.market(name), 1) for name in names]}


def _book(call: Call, market: Market, depth: int) -> Json:
    with call.venue.alone():
        bids, asks = market.levels(Side.BUY, depth), market.levels(Side.SELL, depth)
    return {
        "product_id": product_id(market.instrument),
        "bids": _levels(bids),
        "asks": _levels(asks),
        "time": moment(call.venue.now()),
    }


def _levels(levels: list[Level]) -> list[Json]:
    return [{"price": text(level.price), "size": text(level.quantity)} for level in levels]


def candles(call: Call) -> Json:
    """GET /api/v3/brokerage/market/products/{product_id}/candles: latest first, between two times in seconds."""
    market, now = call.market(call.subject), call.venue.now()
    minutes = _GRANULARITIES.get(call.one("granularity") or "")
    start, end = call.number("start", 0) * _SECOND, call.number("end", 0) * _SECOND
    if minutes is None or not start or not end:
        raise invalid("start, end and granularity are required")
    span = minutes * MINUTE
    if (end - start) // span > _MOST_CANDLES:
        raise invalid("number of candles requested should be less than 350")
    limit = call.number("limit", _MOST_CANDLES)
    rows = [row for row in market.candles(now, span, start, _MOST_CANDLES) if row.at <= end]
    return {
        "candles": [
            {
                "start": str(row.at // _SECOND),
                "low": text(row.low),
                "high": text(row.high),
                "open": text(row.open),
                "close": text(row.close),
                "volume": text(row.volume),
            }
            for row in rows[::-1][:limit]
        ]
    }


def accounts(call: Call) -> Json:
    """GET /api/v3/brokerage/accounts: a wallet for every asset that was ever held."""
    limit = call.number("limit", 49)
    start = call.number("cursor", 0) if call.one("cursor") else 0
    names = sorted(call.account.balances)
    page, more = names[start : start + limit], start + limit < len(names)
    return {
        "accounts": [_wallet(call, name) for name in page],
        "has_next": more,
        "cursor": str(start + limit) if more else "",
        "size": len(page),
    }


def _wallet(call: Call, asset: str) -> Json:
    held = call.account.balance(asset)
    return {
        "uuid": f"{call.account.uid}-{asset}",
        "name": f"{asset} Wallet",
        "currency": asset,
        "available_balance": {"value": text(held.free), "currency": asset},
        "default": True,
        "active": True,
        "type": "ACCOUNT_TYPE_FIAT" if asset in ("USD", "EUR") else "ACCOUNT_TYPE_CRYPTO",
        "ready": True,
        "hold": {"value": text(held.locked), "currency": asset},
        "retail_portfolio_id": "",
    }


def key_permissions(call: Call) -> Json:
    """GET /api/v3/brokerage/key_permissions"""
    may = call.account.permissions
    return {
        "can_view": may.read,
        "can_trade": may.trade,
        "can_transfer": may.withdraw,
        "portfolio_uuid": str(call.account.uid),
        "portfolio_type": "DEFAULT",
    }


def transaction_summary(call: Call) -> Json:
    """GET /api/v3/brokerage/transaction_summary"""
    fees = call.venue.rules
    tier = {"maker_fee_rate": text(fees.maker), "taker_fee_rate": text(fees.taker), "pricing_tier": ""}
    return {"fee_tier": tier, "total_volume": 0, "total_fees": 0}
