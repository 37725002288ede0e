"""The account, its one wallet, the key, fees, and swaps as they are read.

Sources: https://www.okx.com/docs-v5/en/#trading-account-rest-api-get-balance and …-get-account-configuration
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.okx.call import Call
from app.sandbox.dialects.okx.errors import wrong
from app.sandbox.dialects.okx.notation import Json, milliseconds, text
from app.sandbox.engine.account import Account, Position
from app.sandbox.engine.model import ZERO

#: Base in one contract of a swap.
CONTRACT = Decimal("0.01")

_SPOT, _FUTURES, _CROSS = "1", "2", "3"
_MARGIN_ASSET = "USDT"
_TYPES = {name: name for name in ("SWAP", "SPOT", "MARGIN", "FUTURES", "OPTION")}


def account_level(account: Account) -> str:
    """Spot mode, futures mode once there are futures, multi-currency margin for a unified account."""
    if account.permissions.unified:
        return _CROSS
    return _FUTURES if account.positions or account.futures_margin else _SPOT


def trade_mode(account: Account) -> str:
    """What spot orders of an account have to say."""
    return "cross" if account_level(account) == _CROSS else "cash"


def balance(call: Call) -> object:
    """GET /api/v5/account/balance: what is held, futures margin included; ``availEq`` is empty in spot mode."""
    owner = call.account
    wanted = call.params.text("ccy")
    names = {name for name, held in owner.balances.items() if held.free or held.locked}
    if owner.futures_margin:
        names.add(_MARGIN_ASSET)
    now = milliseconds(call.venue.now())
    chosen = sorted(names if wanted is None else names & set(wanted.split(",")))
    return [{"uTime": now, "totalEq": "", "details": [_held(call, name) | {"uTime": now} for name in chosen]}]


def _held(call: Call, asset: str) -> Json:
    owner = call.account
    held = owner.balance(asset)
    in_futures = asset == _MARGIN_ASSET
    margin = owner.futures_margin if in_futures else ZERO
    profit = sum((_profit(call, position) for position in owner.positions), ZERO) if in_futures else ZERO
    available = held.free + margin
    return {
        "ccy": asset,
        "cashBal": text(available + held.locked),
        "eq": text(available + held.locked + profit),
        "availBal": text(available),
        "availEq": "" if account_level(owner) == _SPOT else text(available + profit),
        "frozenBal": text(held.locked),
        "ordFrozen": text(held.locked),
        "upl": text(profit),
    }


def config(call: Call) -> object:
    """GET /api/v5/account/config: the account's mode, and what the key may do."""
    owner, may = call.account, call.account.permissions
    words = [("read_only", may.read), ("withdraw", may.withdraw), ("trade", may.trade)]
    return [
        {
            "uid": str(owner.uid),
            "mainUid": str(owner.uid),
            "acctLv": account_level(owner),
            "posMode": "net_mode",
            "feeType": "0",
            "acctStpMode": "cancel_maker",
            "perm": ",".join(word for word, granted in words if granted),
            "ip": "127.0.0.1" if may.ip_restricted else "",
            "label": "",
        }
    ]


def trade_fee(call: Call) -> object:
    """GET /api/v5/account/trade-fee: what is paid is negative."""
    maker, taker = text(-call.venue.rules.maker), text(-call.venue.rules.taker)
    return [
        {
            "instType": "SPOT",
            "level": "Lv1",
            "maker": maker,
            "taker": taker,
            "feeGroup": [{"groupId": "1", "maker": maker, "taker": taker}],
        }
    ]


def currencies(_: Call) -> object:
    """GET /api/v5/asset/currencies: without networks to move them over there is nothing to tell."""
    return []


def positions(call: Call) -> object:
    """GET /api/v5/account/positions: sizes are in contracts, negative when short."""
    if call.params.text("instType") not in (None, *_TYPES):
        raise wrong("instType")
    if call.params.text("instType") not in (None, "SWAP"):
        return []
    return [_position(call, position) for position in call.account.positions]


def _position(call: Call, position: Position) -> Json:
    now = milliseconds(call.venue.now())
    return {
        "instType": "SWAP",
        "instId": f"{position.symbol.replace('/', '-')}-SWAP",
        "posSide": "net",
        "pos": text(position.quantity / CONTRACT),
        "ccy": _MARGIN_ASSET,
        "avgPx": text(position.entry_price),
        "markPx": text(call.venue.market(position.symbol).last),
        "upl": text(_profit(call, position)),
        "lever": "1",
        "liqPx": "",
        "mgnMode": "cross",
        "notionalUsd": "",
        "cTime": now,
        "uTime": now,
    }


def _profit(call: Call, position: Position) -> Decimal:
    return position.quantity * (call.venue.market(position.symbol).last - position.entry_price)
