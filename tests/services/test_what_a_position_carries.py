"""A position carries what can change no more, and says at every moment what counting all of its orders would say."""

from __future__ import annotations

import random
from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import select

from app.domain.orders import Fill, OrderReport, OrderStatus, OrderType, Side
from app.extensions import db
from app.models import Broker, OrderOrigin, OrderRole, OrderRow, Position, utc_now
from app.services import bookkeeping, counting
from tests.fixtures.app import MakeBroker, MakeUser

BTC = "BTC/USDT"
_FEE = Decimal("0.001")
_FIGURES = ("quantity", "bought", "cost", "realised", "fees", "status")


class History:
    """Orders of one market on one broker, and the news of them as they come in."""

    def __init__(self, broker: Broker, seed: int = 0) -> None:
        self._broker = broker
        self._random = random.Random(seed)
        self._open: list[OrderRow] = []
        self._done: list[OrderRow] = []

    def order(self, side: Side, quantity: str, *, at: int = 100) -> OrderRow:
        """An order that the exchange has taken."""
        now = utc_now()
        row = OrderRow(
            user_id=self._broker.user_id,
            broker=self._broker,
            role=OrderRole.ENTRY,
            origin=OrderOrigin.TICKET,
            symbol=BTC,
            side=side,
            type=OrderType.LIMIT,
            quantity=Decimal(quantity),
            price=Decimal(at),
            status=OrderStatus.SUBMITTED,
            attempts=1,
            carried=False,
            created_at=now,
            acknowledged_at=now,
            fills=[],
            children=[],
        )
        db.session.add(row)
        db.session.commit()
        return row

    def hear(self, order: OrderRow, executions: int, status: OrderStatus) -> None:
        """News of an order of which so many tenths have executed."""
        tenth = (order.quantity or Decimal(0)) / 10
        price = order.price or Decimal(0)
        fills = tuple(
            Fill(
                f"{order.id}-{number}",
                None,
                None,
                BTC,
                order.side,
                price,
                tenth,
                tenth * price,
                tenth * price * _FEE,
                "USDT",
                None,
                utc_now(),
            )
            for number in range(executions)
        )
        report = OrderReport(
            f"x{order.id}",
            order.client_order_id,
            BTC,
            order.side,
            order.type,
            status,
            quantity=order.quantity,
            filled_quantity=tenth * executions,
            average_price=price if executions else None,
            cost=tenth * executions * price,
            fills=fills,
        )
        bookkeeping.adopt(order, report, "heard")
        db.session.commit()

    def step(self) -> None:
        """One thing that may happen: a new order, news of an open one, or old news once more."""
        choice = self._random.random()
        if choice < 0.4 or not self._open:
            side = self._random.choice((Side.BUY, Side.BUY, Side.SELL))
            row = self.order(side, str(self._random.randint(1, 9)), at=self._random.randint(50, 150))
            self.hear(row, 0, OrderStatus.OPEN)
            self._open.append(row)
        elif choice < 0.9:
            self._news(self._random.choice(self._open))
        elif self._done:
            row = self._random.choice(self._done)
            self.hear(row, len(row.fills), row.status)

    def _news(self, order: OrderRow) -> None:
        executed = 10 if self._random.random() < 0.5 else self._random.randint(len(order.fills), 10)
        ended = executed == 10 or self._random.random() < 0.2
        partly = OrderStatus.PARTIALLY_FILLED if executed else OrderStatus.OPEN
        end = OrderStatus.FILLED if executed == 10 else OrderStatus.CANCELED
        self.hear(order, executed, end if ended else partly)
        if ended:
            self._open.remove(order)
            self._done.append(order)


@pytest.fixture
def broker(app: Flask, make_user: MakeUser, make_broker: MakeBroker) -> Iterator[Broker]:
    made = make_broker(make_user())
    with app.app_context():
        yield db.session.get_one(Broker, made.id)


def figures(position: Position) -> list[object]:
    return [getattr(position, name) for name in _FIGURES]


@pytest.mark.parametrize("seed", range(4))
def test_a_position_says_after_any_news_what_all_of_its_orders_say(broker: Broker, seed: int) -> None:
    history = History(broker, seed)
    compared = carried = 0
    for _ in range(40):
        history.step()
        for position in db.session.scalars(select(Position)).all():
            said = figures(position)
            carried += position.carried_purchase_at is not None
            counting.start_over(position)
            counting.recount(position)
            assert figures(position) == said
            compared += 1
            db.session.rollback()
    assert compared > 10
    assert carried > 0


def test_an_order_that_is_over_is_not_read_again(broker: Broker) -> None:
    history = History(broker)
    for _ in range(3):
        history.hear(history.order(Side.BUY, "1"), 10, OrderStatus.FILLED)
    position = db.session.scalars(select(Position)).one()

    assert counting.uncarried(position) == []
    assert position.quantity == position.carried.quantity == 3


def test_a_sale_is_not_carried_before_what_is_still_being_bought(broker: Broker) -> None:
    history = History(broker)
    buying = history.order(Side.BUY, "2", at=100)
    history.hear(buying, 5, OrderStatus.PARTIALLY_FILLED)
    sale = history.order(Side.SELL, "1", at=120)
    history.hear(sale, 10, OrderStatus.FILLED)
    position = db.session.scalars(select(Position)).one()
    assert [order.id for order in counting.uncarried(position)] == [buying.id, sale.id]

    history.hear(buying, 10, OrderStatus.FILLED)

    assert counting.uncarried(position) == []
    assert position.quantity == 1
    fees = (200 + 120) * _FEE
    assert position.fees == fees
    assert position.realised == 120 - 120 * _FEE - (200 + 200 * _FEE) / 2


def test_news_of_an_order_that_was_carried_are_counted_all_the_same(broker: Broker) -> None:
    history = History(broker)
    cancelled = history.order(Side.BUY, "1")
    history.hear(cancelled, 4, OrderStatus.CANCELED)
    position = db.session.scalars(select(Position)).one()
    assert position.quantity == Decimal("0.4")

    history.hear(cancelled, 7, OrderStatus.CANCELED)

    assert position.quantity == Decimal("0.7")
