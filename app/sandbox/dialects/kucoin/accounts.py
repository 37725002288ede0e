"""Balances, fees, the key itself, and the questions about margin and unified accounts, which there are none of.

Source: https://www.kucoin.com/docs-new/rest/account-info/account-funding/get-account-list-spot
"""

from __future__ import annotations

from hashlib import sha256
from uuid import uuid4

from app.sandbox.dialects.kucoin.call import Call
from app.sandbox.dialects.kucoin.errors import bad_parameter, refused
from app.sandbox.dialects.kucoin.notation import Json, amount, milliseconds
from app.sandbox.engine.account import Balance
from app.sandbox.engine.model import ZERO, Refusal

MAIN, TRADE, TRADE_HF = "main", "trade", "trade_hf"
_POCKETS = {"MAIN": MAIN, "TRADE": TRADE}


def balances(call: Call) -> object:
    """GET /api/v1/accounts: what can trade, which goes by two names, and what lies in the main account."""
    kind, currency = call.params.text("type"), call.params.text("currency")
    if kind not in (None, MAIN, TRADE, TRADE_HF):
        raise bad_parameter("type not in the given range!")
    owner = call.account
    rows: list[Json] = []
    if kind in (None, MAIN):
        rows += [_row(call, asset, MAIN, Balance(free)) for asset, free in owner.funding.items()]
    if kind != MAIN:
        rows += [_row(call, asset, kind or TRADE, held) for asset, held in owner.balances.items()]
    return sorted(
        (row for row in rows if currency in (None, row["currency"])), key=lambda row: str(row["id"])
    )


def _row(call: Call, currency: str, kind: str, balance: Balance) -> Json:
    identity = sha256(f"{call.account.uid}/{currency}/{kind}".encode()).hexdigest()
    return {
        "id": identity[:24],
        "currency": currency,
        "type": kind,
        "balance": amount(balance.free + balance.locked),
        "available": amount(balance.free),
        "holds": amount(balance.locked),
    }


def transfer(call: Call) -> object:
    """POST /api/v3/accounts/universal-transfer, between the main and the trade account of one customer."""
    params, owner = call.params, call.account
    params.choice("type", {"INTERNAL": "INTERNAL"})
    currency, size = params.required("currency"), params.amount("amount")
    source, target = (params.choice(name, _POCKETS) for name in ("fromAccountType", "toAccountType"))
    if size is None or source == target:
        raise bad_parameter("amount and two different account types are required")
    trading, funding = owner.balance(currency), owner.funding.get(currency, ZERO)
    if size > (trading.free if source == TRADE else funding):
        raise refused(Refusal.INSUFFICIENT_FUNDS)
    moved = size if target == TRADE else -size
    trading.free += moved
    owner.funding[currency] = funding - moved
    return {"orderId": uuid4().hex[:24]}


def hf_opened(_: Call) -> object:
    """GET /api/v1/hf/accounts/opened"""
    return True


def trade_fees(call: Call) -> object:
    """GET /api/v1/trade-fees, of at most ten symbols."""
    names = call.params.required("symbols").split(",")
    if len(names) > 10:
        raise bad_parameter("symbols should hold at most 10")
    for name in names:
        call.market_of(name)
    rates = call.venue.rules
    return [
        {"symbol": name, "takerFeeRate": amount(rates.taker), "makerFeeRate": amount(rates.maker)}
        for name in names
    ]


def key_info(call: Call) -> object:
    """GET /api/v1/user/api-key"""
    owner = call.account
    granted = {
        "General": owner.permissions.read,
        "Spot": owner.permissions.trade,
        "Transfer": owner.permissions.withdraw,
        "Withdrawal": owner.permissions.withdraw,
    }
    answer: Json = {
        "remark": "sandbox",
        "apiKey": owner.api_key,
        "apiVersion": 3,
        "permission": ",".join(name for name, is_granted in granted.items() if is_granted),
        "isMaster": True,
        "uid": owner.uid,
        "createdAt": milliseconds(owner.opened_at),
    }
    return answer | ({"ipWhitelist": "127.0.0.1"} if owner.permissions.ip_restricted else {})


def account_mode(_: Call) -> object:
    """GET /api/ua/v1/account/mode: not a unified account."""
    return {"selfAccountMode": "CLASSIC"}


def no_pages(call: Call) -> object:
    """A list of margin symbols: none, with a time."""
    return {"timestamp": milliseconds(call.venue.now()), "items": []}


def nothing(_: Call) -> object:
    """A list of isolated margin symbols: none."""
    return []
