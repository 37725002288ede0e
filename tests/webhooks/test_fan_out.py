"""One source, several brokers: an alert for each, sized by its own rules, decided by itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import event

from app.domain.accounts import TradingMode
from app.extensions import db
from app.models import Broker, User
from app.services import alerts, sources
from app.services.sources import Route, SourceRefused, SourceSettings
from tests.fixtures.app import MakeBroker
from tests.webhooks.conftest import Line, MakeLine

BUY = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.01"}


@pytest.fixture
def others(trader: User, broker: Broker, make_broker: MakeBroker) -> list[Broker]:
    """Further brokers of the same person."""
    return [make_broker(trader, name, mode=TradingMode.WEBHOOKS) for name in ("second", "third", "fourth")]


@pytest.fixture
def wide(make_line: MakeLine, others: list[Broker]) -> Line:
    """A source of the main broker that trades on two others as well, and on a third no more."""
    routes = (
        Route(others[0], percent=Decimal(5)),
        Route(others[1]),
        Route(others[2], enabled=False),
    )
    return make_line(settings=SourceSettings(routes=routes))


@contextmanager
def counted_queries(app: Flask) -> Iterator[list[str]]:
    statements: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_a_delivery_makes_one_alert_for_each_broker_in_one_commit(
    wide: Line, broker: Broker, others: list[Broker]
) -> None:
    answer = wide.send(json.dumps({**BUY, "id": "7"}))

    made = wide.alerts()
    assert [alert.broker_id for alert in made] == [broker.id, others[0].id, others[1].id]
    assert answer.get_json()["ids"] == [alert.id for alert in made]
    assert answer.get_json()["id"] == made[0].id
    assert [alert.delivery_id for alert in made] == [None, made[0].id, made[0].id]
    assert [alert.status for alert in made] == ["RECEIVED"] * 3
    assert {alert.body for alert in made} == {json.dumps({**BUY, "id": "7"})}


def test_an_entry_takes_the_size_of_its_broker_and_an_exit_that_of_the_alert(wide: Line) -> None:
    wide.send(json.dumps(BUY))
    wide.send(json.dumps({"action": "SellMarket", "symbol": "BTCUSDT", "percent": "100"}))

    sizes = [
        {name: value for name, value in (alert.signal or {}).items() if name in ("percent", "quantity")}
        for alert in wide.alerts()
    ]

    assert sizes[:3] == [{"quantity": "0.01"}, {"percent": "5"}, {"quantity": "0.01"}]
    assert sizes[3:] == [{"percent": "100"}] * 3


@pytest.mark.parametrize("action", ["sell", "SellLimit"])
@pytest.mark.parametrize(
    ("strategy", "percent"),
    [
        ({"market_position": "long", "position_size": "0.5"}, "50"),
        ({"market_position": "long", "position_size": "1.5"}, "25"),
        ({"market_position": "flat", "position_size": "0"}, "100"),
        ({"market_position": "short", "position_size": "-2"}, "100"),
    ],
)
def test_what_a_strategy_sells_of_its_own_is_the_same_share_on_a_broker_with_another_size(
    action: str, strategy: dict[str, str], percent: str, wide: Line
) -> None:
    sale = {"action": action, "symbol": "BTCUSDT", "quantity": "0.5", "price": "60000", **strategy}
    wide.send(json.dumps(sale))

    first, resized, same = ((alert.signal or {}) for alert in wide.alerts())

    assert (first["quantity"], same["quantity"]) == ("0.5", "0.5")
    assert (resized["percent"], "quantity" in resized) == (percent, False)


@pytest.mark.parametrize(
    "sale",
    [
        {"quantity": "0.5"},
        {"quote_quantity": "500"},
        {"quantity": "0.5", "market_position": "long"},
        {"quote_quantity": "500", "market_position": "long", "position_size": "0.5"},
    ],
)
def test_a_sale_whose_share_cannot_be_told_is_denied_on_a_broker_with_another_size(
    sale: dict[str, str], wide: Line
) -> None:
    wide.send(json.dumps({"action": "sell", "symbol": "BTCUSDT", **sale}))

    first, denied, same = wide.alerts()

    assert (first.status, same.status) == ("RECEIVED", "RECEIVED")
    assert denied.status == "DENIED"
    assert "what share of its position" in (denied.reason or "")


def test_each_is_decided_by_itself(app: Flask, wide: Line, others: list[Broker]) -> None:
    with app.app_context():
        paused = db.session.merge(others[1])
        paused.mode = TradingMode.OFF
        db.session.commit()
    wide.send(json.dumps(BUY))

    with app.app_context():
        for alert in wide.alerts():
            if alert.broker_id != others[0].id:  # whose percentage would ask the exchange
                alerts.process(alert.id)

    first, untouched, denied = wide.alerts()
    assert first.status == "PROCESSED"
    assert untouched.status == "RECEIVED"
    assert denied.status == "DENIED"


@pytest.mark.parametrize("again", [{**BUY, "id": "7"}, BUY])
def test_a_repeated_delivery_is_one_duplicate_linked_to_the_first(again: dict[str, str], wide: Line) -> None:
    first = wide.send(json.dumps(again)).get_json()
    second = wide.send(json.dumps(again)).get_json()

    assert (second["status"], second["duplicate_of"]) == ("DUPLICATE", first["id"])
    assert "ids" not in second
    assert len(wide.alerts()) == 4


@pytest.mark.parametrize("body", ["action=PING", '{"action": "BuyMarket"', json.dumps({"action": "Moon"})])
def test_what_leads_to_no_order_is_kept_once(body: str, wide: Line) -> None:
    wide.send(body)
    assert len(wide.alerts()) == 1


def test_a_source_of_one_broker_costs_no_query_more(app: Flask, line: Line) -> None:
    line.send(json.dumps(BUY))  # maps the tables
    with counted_queries(app) as statements:
        line.send(json.dumps({**BUY, "id": "7"}))
    asked = [statement for statement in statements if not statement.startswith("BEGIN")]
    assert [statement.split(maxsplit=1)[0] for statement in asked] == ["SELECT", "SELECT", "INSERT", "INSERT"]
    assert ["sources" in asked[0], "alerts" in asked[1]] == [True, True]


def test_brokers_of_another_person_and_the_same_twice_are_refused(
    app: Flask, trader: User, broker: Broker, others: list[Broker]
) -> None:
    with app.app_context():
        main, second = db.session.merge(broker), db.session.merge(others[0])
        for routes in ([Route(main)], [Route(second), Route(second)]):
            with pytest.raises(SourceRefused, match="once"):
                sources.create(trader, main, "twice", SourceSettings(routes=routes))
        both = Route(second, percent=Decimal(1), quote_quantity=Decimal(1))
        with pytest.raises(SourceRefused, match="one size"):
            sources.create(trader, main, "both", SourceSettings(routes=[both]))
