"""Counters that calls raise and time lowers: of a key, of a pair, of an address."""

from __future__ import annotations

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kraken_caller import PAIR, Caller, accepted, refused

CALLS = "EAPI:Rate limit exceeded"
TRADES = "EOrder:Rate limit exceeded"


class Clock:
    """The exchange's clock, which the test puts forward."""

    def __init__(self, server: SandboxServer) -> None:
        self._server = server
        self._seconds = 0

    def forward(self, seconds: int) -> None:
        self._seconds += seconds
        self._server.control("skew", exchange="kraken", milliseconds=self._seconds * 1000)


@pytest.fixture
def clock(fresh_sandbox: SandboxServer) -> Clock:
    """Counters sink so slowly in these tests that only the clock put forward lowers them."""
    values = {"pair_counter": 20, "pair_counter_decay_per_minute": 1, "call_counter_decay_per_minute": 1}
    fresh_sandbox.control("limits", exchange="kraken", limits=values)
    return Clock(fresh_sandbox)


def calls_left(kraken: Caller) -> int:
    """How many more calls of one unit the key may make."""
    for number in range(100):
        if kraken.send("Balance").json()["error"]:
            return number
    raise AssertionError("there is no limit")


def test_the_counter_of_a_key_sinks_with_time(clock: Clock, kraken: Caller) -> None:
    assert calls_left(kraken) == 20
    assert kraken.refusal("OpenOrders") == CALLS
    clock.forward(120)
    assert calls_left(kraken) == 2


def test_every_key_has_a_counter_of_its_own(
    fresh_sandbox: SandboxServer, clock: Clock, kraken: Caller
) -> None:
    assert calls_left(kraken) == 20
    other = Caller(kraken.base_url, fresh_sandbox.account("kraken"))
    other.ok("Balance")
    other.close()


@pytest.mark.parametrize(
    ("name", "params", "cost"),
    [
        ("OpenOrders", {}, 1),
        ("ClosedOrders", {}, 1),
        ("TradesHistory", {}, 2),
        ("QueryTrades", {"txid": "TAAAAA-BBBBB-CCCCCC"}, 2),
        ("AddOrder", {"pair": PAIR, "type": "buy", "ordertype": "market", "volume": "0.01"}, 0),
        ("CancelOrder", {"txid": "OAAAAA-BBBBB-CCCCCC"}, 0),
        ("AmendOrder", {"txid": "OAAAAA-BBBBB-CCCCCC", "order_qty": "1"}, 0),
    ],
)
def test_a_call_costs_what_the_documentation_says(
    clock: Clock, kraken: Caller, name: str, params: dict[str, str], cost: int
) -> None:
    kraken.send(name, **params)
    assert calls_left(kraken) == 20 - cost


def test_a_call_that_is_not_let_in_costs_nothing(clock: Clock, kraken: Caller) -> None:
    assert kraken.refusal("Balance", nonce="wrong") == "EAPI:Invalid nonce"
    assert calls_left(kraken) == 20


def adds_left(kraken: Caller, pair: str = "XBTUSDT") -> int:
    """How many more orders the pair's counter lets in; the ones it takes fill at once."""
    for number in range(200):
        order = {"pair": pair, "type": "buy", "ordertype": "market", "volume": "0.01"}
        error = kraken.send("AddOrder", **order).json()["error"]
        if error:
            assert error == [TRADES]
            return number
    raise AssertionError("there is no limit")


def test_every_pair_counts_its_orders_apart(clock: Clock, kraken: Caller) -> None:
    assert adds_left(kraken) == 20
    assert adds_left(kraken, "ETHUSDT") == 20
    clock.forward(180)
    assert adds_left(kraken) == 3


def left_after(age: int, cost: int) -> int:
    """What the pair's counter lets in when an order of that age is disturbed at that cost."""
    placed = max(0.0, 1 - age / 60)
    return int(20 - placed - cost)


@pytest.mark.parametrize(("age", "cost"), [(0, 8), (6, 6), (11, 5), (16, 4), (46, 2), (91, 1), (301, 0)])
def test_cancelling_costs_the_more_the_younger_the_order(
    clock: Clock, kraken: Caller, age: int, cost: int
) -> None:
    txid = kraken.limit("buy", "50000")
    clock.forward(age)
    kraken.ok("CancelOrder", txid=txid)
    assert adds_left(kraken) == left_after(age, cost)


@pytest.mark.parametrize(("age", "cost"), [(0, 4), (6, 3), (11, 2), (16, 1)])
def test_amending_costs_the_more_the_younger_the_order(
    clock: Clock, kraken: Caller, age: int, cost: int
) -> None:
    txid = kraken.limit("buy", "50000")
    clock.forward(age)
    kraken.ok("AmendOrder", txid=txid, limit_price="49000")
    assert adds_left(kraken) == left_after(age, cost)


@pytest.mark.parametrize(("age", "cost"), [(0, 7), (6, 6), (11, 5), (16, 3), (46, 2), (91, 1)])
def test_editing_costs_the_more_the_younger_the_order(
    clock: Clock, kraken: Caller, age: int, cost: int
) -> None:
    txid = kraken.limit("buy", "50000")
    clock.forward(age)
    kraken.ok("EditOrder", txid=txid, pair=PAIR, price="49000")
    assert adds_left(kraken) == left_after(age, cost)


def test_a_batch_costs_half_an_order_more_for_each(clock: Clock, kraken: Caller) -> None:
    rows = [{"type": "buy", "ordertype": "limit", "price": "50000", "volume": "0.01"}] * 6
    accepted(kraken.send_json("AddOrderBatch", pair=PAIR, orders=rows))
    assert adds_left(kraken) == 16


def test_what_the_counter_refuses_is_not_done(clock: Clock, kraken: Caller) -> None:
    txid = kraken.limit("buy", "50000")
    assert adds_left(kraken) == 19
    assert kraken.refusal("CancelOrder", txid=txid) == TRADES
    assert kraken.order(txid)["status"] == "open"
    assert kraken.ok("CancelAll") == {"count": 1}


def test_only_so_many_orders_may_be_open_in_a_pair(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.control("limits", exchange="kraken", limits={"open_orders_per_pair": 2})
    for _ in range(2):
        kraken.limit("buy", "50000")
    refusal = kraken.refused_order(type="buy", ordertype="limit", price="50000")
    assert refusal == "EOrder:Orders limit exceeded"
    kraken.place(pair="ETHUSDT", type="buy", ordertype="limit", price="2000")


def test_public_calls_are_counted_by_address(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    values = {"public_counter": 3, "public_counter_decay_per_minute": 1}
    fresh_sandbox.control("limits", exchange="kraken", limits=values)
    errors = [kraken.get("Time")["error"] for _ in range(4)]
    assert errors == [[], [], [], ["EGeneral:Too many requests"]]


def test_the_sessions_sandbox_never_refuses(sandbox: SandboxServer) -> None:
    caller = Caller(sandbox.at("kraken"), sandbox.account("kraken"))
    for _ in range(25):
        caller.ok("TradesHistory")
    caller.close()


def test_a_fault_tells_when_to_come_back(fresh_sandbox: SandboxServer, kraken: Caller) -> None:
    fresh_sandbox.fault("kraken", "balances", "rate_limit", retry_after=7)
    now = kraken.get("Time")["result"]["unixtime"]
    refusal = refused(kraken.send("Balance"))
    head, _, until = refusal.rpartition(" ")
    assert head == "EService: Throttled:"
    assert now + 7 <= int(until) <= now + 9
