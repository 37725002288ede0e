"""How often the database is asked on the way from a plain alert to its filled order, which somebody waits for."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from app.domain.orders import OrderStatus
from app.extensions import db
from app.services import alerts
from tests.services.signals import Signals

#: Of an alert that opens a position without exits. Whoever adds one should know what it is worth.
STATEMENTS = 21


@pytest.mark.parametrize("trader", ["binance"], indirect=True)
def test_a_plain_alert_costs_so_many_statements_and_asks_once_for_halts(signals: Signals) -> None:
    alert_id = signals.store(action="BuyMarket", quantity="0.01")
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    event.listen(db.engine, "before_cursor_execute", note)
    try:
        alerts.process(alert_id)
    finally:
        event.remove(db.engine, "before_cursor_execute", note)

    [order] = signals.orders(signals.fresh(alert_id))
    assert order.status is OrderStatus.FILLED
    assert len([statement for statement in statements if "FROM halts" in statement]) == 1
    assert len(statements) == STATEMENTS
