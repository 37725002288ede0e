"""Kraken's rate limits: counters that calls raise and time lowers, of the intermediate tier unless set otherwise.

Sources: https://docs.kraken.com/api/docs/guides/spot-rest-ratelimits,
https://docs.kraken.com/api/docs/guides/spot-ratelimits
"""

from __future__ import annotations

from decimal import Decimal

from app.sandbox.dialects.kraken.errors import KrakenError
from app.sandbox.engine.account import Account
from app.sandbox.engine.model import Order
from app.sandbox.limits import Levels

CALLS, CALLS_DECAY = "call_counter", "call_counter_decay_per_minute"
PAIR, PAIR_DECAY = "pair_counter", "pair_counter_decay_per_minute"
PUBLIC, PUBLIC_DECAY = "public_counter", "public_counter_decay_per_minute"
OPEN_ORDERS = "open_orders_per_pair"
NONCE_WINDOW = "nonce_window"

#: Unpublished: how many public calls an address may make at once.
_PUBLIC_BURST = 20

#: younger than so many seconds: what that costs
_AMEND_PENALTIES = ((5, 3), (10, 2), (15, 1))
_EDIT_PENALTIES = ((5, 6), (10, 5), (15, 4), (45, 2), (90, 1))
_CANCEL_PENALTIES = ((5, 8), (10, 6), (15, 5), (45, 4), (90, 2), (300, 1))


def intermediate() -> dict[str, int]:
    """The limits of the intermediate tier, and the nonce window of every key."""
    return {
        CALLS: 20,
        CALLS_DECAY: 30,
        PAIR: 125,
        PAIR_DECAY: 140,
        PUBLIC: _PUBLIC_BURST,
        PUBLIC_DECAY: 60,
        OPEN_ORDERS: 80,
        NONCE_WINDOW: 0,
    }


class RateLimits:
    """Counts and refuses, unless ``enforce`` is off."""

    def __init__(self, values: dict[str, int], *, enforce: bool) -> None:
        self.values = values
        self._enforce = enforce
        self._levels = Levels()

    def public(self, client: str, now: int) -> None:
        """Count a public call of an address."""
        self._count(PUBLIC, PUBLIC_DECAY, client, Decimal(1), now, "EGeneral:Too many requests")

    def call(self, api_key: str, cost: int, now: int) -> None:
        """Count a private call of a key."""
        self._count(CALLS, CALLS_DECAY, api_key, Decimal(cost), now, "EAPI:Rate limit exceeded")

    def trade(self, account: Account, symbol: str, units: Decimal, now: int) -> None:
        """Count what the matching engine is asked to do in one pair."""
        client = f"{account.api_key} {symbol}"
        self._count(PAIR, PAIR_DECAY, client, units, now, "EOrder:Rate limit exceeded")

    def check_open(self, account: Account, symbol: str, new: int) -> None:
        """Refuse new orders beyond what an account may have open in one pair."""
        mine = sum(order.symbol == symbol for order in account.open_orders.values())
        if self._enforce and mine + new > self.values[OPEN_ORDERS]:
            raise KrakenError("EOrder:Orders limit exceeded")

    def _count(self, name: str, decay: str, client: str, units: Decimal, now: int, refusal: str) -> None:
        most, per_minute = Decimal(self.values[name]), self.values[decay]
        if self._enforce and not self._levels.raise_by(
            name, client, units, most=most, per_minute=per_minute, now=now
        ):
            raise KrakenError(refusal)


def amend_cost(order: Order, now: int) -> Decimal:
    return Decimal(1 + _penalty(_AMEND_PENALTIES, order, now))


def edit_cost(order: Order, now: int) -> Decimal:
    return Decimal(1 + _penalty(_EDIT_PENALTIES, order, now))


def cancel_cost(order: Order, now: int) -> Decimal:
    return Decimal(_penalty(_CANCEL_PENALTIES, order, now))


def _penalty(penalties: tuple[tuple[int, int], ...], order: Order, now: int) -> int:
    """What it costs to disturb an order so soon after it was placed."""
    age = now - order.created_at
    return next((cost for seconds, cost in penalties if age < seconds * 1_000_000), 0)
