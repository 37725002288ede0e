"""Faults at Kraken's own paths, and how it words what is not an order's fault."""

from __future__ import annotations

import pytest
import requests

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kraken_caller import PAIR, Caller, refused

ORDER = {"pair": PAIR, "type": "buy", "ordertype": "market", "volume": "0.01"}
SOME_ORDER = {"txid": "OAAAAA-BBBBB-CCCCCC"}


@pytest.mark.parametrize(
    ("kind", "executed"), [("refuse", False), ("reset_after", True), ("accept_then_timeout", True)]
)
def test_a_placement_may_stay_unanswered_and_yet_be_executed(
    fresh_sandbox: SandboxServer, kraken: Caller, kind: str, executed: bool
) -> None:
    fresh_sandbox.fault("kraken", "place_order", kind, seconds="0.05")
    with pytest.raises(requests.ConnectionError):
        kraken.send("AddOrder", **ORDER, cl_ord_id="bot-0001")
    assert len(kraken.ok("ClosedOrders", cl_ord_id="bot-0001")["closed"]) == executed


@pytest.mark.parametrize(("kind", "executed"), [("error_before", False), ("error_after", True)])
@pytest.mark.parametrize("status", [502, 520])
def test_a_server_error_is_a_page_of_html(
    fresh_sandbox: SandboxServer, kraken: Caller, kind: str, executed: bool, status: int
) -> None:
    fresh_sandbox.fault("kraken", "place_order", kind, status=status)
    response = kraken.send("AddOrder", **ORDER)
    assert (response.status_code, response.text[:6]) == (status, "<html>")
    assert len(fresh_sandbox.orders("kraken", kraken.keys)) == executed


@pytest.mark.parametrize(("kind", "executed"), [("error_before", False), ("error_after", True)])
@pytest.mark.parametrize(
    ("status", "error"),
    [(500, "EGeneral:Internal error"), (503, "EService:Unavailable"), (504, "EService:Timeout")],
)
def test_krakens_own_troubles_come_with_status_200_and_leave_the_outcome_open(
    fresh_sandbox: SandboxServer, kraken: Caller, kind: str, executed: bool, status: int, error: str
) -> None:
    fresh_sandbox.fault("kraken", "place_order", kind, status=status)
    assert refused(kraken.send("AddOrder", **ORDER)) == error
    assert len(fresh_sandbox.orders("kraken", kraken.keys)) == executed


def test_an_order_may_not_be_seen_at_once(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    txid = kraken.limit("buy", "50000")
    fresh_sandbox.fault("kraken", "get_order", "unseen")
    assert kraken.ok("QueryOrders", txid=txid) == {}
    assert list(kraken.ok("QueryOrders", txid=txid)) == [txid]


def test_a_ban_is_a_temporary_lockout(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.fault("kraken", "place_order", "ban")
    assert refused(kraken.send("AddOrder", **ORDER)) == "EGeneral:Temporary lockout"
    assert fresh_sandbox.orders("kraken", kraken.keys) == []


def test_a_partial_fill_leaves_the_rest_open(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.fault("kraken", "place_order", "partial_fill", fraction="0.4")
    txid = kraken.limit("buy", "59000", volume="0.1")
    assert kraken.order(txid)["vol_exec"] == "0.04000000"


def test_a_fault_may_be_meant_for_one_key(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.fault("kraken", "*", "error_before", api_key="somebody-else")
    kraken.ok("Balance")
    assert len(fresh_sandbox.look("faults")["faults"]) == 1


@pytest.mark.parametrize(
    ("operation", "name", "params"),
    [
        ("place_order", "AddOrderBatch", {}),
        ("cancel_order", "CancelOrder", SOME_ORDER),
        ("cancel_order", "CancelAll", {}),
        ("amend_order", "AmendOrder", SOME_ORDER),
        ("amend_order", "EditOrder", SOME_ORDER),
        ("get_order", "QueryOrders", SOME_ORDER),
        ("get_order", "OpenOrders", {"cl_ord_id": "bot-0001"}),
        ("get_order", "ClosedOrders", {"cl_ord_id": "bot-0001"}),
        ("open_orders", "OpenOrders", {}),
        ("order_history", "ClosedOrders", {}),
        ("fills", "TradesHistory", {}),
        ("balances", "BalanceEx", {}),
    ],
)
def test_every_private_operation_can_be_struck(
    fresh_sandbox: SandboxServer, kraken: Caller, operation: str, name: str, params: dict[str, str]
) -> None:
    fresh_sandbox.fault("kraken", operation, "error_before", status=502)
    assert kraken.send(name, **params).status_code == 502


@pytest.mark.parametrize(
    ("operation", "call"),
    [
        ("server_time", "Time"),
        ("markets", "AssetPairs"),
        ("ticker", "Ticker?pair=XBTUSDT"),
        ("tickers", "Ticker"),
        ("tickers", "Ticker?pair=XBTUSDT%2CETHUSDT"),
        ("order_book", "Depth?pair=XBTUSDT"),
        ("candles", "OHLC?pair=XBTUSDT"),
    ],
)
def test_every_public_operation_can_be_struck(
    fresh_sandbox: SandboxServer, kraken: Caller, operation: str, call: str
) -> None:
    fresh_sandbox.fault("kraken", operation, "error_before", status=502)
    response = requests.get(f"{kraken.base_url}/0/public/{call}", timeout=10)
    assert response.status_code == 502
