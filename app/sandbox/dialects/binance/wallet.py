"""What lies outside spot trading: key restrictions, the coin list, and the futures account as it is read.

Sources: https://developers.binance.com/docs/wallet/account/api-key-permission,
https://developers.binance.com/docs/derivatives/usds-margined-futures/account
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.binance.call import Call
from app.sandbox.dialects.binance.notation import Json, fixed
from app.sandbox.engine.account import Position
from app.sandbox.engine.model import ZERO

_MARGIN_ASSET = "USDT"


def api_restrictions(call: Call) -> object:
    """GET /sapi/v1/account/apiRestrictions"""
    owner = call.account
    return {
        "ipRestrict": owner.permissions.ip_restricted,
        "createTime": call.time(owner.opened_at),
        "enableReading": owner.permissions.read,
        "enableWithdrawals": owner.permissions.withdraw,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enablePortfolioMarginTrading": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": owner.permissions.trade,
    }


def coins(call: Call) -> object:
    """GET /sapi/v1/capital/config/getall: every asset listed, without networks to move it over."""
    owner = call.account
    assets = {x for m in call.venue.markets.values() for x in (m.instrument.base, m.instrument.quote)}
    return [
        {
            "coin": asset,
            "name": asset,
            "trading": True,
            "depositAllEnable": False,
            "withdrawAllEnable": False,
            "isLegalMoney": asset in ("EUR", "USD"),
            "free": fixed(balance.free if balance else ZERO),
            "locked": fixed(balance.locked if balance else ZERO),
            "freeze": "0",
            "withdrawing": "0",
            "networkList": [],
        }
        for asset in sorted(assets)
        for balance in (owner.balances.get(asset),)
    ]


def no_pairs(_: Call) -> object:
    """The margin pairs and futures instruments there are: none."""
    return []


def no_contracts(call: Call) -> object:
    """GET /fapi/v1/exchangeInfo and its coin-margined sister."""
    now = call.time(call.venue.now())
    return {
        "timezone": "UTC",
        "serverTime": now,
        "rateLimits": [],
        "exchangeFilters": [],
        "assets": [],
        "symbols": [],
    }


def futures_balance(call: Call) -> object:
    """GET /fapi/v3/balance: the margin of the positions there are."""
    profit = sum((_profit(call, position) for position in call.account.positions), ZERO)
    balance = call.account.futures_margin
    return [
        {
            "accountAlias": f"sandbox{call.account.uid}",
            "asset": _MARGIN_ASSET,
            "balance": fixed(balance),
            "crossWalletBalance": fixed(balance),
            "crossUnPnl": fixed(profit),
            "availableBalance": fixed(balance + profit),
            "maxWithdrawAmount": fixed(balance),
            "marginAvailable": True,
            "updateTime": call.time(call.venue.now()),
        }
    ]


def positions(call: Call) -> object:
    """GET /fapi/v3/positionRisk, of one symbol or all."""
    wanted = call.params.symbol()
    rows = (_position(call, position) for position in call.account.positions)
    return [row for row in rows if wanted in (None, row["symbol"])]


def _position(call: Call, position: Position) -> Json:
    mark = call.venue.market(position.symbol).last
    return {
        "symbol": position.symbol.replace("/", ""),
        "positionSide": "BOTH",
        "positionAmt": f"{position.quantity:.8f}",
        "entryPrice": fixed(position.entry_price),
        "breakEvenPrice": fixed(position.entry_price),
        "markPrice": fixed(mark),
        "unRealizedProfit": f"{_profit(call, position):.8f}",
        "liquidationPrice": "0",
        "isolatedMargin": "0",
        "notional": f"{position.quantity * mark:.8f}",
        "marginAsset": _MARGIN_ASSET,
        "isolatedWallet": "0",
        "initialMargin": "0",
        "maintMargin": "0",
        "positionInitialMargin": "0",
        "openOrderInitialMargin": "0",
        "adl": 0,
        "bidNotional": "0",
        "askNotional": "0",
        "updateTime": call.time(call.venue.now()),
    }


def _profit(call: Call, position: Position) -> Decimal:
    return position.quantity * (call.venue.market(position.symbol).last - position.entry_price)
