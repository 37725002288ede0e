"""The sandbox speaks Bybit as its fact sheet describes it: security, rules, units, exits, memory and limits."""

from __future__ import annotations

import time
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.sandbox.dialects.bybit.endpoints import ENDPOINTS
from tests.fixtures.sandbox import SandboxServer
from tests.sandbox.bybit_caller import Caller

WALLET = "/v5/account/wallet-balance"
MARKET_BUY = {"side": "Buy", "orderType": "Market"}


@pytest.fixture
def bybit(fresh_sandbox: SandboxServer) -> Iterator[Caller]:
    """A signing caller with 100,000 USDT, 2 BTC and 20 ETH; BTC costs 60,000 USDT."""
    caller = Caller(fresh_sandbox.at("bybit"), fresh_sandbox.account("bybit"))
    yield caller
    caller.close()


def wallet(bybit: Caller) -> dict[str, tuple[str, str]]:
    [account] = bybit.read("account/wallet-balance", accountType="UNIFIED")["list"]
    return {row["coin"]: (row["walletBalance"], row["locked"]) for row in account["coin"]}


# -- security --------------------------------------------------------------------------------------------------

QUERY = "accountType=UNIFIED"


def ask(bybit: Caller, **changed: str) -> int:
    code: int = bybit.raw("GET", f"{WALLET}?{QUERY}", **bybit.headers(QUERY, **changed)).json()["retCode"]
    return code


@pytest.mark.parametrize(
    ("off_by_ms", "window", "code"),
    [(0, "5000", 0), (-4000, "5000", 0), (-6000, "5000", 10002), (-6000, "20000", 0), (1500, "20000", 10002)],
)
def test_a_timestamp_may_be_as_old_as_its_window_and_lie_a_second_ahead(
    bybit: Caller, off_by_ms: int, window: str, code: int
) -> None:
    at = str(int(time.time() * 1000) + off_by_ms)
    assert ask(bybit, **{"X-BAPI-TIMESTAMP": at, "X-BAPI-RECV-WINDOW": window}) == code


def test_key_signature_time_and_permission_are_each_refused_by_a_code_of_their_own(
    bybit: Caller, fresh_sandbox: SandboxServer
) -> None:
    assert ask(bybit, **{"X-BAPI-API-KEY": "nobody"}) == 10003
    assert ask(bybit, **{"X-BAPI-TIMESTAMP": "soon"}) == 10002
    assert (
        bybit.raw("GET", f"{WALLET}?{QUERY}", **bybit.headers(QUERY + "&coin=BTC")).json()["retCode"] == 10004
    )
    assert bybit.raw("GET", f"{WALLET}?{QUERY}", "{}", **bybit.headers(QUERY)).status_code == 403
    fresh_sandbox.control("permissions", exchange="bybit", api_key=bybit.keys.api_key, trade=False)
    assert bybit.refused("order/create", **MARKET_BUY, qty="50") == 10005


# -- rules -----------------------------------------------------------------------------------------------------

LIMIT = {"side": "Buy", "orderType": "Limit", "qty": "0.01", "price": "59000"}
REFUSALS = [
    ({"symbol": "NOSUCH"}, 170121),
    ({"category": "linear"}, 10001),
    ({"side": "buy"}, 10001),
    ({"qty": 0.01}, 10001),
    ({"price": "59000.001"}, 170134),
    ({"qty": "0.010001"}, 170137),
    ({"qty": "0.00001"}, 170140),
    ({"qty": "999999"}, 170124),
    ({"price": "64000"}, 170193),
    ({"side": "Sell", "price": "55000"}, 170194),
    ({"qty": "2"}, 170131),
    ({"stopLoss": "59500"}, 170203),
    ({"takeProfit": "58000"}, 170202),
    ({"orderType": "Market", "qty": "600", "stopLoss": "50000"}, 170130),
    ({"orderType": "Market", "qty": "600.00000001"}, 170148),
    ({"triggerPrice": "65000"}, 10001),
    ({"orderFilter": "tpslOrder"}, 10001),
    ({"orderLinkId": "x" * 37}, 10001),
]


@pytest.mark.parametrize(("changed", "code"), REFUSALS, ids=[str(changed) for changed, _ in REFUSALS])
def test_an_order_against_a_rule_is_refused_by_its_code(
    bybit: Caller, changed: dict[str, object], code: int
) -> None:
    assert bybit.refused("order/create", **LIMIT | changed) == code


def test_a_client_id_is_taken_for_ever(bybit: Caller) -> None:
    first = bybit.limit("59000", orderLinkId="once")
    bybit.do("order/cancel", orderId=first)
    assert bybit.refused("order/create", **LIMIT, orderLinkId="once") == 170141
    assert bybit.look(bybit.limit("59000"))["orderLinkId"].isdigit(), "one that nobody gives is a number"


# -- units, states and memory ----------------------------------------------------------------------------------


def test_a_market_buy_is_in_quote_unless_its_unit_says_otherwise_and_leaves_dust(bybit: Caller) -> None:
    by_quote = bybit.look(bybit.order(**MARKET_BUY, qty="601"))
    assert (by_quote["orderStatus"], by_quote["qty"], by_quote["cumExecQty"]) == (
        "PartiallyFilledCanceled",
        "601",
        "0.01001",
    )
    assert Decimal(by_quote["leavesValue"]) == Decimal(601) - Decimal(by_quote["cumExecValue"])
    by_base = bybit.look(bybit.order(**MARKET_BUY, qty="0.01", marketUnit="baseCoin"))
    assert (by_base["orderStatus"], by_base["marketUnit"]) == ("Filled", "baseCoin")
    assert by_base["cumFeeDetail"] == {"BTC": "0.00001"}
    sold = bybit.look(bybit.order(side="Sell", orderType="Market", qty="0.01"))
    assert (sold["orderStatus"], sold["marketUnit"], sold["cumExecQty"]) == ("Filled", "baseCoin", "0.01")


def test_how_an_order_ended_is_told_by_its_state_and_reasons(bybit: Caller) -> None:
    crossing = bybit.look(bybit.limit("61000", timeInForce="PostOnly"))
    killed = bybit.look(bybit.limit("58000", timeInForce="FOK"))
    at_once = bybit.look(bybit.limit("58000", timeInForce="IOC"))
    resting = bybit.limit("58000")
    bybit.do("order/cancel", orderId=resting)
    waiting = bybit.order(
        side="Sell", orderType="Market", qty="1", orderFilter="tpslOrder", triggerPrice="50000"
    )
    bybit.do("order/cancel", orderId=waiting, orderFilter="tpslOrder")
    found = [crossing, killed, at_once, bybit.look(resting), bybit.look(waiting)]
    assert [(row["orderStatus"], row["rejectReason"], row["cancelType"]) for row in found] == [
        ("Cancelled", "EC_PostOnlyWillTakeLiquidity", "UNKNOWN"),
        ("Cancelled", "EC_CancelForNoFullFill", "UNKNOWN"),
        ("Cancelled", "EC_NoImmediateQtyToFill", "UNKNOWN"),
        ("Cancelled", "EC_NoError", "CancelByUser"),
        ("Deactivated", "EC_NoError", "CancelByUser"),
    ]
    assert [row["orderId"] for row in bybit.rows("order/realtime", openOnly=1)] == [
        row["orderId"] for row in reversed(found)
    ]
    assert bybit.rows("order/realtime") == []


def test_what_had_not_filled_is_gone_from_the_history_after_a_day(
    bybit: Caller, fresh_sandbox: SandboxServer
) -> None:
    filled = bybit.order(**MARKET_BUY, qty="0.01", marketUnit="baseCoin", orderLinkId="kept")
    gone = bybit.limit("58000", orderLinkId="gone")
    bybit.do("order/cancel", orderId=gone)
    assert len(bybit.rows("order/history")) == 2
    fresh_sandbox.control("skew", exchange="bybit", milliseconds=25 * 3_600_000)
    late = {"X-BAPI-TIMESTAMP": str(int(time.time() * 1000) + 25 * 3_600_000)}
    query = "category=spot"
    rows = bybit.raw("GET", f"/v5/order/history?{query}", **bybit.headers(query, **late)).json()["result"][
        "list"
    ]
    assert [row["orderId"] for row in rows] == [filled]


def test_lists_come_newest_first_and_a_page_at_a_time(bybit: Caller) -> None:
    ids = [bybit.limit("58000") for _ in range(5)]
    first = bybit.read("order/realtime", category="spot", limit=3)
    second = bybit.read("order/realtime", category="spot", limit=3, cursor=first["nextPageCursor"])
    assert [row["orderId"] for row in (*first["list"], *second["list"])] == ids[::-1]
    assert second["nextPageCursor"] == ""


# -- what waits ------------------------------------------------------------------------------------------------


def test_an_entry_makes_its_exits_once_it_has_filled_and_they_share_one_hold(
    bybit: Caller, fresh_sandbox: SandboxServer
) -> None:
    entry = bybit.limit(
        "59000", takeProfit="65000", stopLoss="55000", slOrderType="Limit", slLimitPrice="54900"
    )
    assert [row["orderId"] for row in bybit.rows("order/realtime")] == [entry]
    assert (bybit.look(entry)["takeProfit"], bybit.look(entry)["slLimitPrice"]) == ("65000", "54900")
    fresh_sandbox.price("bybit", "BTC/USDT", "58900")
    exits = {row["triggerPrice"]: row for row in bybit.rows("order/realtime")}
    assert {(row["qty"], row["orderStatus"], row["stopOrderType"]) for row in exits.values()} == {
        ("0.00999", "Untriggered", "BidirectionalTpslOrder")
    }
    assert (exits["55000"]["orderType"], exits["55000"]["price"]) == ("Limit", "54900")
    assert wallet(bybit)["BTC"] == ("2.00999", "0.00999")
    assert bybit.refused("order/cancel", orderId=exits["55000"]["orderId"]) == 170213, "not under its kind"
    fresh_sandbox.price("bybit", "BTC/USDT", "65100")
    stop, target = (bybit.look(exits[trigger]["orderId"]) for trigger in ("55000", "65000"))
    assert (target["orderStatus"], stop["orderStatus"], stop["cancelType"]) == (
        "Filled",
        "Deactivated",
        "CancelByOCOSlCanceledByTpTriggered",
    )


def test_exits_of_an_entry_that_is_cancelled_never_come(bybit: Caller) -> None:
    entry = bybit.limit("58000", stopLoss="55000")
    bybit.do("order/cancel", orderId=entry)
    assert [row["orderId"] for row in bybit.rows("order/realtime", openOnly=1)] == [entry]


def test_a_conditional_order_that_cannot_be_paid_for_ends_when_it_triggers(
    bybit: Caller, fresh_sandbox: SandboxServer
) -> None:
    waiting = {"side": "Sell", "orderType": "Market", "qty": "2", "triggerPrice": "59000"}
    conditional = bybit.order(**waiting, orderFilter="StopOrder")
    assert wallet(bybit)["BTC"] == ("2", "0")
    bybit.order(**waiting | {"triggerPrice": "55000"}, orderFilter="tpslOrder")
    assert wallet(bybit)["BTC"] == ("2", "2")
    fresh_sandbox.price("bybit", "BTC/USDT", "58900")
    assert bybit.look(conditional)["orderStatus"] == "Cancelled"


def test_an_order_is_changed_in_place_within_the_same_rules(bybit: Caller) -> None:
    order = bybit.limit("58000", orderLinkId="mine")
    bybit.do("order/amend", orderLinkId="mine", qty="0.02", price="57000")
    assert (bybit.look(order)["qty"], bybit.look(order)["price"]) == ("0.02", "57000")
    assert bybit.refused("order/amend", orderId=order, qty="0.020001") == 170137
    assert bybit.refused("order/amend", orderId=order) == 10001
    assert bybit.refused("order/amend", orderId="99", qty="0.02") == 170213
    bybit.do("order/cancel-all")
    assert bybit.refused("order/amend", orderId=order, qty="0.03") == 170142


# -- limits ----------------------------------------------------------------------------------------------------


def test_a_user_who_asks_too_often_is_told_when_to_come_back(
    bybit: Caller, fresh_sandbox: SandboxServer
) -> None:
    fresh_sandbox.control("limits", exchange="bybit", limits={"order/create": 2})
    answers = [bybit.post("/v5/order/create", category="spot", symbol="BTCUSDT", **LIMIT) for _ in range(5)]
    assert {answer.json()["retCode"] for answer in answers} == {0, 10006}
    refused = next(answer for answer in answers if answer.json()["retCode"])
    assert (refused.headers["X-Bapi-Limit"], refused.headers["X-Bapi-Limit-Status"]) == ("2", "0")
    assert int(refused.headers["X-Bapi-Limit-Reset-Timestamp"]) > refused.json()["time"]


def test_an_address_that_asks_too_often_is_barred_from_everything(
    bybit: Caller, fresh_sandbox: SandboxServer
) -> None:
    fresh_sandbox.control("limits", exchange="bybit", limits={"ip_5s": 1})
    answers = [bybit.raw("GET", "/v5/market/time") for _ in range(4)]
    assert answers[-1].status_code == 403
    assert "too frequent" in answers[-1].text


# -- whatever is sent ------------------------------------------------------------------------------------------

NAMES = (
    "category symbol side orderType qty price triggerPrice orderFilter marketUnit timeInForce orderId orderLinkId "
    "takeProfit stopLoss tpOrderType tpLimitPrice openOnly cursor limit startTime endTime start end interval coin "
    "accountType settleCoin"
)
TELLING = (
    "spot linear BTCUSDT Buy Sell Limit Market 0.01 60000 tpslOrder StopOrder Order quoteCoin GTC PostOnly UNIFIED "
    "USDT D W M 60 1 0 -1 1e400 NaN 1:2 1523000000000001001 \u00e9 \x00"
)
names = st.sampled_from(NAMES.split(" "))
texts = st.sampled_from(TELLING.split(" ")) | st.text(max_size=8)
values = texts | st.integers() | st.floats() | st.booleans() | st.none() | st.lists(texts, max_size=2)


@given(
    endpoint=st.sampled_from(sorted(ENDPOINTS)),
    params=st.dictionaries(names, values, max_size=6),
    sensible=st.booleans(),
)
@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_is_answered_in_an_envelope(
    shared: Caller, endpoint: tuple[str, str], params: dict[str, Any], sensible: bool
) -> None:
    method, path = endpoint
    asked = {
        **({"category": "spot", "symbol": "BTCUSDT", "interval": "60", **LIMIT} if sensible else {}),
        **params,
    }
    answer = shared.post(path, **asked) if method == "POST" else shared.get(path, **asked)
    assert answer.json().keys() == {"retCode", "retMsg", "result", "retExtInfo", "time"}
    assert answer.status_code == 200


@pytest.fixture
def shared(sandbox: SandboxServer) -> Iterator[Caller]:
    caller = Caller(sandbox.at("bybit"), sandbox.account("bybit"))
    yield caller
    caller.close()
