"""Resource pools: what a call takes, what is left, and what happens when nothing is."""

from __future__ import annotations

import pytest

from app.sandbox.dialects.kucoin.errors import KuCoinError
from app.sandbox.dialects.kucoin.limits import PUBLIC, QUOTAS, SPOT, Pools
from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kucoin_caller import HF, Caller

SECOND = 1_000_000


def remaining(kucoin: Caller, path: str, **query: object) -> int:
    return int(kucoin.send("GET", path, **query).headers["gw-ratelimit-remaining"])


@pytest.mark.parametrize(
    ("path", "query", "limit", "weight"),
    [
        ("/api/v1/timestamp", {}, 2000, 3),
        ("/api/v1/market/allTickers", {}, 2000, 15),
        ("/api/v1/accounts", {}, 2000, 5),
        ("/api/v1/user/api-key", {}, 2000, 20),
        (f"{HF}/active", {"symbol": "BTC-USDT"}, 4000, 2),
        ("/api/v1/stop-order", {}, 4000, 8),
        ("/api/v1/positions", {}, 2000, 2),
        ("/api/ua/v1/account/mode", {}, 200, 2),
    ],
)
def test_a_call_takes_its_weight_from_its_pool_and_says_what_is_left(
    kucoin: Caller, path: str, query: dict[str, object], limit: int, weight: int
) -> None:
    first = kucoin.send("GET", path, **query).headers
    assert (first["gw-ratelimit-limit"], first["gw-ratelimit-remaining"]) == (str(limit), str(limit - weight))
    assert 0 < int(first["gw-ratelimit-reset"]) <= 30_000
    assert remaining(kucoin, path, **query) == limit - 2 * weight


def test_a_refusal_takes_its_weight_too(kucoin: Caller) -> None:
    response = kucoin.send("POST", HF, symbol="BTC-USDT")
    assert response.json()["code"] == "400100"
    assert response.headers["gw-ratelimit-remaining"] == "3999"


def test_the_pools_are_apart_and_accounts_too(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    other = Caller(fresh_sandbox.at("kucoin"), fresh_sandbox.account("kucoin"))
    assert remaining(kucoin, f"{HF}/active/symbols") == 3998
    assert remaining(kucoin, "/api/v1/accounts") == 1995
    assert remaining(other, f"{HF}/active/symbols") == 3998
    assert remaining(kucoin, "/api/v1/status") == 1997
    assert remaining(other, "/api/v1/status") == 1994
    other.close()


def test_who_has_used_up_a_pool_is_refused_with_429000(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    fresh_sandbox.control("limits", exchange="kucoin", limits={"spot": 5})
    assert [remaining(kucoin, f"{HF}/active/symbols") for _ in range(2)] == [3, 1]
    response = kucoin.send("GET", f"{HF}/active/symbols")
    assert (response.status_code, response.json()) == (429, {"code": "429000", "msg": "Too many requests"})
    assert response.headers["gw-ratelimit-remaining"] == "1"
    assert kucoin.balances()


def test_a_sandbox_without_limits_counts_and_refuses_nobody(sandbox: SandboxServer) -> None:
    kucoin = Caller(sandbox.at("kucoin"), sandbox.account("kucoin"))
    assert [remaining(kucoin, "/api/v1/hf/accounts/opened") for _ in range(68)][-2:] == [0, 0]
    assert kucoin.get("/api/v1/hf/accounts/opened") is True
    kucoin.close()


def test_a_window_starts_at_the_first_request_and_lasts_thirty_seconds() -> None:
    pools = Pools({**QUOTAS, SPOT: 10}, enforce=True)
    start = 1_700_000_017 * SECOND
    pools.spend(SPOT, "a", 8, start)
    late = start + 29 * SECOND
    with pytest.raises(KuCoinError, match="429000"):
        pools.spend(SPOT, "a", 3, late)
    assert pools.headers(SPOT, "a", late)["gw-ratelimit-reset"] == "1000"
    pools.spend(SPOT, "b", 10, late)
    pools.spend(SPOT, "a", 10, start + 30 * SECOND)
    assert pools.headers(PUBLIC, "a", late)["gw-ratelimit-remaining"] == "2000"
