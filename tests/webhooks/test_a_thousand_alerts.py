"""A thousand alerts of every kind, sent as TradingView sends them: none is lost, none is traded twice."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import requests
from sqlalchemy import func, select

from app.domain.alerts import AlertStatus
from app.models import Alert
from tests.fixtures.stack import Desk, Stack, until
from tests.webhooks.tradingview import ChartAlert

DESKS, TRIGGERS = 4, 250
BETWEEN_TRIGGERS_SECONDS = 15.0

#: Each is wrong in a way of its own.
BAD = (
    '{"action": "BuyMarket", "symbol": "BTCUSDT"',
    '{"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "NaN"}',
    '{"action": "HODL", "symbol": "BTCUSDT", "quantity": "1"}',
    "action=BuyMarket; symbol=BTCUSDT; quantity=1; percent=10",
    "action=BuyMarket; symbol=BTCUSDT; quantity=-1",
    "Order filled on BTCUSDT!",
    "",
)


@dataclass
class Sent:
    """What one chart's alert sent, and how often it was answered what: by HTTP status, and by what an alert became."""

    desk: Desk
    orders: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    became: Counter[str] = field(default_factory=Counter)

    def note(self, answer: requests.Response) -> None:
        """Count one answer."""
        self.statuses[answer.status_code] += 1
        self.became[answer.json()["status"]] += 1


def test_every_one_is_accounted_for_and_every_accepted_one_is_exactly_one_order(stack: Stack) -> None:
    desks = [stack.open_desk() for _ in range(DESKS)]
    with ThreadPoolExecutor(DESKS) as charts:
        sent = list(charts.map(_run, desks))

    assert sum(each.statuses.total() for each in sent) == DESKS * TRIGGERS
    for each in sent:
        assert set(each.statuses) == {202, 400}
        _everything_is_decided(each.desk)
        # What was answered "received" is carried out by now; everything else became what was answered.
        each.became["PROCESSED"] += each.became["RECEIVED"]
        assert each.became.pop("RECEIVED") == each.orders
        figures = _ask(each.desk, "/alerts/stats")["24h"]
        assert (figures["total"], figures["by_status"]) == (TRIGGERS, each.became)
        _one_order_each(each)


def _run(desk: Desk) -> Sent:
    """Let a chart's alert trigger again and again, often enough apart that it does not stop itself."""
    sent = Sent(desk)
    alert = ChartAlert(f"{desk.stack.url}/webhook/{desk.token}")
    for message, is_order in _messages():
        delivery = alert.trigger(message)
        assert delivery is not None
        sent.note(delivery.last)
        sent.orders += is_order
        alert.clock.wait(BETWEEN_TRIGGERS_SECONDS)
    return sent


def _messages() -> Iterator[tuple[str, bool]]:
    """Of each five: an order, the same again, another body with the same id, a PING, and one that is wrong."""
    for number in range(TRIGGERS // 5):
        order = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.001", "id": f"bar {number}"}
        yield json.dumps(order), True
        yield json.dumps(order), False
        yield "; ".join(f"{key}={value}" for key, value in {**order, "quantity": "0.002"}.items()), False
        yield f"action=PING; comment={number}", False
        yield BAD[number % len(BAD)], False


def _one_order_each(sent: Sent) -> None:
    """By the inbox and by the exchange."""
    desk = sent.desk
    accepted = [row for row in _acted_on(desk) if row["action"] != "PING"]
    assert len(accepted) == sent.orders
    orders = desk.orders()
    assert Counter(order.alert_id for order in orders) == Counter(row["id"] for row in accepted)
    assert {row["order_id"] for row in accepted} == {order.id for order in orders}
    at_exchange = [order["client_order_id"] for order in desk.at_exchange()]
    assert sorted(at_exchange) == sorted(order.client_order_id for order in orders)


def _everything_is_decided(desk: Desk) -> None:
    query = select(func.count(Alert.id)).where(
        Alert.broker_id == desk.broker_id, Alert.status == AlertStatus.RECEIVED
    )

    def look() -> bool:
        with desk.stack.session() as session:
            waiting = session.scalar(query)
        return not waiting and all(order.status.is_final for order in desk.orders())

    until(look, "every alert to be decided and its order filled")


def _acted_on(desk: Desk) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for page in count(1):
        told = _ask(desk, f"/alerts?status=PROCESSED&per_page=100&page={page}")
        rows += told["alerts"]
        if page == told["pages"]:
            break
    return rows


def _ask(desk: Desk, path: str) -> dict[str, Any]:
    if "Authorization" not in desk.http.headers:
        page = desk.submit("/settings/tokens", name="reader", read="1").text
        token = re.search(r'id="new-token">([^<]+)<', page)
        assert token is not None, page
        desk.http.headers["Authorization"] = f"Bearer {token[1]}"
    answer = desk.http.get(f"{desk.stack.url}/api/v1{path}", timeout=30)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told
