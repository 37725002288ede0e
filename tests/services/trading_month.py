"""A month of trading by a seeded hand: real services, a real client, the sandbox over HTTP, and prices that move."""

from __future__ import annotations

import random
from collections import Counter
from decimal import Decimal

from sqlalchemy import select

from app.domain.accounts import Credential, Environment, TradingMode
from app.domain.errors import OrderDenied, TradingError
from app.domain.money import floor_to_step, plain
from app.domain.orders import OrderDraft, OrderStatus, OrderType, PriceOrPercent, Side
from app.extensions import db
from app.extensions import redis as store
from app.models import Broker, OrderOrigin, OrderRow, User
from app.services import (
    balances,
    bookkeeping,
    brokers,
    catalog,
    connections,
    execution,
    markets,
    orders,
    reconciliation,
)
from app.services.orders import CancelRefused
from tests.fixtures.sandbox import Keys, SandboxServer

DAYS = 30
ORDERS_A_DAY = 7
_MOST_LOOKS = 100
_LIVE = (OrderStatus.OPEN, OrderStatus.PARTIALLY_FILLED)
OPENING = {"USDT": "100000", "BTC": "2", "ETH": "20", "SOL": "300"}

#: The market, its price to begin with, and the worth of an order in its quote.
MARKETS = {
    "BTC/USDT": (Decimal(60000), Decimal(900)),
    "ETH/USDT": (Decimal(3000), Decimal(400)),
    "ETH/BTC": (Decimal("0.05"), Decimal("0.01")),
    "SOL/USDT": (Decimal(150), Decimal(300)),
}


class Month:
    """One broker on one exchange and what happens on it; ``seen`` counts the kinds of things that did."""

    def __init__(self, sandbox: SandboxServer, exchange: str, user: User, seed: int) -> None:
        self.sandbox, self.exchange = sandbox, exchange
        self.seen: Counter[str] = Counter()
        self.keys = sandbox.account(exchange, OPENING)
        self._random = random.Random(seed)
        self._prices = {symbol: price for symbol, (price, _) in MARKETS.items()}
        self.broker_id = _connected(user, exchange, self.keys)

    @property
    def broker(self) -> Broker:
        """The broker as stored now."""
        return db.session.get_one(Broker, self.broker_id)

    def run(self) -> None:
        """Trade for a month, then cancel what still rests and look until there is nothing more to learn."""
        for _ in range(DAYS):
            self._day()
        for order_id in self._orders(*_LIVE):
            self._cancel(order_id)
        while self._to_be_seen() and self.seen["looks"] < _MOST_LOOKS:
            self.look()
        self.look()

    def look(self) -> None:
        """What beat has done every few seconds: learn of the orders, then of the balances."""
        self._find_out()
        self._later()
        reconciliation.sync_open(self.broker_id)
        db.session.remove()
        self._later()
        balances.sync(self.broker_id)
        db.session.remove()
        self.seen["looks"] += 1

    def place(self, draft: OrderDraft) -> int | None:
        """Place an order as the ticket does and let a worker submit it; None when a rule forbids it."""
        self._later()
        try:
            order_id = orders.place(self.broker, draft, OrderOrigin.TICKET).id
        except OrderDenied:
            self.seen["denied"] += 1
            return None
        execution.submit(order_id)
        self._find_out()
        self.seen[db.session.get_one(OrderRow, order_id).status.value] += 1
        db.session.remove()
        return order_id

    @staticmethod
    def _later() -> None:
        """Let so much time pass that the exchange's allowance is whole again."""
        store.flushdb()

    def _find_out(self) -> None:
        """What the sweep does for orders whose outcome is unknown; a look-up that fails is made again later."""
        for order_id in self._orders(OrderStatus.SUBMITTED):
            self._later()
            try:
                reconciliation.reconcile(order_id)
            except TradingError:
                self.seen["look-ups failed"] += 1
            db.session.remove()

    def _day(self) -> None:
        for _ in range(ORDERS_A_DAY):
            symbol = self._random.choice(list(MARKETS))
            self._move(symbol)
            if self._random.random() < 0.2:
                self._thin_book(symbol)
            if self._random.random() < 0.2:
                self._break_something()
            self.place(self._draft(symbol))
        looked = self._random.random() < 0.7
        if looked:
            self.look()
        resting = self._orders(*_LIVE)
        for order_id in self._random.sample(resting, len(resting) // 4):
            change = self._random.choice([self._cancel, self._amend]) if looked else self._cancel
            change(order_id)

    def _move(self, symbol: str) -> None:
        drift = Decimal(self._random.randint(-300, 300)) / 10000
        start, _ = MARKETS[symbol]
        price = self._prices[symbol] * (1 + drift)
        self._prices[symbol] = min(max(price, start / 2), start * 2).quantize(Decimal("0.00001"))
        self.sandbox.price(self.exchange, symbol, plain(self._prices[symbol]))

    def _thin_book(self, symbol: str) -> None:
        """A book of a few small offers, so that orders fill in pieces and partly."""
        market = catalog.all_of(self.broker)[symbol]
        price, (_, worth) = self._prices[symbol], MARKETS[symbol]
        lots = floor_to_step(worth / price / 3, market.lot_size) + market.lot_size
        mid = floor_to_step(price, market.tick_size)

        def side(direction: int) -> list[list[str]]:
            return [
                [plain(mid + direction * step * market.tick_size), plain(lots * self._random.randint(1, 2))]
                for step in range(1, 4)
            ]

        self.sandbox.control("books", exchange=self.exchange, symbol=symbol, bids=side(-1), asks=side(1))
        self.seen["thin books"] += 1

    def _break_something(self) -> None:
        """One of the things that lose an answer: after the order was taken, or while its fills are read."""
        operation, kind = self._random.choice(
            [("place_order", "partial_fill"), ("place_order", "reset_after"), ("fills", "error_before")]
        )
        self.sandbox.fault(self.exchange, operation, kind, api_key=self.keys.api_key, times=1)
        self.seen[f"{operation} {kind}"] += 1

    def _draft(self, symbol: str) -> OrderDraft:
        chance, price, (_, worth) = self._random, self._prices[symbol], MARKETS[symbol]
        side = chance.choice([Side.BUY, Side.SELL])
        worth = worth * chance.randint(50, 150) / 100
        guarded = side is Side.BUY and chance.random() < 0.5
        in_quote = chance.random() < 0.3
        kind = chance.choice([OrderType.MARKET, OrderType.LIMIT])
        away = Decimal(chance.randint(-200, 200)) / 10000
        return OrderDraft(
            symbol,
            side,
            kind,
            quantity=None if in_quote else worth / price,
            quote_quantity=worth if in_quote else None,
            price=price * (1 + away) if kind is OrderType.LIMIT else None,
            stop_loss=_percent(chance.randint(3, 6)) if guarded else None,
            take_profit=_percent(chance.randint(4, 8)) if guarded and chance.random() < 0.5 else None,
        )

    def _orders(self, *states: OrderStatus) -> list[int]:
        query = select(OrderRow.id).where(OrderRow.broker_id == self.broker_id, OrderRow.status.in_(states))
        found = list(db.session.scalars(query.order_by(OrderRow.id)))
        db.session.remove()
        return found

    def _to_be_seen(self) -> bool:
        query = select(OrderRow.id).where(OrderRow.broker_id == self.broker_id, reconciliation.TO_BE_SEEN)
        found = db.session.scalar(query.limit(1)) is not None
        db.session.remove()
        return found

    def _cancel(self, order_id: int) -> None:
        self._later()
        order = db.session.get_one(OrderRow, order_id)
        try:
            orders.cancel(order)
        except CancelRefused:
            return
        execution.cancel(order_id)
        self.seen["cancelled"] += 1
        db.session.remove()

    def _amend(self, order_id: int) -> None:
        """Make an order smaller of which nothing has executed, and adopt what the exchange says of it then.

        Some replace it by another that goes by another id and counts what it executes from zero.
        """
        self._later()
        order = db.session.get_one(OrderRow, order_id)
        if order.type is not OrderType.LIMIT or order.status is not OrderStatus.OPEN or not order.quantity:
            return
        lot = catalog.all_of(self.broker)[order.symbol].lot_size
        smaller = floor_to_step(order.quantity * 3 / 4, lot)
        try:
            with connections.calling(order.broker) as exchange:
                changed = exchange.amend_order(
                    order.symbol,
                    exchange_order_id=order.exchange_order_id,
                    quantity=smaller,
                    price=order.price,
                )
        except (OrderDenied, TradingError):
            self.seen["amendments refused"] += 1
        else:
            bookkeeping.adopt(order, changed, "made smaller")
            self.seen["amended"] += 1
        db.session.commit()
        db.session.remove()


def _connected(user: User, exchange: str, keys: Keys) -> int:
    broker = brokers.add(
        user,
        name=f"Practice on {exchange}",
        exchange=exchange,
        environment=Environment.SANDBOX,
        credential=Credential(keys.api_key, keys.api_secret, keys.passphrase),
        mode=TradingMode.OFF,
    )
    markets.load(broker.id)
    balances.sync(broker.id)
    db.session.remove()
    return broker.id


def _percent(value: int) -> PriceOrPercent:
    return PriceOrPercent(percent=Decimal(value))
