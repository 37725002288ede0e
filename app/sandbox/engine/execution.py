"""The life of an accepted order: it rests or takes, fills, triggers, and ends, and its group with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from itertools import count

from app.domain.money import floor_to_step
from app.sandbox.engine.account import Account
from app.sandbox.engine.market import Level, Market
from app.sandbox.engine.model import (
    ZERO,
    Fill,
    Order,
    OrderGroup,
    OrderType,
    Reason,
    State,
    TimeInForce,
)
from app.sandbox.engine.settlement import Settlement, held_asset

_MARKET_ONCE_TRIGGERED = frozenset(
    {OrderType.MARKET, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP}
)


class Execution:
    """Carries orders through their states; its venue sees to it that only one call runs at a time.

    ``resting`` holds the live orders of each symbol; ``on_first_fill`` is told of an order before it first fills, and
    ``close`` of every fill of an order that each fill is to close.
    """

    def __init__(
        self,
        settlement: Settlement,
        accounts: Mapping[str, Account],
        markets: Mapping[str, Market],
        now: Callable[[], int],
    ) -> None:
        self.settlement = settlement
        self.resting: dict[str, dict[int, Order]] = defaultdict(dict)
        self.on_first_fill: Callable[[Order], None] | None = None
        self.close: Callable[[Order, Fill], None] | None = None
        self._accounts = accounts
        self._markets = markets
        self._now = now
        self._trade_ids = count(1)

    def would_match(self, order: Order, market: Market) -> bool:
        """Whether a post-only order would take instead of rest."""
        return order.spec.post_only and order.price is not None and market.crosses(order.side, order.price)

    def work(self, order: Order, fraction: Decimal | None = None) -> None:
        """Put a live order to work: let it wait for its trigger, take what the book gives, or rest."""
        market = self._markets[order.symbol]
        if order.waits_for_trigger and order.would_trigger(market.last):
            self.trigger(order)
        elif order.waits_for_trigger:
            self.hold(order)
        elif self.would_match(order, market):
            self.end(order, State.CANCELED, Reason.WOULD_MATCH)
        else:
            self._take(order, market, self._at_once(order, market, fraction))

    def _at_once(self, order: Order, market: Market, fraction: Decimal | None) -> list[Level]:
        """What the order gets from the book, or the part of it that a fault allows."""
        if fraction is None or order.spec.time_in_force is TimeInForce.FOK:
            return market.sweep(order.side, order.remaining, order.price)
        lot = market.instrument.lot
        part = max(lot, floor_to_step(order.remaining * fraction, lot))
        if order.price is not None and not market.crosses(order.side, order.price):
            return [Level(order.price, min(part, order.remaining))]
        return market.sweep(order.side, min(part, order.remaining), order.price)

    def _take(self, order: Order, market: Market, taken: list[Level]) -> None:
        """Fill what the book gives; what is left rests, or ends when the order may not rest."""
        whole = sum((level.quantity for level in taken), ZERO) == order.remaining
        if order.spec.time_in_force is TimeInForce.FOK and not whole:
            self.end(order, State.EXPIRED, Reason.FOK_UNFILLED)
            return
        market.consume(order.side, taken)
        self.fill(order, taken, maker=False)
        if not order.live:
            return
        if order.spec.type in _MARKET_ONCE_TRIGGERED:
            self.end(order, State.EXPIRED, Reason.NO_LIQUIDITY)
        elif order.spec.time_in_force is TimeInForce.IOC:
            self.end(order, State.EXPIRED, Reason.IOC_REMAINDER)
        else:
            self.hold(order)

    def fill(self, order: Order, taken: Sequence[Level], *, maker: bool) -> None:
        """Settle what an order gets; it ends when that is all of it."""
        if order.remaining > 0 and not taken:
            return
        account, instrument = self._accounts[order.api_key], self._markets[order.symbol].instrument
        self.settlement.release(order, account, instrument)
        if self.on_first_fill is not None and taken and not order.fills:
            self.on_first_fill(order)
        now = self._now()
        fills = [
            self.settlement.exchange(
                order, level, account, instrument, maker=maker, trade_id=next(self._trade_ids), at=now
            )
            for level in taken
        ]
        order.updated_at = now
        self._end_siblings(order)
        if order.remaining > 0:
            order.state = State.PARTIALLY_FILLED
            self.hold(order)
        else:
            self.end(order, State.FILLED if order.filled > 0 else State.EXPIRED, None)
        if order.spec.close is not None and self.close is not None:
            for fill in fills:
                self.close(order, fill)

    def watch(self, order: Order, last: Decimal) -> None:
        """Show a new price to an order that waits for one: it fires, or follows the price and waits on."""
        order.follow(last)
        if order.would_trigger(last):
            self.trigger(order)
        else:
            self.hold(order)

    def trigger(self, order: Order) -> None:
        """Turn a stop or take-profit into the order it stands for."""
        account, market = self._accounts[order.api_key], self._markets[order.symbol]
        order.triggered = True
        order.working_at = order.updated_at = self._now()
        self._end_siblings(order)
        if order.spec.quote_quantity is not None:
            order.quantity = market.quantity_for(order.side, order.spec.quote_quantity)
        payable = self.settlement.payable(order, account, market)
        held = self.settlement.rules.holds_untriggered(order.spec)
        if not held and self.settlement.unpaid(order, account, market):
            self.end(order, State.REJECTED, Reason.INSUFFICIENT_FUNDS)
        elif order.price is not None:
            if payable < order.remaining:
                self.end(order, State.REJECTED, Reason.INSUFFICIENT_FUNDS)
            else:
                self.work(order)
        elif payable == 0 and market.best(order.side.opposite) is not None:
            self.end(order, State.REJECTED, Reason.INSUFFICIENT_FUNDS)
        else:
            self._take(order, market, market.sweep(order.side, payable))

    def _end_siblings(self, order: Order) -> None:
        for sibling in order.group.siblings(order) if order.group is not None else ():
            if sibling.live:
                self.end(sibling, State.EXPIRED, Reason.SIBLING)

    def end(self, order: Order, state: State, reason: Reason | None) -> None:
        """Close an order, free what it held, and let its group follow."""
        order.state, order.reason, order.updated_at = state, reason, self._now()
        self.hold(order)
        self._accounts[order.api_key].open_orders.pop(order.id, None)
        self.resting[order.symbol].pop(order.id, None)
        group = order.group
        if group is None:
            return
        group.updated_at = order.updated_at
        if order is group.working:
            if state is State.FILLED:
                self._activate(group)
            else:
                for leg in group.exits:
                    if leg.live:
                        self.end(leg, State.EXPIRED, Reason.WORKING_ENDED)

    def _activate(self, group: OrderGroup) -> None:
        """Bring the exits to life once the working order has filled whole."""
        account, market = self._accounts[group.exits[0].api_key], self._markets[group.symbol]
        now = self._now()
        for leg in group.exits:
            if leg.spec.quantity is None and group.working is not None:
                leg.quantity = self.settlement.brought_in(group.working, market.instrument)
            leg.state, leg.updated_at = State.OPEN, now
            leg.working_at, leg.best = None if leg.spec.waits else now, market.last
        free = account.balance(held_asset(group.exits[0], market.instrument)).free
        short = self.settlement.needed(group.exits, market) > free
        for leg in group.exits:
            if not leg.live:
                continue
            if short or leg.remaining <= 0:
                self.end(leg, State.REJECTED, Reason.INSUFFICIENT_FUNDS)
            elif leg.would_trigger(market.last):
                self.trigger(leg)
            else:
                self.work(leg)

    def hold(self, order: Order) -> None:
        """Bring what is held for an order to what it needs in its present state."""
        self.settlement.hold(order, self._accounts[order.api_key], self._markets[order.symbol].instrument)
