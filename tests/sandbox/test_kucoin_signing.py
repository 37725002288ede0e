"""Who is let in: headers, key, version, passphrase, signature, time, permission."""

from __future__ import annotations

import time
from typing import Any

import pytest
import requests

from app.sandbox.dialects.kucoin.signing import TIMESTAMP, signature, signed_texts
from app.sandbox.http import Request
from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kucoin_caller import HF, Caller, sign

ACCOUNTS = "/api/v1/accounts"
SECRET, STAMP = "bk_test_secret_01", "1700000000123"
BODY = '{"clientOid":"mybot-0001","side":"buy","symbol":"BTC-USDT","type":"limit","price":"50000.0","size":"0.001"}'


def answer(response: requests.Response) -> tuple[int, str]:
    return response.status_code, response.json()["code"]


@pytest.mark.parametrize(
    ("method", "path", "query", "body", "expected"),
    [
        ("POST", HF, "", BODY, "wmOLBgRrb395F4CWf1LhTGmem8qBeUZ1MkGVQDSwr0g="),
        (
            "GET",
            f"{HF}/client-order/mybot-0001",
            "symbol=BTC-USDT",
            "",
            "Chlcpq26FBd65LlbBxBxZC55FrErzbkeqesedpuj0QE=",
        ),
    ],
)
def test_the_known_vectors_are_signed_as_the_documentation_says(
    method: str, path: str, query: str, body: str, expected: str
) -> None:
    request = Request(method, path, query, {TIMESTAMP: STAMP}, body.encode(), "127.0.0.1")
    (text,) = signed_texts(request)
    assert signature(SECRET, text) == expected == sign(SECRET, text.decode())


def test_the_known_passphrase_is_signed_as_the_documentation_says() -> None:
    assert signature(SECRET, b"pass-Phrase9") == "eDQojvqUIsab9BW5gEradMOk4ywRlh4tNn6SohV/hys="


@pytest.mark.parametrize("version", ["2", "3"])
def test_keys_of_version_two_and_three_are_let_in(kucoin: Caller, version: str) -> None:
    assert answer(kucoin.send_raw("GET", ACCOUNTS, key_version=version)) == (200, "200000")


@pytest.mark.parametrize("version", ["1", "4", None])
def test_any_other_key_version_is_refused_with_400009(kucoin: Caller, version: str | None) -> None:
    assert answer(kucoin.send_raw("GET", ACCOUNTS, key_version=version)) == (401, "400009")


@pytest.mark.parametrize("name", ["key", "sign", "timestamp", "passphrase"])
def test_a_missing_header_is_refused_with_400001(kucoin: Caller, name: str) -> None:
    response = kucoin.send_raw("GET", ACCOUNTS, **{name: ""})
    if name == "timestamp":
        response = requests.get(
            f"{kucoin.base_url}{ACCOUNTS}",
            headers={"KC-API-KEY": "k", "KC-API-SIGN": "s", "KC-API-PASSPHRASE": "p"},
            timeout=10,
        )
    assert answer(response) == (401, "400001")
    assert f"KC-API-{name.upper()}" in response.json()["msg"]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"key": "nobody"}, "400003"),
        ({"passphrase": "plain"}, "400004"),
        ({"sign": "d3Jvbmc="}, "400005"),
        ({"sign": "\u00e9"}, "400005"),
    ],
)
def test_a_wrong_key_passphrase_or_signature_is_told_apart(
    kucoin: Caller, headers: dict[str, str], code: str
) -> None:
    assert answer(kucoin.send_raw("GET", ACCOUNTS, **headers)) == (401, code)


def test_a_plain_passphrase_is_refused_with_400004(kucoin: Caller) -> None:
    response = kucoin.send_raw("GET", ACCOUNTS, passphrase=kucoin.keys.passphrase)
    assert answer(response) == (401, "400004")


@pytest.mark.parametrize("seconds", [-6, 6])
def test_a_time_more_than_five_seconds_off_is_refused_with_400002(kucoin: Caller, seconds: int) -> None:
    kucoin.ahead = seconds * 1000
    assert answer(kucoin.send("GET", ACCOUNTS)) == (401, "400002")


@pytest.mark.parametrize("seconds", [-4, 4])
def test_a_time_less_than_five_seconds_off_is_accepted(kucoin: Caller, seconds: int) -> None:
    kucoin.ahead = seconds * 1000
    assert answer(kucoin.send("GET", ACCOUNTS)) == (200, "200000")


def test_the_time_is_held_against_the_exchanges_own_clock(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    fresh_sandbox.control("skew", exchange="kucoin", milliseconds=60_000)
    assert answer(kucoin.send("GET", ACCOUNTS)) == (401, "400002")
    kucoin.ahead = kucoin.get("/api/v1/timestamp") - int(time.time() * 1000)
    assert answer(kucoin.send("GET", ACCOUNTS)) == (200, "200000")


def test_a_body_that_was_changed_on_the_way_is_refused(kucoin: Caller) -> None:
    stamp = str(int(time.time() * 1000))
    signed = sign(kucoin.keys.api_secret, f"{stamp}POST{HF}{BODY}")
    changed = BODY.replace("0.001", "0.002")
    response = kucoin.send_raw("POST", HF, changed, sign=signed, timestamp=stamp)
    assert answer(response) == (401, "400005")


def test_the_query_may_be_signed_before_it_is_encoded(kucoin: Caller) -> None:
    stamp = str(int(time.time() * 1000))
    signed = sign(kucoin.keys.api_secret, f"{stamp}GET/api/v1/trade-fees?symbols=BTC-USDT,ETH-USDT")
    response = kucoin.send_raw(
        "GET", "/api/v1/trade-fees?symbols=BTC-USDT%2CETH-USDT", sign=signed, timestamp=stamp
    )
    assert answer(response) == (200, "200000")
    assert len(response.json()["data"]) == 2


def test_a_brokers_partner_headers_are_ignored(kucoin: Caller) -> None:
    headers: dict[str, Any] = {"partner": "ccxt", "partner_sign": "x", "partner_verify": "true"}
    assert answer(kucoin.send_raw("GET", ACCOUNTS, **headers)) == (200, "200000")


def test_a_key_without_permission_is_refused_with_400007(
    fresh_sandbox: SandboxServer, kucoin: Caller
) -> None:
    key = kucoin.keys.api_key
    fresh_sandbox.control("permissions", exchange="kucoin", api_key=key, trade=False)
    assert kucoin.refused_order(side="buy", type="market", funds="50")[0] == "400007"
    assert kucoin.balances()
    fresh_sandbox.control("permissions", exchange="kucoin", api_key=key, read=False)
    assert kucoin.refusal("GET", ACCOUNTS)[0] == "400007"


def test_an_unknown_path_is_refused_with_404000(kucoin: Caller) -> None:
    assert answer(kucoin.send("GET", "/api/v9/nothing")) == (404, "404000")
    assert answer(kucoin.send("PUT", HF)) == (404, "404000")


def test_no_secret_is_seen_in_what_the_sandbox_tells(fresh_sandbox: SandboxServer, kucoin: Caller) -> None:
    kucoin.market("buy", funds="50")
    told = str(fresh_sandbox.look("requests", exchange="kucoin"))
    assert kucoin.keys.api_secret not in told
    assert kucoin.keys.passphrase not in told
