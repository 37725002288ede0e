"""A worker is killed at every statement of the submit path in turn; what comes of the intent is the same each time.

Each scenario first runs unharmed and so tells which points it comes by. Then it runs once for each point that no
scenario before it has, is killed there, everything is delivered a second time, and exactly what belongs to one intent
must be found at the exchange's engine and in the database.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from app.domain.alerts import AlertStatus
from app.domain.orders import OrderStatus
from app.models import OrderRole
from tests.faults.workshop import Desk, Workshop, open_workshop
from tests.fixtures.sandbox import SandboxServer

Fault = tuple[str, str, Mapping[str, object]]


Change = Callable[[Workshop, Desk], None]


def nothing(workshop: Workshop, desk: Desk) -> None:
    """Let all be as it is."""


def pause(workshop: Workshop, desk: Desk) -> None:
    workshop.change_broker(desk, active=False)


def rehearse(workshop: Workshop, desk: Desk) -> None:
    workshop.change_broker(desk, dry_run=True)


def forbid_reading(workshop: Workshop, desk: Desk) -> None:
    workshop.sandbox.control("permissions", exchange=desk.exchange, api_key=desk.keys.api_key, read=False)


def hold(workshop: Workshop, desk: Desk) -> None:
    workshop.job("hold", desk.broker_id, in_person=True)


def expire(workshop: Workshop, desk: Desk) -> None:
    workshop.expire(desk)


@dataclass(frozen=True, slots=True)
class Scenario:
    """An intent, what happens to it on its way, and what must come of it however often a worker dies."""

    name: str
    alert: Mapping[str, str] | None
    """None: a person presses the button of a ticket."""
    faults: tuple[Fault, ...] = ()
    meanwhile: Change = nothing
    """What changes between the first delivery and the second."""
    before: Change = nothing
    exchange: str = "binance"
    age: float = 0
    balances: Mapping[str, str] | None = None
    alert_ends: AlertStatus = AlertStatus.PROCESSED
    entry_ends: OrderStatus | None = OrderStatus.FILLED
    entries: int = 1
    """How many orders reach the exchange; exits that rest, and sales at the market, likewise."""
    exits: int = 2
    sales: int = 0


def fault(operation: str, kind: str, **fields: object) -> Fault:
    return operation, kind, fields


BUY = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.01", "expires_in": "3600"}
GUARDED = {**BUY, "stop_loss": "57000", "take_profit": "66000"}
CLOSE = {"action": "CLOSE", "symbol": "BTCUSDT", "percent": "50", "expires_in": "3600"}
SHARE = {**{name: value for name, value in GUARDED.items() if name != "quantity"}, "percent": "50"}

LOST = fault("place_order", "reset_after")
NEVER_ARRIVED = fault("place_order", "reset_before")
NOT_NOW = fault("place_order", "rate_limit", retry_after=60)
UNSEEN = fault("get_order", "unseen"), fault("open_orders", "unseen"), fault("order_history", "unseen")
NOTHING_SENT = {"entries": 0, "exits": 0}
NO_ORDER = {"entry_ends": None, **NOTHING_SENT}

EXPIRED, DENIED, REJECTED = OrderStatus.EXPIRED, OrderStatus.DENIED, OrderStatus.REJECTED

SCENARIOS = [
    Scenario("filled and guarded", GUARDED),
    Scenario("not to be guarded", BUY, exits=0),
    Scenario("answer lost after execution", GUARDED, faults=(LOST,)),
    Scenario("executed and seen late", GUARDED, faults=(LOST, *UNSEEN)),
    Scenario("executed and seen in the history first", GUARDED, faults=(LOST, UNSEEN[0])),
    Scenario("never arrived", GUARDED, faults=(NEVER_ARRIVED,)),
    Scenario(
        "never arrived, then too late", GUARDED, (NEVER_ARRIVED,), expire, entry_ends=EXPIRED, **NOTHING_SENT
    ),
    Scenario("surely not executed", GUARDED, (NOT_NOW,)),
    Scenario(
        "surely not executed, then too late", GUARDED, (NOT_NOW,), expire, entry_ends=EXPIRED, **NOTHING_SENT
    ),
    Scenario(
        "surely not executed, then paused", GUARDED, (NOT_NOW,), pause, entry_ends=DENIED, **NOTHING_SENT
    ),
    Scenario("rejected", GUARDED, balances={"USDT": "10"}, entry_ends=REJECTED, **NOTHING_SENT),
    Scenario("dry run", GUARDED, before=rehearse, entry_ends=DENIED, **NOTHING_SENT),
    Scenario("ticket", None),
    Scenario("half filled", GUARDED, (fault("place_order", "partial_fill"),), entry_ends=EXPIRED),
    Scenario("exits attached", GUARDED, exchange="bitget"),
    Scenario("exits attached, fills not read", GUARDED, (fault("fills", "error_before"),), exchange="bitget"),
    Scenario("stop alone", GUARDED, exchange="kraken", exits=1),
    Scenario("stop alone, answer lost", GUARDED, (LOST,), exchange="kraken", exits=1),
    Scenario("pair of its own family", GUARDED, exchange="kucoin"),
    Scenario(
        "pair of its own family, fills not read",
        GUARDED,
        (fault("fills", "error_before"),),
        exchange="kucoin",
    ),
    Scenario("sized by a balance", SHARE),
    Scenario("balance not known at once", SHARE, (fault("balances", "error_before"),)),
    Scenario("balance refused", SHARE, before=forbid_reading, alert_ends=AlertStatus.ERROR, **NO_ORDER),
    Scenario("paused", GUARDED, before=pause, alert_ends=AlertStatus.DENIED, **NO_ORDER),
    Scenario("against a rule", {**BUY, "quantity": "0.000001"}, alert_ends=AlertStatus.DENIED, **NO_ORDER),
    Scenario("half closed", CLOSE, before=hold, exits=0, sales=1),
    Scenario("too late", GUARDED, age=7200, alert_ends=AlertStatus.EXPIRED, **NO_ORDER),
]


#: Statements that no scenario comes by, because one process alone cannot lead there.
ASIDE: Mapping[str, tuple[str, ...]] = {
    # Two processes store or decide the same at the same instant.
    "app.services.intake:store": (
        "db.session.rollback()",
        "if len(deliveries) > 1:",
        "return [receipt for delivery in deliveries for receipt in store([delivery])]",
        "judged = _store_together(deliveries)",
    ),
    "app.services.alerts:process": (
        "db.session.rollback()",
        "return",
        # It comes too soon: tests/services/test_what_alerts_do_to_positions.py.
        "db.session.commit()",
        "dispatch.process_alert(alert_id, case.broker.exchange, countdown=A_MOMENT)",
    ),
    # Alerts that are asked about, move protection or cancel: tests/services/test_alerts_out_of_step.py and the above.
    "app.services.alerts:_conclude": (
        "alert.confirmation = Confirmation.ASKED",
        "if alert.signal is None or 'expires_in' not in alert.signal:",
        "alert.expires_at = max(alert.expires_at, utc_now() + CONFIRM_WITHIN)",
    ),
    "app.services.alert_acts:write_down": (
        "for order in act.orders:",
        "orders.want_cancelled(order)",
        "return lambda: _pursue(act)",
    ),
    "app.services.wishes:write": (
        "position.stop_loss = change.stop_loss",
        "position.targets = [PositionTarget(price=target.price, share=target.share, status=TargetStatus.WAITING) "
        "for target in change.targets]",
        "position.trailing_percent, position.high = (change.trailing_percent, change.high)",
    ),
    "app.services.orders:place": (
        "db.session.rollback()",
        "placed = by_client_id(broker, client_order_id or '')",
        "if placed is None:",
        "raise",
        "return placed",
        # Nothing is stored of a ticket that is refused.
        "raise OrderDenied.because('paused', f'{broker.name} is paused', remedy='Resume the broker first.')",
        "raise OrderDenied(planned.violations)",
    ),
    "app.services.bookkeeping:_step": (
        "log.info('stale_report', order_id=order.id, known=order.status, reported=status)",
        "order.move_to(OrderStatus.SUBMITTED, 'it is on the exchange after all')",
        "status, cause = (OrderStatus.CANCELED, f'{cause}: the exchange turned it down after it had taken it')",
    ),
    "app.services.reconciliation:reconcile": (
        "return",
        "_tell(order, f'in doubt, and it could not be looked up: {error.message}', error.remedy)",
    ),
    # Changes of a protection that rests already, and exits turned down: tests/services/test_no_position_is_naked.py.
    "app.services.execution:_next_round": ("return False",),
    "app.services.protection:next_orders": (
        "db.session.commit()",
        "return begun",
        "order.cancel_requested = True",
    ),
    "app.services.positions:_adopt_wish": (
        "return",
        "position.trailing_percent, position.high = (entry.trailing_percent, bought_at)",
    ),
    "app.services.positions:held_for": ("return None",),
    "app.services.reconciliation:_guard_again": (
        "if not _another_exit_rests(order):",
        "_account_for_hand_trades(order.position_id)",
    ),
    # Two workers at one order, and orders that nobody can tell of: tests/services, for every exchange.
    "app.services.execution:_send_and_book": (
        "log.warning('claim_lost', order_id=order.id, attempt=attempt, error=error.message)",
        "db.session.rollback()",
        "return False",
    ),
    "app.services.execution:_reason_not_to_send": (
        "return (OrderStatus.CANCELED, 'cancelled before it was sent')",
    ),
    "app.services.execution:_release": (
        "order.next_attempt_at = order.expires_at",
        "delay = max((order.expires_at - now).total_seconds(), 0)",
        "dispatch.submit_order(order.id, order.broker.exchange, countdown=delay)",
    ),
    "app.services.reconciliation:_conclude": (
        "_end(order, OrderStatus.REJECTED, 'another order on the exchange goes by its client id', _CHECK)",
        "log.error('order_never_accounted_for', order_id=order.id, client_order_id=order.client_order_id)",
        "_end(order, OrderStatus.EXPIRED, 'not found, and too old for the exchange to tell of it surely', _CHECK)",
    ),
    # Reads that change nothing here: of executions that cannot be read yet.
    "app.services.execution:with_fills": (
        "log.warning('fills_not_read', order_id=order.id, error=error.message)",
        "whole = report",
        "return replace(report, status=OrderStatus.PENDING, filled_quantity=None)",
    ),
    # Guards against what no market, client or exchange here does.
    "app.services.intake:_link_duplicates": ("return",),
    "app.services.bookkeeping:_new_leg": (
        "raise ValueError(f'the exchange reported a leg of order {order.id} without side or type')",
    ),
    "app.exchanges.rest:RestExchange._once": (
        "raise AuthenticationFailed(self.name, 'this call needs a key', remedy='Add an API key to the broker.')",
    ),
}

#: Where a scenario on another exchange is cut short, whichever were before it: each has its own way of answering.
AT_THE_WIRE = "app.services.execution:_send_and_book:"


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
    """One life of an intent; returns the points on its way."""
    desk = workshop.open_desk(scenario.exchange, scenario.balances)
    for operation, kind, fields in scenario.faults:
        workshop.sandbox.fault(scenario.exchange, operation, kind, api_key=desk.keys.api_key, **fields)
    scenario.before(workshop, desk)
    if scenario.alert is None:
        request = ("press", desk.broker_id, "s" + uuid4().hex[:17])
    else:
        request = ("receive", desk.token, json.dumps(scenario.alert | {"id": "once"}), scenario.age)
    done = workshop.job(*request, die_at=die_at, in_person=in_person)
    reached = list(done.reached)
    scenario.meanwhile(workshop, desk)
    if not done.killed:
        done = workshop.job("redeliver", desk.broker_id, *request, die_at=die_at)
        reached += done.reached
    assert done.killed is (die_at is not None)
    workshop.job("redeliver", desk.broker_id, *request, in_person=in_person)
    check(workshop, scenario, desk, f"killed at {die_at}")
    if done.killed:
        workshop.close_desk(desk)
    return list(dict.fromkeys(reached))


def check(workshop: Workshop, scenario: Scenario, desk: Desk, story: str) -> None:
    """One intent, one order at the engine if any, one set of exits, and a database that says the same."""
    at_exchange = workshop.sandbox.orders(desk.exchange, desk.keys)
    entries = [order for order in at_exchange if order["side"] == "buy"]
    exits = [order for order in at_exchange if order["side"] == "sell"]
    sold = scenario.exits + scenario.sales
    assert (len(entries), len(exits)) == (scenario.entries, sold), (story, at_exchange)

    acted_on = [alert for alert in workshop.alerts(desk) if alert.status is not AlertStatus.DUPLICATE]
    assert [alert.status for alert in acted_on] == [scenario.alert_ends] * (scenario.alert is not None), story

    rows = workshop.orders(desk)
    mine = [row for row in rows if row.role is OrderRole.ENTRY]
    assert [row.status for row in mine] == ([] if scenario.entry_ends is None else [scenario.entry_ends]), (
        story
    )
    known = [row.exchange_order_id for row in rows]
    assert [known.count(order["exchange_order_id"]) for order in entries] == [1] * len(entries), story
    assert sum(row.filled_quantity or 0 for row in mine) == sum(
        Decimal(x["filled_quantity"]) for x in entries
    )
    guards = [row for row in rows if row.role is OrderRole.PROTECTION and not row.children]
    assert [row.status for row in guards] == [OrderStatus.OPEN] * scenario.exits, story


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
    around_commits = ("app.services.alerts:process:", "app.services.execution:_claim:", AT_THE_WIRE)
    with open_workshop(sandbox, str(tmp_path), redis_server, DATABASE_URL=postgres_url) as workshop:
        run(workshop, scenario, in_person=True)
        for point in ways[scenario.name]:
            if point.startswith(around_commits):
                run(workshop, scenario, die_at=point)
