"""Who is let in: headers, key, signature, passphrase, time, permission, and kind of account."""

from __future__ import annotations

import pytest

from app.sandbox.dialects.bitget.signing import signed_text
from app.sandbox.http import Request
from tests.fixtures.sandbox import Keys, SandboxServer
from tests.sandbox.bitget_caller import TRADE, Caller, accepted, refusal, sign

ASSETS = "/api/v2/spot/account/assets"
SECRET = "bk_test_secret_01"
AT = "1700000000123"


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "signature"),
    [
        (
            "POST",
            "/api/v2/spot/trade/place-order",
            "",
            '{"symbol":"BTCUSDT","side":"buy","orderType":"limit","force":"gtc","price":"50000.00","size":"0.001",'
            '"clientOid":"mybot-0001"}',
            "pK/aJJr55w062AwwURNu/ZpGYuCfkYhuEfQ3hr7roZQ=",
        ),
        (
            "GET",
            "/api/v2/spot/trade/orderInfo",
            "clientOid=mybot-0001&orderId=1001",
            "",
            "QbPdkOm7yqxoZeCg0pCU1JrXceeuktnAsuTl84UcQW0=",
        ),
    ],
    ids=["POST", "GET"],
)
def test_the_signed_text_of_the_known_vectors_is_time_method_path_query_and_body(
    method: str, path: str, query: str, body: str, signature: str
) -> None:
    received = signed_text(Request(method, path, query, {}, body.encode(), "127.0.0.1"), AT).decode()
    assert received == f"{AT}{method}{path}{f'?{query}' if query else ''}{body}"
    assert sign(SECRET, received) == signature


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("ACCESS-KEY", "40001"),
        ("ACCESS-SIGN", "40002"),
        ("ACCESS-TIMESTAMP", "40003"),
        ("ACCESS-PASSPHRASE", "40011"),
    ],
)
def test_a_missing_header_is_named(bitget: Caller, header: str, code: str) -> None:
    headers = bitget.headers("GET", ASSETS)
    del headers[header]
    assert refusal(bitget.raw("GET", ASSETS, **headers)) == (400, code)


@pytest.mark.parametrize(
    ("keys", "code"),
    [(("not a key!", "x", "y"), "40006"), (("unknown", "x", "y"), "40037")],
    ids=["malformed", "unknown"],
)
def test_a_key_that_is_not_known_is_refused(bitget: Caller, keys: tuple[str, str, str], code: str) -> None:
    bitget.keys = Keys(*keys)
    assert refusal(bitget.get(ASSETS)) == (400, code)


def test_a_wrong_secret_is_40009_and_a_wrong_passphrase_40012(bitget: Caller) -> None:
    right = bitget.keys
    bitget.keys = Keys(right.api_key, "another", right.passphrase)
    assert refusal(bitget.get(ASSETS)) == (400, "40009")
    bitget.keys = Keys(right.api_key, right.api_secret, "another")
    response = bitget.get(ASSETS)
    assert refusal(response) == (400, "40012")
    assert response.json()["msg"] == "apikey/password is incorrect"


def test_query_and_body_are_signed_as_sent(bitget: Caller) -> None:
    target = f"{ASSETS}?coin=USDT"
    signed_without = bitget.headers("GET", ASSETS)
    assert refusal(bitget.raw("GET", target, **signed_without))[1] == "40009"
    unsorted = f"{TRADE}unfilled-orders?symbol=BTCUSDT&limit=5"
    assert accepted(bitget.raw("GET", unsorted, **bitget.headers("GET", unsorted))) == []
    path, body = f"{TRADE}cancel-symbol-order", '{ "symbol" : "BTCUSDT" }'
    assert accepted(bitget.raw("POST", path, body, **bitget.headers("POST", path, body)))
    other = '{"symbol":"BTCUSDT"}'
    assert refusal(bitget.raw("POST", path, other, **bitget.headers("POST", path, body)))[1] == "40009"


@pytest.mark.parametrize("seconds", [-31, 31])
def test_a_timestamp_more_than_thirty_seconds_off_is_refused(bitget: Caller, seconds: int) -> None:
    bitget.ahead = seconds * 1000
    assert refusal(bitget.get(ASSETS)) == (400, "40008")
    bitget.ahead = seconds * 900
    assert bitget.get(ASSETS).status_code == 200


def test_a_timestamp_that_is_no_time_in_milliseconds_is_refused(bitget: Caller) -> None:
    headers = bitget.headers("GET", ASSETS, timestamp=1700000000)
    assert refusal(bitget.raw("GET", ASSETS, **headers)) == (400, "40005")


def test_time_is_judged_by_the_exchanges_own_clock(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    fresh_sandbox.control("skew", exchange="bitget", milliseconds=-60_000)
    assert refusal(bitget.get(ASSETS))[1] == "40008"
    server = int(accepted(bitget.raw("GET", "/api/v2/public/time"))["serverTime"])
    bitget.ahead = server - bitget.now()
    assert bitget.get(ASSETS).status_code == 200


def test_a_key_without_permission_reads_or_trades_not(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    key = bitget.keys.api_key
    fresh_sandbox.control("permissions", exchange="bitget", api_key=key, trade=False)
    assert bitget.refused_order(price="50000", size="0.01") == "40014"
    assert bitget.balances()
    fresh_sandbox.control("permissions", exchange="bitget", api_key=key, read=False)
    assert refusal(bitget.get(ASSETS)) == (400, "40014")


def test_what_a_key_may_do_is_in_its_authorities(fresh_sandbox: SandboxServer, bitget: Caller) -> None:
    path = "/api/v2/spot/account/info"
    fresh_sandbox.control("limits", exchange="bitget", limits={"spot/account/info": 5})
    before = bitget.read(path)
    assert (before["authorities"], before["ips"]) == (["stor", "stow"], "127.0.0.1")
    key = bitget.keys.api_key
    fresh_sandbox.control(
        "permissions", exchange="bitget", api_key=key, trade=False, withdraw=True, ip_restricted=False
    )
    after = bitget.read(path)
    assert (after["authorities"], after["ips"]) == (["stor", "wwow"], "")


def test_a_demo_key_needs_the_demo_header_and_a_live_key_must_not_send_it(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    demo = bitget.headers("GET", ASSETS) | {"paptrading": "1"}
    assert refusal(bitget.raw("GET", ASSETS, **demo)) == (400, "40110")
    fresh_sandbox.control("permissions", exchange="bitget", api_key=bitget.keys.api_key, demo=True)
    assert refusal(bitget.get(ASSETS)) == (400, "40105")
    demo = bitget.headers("GET", ASSETS) | {"PAPTRADING": "1"}
    assert accepted(bitget.raw("GET", ASSETS, **demo))


def test_a_unified_account_is_told_to_use_another_api_and_a_classic_one_cannot(
    fresh_sandbox: SandboxServer, bitget: Caller
) -> None:
    settings = "/api/v3/account/settings"
    assert refusal(bitget.get(settings)) == (400, "40084")
    fresh_sandbox.control("permissions", exchange="bitget", api_key=bitget.keys.api_key, unified=True)
    assert refusal(bitget.get(ASSETS)) == (400, "40085")
    assert bitget.read(settings)["accountMode"] == "unified"


def test_a_path_that_is_not_there_is_404(bitget: Caller) -> None:
    assert refusal(bitget.get("/api/v2/spot/nothing")) == (404, "40404")
