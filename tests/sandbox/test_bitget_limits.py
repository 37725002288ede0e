"""How often a second each endpoint may be called, by whom, and how often a minute an address may call at all."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
import requests

from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.bitget_caller import TRADE, Caller, refusal

TIME = "/api/v2/public/time"
ASSETS = "/api/v2/spot/account/assets"


def in_one_second(bitget: Caller, burst: Callable[[], list[requests.Response]]) -> list[requests.Response]:
    """Answers that all fell into the same second of the exchange; tries until they do."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        started = int(bitget.raw("GET", "/api/v2/spot/public/coins?coin=BTC").json()["requestTime"]) // 1000
        answers = burst()
        if int(answers[-1].json()["requestTime"]) // 1000 == started:
            return answers
    raise AssertionError("no second was long enough")


def test_every_answer_says_how_many_calls_are_left(bitget: Caller) -> None:
    answers = in_one_second(
        bitget,
        lambda: [
            bitget.raw("GET", TIME),
            bitget.raw("GET", TIME),
            bitget.get(ASSETS),
            bitget.post(TRADE + "place-order", symbol="NONE"),
        ],
    )
    assert [answer.headers["x-mbx-used-remain-limit"] for answer in answers] == ["19", "18", "9", "9"]


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("spot/trade/place-order", 10),
        ("spot/trade/batch-orders", 5),
        ("spot/trade/cancel-order", 10),
        ("spot/trade/batch-cancel-order", 10),
        ("spot/trade/cancel-symbol-order", 5),
        ("spot/trade/cancel-replace-order", 5),
        ("spot/trade/place-plan-order", 20),
        ("spot/trade/batch-cancel-plan-order", 5),
    ],
)
def test_each_endpoint_has_the_limit_its_documentation_states(bitget: Caller, name: str, limit: int) -> None:
    assert bitget.post(f"/api/v2/{name}").headers["x-mbx-used-remain-limit"] == str(limit - 1)


def test_one_call_too_many_in_a_second_is_429_and_the_next_second_begins_anew(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    fresh_sandbox.control("limits", exchange="bitget", limits={"spot/account/assets": 2})
    answers = in_one_second(bitget, lambda: [bitget.get(ASSETS) for _ in range(3)])
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    refused = answers[2]
    assert (refused.json()["code"], refused.json()["msg"]) == ("429", "Too many requests")
    assert refused.headers["x-mbx-used-remain-limit"] == "0"
    assert "Retry-After" not in refused.headers
    bitget.ahead = 1000
    fresh_sandbox.control("skew", exchange="bitget", milliseconds=bitget.ahead)
    assert bitget.get(ASSETS).status_code == 200


def test_endpoints_and_accounts_are_counted_apart(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    fresh_sandbox.control("limits", exchange="bitget", limits={"spot/account/assets": 1, "public/time": 1})
    other = Caller(bitget.base_url, fresh_sandbox.account("bitget"))
    private = in_one_second(bitget, lambda: [caller.get(ASSETS) for caller in (bitget, other, bitget)])
    assert [answer.status_code for answer in private] == [200, 200, 429]
    public = in_one_second(bitget, lambda: [caller.raw("GET", TIME) for caller in (bitget, other)])
    assert [answer.status_code for answer in public] == [200, 429]
    other.close()


def test_an_order_beyond_the_limit_is_not_placed(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    fresh_sandbox.control("limits", exchange="bitget", limits={"spot/trade/place-order": 1})
    order = {"side": "buy", "orderType": "limit", "force": "gtc", "price": "50000", "size": "0.01"}
    sent: list[requests.Response] = []

    def twice() -> list[requests.Response]:
        sent.extend(bitget.post(TRADE + "place-order", symbol="BTCUSDT", **order) for _ in range(2))
        return sent[-2:]

    answers = in_one_second(bitget, twice)
    assert [answer.status_code for answer in answers] == [200, 429]
    assert len(bitget.unfilled()) == sum(answer.status_code == 200 for answer in sent)


def test_an_address_that_asks_too_often_is_shut_out_for_five_minutes(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    a_minute_just_begun = 60_000 - int(time.time() * 1000) % 60_000
    fresh_sandbox.control("skew", exchange="bitget", milliseconds=a_minute_just_begun)
    fresh_sandbox.control("limits", exchange="bitget", limits={"ip_1m": 2})
    assert [bitget.raw("GET", TIME).status_code for _ in range(3)] == [200, 200, 429]
    for minutes, status in ((4, 429), (6, 200)):
        later = a_minute_just_begun + minutes * 60_000
        fresh_sandbox.control("skew", exchange="bitget", milliseconds=later)
        assert bitget.raw("GET", TIME).status_code == status


def test_the_sessions_sandbox_counts_but_never_refuses(sandbox: SandboxServer) -> None:
    caller = Caller(sandbox.at("bitget"), sandbox.account("bitget"))
    assert {caller.get("/api/v2/spot/account/info").status_code for _ in range(5)} == {200}
    assert refusal(caller.get("/api/v2/spot/nothing")) == (404, "40404")
    caller.close()
