"""One exchange's matching engine: accounts, markets, and the life of every order.

No HTTP and no exchange's dialect in here. Every public method is atomic and exact: it runs alone, with enough
digits that no product of amounts is rounded.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from decimal import Decimal, localcontext
from itertools import count
from threading import RLock

from app.domain.money import EXACT
from app.sandbox.engine.account import Account
from app.sandbox.engine.execution import Execution
from app.sandbox.engine.instrument import Instrument
from app.sandbox.engine.market import Level, Market
from app.sandbox.engine.model import (
    ZERO,
    Fill,
    Order,
    OrderGroup,
    OrderSpec,
    Reason,
    Refusal,
    Refused,
    Side,
    State,
)
from app.sandbox.engine.schedule import Schedule
from app.sandbox.engine.settlement import ClientIds, Settlement, VenueRules, held_asset

#: Set around a placement to let only this part of it fill at once, whatever the book holds.
FILL_FRACTION: ContextVar[Decimal | None] = ContextVar("fill_fraction", default=None)


class Venue:
    """An exchange's state and the rules it trades by."""

    def __init__(
        self, name: str, rules: VenueRules, instruments: Iterable[Instrument], seed: int = 0
    ) -> None:
        self.name = name
        self.rules = rules
        self.skew = 0
        self.accounts: dict[str, Account] = {}
        self.markets: dict[str, Market] = {}
        self.journal: list[Order] = []
        self.listing = 0
        self._seed = seed
        self._execution = Execution(Settlement(rules), self.accounts, self.markets, self.now)
        self._execution.close = self._close
        self._schedule = Schedule()
        self._order_ids, self._group_ids, self._uids = count(1001), count(1), count(1)
        self._lock = RLock()
        self.list_instruments(instruments)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Run a block with nobody else changing anything, in exact arithmetic."""
        with self._lock, localcontext(EXACT):
            yield

    def tell_first_fills(self, listener: Callable[[Order], None]) -> None:
        """Call ``listener`` with every order that is about to fill for the first time."""
        self._execution.on_first_fill = listener

    def now(self) -> int:
        """The exchange's own time, skew included, in microseconds since the epoch."""
        return time.time_ns() // 1000 + self.skew

    # --- what exists -------------------------------------------------------------------------------------------

    def list_instruments(self, instruments: Iterable[Instrument]) -> None:
        """List further instruments, or replace how listed ones trade; prices and orders stay."""
        with self.alone():
            for instrument in instruments:
                market = self.markets.get(instrument.symbol)
                if market is None:
                    self.markets[instrument.symbol] = Market(instrument, self._seed)
                else:
                    market.instrument = instrument
            self.listing += 1

    def open_account(
        self, api_key: str, api_secret: str, passphrase: str | None, balances: Mapping[str, Decimal] | None
    ) -> Account:
        """Create an account, or change the secret and free balances of one there is."""
        with self.alone():
            account = self.accounts.get(api_key)
            if account is None:
                account = Account(api_key, api_secret, passphrase, uid=next(self._uids), opened_at=self.now())
                self.accounts[api_key] = account
            account.api_secret, account.passphrase = api_secret, passphrase
            if balances is not None:
                account.set_free(balances)
            return account

    def change_rules(self, *, triggers_hold: bool) -> None:
        """Say anew whether untriggered orders hold balance; for orders placed from now on."""
        with self.alone():
            self.rules = replace(self.rules, triggers_hold=triggers_hold)
            self._execution.settlement = Settlement(self.rules)

    @contextmanager
    def hiding_orders(self, api_key: str | None) -> Iterator[None]:
        """Run a block, alone, in which an account seems to have no orders, as if they had not arrived yet."""
        with self.alone():
            self.elapse()
            account = self.accounts.get(api_key or "")
            if account is not None:
                self.accounts[account.api_key] = account.without_orders()
            try:
                yield
            finally:
                if account is not None:
                    self.accounts[account.api_key] = account

    # --- placing -----------------------------------------------------------------------------------------------

    def submit(self, account: Account, spec: OrderSpec) -> Order:
        """Accept one order and match it.

        Raises:
            Refused: and nothing has changed.
        """
        with self.alone():
            self.elapse()
            order = self._draft(account, spec)
            self._admit(account, (order,))
            self._register(account, order)
            self._execution.work(order, FILL_FRACTION.get())
            return order

    def submit_group(
        self, account: Account, client_id: str, exits: Sequence[OrderSpec], working: OrderSpec | None = None
    ) -> OrderGroup:
        """Accept an OCO (two exits), an OTO (a working order and one exit) or an OTOCO (both).

        Raises:
            Refused: and nothing has changed.
        """
        with self.alone():
            self._check_legs(account, exits, working)
            legs = tuple(self._draft(account, spec) for spec in exits)
            entry = self._draft(account, working) if working is not None else None
            self._admit(account, legs if entry is None else (entry,))
            now = self.now()
            group = OrderGroup(next(self._group_ids), client_id, exits[0].symbol, legs, now, now, entry)
            account.groups[group.id] = group
            for order in group.orders:
                order.group = group
                self._register(account, order)
            if entry is None:
                for leg in legs:
                    if leg.live:
                        self._execution.work(leg)
            else:
                for leg in legs:
                    leg.state, leg.working_at = State.PENDING, None
                self._execution.work(entry, FILL_FRACTION.get())
            return group

    def _check_legs(self, account: Account, exits: Sequence[OrderSpec], working: OrderSpec | None) -> None:
        specs = [*exits, working] if working is not None else list(exits)
        ids = [spec.client_id for spec in specs if spec.client_id]
        if len(set(ids)) < len(ids):
            raise Refused(Refusal.DUPLICATE_CLIENT_ID)
        if len({spec.symbol for spec in specs}) > 1 or len({(s.side, s.quantity) for s in exits}) > 1:
            raise Refused(Refusal.BAD_LEGS)

    def _draft(self, account: Account, spec: OrderSpec) -> Order:
        if not self.market(spec.symbol).instrument.trading:
            raise Refused(Refusal.MARKET_CLOSED)
        self._check_client_id(account, spec.client_id)
        return self._new_order(account, spec)

    def _new_order(self, account: Account, spec: OrderSpec) -> Order:
        received = time.time_ns() // 1000
        market = self.market(spec.symbol)
        quantity = spec.quantity
        if quantity is None:
            by_quote = spec.quote_quantity
            quantity = ZERO if by_quote is None else market.quantity_for(spec.side, by_quote)
        now = received + self.skew
        return Order(
            id=next(self._order_ids),
            api_key=account.api_key,
            spec=spec,
            client_id=spec.client_id or "",
            quantity=quantity,
            received_at=received,
            created_at=now,
            updated_at=now,
            best=market.last,
            working_at=None if spec.waits else now,
        )

    def _check_client_id(self, account: Account, client_id: str | None) -> None:
        earlier = account.by_client_id.get(client_id) if client_id else None
        if earlier is None or self.rules.client_ids is ClientIds.NEVER:
            return
        if earlier.live or self.rules.client_ids is ClientIds.FOREVER:
            raise Refused(Refusal.DUPLICATE_CLIENT_ID)

    def _admit(self, account: Account, orders: Sequence[Order], freed: Decimal = ZERO) -> None:
        """Refuse orders that cannot rest or be paid for with what is free and ``freed``; several exclude each other."""
        market = self.market(orders[0].symbol)
        for order in orders:
            if self.rules.passed_triggers_refused and order.would_trigger(market.last):
                raise Refused(Refusal.WOULD_TRIGGER)
            if self.rules.post_only_refused and self._execution.would_match(order, market):
                raise Refused(Refusal.WOULD_MATCH)
        asset = held_asset(orders[0], market.instrument)
        if self._execution.settlement.needed(orders, market) > account.balance(asset).free + freed:
            raise Refused(Refusal.INSUFFICIENT_FUNDS)

    def _register(self, account: Account, order: Order) -> None:
        self.journal.append(order)
        account.orders[order.id] = order
        account.open_orders[order.id] = order
        self._execution.resting[order.symbol][order.id] = order
        if order.client_id:
            account.by_client_id[order.client_id] = order
        self._schedule.lapse(order)

    def _close(self, parent: Order, fill: Fill) -> None:
        """Place the closing order of one fill; it is on its own from here on."""
        if parent.spec.close is None:
            return
        account, market = self.accounts[parent.api_key], self.market(parent.symbol)
        order = self._new_order(account, replace(parent.spec.close, quantity=fill.quantity))
        order.parent = parent
        self._register(account, order)
        free = account.balance(held_asset(order, market.instrument)).free
        if self._execution.settlement.needed((order,), market) > free:
            self._execution.end(order, State.REJECTED, Reason.INSUFFICIENT_FUNDS)
        elif order.would_trigger(market.last):
            self._execution.trigger(order)
        else:
            self._execution.work(order)

    # --- changing ----------------------------------------------------------------------------------------------

    def cancel(self, order: Order) -> list[Order]:
        """Cancel an order, and with it the whole group it belongs to; returns what was cancelled.

        Raises:
            Refused: the order is not open any more.
        """
        with self.alone():
            if not order.live:
                raise Refused(Refusal.NOT_OPEN)
            together = order.group.orders[::-1] if order.group is not None else (order,)
            canceled = [member for member in together if member.live]
            for member in canceled:
                self._execution.end(member, State.CANCELED, Reason.CANCELED)
            return canceled[::-1]

    def substitute(self, order: Order, spec: OrderSpec) -> Order:
        """Cancel an open order and submit another of its symbol instead, which may take over its client id.

        Raises:
            Refused: it is not open, or the other is not accepted; and nothing has changed.
        """
        with self.alone():
            self.elapse()
            if not order.live:
                raise Refused(Refusal.NOT_OPEN)
            account = self.accounts[order.api_key]
            if spec.client_id != order.client_id:
                self._check_client_id(account, spec.client_id)
            fresh = self._new_order(account, spec)
            self._admit(account, (fresh,), freed=order.held if order.side is spec.side else ZERO)
            self.cancel(order)
            self._register(account, fresh)
            self._execution.work(fresh, FILL_FRACTION.get())
            return fresh

    def amend(
        self,
        order: Order,
        *,
        quantity: Decimal | None = None,
        price: Decimal | None = None,
        trigger_price: Decimal | None = None,
        client_id: str | None = None,
    ) -> Order:
        """Change the quantity, prices or client id of an open order in place; a new price may fill at once.

        Raises:
            Refused: it is not open, would be smaller than what has filled, cannot be paid for, or the client id is
                taken; and nothing has changed.
        """
        with self.alone():
            if not order.live:
                raise Refused(Refusal.NOT_OPEN)
            account = self.accounts[order.api_key]
            if client_id is not None and client_id != order.client_id:
                self._check_client_id(account, client_id)
            spec = replace(
                order.spec,
                price=order.price if price is None else price,
                trigger_price=order.spec.trigger_price if trigger_price is None else trigger_price,
            )
            self._resize(order, account, order.quantity if quantity is None else quantity, spec)
            if client_id is not None:
                account.by_client_id.pop(order.client_id, None)
                account.by_client_id[client_id] = order
                order.client_id = client_id
            order.updated_at = self.now()
            order.amendments += 1
            if price is None or order.state is State.PENDING:
                self._execution.hold(order)
            else:
                self._execution.work(order)
            return order

    def restate(self, order: Order, spec: OrderSpec) -> Order:
        """Give an order that still waits for its trigger other terms: type, size and prices.

        Raises:
            Refused: it waits no more, or the new terms cannot be paid for; and nothing has changed.
        """
        with self.alone():
            self.elapse()
            if not order.live or not order.waits_for_trigger:
                raise Refused(Refusal.NOT_OPEN)
            market, account = self.market(order.symbol), self.accounts[order.api_key]
            before = order.quantity, order.spec
            order.spec = spec
            order.quantity = spec.quantity or market.quantity_for(spec.side, spec.quote_quantity or ZERO)
            if self._execution.settlement.shortfall(order, account, market.instrument) > 0:
                order.quantity, order.spec = before
                raise Refused(Refusal.INSUFFICIENT_FUNDS)
            order.updated_at = self.now()
            order.amendments += 1
            self._execution.work(order)
            return order

    def _resize(self, order: Order, account: Account, quantity: Decimal, spec: OrderSpec) -> None:
        """Give an order another quantity and other prices, if its owner can pay for them."""
        market = self.market(order.symbol)
        moves_trigger = spec.trigger_price != order.spec.trigger_price
        if quantity <= order.filled or (spec.price is not None and order.price is None):
            raise Refused(Refusal.BAD_AMENDMENT)
        if moves_trigger and (not order.waits_for_trigger or order.spec.trigger_price is None):
            raise Refused(Refusal.BAD_AMENDMENT)
        before = order.quantity, order.spec
        order.quantity, order.spec = quantity, spec
        if moves_trigger and order.would_trigger(market.last):
            refusal = Refusal.WOULD_TRIGGER
        elif self._execution.settlement.shortfall(order, account, market.instrument) > 0:
            refusal = Refusal.INSUFFICIENT_FUNDS
        else:
            return
        order.quantity, order.spec = before
        raise Refused(refusal)

    # --- time passes, and the market moves ---------------------------------------------------------------------

    def cancel_all_at(self, account: Account, at: int | None) -> None:
        """Cancel all that an account has open when that time comes; None calls it off."""
        with self.alone():
            self._schedule.clear(account.api_key, at)

    def elapse(self) -> None:
        """End what should have ended by now: orders past their time, and all of an account that asked for it."""
        with self.alone():
            now = self.now()
            for api_key in self._schedule.cleared(now):
                for order in list(self.accounts[api_key].open_orders.values()):
                    if order.live:
                        self.cancel(order)
            for order in self._schedule.lapsed(now):
                self._execution.end(order, State.EXPIRED, Reason.TIME_OUT)

    def set_price(self, symbol: str, price: Decimal) -> None:
        """Trade at a price: resting limit orders it reaches fill at their own price, triggers it reaches fire."""
        with self.alone():
            self.elapse()
            market = self.market(symbol)
            market.move(price)
            for order in list(self._execution.resting[symbol].values()):
                if not order.live or order.state is State.PENDING:
                    continue
                if order.waits_for_trigger:
                    self._execution.watch(order, price)
                elif order.price is not None and _reached(order.side, order.price, price):
                    self._execution.fill(order, [Level(order.price, order.remaining)], maker=True)

    def set_book(self, symbol: str, bids: Iterable[Level], asks: Iterable[Level]) -> None:
        """Lay a finite book; resting limit orders that it crosses fill from it, as far as it goes."""
        with self.alone():
            self.elapse()
            market = self.market(symbol)
            market.set_book(bids, asks)
            for order in list(self._execution.resting[symbol].values()):
                if order.live and order.state is not State.PENDING and not order.waits_for_trigger:
                    taken = market.sweep(order.side, order.remaining, order.price)
                    market.consume(order.side, taken)
                    price = order.price or market.last
                    self._execution.fill(order, [Level(price, level.quantity) for level in taken], maker=True)

    # --- looking up --------------------------------------------------------------------------------------------

    def market(self, symbol: str) -> Market:
        """The market of a symbol such as ``BTC/USDT``.

        Raises:
            Refused: it is not listed.
        """
        try:
            return self.markets[symbol]
        except KeyError:
            raise Refused(Refusal.UNKNOWN_SYMBOL) from None


def _reached(side: Side, limit: Decimal, last: Decimal) -> bool:
    return last <= limit if side is Side.BUY else last >= limit
