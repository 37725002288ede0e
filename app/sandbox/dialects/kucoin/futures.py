"""The futures account as it is read: USDT-margined contracts on what is listed against USDT.

Numbers are JSON numbers here, unlike in spot. Source:
https://www.kucoin.com/docs-new/rest/futures-trading/positions/get-position-list
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.kucoin.call import Call
from app.sandbox.dialects.kucoin.errors import unknown_symbol
from app.sandbox.dialects.kucoin.notation import Json, milliseconds
from app.sandbox.engine.account import Position
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Market
from app.sandbox.engine.model import ZERO

_MARGIN = "USDT"
_LOTS_IN_A_CONTRACT = 100


def overview(call: Call) -> object:
    """GET /api/v1/account-overview, of one currency; only USDT carries positions."""
    currency = call.params.text("currency") or "XBT"
    profit = sum((_profit(call, position) for position in call.account.positions), ZERO)
    margin = call.account.futures_margin
    if currency != _MARGIN:
        profit = margin = ZERO
    return {
        "accountEquity": number(margin + profit),
        "unrealisedPNL": number(profit),
        "marginBalance": number(margin),
        "positionMargin": 0,
        "orderMargin": 0,
        "frozenFunds": 0,
        "availableBalance": number(margin),
        "currency": currency,
    }


def positions(call: Call) -> object:
    """GET /api/v1/positions"""
    if call.params.text("currency") not in (None, _MARGIN):
        return []
    return [_position(call, position) for position in call.account.positions if position.quantity]


def contracts(call: Call) -> object:
    """GET /api/v1/contracts/active"""
    return [_contract(market) for market in call.venue.markets.values() if market.instrument.quote == _MARGIN]


def contract(call: Call) -> object:
    """GET /api/v1/contracts/{symbol}"""
    wanted = call.params.required("symbol")
    for market in call.venue.markets.values():
        if market.instrument.quote == _MARGIN and contract_symbol(market.instrument) == wanted:
            return _contract(market)
    raise unknown_symbol()


def contract_symbol(instrument: Instrument) -> str:
    return f"{_code(instrument.base)}{instrument.quote}M"


def multiplier(instrument: Instrument) -> Decimal:
    """How much of the base one contract is worth."""
    return instrument.lot * _LOTS_IN_A_CONTRACT


def number(value: Decimal) -> float | int:
    """An amount as the JSON number that the futures API uses."""
    return int(value) if value == value.to_integral_value() else float(value)


def _code(asset: str) -> str:
    return "XBT" if asset == "BTC" else asset


def _position(call: Call, position: Position) -> Json:
    market = call.venue.market(position.symbol)
    return {
        "symbol": contract_symbol(market.instrument),
        "isOpen": True,
        "currentQty": number(position.quantity / multiplier(market.instrument)),
        "avgEntryPrice": number(position.entry_price),
        "markPrice": number(market.last),
        "unrealisedPnl": number(_profit(call, position)),
        "liquidationPrice": 0,
        "marginMode": "ISOLATED",
        "positionSide": "BOTH",
        "leverage": 10,
        "settleCurrency": _MARGIN,
        "currentTimestamp": milliseconds(call.venue.now()),
    }


def _contract(market: Market) -> Json:
    instrument = market.instrument
    return {
        "symbol": contract_symbol(instrument),
        "rootSymbol": _MARGIN,
        "type": "FFWCSX",
        "baseCurrency": _code(instrument.base),
        "quoteCurrency": instrument.quote,
        "settleCurrency": _MARGIN,
        "maxOrderQty": 1_000_000,
        "lotSize": 1,
        "tickSize": number(instrument.tick),
        "multiplier": number(multiplier(instrument)),
        "makerFeeRate": 0.0002,
        "takerFeeRate": 0.0006,
        "isInverse": False,
        "status": "Open" if instrument.trading else "Paused",
        "maxLeverage": 100,
        "nextFundingRateTime": 3_600_000,
    }


def _profit(call: Call, position: Position) -> Decimal:
    return position.quantity * (call.venue.market(position.symbol).last - position.entry_price)
