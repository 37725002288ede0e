"""The sandbox speaks Gate.io as its fact sheet describes it: security, rules, names, triggers and limits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.sandbox.dialects.gateio.endpoints import ENDPOINTS
from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.gateio_caller import ROOT, Caller

ORDERS = "spot/orders"
PAIR = {"currency_pair": "BTC_USDT"}


@pytest.fixture
def gateio(fresh_sandbox: SandboxServer) -> Iterator[Caller]:
    """A signing caller with 100,000 USDT, 2 BTC and 20 ETH; BTC costs 60,000 USDT."""
    caller = Caller(fresh_sandbox.at("gateio"), fresh_sandbox.account("gateio"))
    yield caller
    caller.close()


def spot(gateio: Caller) -> dict[str, tuple[str, str]]:
    return {row["currency"]: (row["available"], row["locked"]) for row in gateio.do("GET", "spot/accounts")}


# -- security --------------------------------------------------------------------------------------------------

ACCOUNTS = f"{ROOT}spot/accounts"


@pytest.mark.parametrize(
    ("off_by", "status"), [(0, 200), (-58, 200), (58, 200), (-62, 401), (62, 401), (0.5, 200)]
)
def test_a_timestamp_may_be_a_minute_off(gateio: Caller, off_by: float, status: int) -> None:
    headers = gateio.headers("GET", ACCOUNTS, at=str(round(time.time() + off_by, 3)))
    response = gateio.raw("GET", ACCOUNTS, **headers)
    assert response.status_code == status
    assert status == 200 or response.json()["label"] == "REQUEST_EXPIRED"


def test_headers_key_signature_and_permission_are_each_refused_by_a_label_of_their_own(
    gateio: Caller, fresh_sandbox: SandboxServer
) -> None:
    good = gateio.headers("GET", ACCOUNTS)
    cases = [
        ({name: value for name, value in good.items() if name != "SIGN"}, "MISSING_REQUIRED_HEADER"),
        (good | {"KEY": "nobody"}, "INVALID_KEY"),
        (gateio.headers("GET", ACCOUNTS, "currency=BTC"), "INVALID_SIGNATURE"),
    ]
    for headers, label in cases:
        response = gateio.raw("GET", ACCOUNTS, **headers)
        assert (response.status_code, response.json()["label"]) == (401, label)
    fresh_sandbox.control("permissions", exchange="gateio", api_key=gateio.keys.api_key, trade=False)
    assert gateio.refused("DELETE", ORDERS, **PAIR) == (403, "READ_ONLY")


def test_an_order_that_comes_later_than_its_sender_wanted_is_refused(gateio: Caller) -> None:
    late = {"x-gate-exptime": str(int(time.time() * 1000) - 1)}
    path, body = f"{ROOT}{ORDERS}", "{}"
    response = gateio.raw("POST", path, body, **gateio.headers("POST", path, body=body), **late)
    assert response.json()["label"] == "REQUEST_EXPIRED"


# -- rules -----------------------------------------------------------------------------------------------------

LIMIT = {**PAIR, "side": "buy", "type": "limit", "amount": "0.01", "price": "59000"}
REFUSALS = [
    ({"currency_pair": "NO_SUCH"}, "INVALID_CURRENCY_PAIR"),
    ({"amount": ""}, "MISSING_REQUIRED_PARAM"),
    ({"price": "59000.001"}, "INVALID_PRECISION"),
    ({"amount": "0.010001"}, "INVALID_PRECISION"),
    ({"amount": "0.00001"}, "INVALID_PARAM_VALUE"),
    ({"amount": "999999"}, "AMOUNT_TOO_MUCH"),
    ({"price": "80000"}, "PRICE_THRESHOLD_EXCEEDED"),
    ({"amount": "2"}, "BALANCE_NOT_ENOUGH"),
    ({"price": "61000", "time_in_force": "poc"}, "POC_FILL_IMMEDIATELY"),
    ({"type": "market", "amount": "600"}, "INVALID_PARAM_VALUE"),
    ({"text": "mine"}, "INVALID_PARAM_VALUE"),
    ({"text": "t-" + "x" * 29}, "INVALID_PARAM_VALUE"),
    ({"account": "unified"}, "INVALID_PARAM_VALUE"),
]


@pytest.mark.parametrize(("changed", "label"), REFUSALS, ids=[str(changed) for changed, _ in REFUSALS])
def test_an_order_against_a_rule_is_refused_by_its_label(
    gateio: Caller, changed: dict[str, str], label: str
) -> None:
    assert gateio.refused("POST", ORDERS, **LIMIT | changed) == (400, label)


# -- orders and their names ------------------------------------------------------------------------------------


def test_the_answer_to_an_order_tells_what_it_has_filled_already(gateio: Caller) -> None:
    bought = gateio.place(type="market", amount="601", time_in_force="ioc")
    assert (bought["status"], bought["finish_as"], bought["filled_amount"], bought["amount"]) == (
        "closed",
        "ioc",
        "0.01001",
        "601",
    )
    assert bought["fill_price"] == bought["filled_total"] == "600.6001001"
    assert (bought["fee"], bought["fee_currency"], bought["left"]) == ("0.00002002", "BTC", "0.3998999")
    sold = gateio.place(side="sell", type="market", time_in_force="fok")
    assert (sold["finish_as"], sold["fee_currency"], sold["left"]) == ("filled", "USDT", "0")
    killed = gateio.place(price="58000", time_in_force="fok")
    assert (killed["status"], killed["finish_as"], killed["filled_amount"]) == ("closed", "fok", "0")


def test_a_name_may_be_given_twice_and_names_the_newest_while_it_is_open(gateio: Caller) -> None:
    first, second = (gateio.place(price=price, text="t-twice") for price in ("58000", "57000"))
    assert gateio.do("GET", f"{ORDERS}/t-twice", **PAIR)["id"] == second["id"]
    assert gateio.do("DELETE", f"{ORDERS}/t-twice", **PAIR)["status"] == "cancelled"
    assert gateio.refused("GET", f"{ORDERS}/t-twice", **PAIR) == (400, "CLIENT_ID_NOT_FOUND")
    assert gateio.do("GET", f"{ORDERS}/{first['id']}", **PAIR)["status"] == "open"
    assert gateio.refused("DELETE", f"{ORDERS}/{second['id']}", **PAIR) == (400, "ORDER_CANCELLED")
    assert gateio.refused("GET", f"{ORDERS}/1", **PAIR) == (404, "ORDER_NOT_FOUND")


def test_lists_tell_open_orders_by_market_and_ended_ones_a_page_at_a_time(gateio: Caller) -> None:
    for _ in range(3):
        gateio.place(price="58000")
    gateio.place(currency_pair="ETH_USDT", amount="1", price="2900")
    groups = gateio.do("GET", "spot/open_orders")
    assert {group["currency_pair"]: group["total"] for group in groups} == {"BTC_USDT": 3, "ETH_USDT": 1}
    assert len(gateio.do("DELETE", ORDERS, **PAIR)) == 3
    pages = [gateio.do("GET", ORDERS, **PAIR, status="finished", limit=2, page=page) for page in (1, 2)]
    assert [len(page) for page in pages] == [2, 1]
    assert gateio.do("GET", ORDERS, **PAIR, status="open") == []
    assert len(gateio.do("DELETE", ORDERS)) == 1, "without a market it is every market"


def test_an_order_is_changed_in_place_within_the_same_rules(gateio: Caller) -> None:
    path = f"{ORDERS}/{gateio.place(price='58000')['id']}"
    changed = gateio.do("PATCH", path, **PAIR, amount="0.02", price="57000")
    assert (changed["amount"], changed["price"], changed["left"]) == ("0.02", "57000", "0.02")
    assert gateio.refused("PATCH", path, **PAIR, amount="0.020001") == (400, "INVALID_PRECISION")
    assert gateio.refused("PATCH", path, **PAIR) == (400, "INVALID_PARAM_VALUE")


# -- triggers --------------------------------------------------------------------------------------------------


def test_a_trigger_holds_nothing_and_places_an_order_of_another_id(
    gateio: Caller, fresh_sandbox: SandboxServer
) -> None:
    stop = gateio.trigger("55000", "<=", time_in_force="ioc")
    target = gateio.trigger("65000", ">=", price="65000", time_in_force="gtc")
    assert spot(gateio)["BTC"] == ("2", "0")
    waiting = gateio.do("GET", "spot/price_orders", status="open", market="BTC_USDT")
    assert [row["id"] for row in waiting] == [target, stop]
    fresh_sandbox.price("gateio", "BTC/USDT", "54900")
    fired = gateio.do("GET", f"spot/price_orders/{stop}")
    assert fired["status"] == "finish"
    placed = gateio.do("GET", f"{ORDERS}/{fired['fired_order_id']}", **PAIR)
    assert (placed["status"], placed["filled_amount"], placed["text"]) == ("closed", "1", "apiv4")
    assert gateio.do("DELETE", f"spot/price_orders/{target}")["status"] == "cancelled"
    assert gateio.refused("DELETE", f"spot/price_orders/{stop}")[1] == "ORDER_CLOSED"


def test_a_trigger_that_cannot_be_paid_for_has_failed_and_placed_nothing(
    gateio: Caller, fresh_sandbox: SandboxServer
) -> None:
    stop = gateio.trigger("55000", "<=", amount="2")
    gateio.place(side="sell", type="market", amount="1", time_in_force="ioc")
    fresh_sandbox.price("gateio", "BTC/USDT", "54900")
    failed = gateio.do("GET", f"spot/price_orders/{stop}")
    assert (failed["status"], failed["fired_order_id"], failed["reason"]) == (
        "failed",
        0,
        "BALANCE_NOT_ENOUGH",
    )


@pytest.mark.parametrize(
    ("trigger", "put", "label"),
    [
        ({"price": "61000", "rule": "<="}, {}, "AUTO_TRIGGER_PRICE_GREATE_LAST"),
        ({"price": "59000", "rule": ">="}, {}, "AUTO_TRIGGER_PRICE_LESS_LAST"),
        ({"price": "55000", "rule": "<"}, {}, "INVALID_PARAM_VALUE"),
        ({"price": "55000", "rule": "<=", "expiration": 0}, {}, "INVALID_PARAM_VALUE"),
        ({"price": "55000", "rule": "<="}, {"type": "market"}, "INVALID_PARAM_VALUE"),
        ({"price": "55000", "rule": "<="}, {"account": "spot"}, "INVALID_PARAM_VALUE"),
        ({"price": "55000", "rule": "<="}, {"price": None}, "MISSING_REQUIRED_PARAM"),
    ],
)
def test_a_trigger_against_a_rule_is_refused_by_its_label(
    gateio: Caller, trigger: dict[str, Any], put: dict[str, Any], label: str
) -> None:
    usual = {"side": "sell", "price": "50000", "amount": "1", "account": "normal"}
    asked = {"market": "BTC_USDT", "trigger": trigger, "put": usual | put}
    assert gateio.refused("POST", "spot/price_orders", **asked) == (400, label)


# -- the rest --------------------------------------------------------------------------------------------------


def test_there_is_no_futures_account_before_anything_was_moved_there(
    gateio: Caller, fresh_sandbox: SandboxServer
) -> None:
    assert gateio.refused("GET", "futures/usdt/accounts") == (400, "USER_NOT_FOUND")
    position = {"symbol": "BTC/USDT", "quantity": "-0.25", "entry_price": "61000"}
    fresh_sandbox.control(
        "positions", exchange="gateio", api_key=gateio.keys.api_key, positions=[position], margin="1000"
    )
    [row] = gateio.do("GET", "futures/usdt/positions", holding="true")
    assert (row["contract"], row["size"], row["unrealised_pnl"]) == ("BTC_USDT", "-2500", "250")
    assert gateio.do("GET", "futures/usdt/contracts/BTC_USDT")["quanto_multiplier"] == "0.0001"


def test_candles_are_asked_for_by_number_or_by_times_but_not_both(gateio: Caller) -> None:
    asked = {**PAIR, "interval": "1h"}
    assert len(gateio.do("GET", "spot/candlesticks", **asked, limit=5)) == 5
    now = int(time.time())
    between = gateio.do("GET", "spot/candlesticks", **asked, **{"from": now - 4 * 3600, "to": now})
    assert len(between) in (4, 5)
    assert between[-1][7] == "false"
    assert gateio.refused("GET", "spot/candlesticks", **asked, limit=5, to=now) == (
        400,
        "INVALID_PARAM_VALUE",
    )


def test_orders_are_limited_for_each_market_by_itself(gateio: Caller, fresh_sandbox: SandboxServer) -> None:
    fresh_sandbox.control("limits", exchange="gateio", limits={"orders": 1})
    answers = [gateio.call("POST", ORDERS, **LIMIT) for _ in range(4)]
    assert {answer.status_code for answer in answers} == {201, 429}
    refused = next(answer for answer in answers if answer.status_code == 429)
    assert refused.json()["label"] == "TOO_MANY_REQUESTS"
    assert refused.headers["X-Gate-RateLimit-Requests-Remain"] == "0"
    assert int(refused.headers["X-Gate-RateLimit-Reset-Timestamp"]) > time.time() - 1
    other = LIMIT | {"currency_pair": "ETH_USDT", "amount": "1", "price": "2900"}
    assert gateio.call("POST", ORDERS, **other).status_code == 201


NAMES = (
    "currency_pair market side type amount price time_in_force text account status from to page limit offset interval "
    "trigger put order_id currency with_id holding"
)
TELLING = (
    "BTC_USDT buy sell limit market 0.01 60000 ioc fok poc gtc t-mine spot normal open finished 1h 7d 1 0 -1 1e400 NaN "
    "1800001001 \u00e9 \x00"
)
names = st.sampled_from(NAMES.split(" "))
texts = st.sampled_from(TELLING.split(" ")) | st.text(max_size=8)
scalars = texts | st.integers() | st.floats() | st.booleans() | st.none()
values = scalars | st.dictionaries(names, scalars, max_size=4) | st.lists(texts, max_size=2)


@given(
    endpoint=st.sampled_from(sorted(ENDPOINTS)),
    named=st.sampled_from(["1800001001", "901001", "t-mine", "BTC_USDT", "99999999999999999999"]),
    params=st.dictionaries(names, values, max_size=6),
    sensible=st.booleans(),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_answered_with_a_label_or_a_success(
    shared: Caller, endpoint: tuple[str, str], named: str, params: dict[str, Any], sensible: bool
) -> None:
    method, path = endpoint
    asked = {**(LIMIT | {"status": "open"} if sensible else {}), **params}
    if method not in ("POST", "PATCH"):
        asked = {name: value for name, value in asked.items() if str(value).isalnum()}
    answer = shared.call(method, path.removeprefix(ROOT).replace("{id}", named), **asked)
    assert answer.status_code in (200, 201) or answer.json().keys() == {"label", "message"}
    assert answer.status_code < 500


@pytest.fixture
def shared(sandbox: SandboxServer) -> Iterator[Caller]:
    caller = Caller(sandbox.at("gateio"), sandbox.account("gateio"))
    yield caller
    caller.close()
