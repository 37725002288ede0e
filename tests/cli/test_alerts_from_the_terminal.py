"""Alerts through ``flask alert …``: seen whole, found by filters, explained, and run again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import Operator
from tests.fixtures.stack import until

BUY = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.001"}


@pytest.fixture(scope="module")
def source(operator: Operator) -> dict[str, Any]:
    """A source of the operator."""
    made: dict[str, Any] = operator.flask("source", "create", "inbox", "--json").json
    return made


@pytest.fixture(scope="module")
def carried_out(operator: Operator, source: dict[str, Any]) -> dict[str, Any]:
    """All that is told of an alert that led to an order."""
    sent = operator.flask("alert", "send", "--url", source["url"], json.dumps(BUY), "--json").json

    def look() -> dict[str, Any] | None:
        told: dict[str, Any] = operator.flask("alert", "show", str(sent["id"]), "--json").json
        return told if any(order["status"] == "FILLED" for order in told["orders"]) else None

    return until(look, "the order to be filled")


def test_an_alert_is_shown_with_its_meaning_its_orders_and_its_way(carried_out: dict[str, Any]) -> None:
    assert carried_out["signal"]["quantity"] == "0.001"
    assert carried_out["order_id"] == carried_out["orders"][0]["id"]
    names = [hop["name"] for hop in carried_out["timeline"]["hops"]]
    assert names == ["received", "stored", "queued", "picked_up", "sent", "acknowledged", "filled"]


def test_alerts_are_found_by_source_action_and_status(
    operator: Operator, carried_out: dict[str, Any]
) -> None:
    found = operator.flask("alert", "list", "--source", "inbox", "--action", "buymarket", "--json").json
    assert [row["id"] for row in found] == [carried_out["id"]]
    assert operator.flask("alert", "list", "--source", "inbox", "--status", "error", "--json").json == []
    assert "no source nowhere" in operator.flask("alert", "list", "--source", "nowhere", code=1).err


def test_an_alert_is_explained_without_being_stored(operator: Operator, source: dict[str, Any]) -> None:
    before = operator.flask("alert", "list", "--json").json
    told = operator.flask("alert", "explain", "-", "--source", "inbox", "--json", stdin=json.dumps(BUY)).json
    assert (told["status"], told["objections"], told["fault"]) == ("PROCESSED", [], None)
    assert told["elsewhere"] == []
    assert (told["order"]["side"], told["order"]["quantity"]) == ("BUY", "0.001")
    broken = operator.flask("alert", "explain", '{"action": Buy}', "--json").json
    assert (broken["status"], broken["fault"]) == ("ERROR", {"line": 1, "column": 12})
    assert broken["order"] is None
    assert operator.flask("alert", "list", "--json").json == before


def test_an_alert_is_replayed_dry_and_on_the_sandbox(operator: Operator, carried_out: dict[str, Any]) -> None:
    number = str(carried_out["id"])
    dry = operator.flask("alert", "replay", number, "--json").json
    assert (dry["status"], dry["order"]["quantity"]) == ("PROCESSED", "0.001")
    run = operator.flask("alert", "replay", number, "--sandbox", "--json").json
    assert run["id"] > carried_out["id"]
    assert run["status"] == "PROCESSED"
    assert run["orders"][0]["quantity"] == "0.001"
    assert "there is no alert 99999" in operator.flask("alert", "replay", "99999", code=1).err
