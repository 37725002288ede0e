"""Balances, fees, coins, and what is read of USDT futures.

Source: https://bingx-api.github.io/docs-v3/#/en/Spot/Account%20Endpoints and …/Swap/Account%20Endpoints
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.bingx.call import Call
from app.sandbox.dialects.bingx.notation import Json, milliseconds, text
from app.sandbox.engine.account import Position
from app.sandbox.engine.model import ZERO

_MARGIN_ASSET = "USDT"
_LEVERAGE = 10


def balance(call: Call) -> object:
    """GET /openApi/spot/v1/account/balance"""
    held = sorted(call.account.balances.items())
    return {
        "balances": [{"asset": asset, "free": text(x.free), "locked": text(x.locked)} for asset, x in held]
    }


def commission_rate(call: Call) -> object:
    """GET /openApi/spot/v1/user/commissionRate"""
    call.market()
    rules = call.venue.rules
    return {"takerCommissionRate": float(rules.taker), "makerCommissionRate": float(rules.maker)}


def coins(call: Call) -> object:
    """GET /openApi/wallets/v1/capital/config/getall, without networks to move coins over."""
    listed = {x for m in call.venue.markets.values() for x in (m.instrument.base, m.instrument.quote)}
    return [{"coin": name, "name": name, "networkList": []} for name in sorted(listed)]


def futures_balance(call: Call) -> object:
    """GET /openApi/swap/v3/user/balance: a row without an asset where there never was any."""
    owner = call.account
    if not owner.futures_margin and not owner.positions:
        return [{"asset": "", "balance": "0", "equity": "0", "availableMargin": "0", "usedMargin": "0"}]
    profit = sum((_profit(call, position) for position in owner.positions), ZERO)
    used = sum((_margin(position) for position in owner.positions), ZERO)
    equity = owner.futures_margin + profit
    return [
        {
            "asset": _MARGIN_ASSET,
            "balance": text(owner.futures_margin),
            "equity": text(equity),
            "unrealizedProfit": text(profit),
            "realisedProfit": "0",
            "availableMargin": text(max(ZERO, equity - used)),
            "usedMargin": text(used),
            "freezedMargin": "0.0000",
        }
    ]


def positions(call: Call) -> object:
    """GET /openApi/swap/v2/user/positions: sizes are positive, ``positionSide`` says which way."""
    symbol = call.params.text("symbol")
    mine = call.account.positions
    return [_position(call, each) for each in mine if symbol in (None, each.symbol.replace("/", "-"))]


def _position(call: Call, position: Position) -> Json:
    size, mark = abs(position.quantity), call.venue.market(position.symbol).last
    return {
        "positionId": "1735000000000000001",
        "symbol": position.symbol.replace("/", "-"),
        "currency": _MARGIN_ASSET,
        "positionAmt": text(size),
        "availableAmt": text(size),
        "positionSide": "LONG" if position.quantity > 0 else "SHORT",
        "isolated": False,
        "avgPrice": text(position.entry_price),
        "initialMargin": text(_margin(position)),
        "leverage": _LEVERAGE,
        "unrealizedProfit": text(_profit(call, position)),
        "realisedProfit": "0",
        "liquidationPrice": 0,
        "markPrice": text(mark),
        "positionValue": text(size * mark),
        "updateTime": milliseconds(call.venue.now()),
    }


def _margin(position: Position) -> Decimal:
    return abs(position.quantity) * position.entry_price / _LEVERAGE


def _profit(call: Call, position: Position) -> Decimal:
    return position.quantity * (call.venue.market(position.symbol).last - position.entry_price)
