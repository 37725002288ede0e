"""Request weight, order counts, and what happens to those who go on regardless."""

from __future__ import annotations

import time

import pytest

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.binance_caller import Caller

MINUTE = 60_000


@pytest.fixture(autouse=True)
def a_minute_that_has_just_begun(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    """No counting window ends while a test runs."""
    binance.ahead = MINUTE - int(time.time() * 1000) % MINUTE
    fresh_sandbox.control("skew", exchange="binance", milliseconds=binance.ahead)


def used(binance: Caller, path: str, query: str = "") -> int:
    return int(binance.send_raw("GET", path, query).headers["X-MBX-USED-WEIGHT-1M"])


@pytest.mark.parametrize(
    ("path", "query", "weight"),
    [
        ("/api/v3/ping", "", 1),
        ("/api/v3/exchangeInfo", "", 20),
        ("/api/v3/depth", "symbol=BTCUSDT", 5),
        ("/api/v3/depth", "symbol=BTCUSDT&limit=500", 25),
        ("/api/v3/depth", "symbol=BTCUSDT&limit=5000", 250),
        ("/api/v3/ticker/24hr", "symbol=BTCUSDT", 2),
        ("/api/v3/ticker/24hr", "", 80),
        ("/api/v3/ticker/price", "", 4),
        ("/api/v3/klines", "symbol=BTCUSDT&interval=1h", 2),
    ],
)
def test_a_request_weighs_what_the_documentation_says(
    binance: Caller, path: str, query: str, weight: int
) -> None:
    before = used(binance, "/api/v3/ping")
    assert used(binance, path, query) - before == weight


def test_a_placement_weighs_nothing_when_it_succeeds_and_one_when_it_fails(binance: Caller) -> None:
    params = {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET"}
    weights = [
        int(
            binance.send("POST", "/api/v3/order", quantity=quantity, **params).headers["X-MBX-USED-WEIGHT-1M"]
        )
        for quantity in ("0.01", "0.01", "0.000001")
    ]
    assert weights == [0, 0, 1]


def test_beyond_the_weight_a_client_is_refused_with_429_and_then_banned_with_418(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    fresh_sandbox.control("limits", exchange="binance", limits={"request_weight_1m": 40})
    answers = [binance.send_raw("GET", "/api/v3/exchangeInfo") for _ in range(20)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:2] == [200, 200]
    limited = answers[3]
    assert (limited.status_code, limited.json()["code"]) == (429, -1003)
    assert limited.json()["msg"].startswith(
        "Too much request weight used; current limit is 40 request weight"
    )
    assert 1 <= int(limited.headers["Retry-After"]) <= 60
    assert statuses[-1] == 418
    assert "IP banned until" in answers[-1].json()["msg"]
    assert 60 < int(answers[-1].headers["Retry-After"]) <= 120
    assert binance.send_raw("GET", "/api/v3/ping").status_code == 418


def test_only_so_many_unfilled_orders_may_be_placed_in_ten_seconds(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    fresh_sandbox.control("limits", exchange="binance", limits={"orders_1d": 2})
    for _ in range(4):
        binance.market("BUY")
    binance.limit("BUY", "50000")
    binance.limit("BUY", "50000")
    response = binance.send(
        "POST",
        "/api/v3/order",
        symbol="BTCUSDT",
        side="BUY",
        type="LIMIT",
        timeInForce="GTC",
        price="50000",
        quantity="0.01",
    )
    assert (response.status_code, response.json()["code"]) == (429, -1015)
    assert response.json()["msg"] == "Too many new orders; current limit is 2 orders per 1 DAY."
    assert response.headers["X-MBX-ORDER-COUNT-1D"] == "2"
    assert "Retry-After" in response.headers


def test_the_order_counts_are_shown_and_exchange_info_states_the_limits(binance: Caller) -> None:
    binance.limit("BUY", "50000")
    counts = binance.ok("GET", "/api/v3/rateLimit/order")
    assert [(row["intervalNum"], row["interval"]) for row in counts] == [(10, "SECOND"), (1, "DAY")]
    assert counts[1]["count"] == 1
    stated = binance.send_raw("GET", "/api/v3/exchangeInfo", "symbol=BTCUSDT").json()["rateLimits"]
    assert stated[0] == {
        "rateLimitType": "REQUEST_WEIGHT",
        "interval": "MINUTE",
        "intervalNum": 1,
        "limit": 6000,
    }


def test_the_sessions_sandbox_counts_but_never_refuses(sandbox: SandboxServer) -> None:
    caller = Caller(sandbox.at("binance"), sandbox.account("binance"))
    statuses = {
        caller.send_raw("GET", "/api/v3/depth", "symbol=BTCUSDT&limit=5000").status_code for _ in range(26)
    }
    assert statuses == {200}
    caller.close()
