"""Balances, the key, fees, and the futures account as it is read.

Sources: https://www.gate.com/docs/developers/apiv4/#list-spot-trading-accounts, …/#query-futures-account
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.gateio.call import Call
from app.sandbox.dialects.gateio.errors import GateError
from app.sandbox.dialects.gateio.notation import Json, pair, text
from app.sandbox.engine.account import Position
from app.sandbox.engine.model import ZERO

_CONTRACT = Decimal("0.0001")
_CLASSIC, _UNIFIED = 1, 2


def spot_accounts(call: Call) -> object:
    """GET /spot/accounts"""
    owner, wanted = call.account, call.params.text("currency")
    return [
        {
            "currency": name,
            "available": text(balance.free),
            "locked": text(balance.locked),
            "update_id": len(owner.fills) + len(owner.orders),
        }
        for name, balance in sorted(owner.balances.items())
        if wanted in (None, name)
    ]


def detail(call: Call) -> object:
    """GET /account/detail: which kind of account the key is of, and the addresses it is bound to."""
    owner, may = call.account, call.account.permissions
    return {
        "user_id": owner.uid,
        "ip_whitelist": ["127.0.0.1"] if may.ip_restricted else [],
        "currency_pairs": [],
        "key": {"mode": _UNIFIED if may.unified else _CLASSIC},
        "tier": 0,
    }


def fee(call: Call) -> object:
    """GET /wallet/fee"""
    rules = call.venue.rules
    return {
        "user_id": call.account.uid,
        "taker_fee": text(rules.taker),
        "maker_fee": text(rules.maker),
        "gt_discount": False,
        "gt_taker_fee": "0",
        "gt_maker_fee": "0",
    }


def futures_account(call: Call) -> object:
    """GET /futures/usdt/accounts, which there is once anything was moved there."""
    owner = call.account
    if not owner.futures_margin and not owner.positions:
        raise GateError(400, "USER_NOT_FOUND", "please transfer funds first to create futures account")
    profit = sum((_profit(call, position) for position in owner.positions), ZERO)
    return {
        "total": text(owner.futures_margin),
        "unrealised_pnl": text(profit),
        "available": text(owner.futures_margin),
        "order_margin": "0",
        "position_margin": "0",
        "currency": "USDT",
        "in_dual_mode": False,
    }


def positions(call: Call) -> object:
    """GET /futures/usdt/positions: sizes are in contracts, negative when short."""
    return [_position(call, position) for position in call.account.positions]


def _position(call: Call, position: Position) -> Json:
    mark = call.venue.market(position.symbol).last
    return {
        "contract": pair(position.symbol),
        "size": text(position.quantity / _CONTRACT),
        "leverage": "0",
        "value": text(abs(position.quantity) * mark),
        "entry_price": text(position.entry_price),
        "mark_price": text(mark),
        "liq_price": "0",
        "unrealised_pnl": text(_profit(call, position)),
        "mode": "single",
    }


def _profit(call: Call, position: Position) -> Decimal:
    return position.quantity * (call.venue.market(position.symbol).last - position.entry_price)


def contract(call: Call) -> object:
    """GET /futures/usdt/contracts/{contract}: what one contract stands for."""
    market = call.listing.markets.get(call.id)
    if market is None:
        raise GateError(404, "CONTRACT_NOT_FOUND", "contract not found")
    return {"name": call.id, "type": "direct", "quanto_multiplier": text(_CONTRACT)}
