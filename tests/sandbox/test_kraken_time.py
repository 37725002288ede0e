"""Orders that lapse, requests that are late, and the switch of a customer who falls silent."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kraken_caller import Caller, refused


def later(server: SandboxServer, seconds: int) -> None:
    """Let time pass at the exchange."""
    server.control("skew", exchange="kraken", milliseconds=seconds * 1000)


def test_an_order_lapses_when_its_time_is_over(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    txid = kraken.limit("buy", "50000", timeinforce="GTD", expiretm="+3600")
    later(fresh_sandbox, 3601)
    fresh_sandbox.price("kraken", "BTC/USDT", "49000")
    order = kraken.order(txid)
    assert (order["status"], order["vol_exec"]) == ("expired", "0.00000000")
    assert order["expiretm"] == pytest.approx(order["opentm"] + 3600, abs=1)
    assert kraken.balances()["USDT"][1] == "0.00000000"


def test_a_plus_that_is_not_escaped_is_a_blank_and_refused(kraken: Caller) -> None:
    body = (
        "nonce=1&pair=XBTUSDT&type=buy&ordertype=limit&price=50000&volume=0.01&timeinforce=GTD&expiretm=+60"
    )
    assert refused(kraken.send_raw("AddOrder", "1", body)) == "EGeneral:Invalid arguments:expiretm"


@pytest.mark.parametrize(
    ("seconds", "refusal"),
    [
        (30, None),
        (-1, "EService:Deadline elapsed"),
        (1, "EGeneral:Invalid arguments:deadline"),
        (90, "EGeneral:Invalid arguments:deadline"),
    ],
)
def test_a_deadline_lies_between_two_seconds_and_a_minute_ahead(
    kraken: Caller, seconds: int, refusal: str | None
) -> None:
    deadline = (datetime.now(UTC) + timedelta(seconds=seconds)).isoformat()
    order = {"type": "buy", "ordertype": "limit", "price": "50000", "deadline": deadline}
    if refusal is None:
        kraken.place(**order)
    else:
        assert kraken.refused_order(**order) == refusal


def test_an_amendment_that_is_late_changes_nothing(kraken: Caller) -> None:
    txid = kraken.limit("buy", "50000")
    gone = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    refusal = kraken.refusal("AmendOrder", txid=txid, limit_price="51000", deadline=gone)
    assert refusal == "EService:Deadline elapsed"
    assert kraken.order(txid)["descr"]["price"] == "50000.00"


def test_a_request_that_is_late_for_its_deadline_does_nothing(
    fresh_sandbox: SandboxServer, kraken: Caller
) -> None:
    fresh_sandbox.fault("kraken", "place_order", "delay", seconds="2.2")
    deadline = (datetime.now(UTC) + timedelta(seconds=2.1)).isoformat()
    assert (
        kraken.refused_order(type="buy", ordertype="market", deadline=deadline) == "EService:Deadline elapsed"
    )
    assert fresh_sandbox.orders("kraken", kraken.keys) == []


def test_all_goes_when_the_customer_falls_silent(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    txid = kraken.limit("buy", "50000")
    times = kraken.ok("CancelAllOrdersAfter", timeout=60)
    assert times["triggerTime"] > times["currentTime"]
    later(fresh_sandbox, 50)
    assert kraken.ok("CancelAllOrdersAfter", timeout=60)
    later(fresh_sandbox, 100)
    assert kraken.order(txid)["status"] == "open"
    later(fresh_sandbox, 111)
    assert kraken.order(txid)["status"] == "canceled"


def test_a_timeout_of_nothing_calls_it_off(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    txid = kraken.limit("buy", "50000")
    kraken.ok("CancelAllOrdersAfter", timeout=60)
    assert kraken.ok("CancelAllOrdersAfter", timeout=0)["triggerTime"] == "0"
    later(fresh_sandbox, 100)
    assert kraken.order(txid)["status"] == "open"
    assert kraken.refusal("CancelAllOrdersAfter") == "EGeneral:Invalid arguments:timeout"
