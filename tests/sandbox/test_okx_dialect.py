"""The sandbox's OKX refuses, tells and forgets as the documentation says; and whatever is sent, it answers."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.sandbox.dialects.okx.endpoints import ENDPOINTS
from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.okx_caller import V5, Caller

BALANCE = f"{V5}account/balance"


@pytest.fixture
def okx(fresh_sandbox: SandboxServer) -> Iterator[Caller]:
    """A signing caller with 100,000 USDT, 2 BTC and 20 ETH; BTC costs 60,000 USDT."""
    caller = Caller(fresh_sandbox.at("okx"), fresh_sandbox.account("okx"))
    yield caller
    caller.close()


# -- the gate --------------------------------------------------------------------------------------------------

GATE = [
    ({"OK-ACCESS-KEY": ""}, "50103"),
    ({"OK-ACCESS-PASSPHRASE": ""}, "50104"),
    ({"OK-ACCESS-SIGN": ""}, "50106"),
    ({"OK-ACCESS-TIMESTAMP": ""}, "50107"),
    ({"OK-ACCESS-TIMESTAMP": "1767225600.123", "OK-ACCESS-KEY": "nobody"}, "50112"),
    ({"OK-ACCESS-TIMESTAMP": "2020-01-01T00:00:00.000Z", "OK-ACCESS-KEY": "nobody"}, "50102"),
    ({"OK-ACCESS-KEY": "nobody", "OK-ACCESS-PASSPHRASE": "wrong"}, "50111"),
    ({"x-simulated-trading": "1", "OK-ACCESS-PASSPHRASE": "wrong"}, "50101"),
    ({"OK-ACCESS-PASSPHRASE": "wrong", "OK-ACCESS-SIGN": "wrong"}, "50105"),
    ({"OK-ACCESS-SIGN": "wrong"}, "50113"),
]


@pytest.mark.parametrize(("changed", "code"), GATE)
def test_the_gate_asks_in_the_documented_order(okx: Caller, changed: dict[str, str], code: str) -> None:
    answer = okx.raw("GET", BALANCE, **{**okx.headers("GET", BALANCE), **changed})
    assert (answer.status_code, answer.json()["code"]) == (401, code)


def test_a_signature_is_for_the_query_as_it_was_sent(okx: Caller) -> None:
    signed = okx.headers("GET", f"{BALANCE}?ccy=BTC%2CUSDT")
    assert okx.raw("GET", f"{BALANCE}?ccy=BTC%2CUSDT", **signed).json()["code"] == "0"
    assert okx.raw("GET", f"{BALANCE}?ccy=BTC,USDT", **signed).json()["code"] == "50113"


def test_an_order_past_its_time_is_thrown_away(okx: Caller) -> None:
    headers = {**okx.headers("POST", f"{V5}trade/order", "{}"), "expTime": "1"}
    answer = okx.raw("POST", f"{V5}trade/order", "{}", **headers)
    assert answer.json()["code"] == "50036"


def test_the_twenty_first_question_of_two_seconds_is_one_too_many(okx: Caller) -> None:
    target = f"{V5}market/ticker?instId=BTC-USDT"
    statuses = [okx.raw("GET", target).status_code for _ in range(60)]
    assert 429 in statuses
    assert statuses.index(429) >= 20


# -- rules -----------------------------------------------------------------------------------------------------

REFUSED = {
    "another account mode": ({"tdMode": "cross"}, "51000"),
    "no such instrument": ({"instId": "NO-SUCH"}, "51001"),
    "a client id with a hyphen": ({"clOrdId": "a-b"}, "51000"),
    "off the price grid": ({"px": "50000.001"}, "51150"),
    "off the lot": ({"sz": "0.010000001"}, "51121"),
    "too small": ({"sz": "0.00001"}, "51020"),
    "too dear": ({"sz": "3"}, "51008"),
    "a stop above the entry": ({"attachAlgoOrds": [{"slTriggerPx": "51000", "slOrdPx": "-1"}]}, "51047"),
    "a take-profit below it": ({"attachAlgoOrds": [{"tpTriggerPx": "49000", "tpOrdPx": "-1"}]}, "51046"),
    "a take-profit that is a limit order": (
        {"attachAlgoOrds": [{"tpTriggerPx": "61000", "tpOrdPx": "61000", "tpOrdKind": "limit"}]},
        "51094",
    ),
    "exits on a purchase by base": (
        {
            "ordType": "market",
            "tgtCcy": "base_ccy",
            "attachAlgoOrds": [{"slTriggerPx": "1", "slOrdPx": "-1"}],
        },
        "51000",
    ),
}


@pytest.mark.parametrize(("fields", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_an_order_against_a_rule_is_refused_in_its_own_row(
    okx: Caller, fields: dict[str, object], code: str
) -> None:
    row = okx.placed(**fields)
    assert (row["ordId"], row["sCode"]) == ("", code)
    assert okx.get("trade/orders-pending")["data"] == []


@pytest.mark.parametrize(
    ("side", "fields", "code"),
    [
        ("sell", {"slTriggerPx": "60001", "slOrdPx": "-1"}, "51280"),
        ("sell", {"tpTriggerPx": "59999", "tpOrdPx": "-1"}, "51279"),
        ("buy", {"slTriggerPx": "59999", "slOrdPx": "-1"}, "51278"),
        ("buy", {"tpTriggerPx": "60001", "tpOrdPx": "-1"}, "51277"),
    ],
)
def test_an_exit_that_the_market_has_passed_is_refused(
    okx: Caller, side: str, fields: dict[str, str], code: str
) -> None:
    row = okx.placed("trade/order-algo", ordType="conditional", sz="0.01", side=side, **fields)
    assert row["sCode"] == code


def test_a_market_buy_by_base_shrinks_to_the_balance_unless_that_is_forbidden(okx: Caller) -> None:
    much = {"ordType": "market", "sz": "5", "tgtCcy": "base_ccy"}
    assert okx.placed(**much, banAmend=True)["sCode"] == "51008"
    number = okx.placed(**much)["ordId"]
    [order] = okx.get("trade/order", instId="BTC-USDT", ordId=number)["data"]
    assert order["state"] == "filled"
    assert 1 < float(order["accFillSz"]) < 2


def test_a_batch_tells_of_each_order_and_a_code_of_all(okx: Caller) -> None:
    good = {
        "instId": "BTC-USDT",
        "tdMode": "cash",
        "side": "buy",
        "ordType": "limit",
        "px": "50000",
        "sz": "0.01",
    }
    answer = okx.post("trade/batch-orders", [good, {**good, "sz": "9"}])
    assert (answer["code"], [row["sCode"] for row in answer["data"]]) == ("2", ["0", "51008"])


def test_an_order_cancelled_unfilled_is_forgotten_in_two_hours_and_one_that_filled_is_not(
    okx: Caller, fresh_sandbox: SandboxServer
) -> None:
    gone, filled = okx.placed(clOrdId="gone1")["ordId"], okx.placed(px="61000")["ordId"]
    okx.post("trade/cancel-order", {"instId": "BTC-USDT", "ordId": gone})
    for hours, known in ((1.9, {gone, filled}), (2.1, {filled})):
        okx.ahead = hours * 3600
        fresh_sandbox.control("skew", exchange="okx", milliseconds=int(okx.ahead * 1000))
        history = okx.get("trade/orders-history", instType="SPOT")["data"]
        assert {row["ordId"] for row in history} == known
    assert okx.get("trade/order", instId="BTC-USDT", clOrdId="gone1")["code"] == "51603"


def test_an_exit_that_cannot_be_paid_for_fails_and_places_nothing(
    okx: Caller, fresh_sandbox: SandboxServer
) -> None:
    stop = okx.placed(
        "trade/order-algo", ordType="conditional", sz="2", side="sell", slTriggerPx="55000", slOrdPx="-1"
    )
    okx.placed(side="sell", px="70000", sz="1")
    fresh_sandbox.price("okx", "BTC/USDT", "54000")
    [row] = okx.get("trade/order-algo", algoId=stop["algoId"])["data"]
    assert (row["state"], row["failCode"], row["ordIdList"]) == ("order_failed", "51008", [])
    failed = {"instType": "SPOT", "ordType": "conditional,oco", "state": "order_failed"}
    assert [each["algoId"] for each in okx.get("trade/orders-algo-history", **failed)["data"]] == [
        stop["algoId"]
    ]


# -- whatever is sent ------------------------------------------------------------------------------------------

NAMES = (
    "instId instType side ordType tdMode tgtCcy px sz clOrdId ordId algoId algoClOrdId slTriggerPx slOrdPx tpTriggerPx "
    "tpOrdPx attachAlgoOrds banAmend newSz newPx state after before begin end limit bar ccy"
)
TELLING = (
    "BTC-USDT SPOT SWAP buy sell limit market ioc conditional oco conditional,oco cash cross base_ccy quote_ccy 1H 1M "
    "-1 0 0.01 50000 70000 1e9 1e400 NaN true live effective 2400000000000001001 9999999999999999999 \u00e9 % / ? # &"
)
names = st.sampled_from(NAMES.split(" "))
scalars = (
    st.sampled_from(TELLING.split(" ")) | st.text(max_size=8) | st.integers() | st.booleans() | st.none()
)
values = scalars | st.lists(st.dictionaries(names, scalars) | scalars, max_size=3)
ORDER = {
    "instId": "BTC-USDT",
    "tdMode": "cash",
    "side": "buy",
    "ordType": "limit",
    "px": "50000",
    "sz": "0.01",
}


@pytest.fixture
def shared(sandbox: SandboxServer) -> Iterator[Caller]:
    caller = Caller(sandbox.at("okx"), sandbox.account("okx"))
    yield caller
    caller.close()


@given(
    endpoint=st.sampled_from(sorted(ENDPOINTS)),
    chosen=st.dictionaries(names, values, max_size=6),
    whole=st.booleans(),
    several=st.booleans(),
)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_whatever_is_sent_okxs_envelope_comes_back(
    shared: Caller, endpoint: tuple[str, str], chosen: dict[str, object], whole: bool, several: bool
) -> None:
    method, path = endpoint
    params = {**ORDER, **chosen} if whole else chosen
    name = path.removeprefix(V5)
    answer = (
        shared.post(name, [params] * 2 if several else params)
        if method == "POST"
        else shared.get(name, **{key: json.dumps(value) for key, value in params.items()})
    )
    assert set(answer) == {"code", "msg", "data"}
    assert isinstance(answer["code"], str)
