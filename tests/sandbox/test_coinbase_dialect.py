"""The sandbox's Coinbase takes what is documented and refuses in its words; and whatever is sent, it answers."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.sandbox.dialects.coinbase.endpoints import ENDPOINTS
from tests.fixtures.sandbox import Keys, SandboxServer

V3 = "/api/v3/brokerage/"
LIMIT = {"limit_limit_gtc": {"base_size": "0.01", "limit_price": "50000", "post_only": False}}


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


class Caller:
    """Signs as one account, by the documentation of the tokens alone."""

    def __init__(self, base_url: str, keys: Keys) -> None:
        self.base_url = base_url
        self.keys = keys
        self.http = requests.Session()

    def token(self, method: str, path: str, **claims: object) -> str:
        now = int(time.time())
        uri = f"{method} api.coinbase.com{path}"
        whole = {
            "sub": self.keys.api_key,
            "iss": "cdp",
            "nbf": now,
            "exp": now + 120,
            "uri": uri,
            **claims,
        }
        header = {"alg": "EdDSA", "typ": "JWT", "kid": self.keys.api_key, "nonce": "00"}
        text = f"{_part(json.dumps(header).encode())}.{_part(json.dumps(whole).encode())}"
        key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.keys.api_secret))
        return f"{text}.{_part(key.sign(text.encode()))}"

    def call(self, method: str, name: str, body: object = None, **query: object) -> requests.Response:
        path = V3 + name
        headers = {"Authorization": f"Bearer {self.token(method, path)}"}
        target = f"{self.base_url}{path}?{urlencode(query, doseq=True)}" if query else self.base_url + path
        return self.http.request(method, target, json=body, headers=headers, timeout=10)

    def place(self, configuration: object = LIMIT, side: str = "BUY", **more: object) -> Any:
        """The answer to a new order."""
        body = {
            "client_order_id": f"c{time.time_ns()}",
            "product_id": "BTC-USDT",
            "side": side,
            "order_configuration": configuration,
            **more,
        }
        return self.call("POST", "orders", body).json()

    def reason(self, *terms: Any, **more: Any) -> str:
        """The reason that an order is refused for."""
        answer = self.place(*terms, **more)
        assert answer["success"] is False, answer
        reason: str = answer["error_response"]["preview_failure_reason"]
        return reason


@pytest.fixture
def coinbase(fresh_sandbox: SandboxServer) -> Iterator[Caller]:
    """A caller with 100,000 USDT, 2 BTC and 20 ETH; BTC costs 60,000 USDT."""
    caller = Caller(fresh_sandbox.at("coinbase"), fresh_sandbox.account("coinbase"))
    yield caller
    caller.http.close()


@pytest.mark.parametrize(
    "claims",
    [
        {"uri": f"POST api.coinbase.com{V3}accounts"},
        {"uri": f"GET api.coinbase.com{V3}orders"},
        {"exp": 1},
        {"nbf": 99_999_999_999, "exp": 99_999_999_999},
        {"nbf": 0},
        {"sub": "somebody else"},
    ],
)
def test_a_token_is_for_one_method_one_path_one_key_and_two_minutes(
    coinbase: Caller, claims: dict[str, object]
) -> None:
    good, bad = coinbase.token("GET", f"{V3}accounts"), coinbase.token("GET", f"{V3}accounts", **claims)
    for token, status in ((good, 200), (bad, 401), (good[:-4], 401), ("no.token.atall", 401)):
        headers = {"Authorization": f"Bearer {token}"}
        answer = coinbase.http.get(f"{coinbase.base_url}{V3}accounts", headers=headers, timeout=10)
        assert answer.status_code == status
    assert answer.text == "Unauthorized"


def limit_at(price: str, size: str = "0.01", **more: object) -> dict[str, Any]:
    return {"limit_limit_gtc": {"base_size": size, "limit_price": price, **more}}


def bracket(target: str, stop: str, **more: object) -> dict[str, Any]:
    return {"trigger_bracket_gtc": {"limit_price": target, "stop_trigger_price": stop, **more}}


def stop_at(price: str, direction: str) -> dict[str, Any]:
    terms = {"base_size": "0.01", "limit_price": price, "stop_price": price}
    return {"stop_limit_stop_limit_gtc": {**terms, "stop_direction": f"STOP_DIRECTION_STOP_{direction}"}}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "off the price grid": ({"configuration": limit_at("50000.001")}, "INVALID_PRICE_PRECISION"),
    "off the lot": ({"configuration": limit_at("50000", "0.010000009")}, "INVALID_SIZE_PRECISION"),
    "worth too little": (
        {"configuration": limit_at("50000", "0.00001")},
        "PREVIEW_INVALID_QUOTE_SIZE_TOO_SMALL",
    ),
    "too dear": ({"configuration": limit_at("50000", "3")}, "PREVIEW_INSUFFICIENT_FUND"),
    "post-only that takes": (
        {"configuration": limit_at("61000", post_only=True)},
        "INVALID_LIMIT_PRICE_POST_ONLY",
    ),
    "a stop that has passed": (
        {"configuration": stop_at("61000", "DOWN"), "side": "SELL"},
        "PREVIEW_STOP_PRICE_ABOVE_LAST_TRADE_PRICE",
    ),
    "a sale by quote": (
        {"configuration": {"market_market_ioc": {"quote_size": "50"}}, "side": "SELL"},
        "UNSUPPORTED_ORDER_CONFIGURATION",
    ),
    "a bracket of one leg": (
        {
            "configuration": {"trigger_bracket_gtc": {"base_size": "0.01", "limit_price": "65000"}},
            "side": "SELL",
        },
        "SINGLE_LEGGED_TPSL_NOT_ALLOWED",
    ),
    "a bracket around no price": (
        {"configuration": bracket("65000", "62000", base_size="0.01"), "side": "SELL"},
        "INVALID_BRACKET_PRICES",
    ),
    "an attached bracket with a size": (
        {"attached_order_configuration": bracket("65000", "45000", base_size="0.01")},
        "ATTACHED_ORDER_SIZE_MUST_BE_NIL",
    ),
    "a bracket on a stop": (
        {
            "configuration": stop_at("55000", "DOWN"),
            "side": "SELL",
            "attached_order_configuration": bracket("50000", "61000"),
        },
        "ATTACHED_ORDERS_ONLY_ALLOWED_ON_MARKET_LIMIT",
    ),
}


@pytest.mark.parametrize(("order", "reason"), REFUSED.values(), ids=REFUSED.keys())
def test_an_order_against_a_rule_is_refused_with_success(
    coinbase: Caller, order: dict[str, Any], reason: str
) -> None:
    assert coinbase.reason(**order) == reason
    assert coinbase.call("GET", "orders/historical/batch").json()["orders"] == []


def test_a_client_id_that_was_used_tells_the_first_order_even_when_that_has_ended(coinbase: Caller) -> None:
    first = coinbase.place(client_order_id="once")["success_response"]["order_id"]
    cancelled = coinbase.call("POST", "orders/batch_cancel", {"order_ids": [first, "nobody"]}).json()
    assert [row["success"] for row in cancelled["results"]] == [True, False]
    again = coinbase.place(limit_at("40000"), client_order_id="once")
    assert again["success_response"]["order_id"] == first
    assert len(coinbase.call("GET", "orders/historical/batch").json()["orders"]) == 1


def test_lists_are_told_page_by_page_latest_first(coinbase: Caller) -> None:
    ids = [coinbase.place()["order_id"] for _ in range(5)]
    found, cursor = [], ""
    while True:
        more = {"cursor": cursor} if cursor else {}
        page = coinbase.call("GET", "orders/historical/batch", limit=2, **more).json()
        found += [row["order_id"] for row in page["orders"]]
        cursor = page["cursor"]
        if not page["has_next"]:
            break
    assert found == ids[::-1]


def test_a_key_without_permission_is_told_so(coinbase: Caller, fresh_sandbox: SandboxServer) -> None:
    fresh_sandbox.control("permissions", exchange="coinbase", api_key=coinbase.keys.api_key, trade=False)
    answer = coinbase.call("POST", "orders", {"client_order_id": "c", "side": "BUY"})
    assert (answer.status_code, answer.json()["error"]) == (403, "PERMISSION_DENIED")


def test_the_eleventh_public_question_of_a_second_is_one_too_many(coinbase: Caller) -> None:
    answers = [coinbase.http.get(f"{coinbase.base_url}{V3}time", timeout=10) for _ in range(40)]
    statuses = [answer.status_code for answer in answers]
    assert statuses[:10] == [200] * 10
    assert 429 in statuses
    assert answers[0].headers["x-ratelimit-limit"] == "10"


names = st.sampled_from(
    [
        "product_id",
        "side",
        "order_configuration",
        "client_order_id",
        "order_id",
        "order_ids",
        "size",
        "price",
        "limit",
        "cursor",
        "start",
        "end",
        "granularity",
        "order_status",
        "product_ids",
        "start_date",
        "product_type",
        "attached_order_configuration",
    ]
)
terms = st.dictionaries(
    st.sampled_from(
        [
            "base_size",
            "quote_size",
            "limit_price",
            "stop_price",
            "stop_direction",
            "stop_trigger_price",
            "post_only",
        ]
    ),
    st.sampled_from(["0.01", "50000", "-1", "NaN", "1e400", "", "STOP_DIRECTION_STOP_DOWN"]) | st.integers(),
    max_size=4,
)
kinds = st.sampled_from(
    ["market_market_ioc", "limit_limit_gtc", "stop_limit_stop_limit_gtc", "trigger_bracket_gtc", "what"]
)
values = (
    st.sampled_from(["BTC-USDT", "BUY", "SELL", "OPEN", "ONE_HOUR", "1767225600", "0", "x", "\u00e9"])
    | st.integers()
    | st.none()
    | st.dictionaries(kinds, terms, max_size=2)
    | st.lists(st.text(max_size=3), max_size=2)
)


@pytest.fixture
def shared(sandbox: SandboxServer) -> Iterator[Caller]:
    caller = Caller(sandbox.at("coinbase"), sandbox.account("coinbase"))
    yield caller
    caller.http.close()


@given(
    endpoint=st.sampled_from(ENDPOINTS),
    chosen=st.dictionaries(names, values, max_size=6),
    whole=st.booleans(),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_sent_json_comes_back(
    shared: Caller, endpoint: Any, chosen: dict[str, object], whole: bool
) -> None:
    name = endpoint.path.removeprefix(V3).replace("{}", "BTC-USDT")
    basis = {"product_id": "BTC-USDT", "side": "BUY", "client_order_id": "c"} if whole else {}
    if endpoint.method == "POST":
        answer = shared.call("POST", name, {**basis, **chosen})
    else:
        answer = shared.call("GET", name, **{key: str(value) for key, value in chosen.items()})
    assert answer.status_code in (200, 400, 404)
    assert isinstance(answer.json(), dict)
