"""A worker is killed at every statement on an order's way, and on a wish's; what comes of it is the same each time.

Each scenario first runs unharmed and so tells which points it comes by. Then it runs once for each point that no
scenario before it has, is killed there, everything is delivered a second time, and exactly what belongs to one intent
must be found at the exchange's engine and in the database, what is held guarded as wished, and nothing sold twice.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from app.domain.alerts import AlertStatus
from app.domain.orders import OrderStatus
from app.models import OrderRole
from tests.faults.scenarios import ASIDE, SCENARIOS, Scenario
from tests.faults.workshop import Desk, Workshop, open_workshop
from tests.fixtures.sandbox import SandboxServer

#: Where a scenario on another exchange is cut short, whichever were before it: each has its own way of answering.
AT_THE_WIRE = ("app.services.execution:_send_and_book:", "app.services.execution:_cancel_and_book:")

#: What a worker is asked to do: an act of it, and its arguments.
Request = tuple[Any, ...]

#: More than an exchange's smallest amount of this market.
LOT = Decimal("0.0001")


@pytest.fixture(scope="module")
def workshop(
    sandbox: SandboxServer, redis_server: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Workshop]:
    with open_workshop(sandbox, str(tmp_path_factory.mktemp("data")), redis_server) as opened:
        run(opened, SCENARIOS[0], in_person=True)
        yield opened


def run(
    workshop: Workshop, scenario: Scenario, *, die_at: str | None = None, in_person: bool = False
) -> list[str]:
    """One life of an intent, or of a wish of what came of one; returns the points on its way."""
    desk = workshop.open_desk(scenario.exchange, scenario.balances)
    request = _intent(scenario, desk)
    if scenario.wish is not None:
        workshop.job(*request, in_person=in_person)
        act, value = scenario.wish
        request = (act, desk.broker_id, value)
    reached = _live_and_die(workshop, scenario, desk, request, die_at=die_at, in_person=in_person)
    workshop.job("redeliver", desk.broker_id, *request, in_person=in_person)
    check(workshop, scenario, desk, f"killed at {die_at}")
    workshop.close_desk(desk)
    return reached


def _live_and_die(
    workshop: Workshop,
    scenario: Scenario,
    desk: Desk,
    request: Request,
    *,
    die_at: str | None,
    in_person: bool,
) -> list[str]:
    """The request and, unless the worker has been killed by then, all of it once more."""
    for operation, kind, fields in scenario.faults:
        workshop.sandbox.fault(scenario.exchange, operation, kind, api_key=desk.keys.api_key, **fields)
    scenario.before(workshop, desk)
    done = workshop.job(*request, die_at=die_at, in_person=in_person)
    reached = list(done.reached)
    scenario.meanwhile(workshop, desk)
    if not done.killed:
        done = workshop.job("redeliver", desk.broker_id, *request, die_at=die_at)
        reached += done.reached
    assert done.killed is (die_at is not None)
    return list(dict.fromkeys(reached))


def _intent(scenario: Scenario, desk: Desk) -> Request:
    if scenario.alert is None:
        return "press", desk.broker_id, "s" + uuid4().hex[:17]
    return "receive", desk.token, json.dumps(scenario.alert | {"id": "once"}), scenario.age


def check(workshop: Workshop, scenario: Scenario, desk: Desk, story: str) -> None:
    """One intent, one order at the engine if any, the exits as wished, and a database that says the same."""
    at_exchange = workshop.sandbox.orders(desk.exchange, desk.keys)
    entries = [order for order in at_exchange if order["side"] == "buy"]
    exits = [order for order in at_exchange if order["side"] == "sell"]
    resting = [order for order in exits if order["state"] == "open"]
    assert (len(entries), len(resting), len(exits) - len(resting)) == (
        scenario.entries,
        scenario.exits,
        scenario.past_exits,
    ), (story, at_exchange)
    check_rows(workshop, scenario, desk, entries, story)
    check_holding(workshop, scenario, desk, at_exchange, story)


def check_rows(
    workshop: Workshop, scenario: Scenario, desk: Desk, entries: Sequence[Mapping[str, str]], story: str
) -> None:
    """The rows of an intent tell of what is at the exchange, each order once."""
    acted_on = [alert for alert in workshop.alerts(desk) if alert.status is not AlertStatus.DUPLICATE]
    assert [alert.status for alert in acted_on] == [scenario.alert_ends] * (scenario.alert is not None), story

    rows = workshop.orders(desk)
    mine = [row for row in rows if row.role is OrderRole.ENTRY]
    assert [row.status for row in mine] == ([] if scenario.entry_ends is None else [scenario.entry_ends]), (
        story
    )
    known = [row.exchange_order_id for row in rows]
    assert [known.count(order["exchange_order_id"]) for order in entries] == [1] * len(entries), story
    assert sum(row.filled_quantity or 0 for row in mine) == _sum(entries, "filled_quantity"), story
    guards = [row for row in rows if row.role is OrderRole.PROTECTION and not row.children]
    live = [row.status for row in guards if not row.status.is_final]
    assert live == [OrderStatus.OPEN] * scenario.exits, story


def check_holding(
    workshop: Workshop, scenario: Scenario, desk: Desk, at_exchange: Sequence[Mapping[str, Any]], story: str
) -> None:
    """What was bought is held and guarded whole, or was sold as wished and no more of it."""
    bought, sold = (
        _sum((order for order in at_exchange if order["side"] == side), "filled_quantity")
        for side in ("buy", "sell")
    )
    fees = sum((Decimal(order["fees"].get("BTC", 0)) for order in at_exchange), Decimal(0))
    held = bought - fees - sold
    assert abs(sold - (bought - fees) * scenario.sold) < LOT, (story, at_exchange)
    assert sum(position.quantity for position in workshop.positions(desk)) == held, (story, at_exchange)

    resting = [order for order in at_exchange if order["side"] == "sell" and order["state"] == "open"]
    stops = [order for order in resting if order["type"].startswith("stop")]
    assert {Decimal(order["trigger_price"]) for order in stops} <= {Decimal(scenario.stop)}, (story, stops)
    if scenario.exits:
        assert held - LOT < _sum(stops, "quantity") <= held, (story, at_exchange)


def _sum(orders: Iterable[Mapping[str, str]], amount: str) -> Decimal:
    return sum((Decimal(order[amount]) for order in orders), Decimal(0))


@pytest.fixture(scope="module")
def ways(workshop: Workshop) -> dict[str, list[str]]:
    """The points each scenario comes by when nobody dies, in order."""
    return {scenario.name: run(workshop, scenario) for scenario in SCENARIOS}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_one_intent_stays_one_order(
    workshop: Workshop, ways: dict[str, list[str]], scenario: Scenario
) -> None:
    earlier = SCENARIOS[: SCENARIOS.index(scenario)]
    tried = {point for other in earlier for point in ways[other.name]}
    if scenario.exchange != SCENARIOS[0].exchange:
        tried = {point for point in tried if not point.startswith(AT_THE_WIRE)}
    for point in ways[scenario.name]:
        if point not in tried:
            run(workshop, scenario, die_at=point)


def test_every_point_is_on_the_way_of_a_scenario(workshop: Workshop, ways: dict[str, list[str]]) -> None:
    reached = {point for way in ways.values() for point in way}
    missed = [
        f"{point} {text}"
        for point, text in workshop.points.items()
        if point not in reached and text not in ASIDE.get(point.rpartition(":")[0], ())
    ]
    assert missed == []


def test_what_is_set_aside_is_still_there(workshop: Workshop) -> None:
    there = {(point.rpartition(":")[0], text) for point, text in workshop.points.items()}
    gone = [f"{name} {text}" for name, texts in ASIDE.items() for text in texts if (name, text) not in there]
    assert gone == []


@pytest.mark.postgres
def test_one_intent_stays_one_order_on_postgresql(
    sandbox: SandboxServer,
    redis_server: str,
    tmp_path: Path,
    postgres_url: str,
    ways: dict[str, list[str]],
) -> None:
    scenario = next(each for each in SCENARIOS if each.name == "answer lost after execution")
    around_commits = ("app.services.alerts:process:", "app.services.execution:_claim:", *AT_THE_WIRE)
    with open_workshop(sandbox, str(tmp_path), redis_server, DATABASE_URL=postgres_url) as workshop:
        run(workshop, scenario, in_person=True)
        for point in ways[scenario.name]:
            if point.startswith(around_commits):
                run(workshop, scenario, die_at=point)
