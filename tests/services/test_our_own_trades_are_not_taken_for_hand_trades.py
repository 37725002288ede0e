"""What our own orders do while the exchange is asked about hand trades is not booked as done by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from flask import current_app

from app.domain.orders import PriceOrPercent
from app.exchanges import Exchange
from app.extensions import db
from app.models import Broker, PositionStatus
from app.services import connections, hand_trades
from tests.services.trader import PRICE, QUANTITY, Trader, stop_at

pytestmark = pytest.mark.parametrize("trader", ["binance"], indirect=True)

Meanwhile = Callable[[int, Callable[[], object]], None]


class Interrupted:
    """An exchange beside which something else happens right after so many answers."""

    def __init__(self, exchange: Exchange, answers: int, act: Callable[[], object]) -> None:
        self._exchange, self._answers, self._act = exchange, answers, act

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def ask(*args: Any, **named: Any) -> Any:
            answer = getattr(self._exchange, name)(*args, **named)
            self._answers -= 1
            if self._answers == 0:
                self._act()
            return answer

        return ask


@pytest.fixture
def after_answers(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Lays down what happens after so many answers of the exchange about hand trades."""

    def lay(answers: int, act: Callable[[], object]) -> None:
        @contextmanager
        def calling(broker: Broker) -> Iterator[Interrupted]:
            with connections.calling(broker) as exchange:
                yield Interrupted(exchange, answers, act)

        monkeypatch.setattr(hand_trades, "connections", SimpleNamespace(calling=calling))

    return lay


def test_a_purchase_that_another_worker_books_meanwhile(trader: Trader, after_answers: Meanwhile) -> None:
    trader.buy(**stop_at(58_000))

    def buy_elsewhere() -> None:
        with current_app._get_current_object().app_context():  # type: ignore[attr-defined]
            Trader(db.session.get_one(Broker, trader.broker.id), trader.sandbox, trader.keys).buy()
            db.session.remove()

    after_answers(2, buy_elsewhere)
    assert not hand_trades.account_for(trader.position().id)

    position = trader.position()
    assert position.external == 0
    assert position.quantity == trader.own() > QUANTITY


def test_a_take_profit_that_executes_meanwhile(trader: Trader, after_answers: Meanwhile) -> None:
    trader.buy(take_profit=PriceOrPercent(price=Decimal(66_000)))
    assert len(trader.resting()) == 1

    after_answers(1, lambda: trader.price(66_001))
    assert not hand_trades.account_for(trader.position().id)
    trader.later()

    position = trader.position()
    assert (position.status, position.external) == (PositionStatus.CLOSED, 0)
    assert (position.closed_because or "").startswith("its take-profit sold it")
    assert position.realised > QUANTITY * (66_000 - PRICE) * Decimal("0.9")
