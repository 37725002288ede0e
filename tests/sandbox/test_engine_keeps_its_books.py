"""Whatever is ordered and however prices move, nothing is created, lost or held for longer than it must be."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace
from decimal import Decimal

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.sandbox.engine.market import MINUTE, Level
from app.sandbox.engine.model import (
    TRIGGERED,
    Order,
    OrderSpec,
    OrderType,
    Refused,
    Side,
    State,
    TimeInForce,
)
from app.sandbox.engine.settlement import VenueRules
from app.sandbox.engine.venue import FILL_FRACTION, Venue
from app.sandbox.instruments import listed

SYMBOL = "LTC/USDT"
START = {"LTC": Decimal("25"), "USDT": Decimal("2000.00000001")}
LOT, TICK = Decimal("0.001"), Decimal("0.01")
FIXED_TRIGGERS = sorted(TRIGGERED - {OrderType.TRAILING_STOP})

sides = st.sampled_from(Side)
quantities = st.integers(1, 12_000).map(lambda lots: lots * LOT)
prices = st.integers(7_000, 9_000).map(lambda ticks: ticks * TICK)
times = st.sampled_from(TimeInForce)
exit_types = st.sampled_from(
    [OrderType.STOP_LOSS, OrderType.STOP_LIMIT, OrderType.LIMIT, OrderType.TAKE_PROFIT]
)


class Trading(RuleBasedStateMachine):
    """Random trading by one account on an exchange with the given rules."""

    venue_rules = VenueRules(maker=Decimal("0.0007"), taker=Decimal("0.0011"))

    def __init__(self) -> None:
        super().__init__()
        self.venue = Venue("any", self.venue_rules, [x for x in listed() if x.symbol == SYMBOL])
        self.account = self.venue.open_account("key", "secret", None, START)

    def _try(self, spec: OrderSpec) -> None:
        before = self._holdings()
        try:
            self.venue.submit(self.account, spec)
        except Refused:
            assert self._holdings() == before

    @rule(side=sides, quantity=quantities, by_quote=st.booleans())
    def market(self, side: Side, quantity: Decimal, by_quote: bool) -> None:
        amount = {"quote_quantity": quantity * 80} if by_quote else {"quantity": quantity}
        self._try(OrderSpec(SYMBOL, side, OrderType.MARKET, **amount))

    @rule(side=sides, quantity=quantities, price=prices, time=times, post_only=st.booleans())
    def limit(
        self, side: Side, quantity: Decimal, price: Decimal, time: TimeInForce, post_only: bool
    ) -> None:
        self._try(OrderSpec(SYMBOL, side, OrderType.LIMIT, quantity, None, price, None, time, post_only))

    @rule(side=sides, quantity=quantities, price=prices, fraction=st.decimals("0.01", "0.99", places=2))
    def limit_filled_in_part(self, side: Side, quantity: Decimal, price: Decimal, fraction: Decimal) -> None:
        token = FILL_FRACTION.set(fraction)
        try:
            self._try(OrderSpec(SYMBOL, side, OrderType.LIMIT, quantity, price=price))
        finally:
            FILL_FRACTION.reset(token)

    @rule(side=sides, kind=st.sampled_from(FIXED_TRIGGERS), quantity=quantities, trigger=prices, price=prices)
    def stop(self, side: Side, kind: OrderType, quantity: Decimal, trigger: Decimal, price: Decimal) -> None:
        limit = price if kind in (OrderType.STOP_LIMIT, OrderType.TAKE_PROFIT_LIMIT) else None
        self._try(OrderSpec(SYMBOL, side, kind, quantity, price=limit, trigger_price=trigger))

    @rule(side=sides, quantity=quantities, percent=st.decimals("0.1", "20", places=2))
    def trailing_stop(self, side: Side, quantity: Decimal, percent: Decimal) -> None:
        self._try(OrderSpec(SYMBOL, side, OrderType.TRAILING_STOP, quantity, trailing_percent=percent))

    @rule(
        side=sides,
        quantity=quantities,
        price=prices,
        fee_in_quote=st.none() | st.booleans(),
        minutes=st.none() | st.integers(1, 5),
        close=st.none() | st.tuples(st.sampled_from([OrderType.LIMIT, *FIXED_TRIGGERS]), prices, prices),
    )
    def limit_with_extras(
        self,
        side: Side,
        quantity: Decimal,
        price: Decimal,
        fee_in_quote: bool | None,
        minutes: int | None,
        close: tuple[OrderType, Decimal, Decimal] | None,
    ) -> None:
        spec = OrderSpec(SYMBOL, side, OrderType.LIMIT, quantity, price=price, fee_in_quote=fee_in_quote)
        if minutes is not None:
            spec = replace(spec, expires_at=self.venue.now() + minutes * MINUTE)
        if close is not None:
            kind, limit, trigger = close
            leg = OrderSpec(
                SYMBOL,
                side.opposite,
                kind,
                price=None if kind in (OrderType.STOP_LOSS, OrderType.TAKE_PROFIT) else limit,
                trigger_price=None if kind is OrderType.LIMIT else trigger,
            )
            spec = replace(spec, close=leg)
        self._try(spec)

    @rule(silent=st.booleans())
    def wait(self, silent: bool) -> None:
        if silent:
            self.venue.cancel_all_at(self.account, self.venue.now() + MINUTE)
        self.venue.skew += 2 * MINUTE
        self.venue.elapse()
        assert not (silent and self.account.open_orders)

    @rule(
        side=sides,
        quantity=quantities,
        high=prices,
        low=prices,
        kind=exit_types,
        entry=st.none() | st.tuples(quantities, prices),
    )
    def group(
        self,
        side: Side,
        quantity: Decimal,
        high: Decimal,
        low: Decimal,
        kind: OrderType,
        entry: tuple[Decimal, Decimal] | None,
    ) -> None:
        first = OrderSpec(SYMBOL, side, OrderType.LIMIT, quantity, price=high, post_only=True)
        limit = low if kind in (OrderType.LIMIT, OrderType.STOP_LIMIT) else None
        trigger = None if kind is OrderType.LIMIT else low
        second = OrderSpec(SYMBOL, side, kind, quantity, price=limit, trigger_price=trigger)
        working = None
        if entry is not None:
            other = Side.SELL if side is Side.BUY else Side.BUY
            working = OrderSpec(SYMBOL, other, OrderType.LIMIT, entry[0], price=entry[1])
        before = self._holdings()
        try:
            self.venue.submit_group(self.account, "", (first, second), working)
        except Refused:
            assert self._holdings() == before

    @precondition(lambda self: self.account.open_orders)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        order = data.draw(st.sampled_from(list(self.account.open_orders.values())))
        members = order.group.orders if order.group is not None else (order,)
        self.venue.cancel(order)
        assert not any(member.live for member in members)

    @precondition(lambda self: self.account.open_orders)
    @rule(data=st.data(), quantity=st.none() | quantities, price=st.none() | prices)
    def amend(self, data: st.DataObject, quantity: Decimal | None, price: Decimal | None) -> None:
        order = data.draw(st.sampled_from(list(self.account.open_orders.values())))
        before = self._holdings()
        try:
            self.venue.amend(order, quantity=quantity, price=price)
        except Refused:
            assert self._holdings() == before

    @precondition(lambda self: self.account.open_orders)
    @rule(data=st.data(), side=sides, quantity=quantities, price=prices)
    def substitute(self, data: st.DataObject, side: Side, quantity: Decimal, price: Decimal) -> None:
        order = data.draw(st.sampled_from(list(self.account.open_orders.values())))
        before = self._holdings()
        try:
            self.venue.substitute(order, OrderSpec(SYMBOL, side, OrderType.LIMIT, quantity, price=price))
        except Refused:
            assert (order.live, self._holdings()) == (True, before)
        else:
            assert not order.live

    @rule(price=prices)
    def move(self, price: Decimal) -> None:
        self.venue.set_price(SYMBOL, price)

    @rule(middle=prices, bids=st.lists(quantities, max_size=3), asks=st.lists(quantities, max_size=3))
    def book(self, middle: Decimal, bids: list[Decimal], asks: list[Decimal]) -> None:
        self.venue.set_book(
            SYMBOL,
            [Level(middle - n * TICK, quantity) for n, quantity in enumerate(bids, 1)],
            [Level(middle + n * TICK, quantity) for n, quantity in enumerate(asks, 1)],
        )

    def _holdings(self) -> dict[str, tuple[Decimal, Decimal]]:
        return {asset: (balance.free, balance.locked) for asset, balance in self.account.balances.items()}

    @invariant()
    def balances_are_the_start_plus_every_fill_less_every_fee(self) -> None:
        expected = dict(START)
        for fill in self.account.fills:
            sign = 1 if fill.side is Side.BUY else -1
            expected["LTC"] += sign * fill.quantity
            expected["USDT"] -= sign * fill.price * fill.quantity
            expected[fill.fee_asset] -= fill.fee
        actual = {asset: self.account.balance(asset) for asset in START}
        assert {asset: balance.free + balance.locked for asset, balance in actual.items()} == expected

    @invariant()
    def nothing_is_owed(self) -> None:
        assert all(free >= 0 and locked >= 0 for free, locked in self._holdings().values())

    @invariant()
    def what_is_locked_is_what_open_orders_hold(self) -> None:
        expected = dict.fromkeys(START, Decimal(0))
        seen: set[int] = set()
        for order in self.account.open_orders.values():
            exits = order.group.exits if order.group is not None and order in order.group.exits else (order,)
            if exits[0].id in seen:
                continue
            seen.add(exits[0].id)
            needs = [self._needs(exit_) for exit_ in exits]
            expected[needs[0][0]] += max(amount for _, amount in needs)
        assert {asset: self.account.balance(asset).locked for asset in START} == expected

    def _needs(self, order: Order) -> tuple[str, Decimal]:
        asset = "USDT" if order.side is Side.BUY else "LTC"
        if not order.live or order.state is State.PENDING:
            return asset, Decimal(0)
        if order.waits_for_trigger and not self.venue_rules.triggers_hold:
            return asset, Decimal(0)
        markup = self.venue_rules.markup(order.spec)
        if order.side is Side.SELL:
            return asset, order.remaining * markup
        price = order.price if order.price is not None else order.trigger_price
        assert price is not None
        return asset, order.remaining * price * markup

    @invariant()
    def no_order_fills_beyond_its_quantity_or_its_limit(self) -> None:
        for order in self.account.orders.values():
            assert order.filled == sum(fill.quantity for fill in order.fills)
            assert order.cost == sum(fill.price * fill.quantity for fill in order.fills)
            assert 0 <= order.filled <= order.quantity
            assert (order.state is State.FILLED) == (order.filled == order.quantity and order.filled > 0)
            if order.spec.time_in_force is TimeInForce.FOK:
                assert order.filled in (0, order.quantity)
            if order.spec.type is OrderType.LIMIT and not order.amendments and order.price is not None:
                better = (lambda a, b: a <= b) if order.side is Side.BUY else (lambda a, b: a >= b)
                assert all(better(fill.price, order.price) for fill in order.fills)

    @invariant()
    def only_one_exit_of_a_pair_ever_executes(self) -> None:
        for group in self.account.groups.values():
            assert sum(bool(exit_.fills) for exit_ in group.exits) <= 1
            if group.working is not None and group.working.state is not State.FILLED:
                assert not any(exit_.fills for exit_ in group.exits)

    @invariant()
    def every_fill_is_closed_once_and_in_its_own_quantity(self) -> None:
        closed: dict[int, list[Decimal]] = defaultdict(list)
        for order in self.account.orders.values():
            if order.parent is not None:
                assert order.side is order.parent.side.opposite
                closed[order.parent.id].append(order.spec.quantity or Decimal(0))
        for order in self.account.orders.values():
            fills = [fill.quantity for fill in order.fills] if order.spec.close is not None else []
            assert closed[order.id] == fills

    @invariant()
    def an_exit_that_triggers_or_fills_ends_the_other(self) -> None:
        for group in self.account.groups.values():
            started = [exit_ for exit_ in group.exits if exit_.triggered or exit_.fills]
            assert not any(sibling.live for exit_ in started for sibling in group.siblings(exit_))

    @invariant()
    def the_open_orders_are_the_live_ones(self) -> None:
        live = {order.id for order in self.account.orders.values() if order.live}
        assert live == self.account.open_orders.keys()


class TradingWithFeesInQuote(Trading):
    """As on the exchanges that take a buy's fee in quote and hold nothing for an untriggered stop."""

    venue_rules = VenueRules(
        maker=Decimal("0.002"),
        taker=Decimal("0.006"),
        buy_fee_in_quote=True,
        triggers_hold=False,
        passed_triggers_refused=False,
        post_only_refused=False,
    )


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestTradingWithFeesInQuote = TradingWithFeesInQuote.TestCase
TestTradingWithFeesInQuote.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
