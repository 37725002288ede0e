"""What ends by itself when its time has come."""

from __future__ import annotations

from app.sandbox.engine.model import Order


class Schedule:
    """Orders that lapse, and accounts whose open orders go unless they say otherwise in time.

    Times are in microseconds by the exchange's clock.
    """

    def __init__(self) -> None:
        self._orders: dict[int, Order] = {}
        self._accounts: dict[str, int] = {}

    def lapse(self, order: Order) -> None:
        """Watch an order that was accepted, if it is to lapse at all."""
        if order.spec.expires_at is not None:
            self._orders[order.id] = order

    def clear(self, api_key: str, at: int | None) -> None:
        """Let an account's open orders go at a time; None calls it off."""
        self._accounts.pop(api_key, None)
        if at is not None:
            self._accounts[api_key] = at

    def lapsed(self, now: int) -> list[Order]:
        """The orders whose time is over and that are still live; each is given once."""
        self._orders = {number: order for number, order in self._orders.items() if order.live}
        due = [order for order in self._orders.values() if (order.spec.expires_at or 0) <= now]
        for order in due:
            del self._orders[order.id]
        return due

    def cleared(self, now: int) -> list[str]:
        """The keys of the accounts whose orders are to go by now; each is given once."""
        due = [api_key for api_key, at in self._accounts.items() if at <= now]
        for api_key in due:
            del self._accounts[api_key]
        return due
