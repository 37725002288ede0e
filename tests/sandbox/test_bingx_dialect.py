"""The sandbox speaks BingX as its fact sheet describes it: security, truncation, refusals in words, memory, limits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.sandbox.dialects.bingx.endpoints import ENDPOINTS
from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.bingx_caller import Caller

BALANCE = "spot/v1/account/balance"
LIMIT = {"side": "BUY", "type": "LIMIT", "quantity": "0.01", "price": "59000"}
STOP = {"side": "SELL", "quantity": "1", "stopPrice": "55000"}


@pytest.fixture
def bingx(fresh_sandbox: SandboxServer) -> Iterator[Caller]:
    """A signing caller with 100,000 USDT, 2 BTC and 20 ETH; BTC costs 60,000 USDT."""
    caller = Caller(fresh_sandbox.at("bingx"), fresh_sandbox.account("bingx"))
    yield caller
    caller.close()


def now_ms(off_by: int = 0) -> int:
    return int(time.time() * 1000) + off_by


def locked(bingx: Caller, asset: str) -> str:
    found: str = {row["asset"]: row["locked"] for row in bingx.read(BALANCE)["balances"]}[asset]
    return found


# -- security --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("off_by_ms", "window", "code"),
    [
        (0, "5000", 0),
        (-4000, "5000", 0),
        (-4000, "1000", 100421),
        (-9000, "60000", 100421),
        (9000, "5000", 100421),
    ],
)
def test_a_timestamp_may_be_as_old_as_its_window_of_five_seconds_at_most(
    bingx: Caller, off_by_ms: int, window: str, code: int
) -> None:
    answer = bingx.get(BALANCE, timestamp=now_ms(off_by_ms), recvWindow=window).json()
    assert answer["code"] == code


def test_key_signature_and_permission_are_each_refused_by_a_code_of_their_own(
    bingx: Caller, fresh_sandbox: SandboxServer
) -> None:
    signed = bingx.signed()
    bad = [
        bingx.raw("GET", BALANCE, signed, **{"X-BX-APIKEY": "nobody"}),
        bingx.raw("GET", BALANCE, {"timestamp": now_ms()}),
        bingx.raw("GET", BALANCE, {**signed, "timestamp": "soon"}),
        bingx.raw("GET", BALANCE, {**signed, "recvWindow": "1000"}),
    ]
    assert [answer.json()["code"] for answer in bad] == [100413, 100412, 100421, 100001]
    fresh_sandbox.control("permissions", exchange="bingx", api_key=bingx.keys.api_key, trade=False)
    assert bingx.refused("order", **LIMIT)[0] == 100004


def test_the_values_are_signed_as_they_are_whether_they_travel_in_the_query_or_in_a_form(
    bingx: Caller,
) -> None:
    first, second = (bingx.limit("58000")["orderId"] for _ in range(2))
    gone = bingx.do("cancelOrders", orderIds=f"{first},{second}")
    assert [row["orderId"] for row in gone["orders"]] == [first, second]
    order = {"symbol": "BTC-USDT", **LIMIT}
    assert bingx.raw("POST", "spot/v1/trade/order", {}, bingx.signed(**order)).json()["code"] == 0
    in_sorted_order = bingx.signed(**dict(sorted({**order, "timestamp": now_ms()}.items())))
    shuffled = dict(reversed(in_sorted_order.items()))
    assert bingx.raw("POST", "spot/v1/trade/order", shuffled).json()["code"] == 0


# -- rules -----------------------------------------------------------------------------------------------------

REFUSALS = [
    ({"symbol": "BTCUSDT"}, 100400, "invalid symbol"),
    ({"side": "buy"}, 100400, "Invalid parameter: side"),
    ({"price": ""}, 100400, "miss arguments: price"),
    ({"quantity": "0.000001"}, 100400, "lte 0"),
    ({"quantity": "0.00001"}, 100400, "minimum amount"),
    ({"quantity": "900"}, 100400, "maximum amount"),
    ({"price": "400000"}, 100440, "deviates"),
    ({"quantity": "2"}, 100202, "Insufficient"),
    ({"newClientOrderId": "bot-1"}, 100400, "newClientOrderId"),
    ({"type": "TAKE_STOP_LIMIT"}, 100400, "miss arguments: stopPrice"),
]


@pytest.mark.parametrize(("changed", "code", "words"), REFUSALS, ids=[str(each[0]) for each in REFUSALS])
def test_an_order_against_a_rule_is_refused_by_a_code_and_words(
    bingx: Caller, changed: dict[str, object], code: int, words: str
) -> None:
    refused, said = bingx.refused("order", **LIMIT | changed)
    assert refused == code
    assert words in said


def test_digits_beyond_the_grid_are_cut_off_without_a_word(bingx: Caller) -> None:
    placed = bingx.limit("59000.019", quantity="0.010009")
    assert (placed["price"], placed["origQty"], placed["status"]) == ("59000.01", "0.01", "PENDING")
    assert placed["orderId"] > 2**53


def test_a_pair_that_is_closed_to_the_api_is_refused_by_the_code_of_late_timestamps(
    bingx: Caller, fresh_sandbox: SandboxServer
) -> None:
    fresh_sandbox.control("instruments", exchange="bingx", symbol="BTC/USDT", trading=False)
    assert bingx.refused("order", **LIMIT) == (100421, "This pair is currently restricted from API trading")


# -- states and memory -----------------------------------------------------------------------------------------


def test_fees_are_negative_and_triggers_are_spelt_by_where_they_are_told(bingx: Caller) -> None:
    bought = bingx.do("order", side="BUY", type="MARKET", quoteOrderQty="600.01")
    record = bingx.look(bought)
    assert (record["status"], record["executedQty"], record["fee"], record["feeAsset"]) == (
        "FILLED",
        "0.01",
        "-0.00001",
        "BTC",
    )
    [fill] = bingx.read("spot/v1/trade/myTrades", symbol="BTC-USDT")["fills"]
    assert (fill["commission"], fill["isBuyer"], fill["orderId"]) == (-0.00001, True, bought["orderId"])
    stop = bingx.do("order", type="TAKE_STOP_MARKET", **STOP)
    assert (stop["status"], stop["stopPrice"], bingx.look(stop)["StopPrice"]) == ("NEW", "55000", "55000")
    assert "stopPrice" not in bingx.look(stop)


def test_a_stop_holds_what_it_would_sell_and_a_plan_does_not(
    bingx: Caller, fresh_sandbox: SandboxServer
) -> None:
    stop = bingx.do("order", type="TAKE_STOP_MARKET", **STOP)
    assert locked(bingx, "BTC") == "1"
    plan = bingx.do("order", type="TRIGGER_MARKET", **STOP | {"quantity": "2", "stopPrice": "56000"})
    assert locked(bingx, "BTC") == "1"
    fresh_sandbox.price("bingx", "BTC/USDT", "54000")
    assert [bingx.look(order)["status"] for order in (stop, plan)] == ["FILLED", "FAILED"]


def test_a_client_id_is_found_for_two_hours_and_taken_for_longer(
    bingx: Caller, fresh_sandbox: SandboxServer
) -> None:
    first = bingx.limit("58000", newClientOrderId="once_1")
    named = {"symbol": "BTC-USDT", "clientOrderID": "once_1"}
    assert bingx.read("spot/v1/trade/query", **named)["orderId"] == first["orderId"]
    bingx.do("cancel", orderId=first["orderId"])
    assert bingx.refused("order", **LIMIT, newClientOrderId="once_1")[0] == 101481
    hours = 2 * 3_600_000 + 1000
    fresh_sandbox.control("skew", exchange="bingx", milliseconds=hours)
    late = bingx.get("spot/v1/trade/query", **named, timestamp=now_ms(hours)).json()
    assert (late["code"], late["msg"]) == (80016, "order not exist")
    query = {"symbol": "BTC-USDT", "orderId": first["orderId"], "timestamp": now_ms(hours)}
    assert bingx.get("spot/v1/trade/query", **query).json()["code"] == 0


def test_a_cancellation_that_finds_nothing_says_so_in_words(bingx: Caller) -> None:
    assert bingx.refused("cancel", orderId="99") == (100421, "cancel fail, order not exist")
    sold = bingx.do("order", side="SELL", type="MARKET", quantity="0.01")
    assert bingx.refused("cancel", orderId=sold["orderId"]) == (100400, "the order is already FILLED")
    assert bingx.do("cancelOpenOrders") == {"orders": []}


def test_one_half_of_a_replacement_may_fail_in_an_answer_that_is_a_success(bingx: Caller) -> None:
    resting = bingx.limit("58000")
    new = {**LIMIT, "quantity": "9", "cancelReplaceMode": "STOP_ON_FAILURE"}
    outcome = bingx.do("order/cancelReplace", cancelOrderId=resting["orderId"], **new)
    assert (outcome["cancelResult"]["code"], outcome["openResult"]["code"]) == (0, 100202)
    assert bingx.look(resting)["status"] == "CANCELED"
    assert bingx.refused("order/cancelReplace", cancelOrderId="99", **new)[0] == 100421


def test_lists_come_newest_first_and_a_page_at_a_time(bingx: Caller) -> None:
    orders = [bingx.limit("58000")["orderId"] for _ in range(5)]
    assert [row["orderId"] for row in bingx.rows("openOrders")] == orders[::-1]
    assert bingx.rows("historyOrders") == []
    bingx.do("cancelOpenOrders")
    pages = [bingx.rows("historyOrders", pageIndex=index, pageSize=3) for index in (1, 2, 3)]
    assert [row["orderId"] for page in pages for row in page] == orders[::-1]


def test_offers_come_worst_first_and_days_begin_in_the_east_unless_told_otherwise(bingx: Caller) -> None:
    asks = bingx.read("spot/v1/market/depth", symbol="BTC-USDT", limit=3)["asks"]
    assert [float(price) for price, _ in asks] == sorted((float(price) for price, _ in asks), reverse=True)
    day = 86_400_000
    kline = {"symbol": "BTC-USDT", "interval": "1d", "limit": 2}
    east, utc = (bingx.read("spot/v1/market/kline", **kline, **zone) for zone in ({}, {"timeZone": 0}))
    assert (east[0][0] % day, utc[0][0] % day) == (16 * 3_600_000, 0)
    assert east[0][0] - east[1][0] == day


# -- limits, and whatever is sent ------------------------------------------------------------------------------


def test_who_asks_too_often_is_told_when_the_window_is_over(
    bingx: Caller, fresh_sandbox: SandboxServer
) -> None:
    fresh_sandbox.control("limits", exchange="bingx", limits={"spot/v1/trade/order": 2})
    answers = [bingx.post("spot/v1/trade/order", symbol="BTC-USDT", **LIMIT) for _ in range(5)]
    assert {answer.json()["code"] for answer in answers} == {0, 100410}
    refused = next(answer for answer in answers if answer.json()["code"])
    assert refused.headers["X-RateLimit-Requests-Remain"] == "0"
    assert int(refused.headers["X-RateLimit-Requests-Expire"]) > refused.json()["timestamp"]


NAMES = (
    "symbol side type quantity quoteOrderQty price stopPrice timeInForce newClientOrderId orderId clientOrderID "
    "orderIds cancelReplaceMode cancelOrderId pageIndex pageSize limit startTime endTime interval timeZone fromId"
)
TELLING = (
    "BTC-USDT BUY SELL LIMIT MARKET TAKE_STOP_MARKET TRIGGER_LIMIT 0.01 60000 PostOnly STOP_ON_FAILURE 1d 1M 1 0 -1 "
    "1,x 1e400 NaN 1735963671248001001 \u00e9 \x00"
)
texts = st.sampled_from(TELLING.split(" ")) | st.text("a0Z_-.,&=?#%+é€ ", max_size=8)


@given(
    endpoint=st.sampled_from(sorted(ENDPOINTS)),
    params=st.dictionaries(
        st.sampled_from(NAMES.split(" ")), texts | st.integers() | st.floats(), max_size=6
    ),
    sensible=st.booleans(),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_answered_in_an_envelope(
    shared: Caller, endpoint: tuple[str, str], params: dict[str, Any], sensible: bool
) -> None:
    method, path = endpoint
    usual = {"symbol": "BTC-USDT", "interval": "1h", **LIMIT} if sensible else {}
    ask = shared.post if method == "POST" else shared.get
    answer = ask(path.removeprefix("/openApi/"), **usual | params)
    assert answer.json().keys() == {"code", "msg", "debugMsg", "timestamp", "data"}
    assert answer.status_code == 200


@pytest.fixture
def shared(sandbox: SandboxServer) -> Iterator[Caller]:
    caller = Caller(sandbox.at("bingx"), sandbox.account("bingx"))
    yield caller
    caller.close()
