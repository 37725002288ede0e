"""One customer of an exchange: the key pair, what the key may do, what is owned and what was ordered."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

from app.sandbox.engine.model import ZERO, Fill, Order, OrderGroup


@dataclass(slots=True)
class Balance:
    free: Decimal = ZERO
    locked: Decimal = ZERO


@dataclass(frozen=True, slots=True)
class Permissions:
    """What the account's key may do, whether it is tied to addresses, and what kind of account it opens.

    ``demo`` keys belong to an exchange's demo trading, ``unified`` accounts to its unified mode; both matter only to
    exchanges that tell them apart.
    """

    read: bool = True
    trade: bool = True
    withdraw: bool = False
    ip_restricted: bool = True
    demo: bool = False
    unified: bool = False


@dataclass(frozen=True, slots=True)
class Position:
    """A futures position: base quantity, negative when short."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal


@dataclass(slots=True, eq=False)
class Account:
    """Balances and orders of one API key; changed by its venue alone, under the venue's lock.

    ``funding`` is what lies where it cannot trade, on exchanges that keep deposits apart.
    """

    api_key: str
    api_secret: str = field(repr=False)
    passphrase: str | None = field(default=None, repr=False)
    uid: int = 0
    permissions: Permissions = field(default_factory=Permissions)
    balances: dict[str, Balance] = field(default_factory=dict)
    funding: dict[str, Decimal] = field(default_factory=dict)
    positions: tuple[Position, ...] = ()
    futures_margin: Decimal = ZERO
    opened_at: int = 0
    orders: dict[int, Order] = field(default_factory=dict)
    by_client_id: dict[str, Order] = field(default_factory=dict)
    groups: dict[int, OrderGroup] = field(default_factory=dict)
    open_orders: dict[int, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)

    def balance(self, asset: str) -> Balance:
        """The balance of an asset, zero when it was never held."""
        return self.balances.setdefault(asset, Balance())

    def without_orders(self) -> Account:
        """The same account, its balances shared, before anything was ordered."""
        return replace(self, orders={}, by_client_id={}, groups={}, open_orders={}, fills=[])

    def set_free(self, balances: Mapping[str, Decimal]) -> None:
        """Own exactly these free balances; what orders hold stays held."""
        for asset in self.balances.keys() | balances.keys():
            self.balance(asset).free = balances.get(asset, ZERO)

    def lock(self, asset: str, amount: Decimal) -> None:
        """Move an amount from free to locked, or back when it is negative."""
        balance = self.balance(asset)
        balance.free -= amount
        balance.locked += amount
