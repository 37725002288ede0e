"""Two tasks ask the exchange about one order, both having read it before anything had happened."""

from __future__ import annotations

from decimal import Decimal

import pytest
from flask import current_app

from app.domain.orders import OrderReport, OrderStatus, OrderType
from app.exchanges import Exchange
from app.extensions import db
from app.extensions import redis as store
from app.models import OrderRow
from app.services import protection, reconciliation, whereabouts
from tests.services.trader import Trader, stop_at


@pytest.mark.parametrize("trader", ["kraken", "binance"], indirect=True)
def test_an_execution_and_the_exit_that_came_with_it_are_booked_once(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = trader.buy(OrderType.LIMIT, price=Decimal(50_000), **stop_at(45_000))
    trader.price(49_999)
    store.flushdb()
    look_up, answers = whereabouts.look_up, []

    def answer_late(exchange: Exchange, order: OrderRow) -> OrderReport | None:
        answers.append(look_up(exchange, order))
        store.flushdb()  # the counters of requests have run down
        if len(answers) == 1:
            with current_app._get_current_object().app_context():  # type: ignore[attr-defined]
                reconciliation.sync_open(trader.broker.id)
                db.session.remove()
            store.flushdb()
        return answers[0]

    monkeypatch.setattr(whereabouts, "look_up", answer_late)
    reconciliation.sync_open(trader.broker.id)

    assert len(answers) == 2
    entry = db.session.get_one(OrderRow, entry.id, populate_existing=True)
    assert entry.status is OrderStatus.FILLED
    assert sum(fill.quantity for fill in entry.fills) == entry.quantity
    [stop] = entry.children
    [resting] = trader.resting()
    assert stop.status is OrderStatus.OPEN
    assert Decimal(resting["trigger_price"]) == 45_000
    assert protection.settled(trader.position())
