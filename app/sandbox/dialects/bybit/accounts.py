"""The wallet, the key, fees, and the futures positions as they are read.

Sources: https://bybit-exchange.github.io/docs/v5/account/wallet-balance, …/user/apikey-info, …/position
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.bybit import render
from app.sandbox.dialects.bybit.call import SPOT, Call
from app.sandbox.dialects.bybit.errors import empty, wrong
from app.sandbox.dialects.bybit.notation import Json, milliseconds, symbol_of_pair, text
from app.sandbox.engine.account import Position
from app.sandbox.engine.model import ZERO

_SETTLE_COIN = "USDT"
_UNIFIED = "UNIFIED"


def wallet_balance(call: Call) -> object:
    """GET /v5/account/wallet-balance: one wallet for spot and futures; coins of which there is nothing are left out."""
    if call.params.required("accountType") != _UNIFIED:
        raise wrong("accountType")
    asked = call.params.text("coin")
    wanted = None if asked is None else asked.split(",")
    names = sorted(call.account.balances.keys() | {_SETTLE_COIN})
    rows = [_coin(call, name) for name in names if wanted is None or name in wanted]
    equity = text(sum((Decimal(str(row["usdValue"])) for row in rows), ZERO))
    return {
        "list": [
            {
                "accountType": _UNIFIED,
                "totalEquity": equity,
                "totalWalletBalance": equity,
                "totalAvailableBalance": equity,
                "coin": [row for row in rows if row["walletBalance"] != "0"],
            }
        ]
    }


def _coin(call: Call, name: str) -> Json:
    balance, futures = call.account.balance(name), name == _SETTLE_COIN
    margin = call.account.futures_margin if futures else ZERO
    profit = sum((_profit(call, position) for position in call.account.positions), ZERO) if futures else ZERO
    wallet = balance.free + balance.locked + margin
    return {
        "coin": name,
        "walletBalance": text(wallet),
        "locked": text(balance.locked),
        "equity": text(wallet + profit),
        "usdValue": text(wallet * _price(call, name)),
        "spotBorrow": "0",
        "borrowAmount": "0",
        "accruedInterest": "0",
        "totalOrderIM": "0",
        "totalPositionIM": text(margin),
        "bonus": "0",
        "unrealisedPnl": text(profit),
        "free": "",
        "availableToWithdraw": "",
    }


def _price(call: Call, name: str) -> Decimal:
    market = call.venue.markets.get(f"{name}/{_SETTLE_COIN}")
    return market.last if market is not None else Decimal(name == _SETTLE_COIN)


def account_info(_: Call) -> object:
    """GET /v5/account/info: a unified account of the second generation."""
    return {"unifiedMarginStatus": 6, "marginMode": "REGULAR_MARGIN", "spotHedgingStatus": "OFF"}


def query_api(call: Call) -> object:
    """GET /v5/user/query-api: what the key may do."""
    owner, may = call.account, call.account.permissions
    return {
        "id": str(owner.uid),
        "apiKey": owner.api_key,
        "readOnly": 0 if may.trade else 1,
        "secret": "",
        "permissions": {
            "ContractTrade": [],
            "Spot": ["SpotTrade"] if may.trade else [],
            "Wallet": ["AccountTransfer", *(["Withdraw"] if may.withdraw else [])],
            "Options": [],
            "Derivatives": [],
            "Exchange": ["ExchangeHistory"],
        },
        "ips": ["127.0.0.1"] if may.ip_restricted else ["*"],
        "type": 1,
        "unified": 0,
        "uta": 1,
        "userID": owner.uid,
        "isMaster": True,
    }


def coin_info(call: Call) -> object:
    """GET /v5/asset/coin/query-info, without networks to move coins over."""
    listed = {x for m in call.venue.markets.values() for x in (m.instrument.base, m.instrument.quote)}
    return {
        "rows": [{"name": name, "coin": name, "remainAmount": "0", "chains": []} for name in sorted(listed)]
    }


def fee_rate(call: Call) -> object:
    """GET /v5/account/fee-rate"""
    call.require_spot()
    rules = call.venue.rules
    rates = {"takerFeeRate": text(rules.taker), "makerFeeRate": text(rules.maker)}
    return {"list": [{"symbol": call.params.required("symbol"), **rates}]}


def positions(call: Call) -> object:
    """GET /v5/position/list: sizes are positive, ``side`` says which way."""
    if call.category == SPOT:
        raise wrong("category")
    symbol, settle = call.params.text("symbol"), call.params.text("settleCoin")
    if symbol is None and settle is None:
        raise empty("symbol")
    mine = call.account.positions if call.category == "linear" and settle in (None, _SETTLE_COIN) else ()
    rows = [_position(call, each) for each in mine if symbol in (None, symbol_of_pair(each.symbol))]
    return render.page(rows, "") | {"category": call.category}


def _position(call: Call, position: Position) -> Json:
    mark, size = call.venue.market(position.symbol).last, abs(position.quantity)
    now = milliseconds(call.venue.now())
    return {
        "positionIdx": 0,
        "symbol": symbol_of_pair(position.symbol),
        "side": "Buy" if position.quantity > 0 else "Sell",
        "size": text(size),
        "avgPrice": text(position.entry_price),
        "positionValue": text(size * position.entry_price),
        "markPrice": text(mark),
        "unrealisedPnl": text(_profit(call, position)),
        "leverage": "10",
        "liqPrice": "",
        "takeProfit": "",
        "stopLoss": "",
        "createdTime": now,
        "updatedTime": now,
    }


def _profit(call: Call, position: Position) -> Decimal:
    return position.quantity * (call.venue.market(position.symbol).last - position.entry_price)
