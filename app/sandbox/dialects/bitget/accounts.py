"""Balances, the key, fees, and the futures account as it is read.

Sources: https://www.bitget.com/api-doc/spot/account/Get-Account-Assets,
https://www.bitget.com/api-doc/contract/account/Get-Account-List
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.bitget.call import Call
from app.sandbox.dialects.bitget.errors import BitgetError
from app.sandbox.dialects.bitget.notation import Json, milliseconds, text
from app.sandbox.engine.account import Position
from app.sandbox.engine.model import ZERO

_ASSET_TYPES = {"hold_only": True, "all": False}
_PRODUCTS = {name.lower(): name for name in ("USDT-FUTURES", "COIN-FUTURES", "USDC-FUTURES")}
_USDT_MARGINED = "USDT-FUTURES"
_MARGIN_COIN = "USDT"
_CENT = Decimal("0.00000001")


def assets(call: Call) -> object:
    """GET /api/v2/spot/account/assets"""
    owner, wanted = call.account, call.params.text("coin")
    held_only = call.params.choice("assetType", _ASSET_TYPES, True) and wanted is None
    listed = {x for m in call.venue.markets.values() for x in (m.instrument.base, m.instrument.quote)}
    names = owner.balances.keys() | (set() if held_only else listed)
    now = milliseconds(call.venue.now())
    return [
        {
            "coin": name,
            "available": text(balance.free),
            "limitAvailable": "0",
            "frozen": text(balance.locked),
            "locked": "0",
            "uTime": now,
        }
        for name in sorted(names)
        for balance in (owner.balance(name),)
        if wanted in (None, name) and (balance.free or balance.locked or not held_only)
    ]


def info(call: Call) -> object:
    """GET /api/v2/spot/account/info: what the key may do is in ``authorities``."""
    owner, may = call.account, call.account.permissions
    authorities = {"stor": may.read, "stow": may.trade, "wwow": may.withdraw}
    return {
        "userId": str(owner.uid),
        "inviterId": "",
        "ips": "127.0.0.1" if may.ip_restricted else "",
        "authorities": [name for name, granted in authorities.items() if granted],
        "parentId": owner.uid,
        "traderType": "not_trader",
        "channelCode": "",
        "channel": "",
        "regisTime": milliseconds(owner.opened_at),
    }


def trade_rate(call: Call) -> object:
    """GET /api/v2/common/trade-rate"""
    call.market()
    call.params.required("businessType")
    return {"makerFeeRate": text(call.venue.rules.maker), "takerFeeRate": text(call.venue.rules.taker)}


def unified_settings(call: Call) -> object:
    """GET /api/v3/account/settings, which is how clients tell a unified account from a classic one.

    Raises:
        BitgetError: 40084 for a classic account.
    """
    if not call.account.permissions.unified:
        words = "You are in Classic Account mode, and the Unified Account API is not supported at this time"
        raise BitgetError("40084", words)
    return {"uid": str(call.account.uid), "accountMode": "unified"}


def futures_accounts(call: Call) -> object:
    """GET /api/v2/mix/account/accounts: the margin there is, in USDT alone."""
    if call.params.choice("productType", _PRODUCTS) != _USDT_MARGINED:
        return []
    profit = sum((_profit(call, position) for position in call.account.positions), ZERO)
    margin = call.account.futures_margin
    equity = text(margin + profit)
    return [
        {
            "marginCoin": _MARGIN_COIN,
            "locked": "0",
            "available": text(margin),
            "crossedMaxAvailable": text(margin),
            "isolatedMaxAvailable": text(margin),
            "maxTransferOut": text(margin),
            "accountEquity": equity,
            "usdtEquity": equity,
            "unrealizedPL": text(profit),
            "crossedUnrealizedPL": text(profit),
            "isolatedUnrealizedPL": "0",
            "assetMode": "single",
        }
    ]


def positions(call: Call) -> object:
    """GET /api/v2/mix/position/all-position: sizes are positive, ``holdSide`` says which way."""
    if call.params.choice("productType", _PRODUCTS) != _USDT_MARGINED:
        return []
    if call.params.text("marginCoin") not in (None, _MARGIN_COIN, _MARGIN_COIN.lower()):
        return []
    return [_position(call, position) for position in call.account.positions]


def _position(call: Call, position: Position) -> Json:
    mark = call.venue.market(position.symbol).last
    size = abs(position.quantity)
    now = milliseconds(call.venue.now())
    return {
        "marginCoin": _MARGIN_COIN,
        "symbol": position.symbol.replace("/", ""),
        "holdSide": "long" if position.quantity > 0 else "short",
        "openDelegateSize": "0",
        "marginSize": text((size * position.entry_price).quantize(_CENT)),
        "available": text(size),
        "locked": "0",
        "total": text(size),
        "leverage": "1",
        "achievedProfits": "0",
        "openPriceAvg": text(position.entry_price),
        "marginMode": "crossed",
        "posMode": "one_way_mode",
        "unrealizedPL": text(_profit(call, position)),
        "liquidationPrice": "0",
        "keepMarginRate": "0.004",
        "markPrice": text(mark),
        "marginRatio": "0",
        "cTime": now,
        "uTime": now,
    }


def _profit(call: Call, position: Position) -> Decimal:
    return position.quantity * (call.venue.market(position.symbol).last - position.entry_price)
