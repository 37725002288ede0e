"""The main job on PostgreSQL: exact amounts, one order per alert whoever delivers it, outcomes looked up."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal

import pytest

from app.domain.alerts import AlertStatus
from app.domain.orders import OrderStatus
from tests.fixtures.sandbox import SandboxServer
from tests.fixtures.stack import Stack, running_stack

pytestmark = pytest.mark.postgres

BUY = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.01"}
SENDERS = 8


@pytest.fixture(scope="module")
def postgres_stack(sandbox: SandboxServer, postgres_module_url: str) -> Iterator[Stack]:
    with running_stack(sandbox, DATABASE_URL=postgres_module_url, WEB_WORKERS="2") as stack:
        yield stack


def test_an_alert_ends_filled_with_both_exits_resting(postgres_stack: Stack) -> None:
    desk = postgres_stack.open_desk()
    desk.send(json.dumps({**BUY, "stop_loss": "2%", "take_profit": "5%"}))

    entry, pair, *legs = desk.await_orders(lambda found: len(found) == 4, "entry, pair and two legs")

    assert (entry.status, entry.filled_quantity) == (OrderStatus.FILLED, Decimal("0.01"))
    assert pair.quantity == Decimal("0.00999")
    assert {leg.status for leg in legs} == {OrderStatus.OPEN}


@pytest.mark.parametrize("named", [True, False], ids=["same id", "same body"])
def test_one_alert_sent_by_many_at_the_same_instant_leads_to_one_order(
    postgres_stack: Stack, named: bool
) -> None:
    desk = postgres_stack.open_desk()
    body = json.dumps({**BUY, "id": "once"} if named else BUY)
    start = threading.Barrier(SENDERS)
    statuses: list[str] = []

    def send() -> None:
        start.wait()
        statuses.append(desk.send(body).json()["status"])

    senders = [threading.Thread(target=send) for _ in range(SENDERS)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()

    assert Counter(statuses) == {AlertStatus.RECEIVED: 1, AlertStatus.DUPLICATE: SENDERS - 1}
    desk.await_orders(lambda found: bool(found) and found[0].status.is_final, "the fill")
    assert len(desk.at_exchange()) == 1


def test_a_time_out_after_execution_is_looked_up_and_never_sent_again(postgres_stack: Stack) -> None:
    desk = postgres_stack.open_desk()
    desk.fault("place_order", "reset_after", times=1)
    desk.send(json.dumps(BUY))

    desk.await_orders(lambda found: bool(found) and found[0].status is OrderStatus.FILLED, "the fill")

    assert len(desk.at_exchange()) == 1
