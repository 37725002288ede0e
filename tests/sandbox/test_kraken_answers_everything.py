"""Whatever is sent, Kraken's envelope comes back: a result, or errors in Kraken's own form."""

from __future__ import annotations

import json
import re
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.sandbox.dialects.kraken.endpoints import ENDPOINTS
from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.kraken_caller import Caller

PRIVATE = sorted(path.rpartition("/")[2] for method, path in ENDPOINTS if method == "POST")
PUBLIC = sorted(path.rpartition("/")[2] for method, path in ENDPOINTS if method == "GET")
NAMES = [
    "pair",
    "asset",
    "type",
    "ordertype",
    "volume",
    "price",
    "price2",
    "oflags",
    "timeinforce",
    "expiretm",
    "starttm",
    "deadline",
    "cl_ord_id",
    "userref",
    "validate",
    "leverage",
    "trigger",
    "stptype",
    "displayvol",
    "close[ordertype]",
    "close[price]",
    "close[price2]",
    "txid",
    "orders",
    "cl_ord_ids",
    "timeout",
    "order_qty",
    "limit_price",
    "trigger_price",
    "post_only",
    "trades",
    "start",
    "end",
    "ofs",
    "closetime",
    "without_count",
    "ledgers",
    "count",
    "interval",
    "since",
]
TELLING = [
    "XBTUSDT",
    "XXBTZUSD",
    "XBT/EUR",
    "buy",
    "sell",
    "market",
    "limit",
    "stop-loss",
    "take-profit-limit",
    "viqc",
    "fcib",
    "post",
    "GTD",
    "IOC",
    "FOK",
    "true",
    "false",
    "+60",
    "-1%",
    "#5",
    "0",
    "1",
    "0.01",
    "60000",
    "50000",
    "99999999999999999999",
    "-7",
    "all",
    "both",
    "2030-01-01T00:00:00Z",
    "OAAAAA-BBBBB-CCCCCC",
    "TAAAAA-BBBBB-CCCCCC",
    "bot-0001",
    "none",
]
ERROR = re.compile(r"E[A-Z][A-Za-z]+: ?\S")

texts = st.one_of(st.sampled_from(TELLING), st.text(max_size=12))
params = st.dictionaries(st.sampled_from(NAMES), texts, max_size=8)
leaves = st.one_of(texts, st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))
contents = st.dictionaries(
    st.sampled_from([*NAMES, "close"]),
    st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
    ),
    max_size=8,
)

nonces = count(1)


@pytest.fixture(scope="module")
def caller(sandbox: SandboxServer) -> Caller:
    return Caller(sandbox.at("kraken"), sandbox.account("kraken"))


def check(answer: dict[str, object]) -> None:
    errors = answer["error"]
    assert isinstance(errors, list)
    assert ("result" in answer) is (errors == [])
    assert all(ERROR.match(error) for error in errors)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(PRIVATE), params=params)
def test_every_form_is_answered(caller: Caller, name: str, params: dict[str, str]) -> None:
    check(caller.send(name, **params, nonce=next(nonces)).json())


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(PRIVATE), content=contents)
def test_every_json_is_answered(caller: Caller, name: str, content: dict[str, object]) -> None:
    number = str(next(nonces))
    body = json.dumps({**content, "nonce": number})
    check(caller.send_raw(name, number, body, "application/json").json())


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.sampled_from(PUBLIC), params=params)
def test_every_public_call_is_answered(caller: Caller, name: str, params: dict[str, str]) -> None:
    check(caller.get(name, **params))
