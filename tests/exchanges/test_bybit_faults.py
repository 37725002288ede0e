"""Bybit's refusals, sorted by what a person or a retry may conclude from them; its limits; the check-up of keys."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from app.domain import (
    AuthenticationFailed,
    DuplicateOrder,
    Environment,
    ExchangeError,
    ExchangeUnavailable,
    Grant,
    InsufficientFunds,
    InvalidOrder,
    InvalidTimestamp,
    OrderNotFound,
    OrderRejected,
    OrderType,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
)
from app.exchanges.bybit import Bybit, wire
from app.exchanges.rest import NoSuchEnvironment
from tests.exchanges.bybit_client import always, bybit, operation, order, recorded, refusing
from tests.exchanges.local_server import Received, Reply
from tests.exchanges.recorded import body_text

BUY = order(type=OrderType.MARKET, quantity=Decimal("0.001"))

#: code, message, HTTP status, what it means for an order, what it means for a question (None: the same)
FAULTS = [
    (10003, "API key is invalid.", 200, AuthenticationFailed, None),
    (10004, "error sign!", 200, AuthenticationFailed, None),
    (33004, "Your api key has expired.", 401, AuthenticationFailed, None),
    (10005, "Permission denied", 200, PermissionDenied, None),
    (10010, "Unmatched IP", 200, PermissionDenied, None),
    (170131, "Insufficient balance.", 200, InsufficientFunds, None),
    (110007, "ab not enough for new order", 200, InsufficientFunds, None),
    (170134, "Order price has too many decimals.", 200, InvalidOrder, None),
    (170140, "Order value exceeded lower limit.", 200, InvalidOrder, None),
    (170810, "Cannot exceed maximum of conditional, TP/SL and active orders.", 200, InvalidOrder, None),
    (10001, "params error", 200, InvalidOrder, None),
    (170141, "Duplicate clientOrderId", 200, DuplicateOrder, None),
    (110072, "OrderLinkedID is duplicate", 200, DuplicateOrder, None),
    (170213, "Order does not exist.", 200, OrderNotFound, None),
    (170139, "Order has been filled.", 200, OrderNotFound, None),
    (10006, "Too many visits.", 200, RateLimited, None),
    (10000, "Server Timeout", 200, OutcomeUnknown, ExchangeUnavailable),
    (10016, "Internal server error", 500, OutcomeUnknown, ExchangeUnavailable),
    (170146, "Order creation timeout", 200, OutcomeUnknown, ExchangeUnavailable),
    (170035, "Submitted to the system for processing", 200, OutcomeUnknown, ExchangeUnavailable),
    (170999, "Something new", 200, OrderRejected, ExchangeError),
    (999999, "Something new on our side", 500, OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(
    ("code", "message", "status", "on_write", "on_read"), FAULTS, ids=[str(fault[0]) for fault in FAULTS]
)
def test_every_documented_refusal_is_told_apart_by_its_code(
    code: int, message: str, status: int, on_write: type[ExchangeError], on_read: type[ExchangeError] | None
) -> None:
    with bybit(refusing(code, message, status)) as (exchange, _), pytest.raises(ExchangeError) as written:
        exchange.place_order(BUY)
    with bybit(refusing(code, message, status)) as (exchange, _), pytest.raises(ExchangeError) as read:
        exchange.order_book("BTC/USDT", 5)
    assert (type(written.value), type(read.value)) == (on_write, on_read or on_write)
    assert (written.value.exchange, written.value.code) == ("bybit", str(code))
    assert message in str(written.value)
    assert written.value.remedy


def test_no_code_is_sorted_twice() -> None:
    listed = [code for codes in wire._BY_KIND.values() for code in codes.split()]
    assert len(listed) == len(set(listed))


#: answers without a code of Bybit's: what the HTTP status, or a sentence, alone proves
BARE = [
    ("<html>", 502, OutcomeUnknown, ExchangeUnavailable),
    ("<html>", 403, PermissionDenied, PermissionDenied),
    ("403, access too frequent", 403, RateLimited, RateLimited),
    ("<html>", 200, OutcomeUnknown, ExchangeUnavailable),
    ("{}", 200, OutcomeUnknown, ExchangeUnavailable),
    ('{"retCode": 0, "result": {}}', 200, OutcomeUnknown, ExchangeUnavailable),
    ('{"retCode": "0"}', 200, OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(("body", "status", "on_write", "on_read"), BARE)
def test_an_answer_of_another_shape_is_judged_by_what_it_proves(
    body: str, status: int, on_write: type[ExchangeError], on_read: type[ExchangeError]
) -> None:
    for call, expected in (
        (lambda e: e.place_order(BUY), on_write),
        (lambda e: e.server_time(), on_read),
    ):
        with bybit(always(body, status)) as (exchange, _), pytest.raises(ExchangeError) as caught:
            call(exchange)
        assert type(caught.value) is expected


# -- limits ----------------------------------------------------------------------------------------------------


def test_a_user_who_asked_too_often_stays_away_until_the_limit_is_whole_again() -> None:
    reset = {"X-Bapi-Limit-Reset-Timestamp": str(int(time.time() * 1000) + 4500)}
    with bybit(refusing(10006, "Too many visits.", headers=reset)) as (exchange, server):
        with pytest.raises(RateLimited) as caught:
            exchange.balances()
        assert caught.value.retry_after in (4, 5)
        with pytest.raises(RateLimited, match="not sent"):
            exchange.place_order(BUY)
    assert len(server.received) == 1


def test_an_address_that_is_barred_asks_nothing_for_ten_minutes() -> None:
    with bybit(always("403, access too frequent", 403)) as (exchange, server):
        with pytest.raises(RateLimited) as caught:
            exchange.balances()
        with pytest.raises(RateLimited, match="not sent"):
            exchange.server_time()
    assert caught.value.retry_after == 600
    assert len(server.received) == 1


def test_what_the_exchange_says_is_left_is_taken_over_for_that_endpoint() -> None:
    headers = {"X-Bapi-Limit": "50", "X-Bapi-Limit-Status": "0"}
    with bybit(always(body_text("bybit", "wallet"), headers=headers)) as (exchange, server):
        exchange.balances()
        with pytest.raises(RateLimited, match="wallet-balance"):
            exchange.balances()
    assert len(server.received) == 1


# -- the clock, and connecting ---------------------------------------------------------------------------------


def test_a_refused_timestamp_sets_the_clock_and_the_order_is_sent_once_more() -> None:
    usual = recorded({"realtime one": "order_market_sold"})

    def answer(request: Received) -> Reply:
        late = operation(request) == "create" and int(request.headers["x-bapi-timestamp"]) > 1700000002000
        return (
            refusing(10002, "invalid request, please check your timestamp")(request)
            if late
            else usual(request)
        )

    with bybit(answer) as (exchange, server):
        exchange.place_order(BUY)
    assert list(map(operation, server.received))[:3] == ["create", "time", "create"]


def test_a_timestamp_refused_twice_is_reported() -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        return usual(request) if operation(request) == "time" else refusing(10002, "expired")(request)

    with bybit(answer) as (exchange, server), pytest.raises(InvalidTimestamp):
        exchange.balances()
    assert len(server.received) == 3


def test_environment_and_region_pick_the_host() -> None:
    assert "//api.bybit.com" in repr(Bybit(None, environment=Environment.LIVE))
    assert "//api-testnet.bybit.com" in repr(Bybit(None, environment=Environment.TESTNET))
    assert "//api.bybit.nl" in repr(Bybit(None, environment=Environment.LIVE, region="nl"))
    for environment, region in ((Environment.SANDBOX, None), (Environment.TESTNET, "nl")):
        with pytest.raises(NoSuchEnvironment):
            Bybit(None, environment=environment, region=region)


FAULTY_KEYS = [
    (10003, "API key is invalid.", "does not know this key"),
    (10004, "error sign!", "secret"),
    (10010, "Unmatched IP", "address"),
    (33004, "Your api key has expired.", "expired"),
]


@pytest.mark.parametrize(("code", "message", "remedy"), FAULTY_KEYS)
def test_the_check_up_names_the_fault_and_its_remedy(code: int, message: str, remedy: str) -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        return usual(request) if operation(request) == "time" else refusing(code, message)(request)

    with bybit(answer) as (exchange, _):
        report = exchange.check_connection()
    assert not report.connected
    assert message in (report.reason or "")
    assert remedy in (report.remedy or "")


@pytest.mark.parametrize(("may_ask", "trade"), [(True, Grant.YES), (False, Grant.UNKNOWN)])
def test_the_check_up_tells_what_the_key_may_do_where_it_may_be_asked(may_ask: bool, trade: Grant) -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        refused = operation(request) == "query-api" and not may_ask
        return refusing(10005, "Permission denied")(request) if refused else usual(request)

    with bybit(answer) as (exchange, _):
        report = exchange.check_connection()
    assert report.connected
    assert (report.permissions.read, report.permissions.trade) == (Grant.YES, trade)
    assert report.balances["USDT"].total == Decimal("1000.12345678")
