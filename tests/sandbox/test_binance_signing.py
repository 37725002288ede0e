"""Who is let in: key, signature, timestamp, permission."""

from __future__ import annotations

import time
from urllib.parse import quote

import pytest

from app.sandbox.dialects.binance.signing import signed_text
from app.sandbox.http import Request
from tests.fixtures.sandbox import Keys, SandboxServer
from tests.sandbox.binance_caller import Caller, sign

ACCOUNT = "/api/v3/account"
SECRET = "bk_test_secret_01"


def now() -> int:
    return int(time.time() * 1000)


@pytest.mark.parametrize(
    ("method", "text", "signature"),
    [
        (
            "POST",
            "timestamp=1700000000123&symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001"
            "&price=50000.00&newClientOrderId=mybot-0001&recvWindow=5000",
            "c88c6128784539f5ac8240d4d65357801bd4576491cf3dc876d8faa0571b23d6",
        ),
        (
            "GET",
            "timestamp=1700000000123&symbol=BTCUSDT&origClientOrderId=mybot-0001&recvWindow=5000",
            "f791ad404d33d4c60d5e66a9eaab5aad5f8ef5d001e1bd674c048831ed534898",
        ),
    ],
)
def test_the_signed_text_of_the_known_vectors_is_what_was_sent_less_the_signature(
    method: str, text: str, signature: str
) -> None:
    sent = f"{text}&signature={signature}"
    query, body = (sent, b"") if method == "GET" else ("", sent.encode())
    received = signed_text(Request(method, "/api/v3/order", query, {}, body, "127.0.0.1"))
    assert received.decode() == text
    assert sign(SECRET, received.decode()) == signature


def test_parameters_split_between_query_and_body_are_signed_without_a_separator(binance: Caller) -> None:
    query, body = "symbol=BTCUSDT&side=BUY&type=MARKET", f"quantity=0.01&timestamp={now()}"
    signature = sign(binance.keys.api_secret, query + body)
    response = binance.send_raw("POST", "/api/v3/order", query, f"{body}&signature={signature}")
    assert response.json()["status"] == "FILLED"


def test_a_name_in_query_and_body_is_taken_from_the_query(binance: Caller) -> None:
    query = f"symbol=BTCUSDT&side=BUY&type=MARKET&quantity=0.01&timestamp={now()}"
    body = "quantity=0.5"
    signature = sign(binance.keys.api_secret, query + body)
    response = binance.send_raw("POST", "/api/v3/order", f"{query}&signature={signature}", body)
    assert response.json()["executedQty"] == "0.01000000"


def test_the_signature_is_checked_over_the_percent_encoded_text(binance: Caller) -> None:
    timestamp, symbols = now(), '["BTCUSDT"]'
    plain = f"symbols={symbols}&timestamp={timestamp}"
    encoded = f"symbols={quote(symbols)}&timestamp={timestamp}"
    over_plain = f"{encoded}&signature={sign(binance.keys.api_secret, plain)}"
    assert binance.send_raw("GET", ACCOUNT, over_plain).json()["code"] == -1022
    over_encoded = f"{encoded}&signature={sign(binance.keys.api_secret, encoded)}"
    assert binance.send_raw("GET", ACCOUNT, over_encoded).json()["code"] == -1104


def test_an_upper_case_signature_is_accepted(binance: Caller) -> None:
    query = f"timestamp={now()}"
    signature = sign(binance.keys.api_secret, query).upper()
    assert binance.send_raw("GET", ACCOUNT, f"{query}&signature={signature}").status_code == 200


@pytest.mark.parametrize(
    ("key", "code"),
    [("", -2014), ("not a key!", -2014), ("unknownkey", -2015)],
    ids=["none", "malformed", "unknown"],
)
def test_a_key_that_is_not_known_is_refused_with_401(binance: Caller, key: str, code: int) -> None:
    binance.keys = Keys(key, "secret", "")
    status, got, _ = binance.refusal("GET", ACCOUNT)
    assert (status, got) == (401, code)


def test_a_wrong_secret_is_refused_with_1022(binance: Caller) -> None:
    binance.keys = Keys(binance.keys.api_key, "another", "")
    assert binance.refusal("GET", ACCOUNT) == (400, -1022, "Signature for this request is not valid.")


def test_a_missing_timestamp_or_signature_is_refused_with_1102(binance: Caller) -> None:
    assert binance.refusal("GET", ACCOUNT, timestamp=None)[:2] == (400, -1102)
    unsigned = binance.send_raw("GET", ACCOUNT, f"timestamp={now()}").json()
    assert unsigned["msg"] == "Mandatory parameter 'signature' was not sent, was empty/null, or malformed."


def test_a_timestamp_a_second_ahead_is_refused_and_one_half_a_second_ahead_is_not(binance: Caller) -> None:
    status, code, message = binance.refusal("GET", ACCOUNT, timestamp=now() + 2000)
    assert (status, code) == (400, -1021)
    assert message == "Timestamp for this request was 1000ms ahead of the server's time."
    binance.ok("GET", ACCOUNT, timestamp=now() + 500)


def test_a_timestamp_older_than_the_window_is_refused_unless_the_window_is_wider(binance: Caller) -> None:
    old = now() - 6000
    assert binance.refusal("GET", ACCOUNT, timestamp=old)[1:] == (
        -1021,
        "Timestamp for this request is outside of the recvWindow.",
    )
    binance.ok("GET", ACCOUNT, timestamp=old, recvWindow="10000.5")


@pytest.mark.parametrize("window", ["60001", "abc", "-1", "1.2345"])
def test_a_window_that_is_too_wide_or_no_number_is_refused(binance: Caller, window: str) -> None:
    assert binance.refusal("GET", ACCOUNT, recvWindow=window)[0] == 400


def test_microsecond_timestamps_are_understood_and_given_on_request(binance: Caller) -> None:
    query = f"timestamp={time.time_ns() // 1000}"
    signature = sign(binance.keys.api_secret, query)
    response = binance.send_raw(
        "GET", ACCOUNT, f"{query}&signature={signature}", **{"X-MBX-TIME-UNIT": "MICROSECOND"}
    )
    assert len(str(response.json()["updateTime"])) == 16


def test_time_is_judged_by_the_exchanges_own_clock(fresh_sandbox: SandboxServer, binance: Caller) -> None:
    fresh_sandbox.control("skew", exchange="binance", milliseconds=-30_000)
    assert binance.refusal("GET", ACCOUNT)[1] == -1021
    server = binance.send_raw("GET", "/api/v3/time").json()["serverTime"]
    assert abs(server - now() + 30_000) < 1000
    binance.ok("GET", ACCOUNT, timestamp=server)


def test_a_key_without_permission_to_trade_reads_but_does_not_order(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    fresh_sandbox.control("permissions", exchange="binance", api_key=binance.keys.api_key, trade=False)
    assert binance.refused_order(side="BUY", type="MARKET", quantity="0.01")[:2] == (401, -2015)
    assert binance.ok("GET", ACCOUNT)["canTrade"] is False


def test_the_restrictions_of_a_key_are_those_that_were_set(
    fresh_sandbox: SandboxServer, binance: Caller
) -> None:
    path = "/sapi/v1/account/apiRestrictions"
    before = binance.ok("GET", path)
    shown = ("enableReading", "enableSpotAndMarginTrading", "enableWithdrawals", "ipRestrict")
    assert [before[name] for name in shown] == [True, True, False, True]
    key = binance.keys.api_key
    fresh_sandbox.control("permissions", exchange="binance", api_key=key, withdraw=True, ip_restricted=False)
    after = binance.ok("GET", path)
    assert [after[name] for name in shown] == [True, True, True, False]
