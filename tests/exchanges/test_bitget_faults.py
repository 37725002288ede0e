"""Bitget's refusals, sorted by what a person or a retry may conclude from them; its limits; the check-up of keys."""

from __future__ import annotations

import json
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
from app.exchanges.bitget import Bitget, wire
from app.exchanges.rest import NoSuchEnvironment
from tests.exchanges.bitget_client import always, bitget, operation, order, recorded, refusing
from tests.exchanges.local_server import LocalServer, Received, Reply
from tests.exchanges.recorded import body_text

#: code, message, HTTP status, what it means for an order, what it means for a question (None: the same)
FAULTS = [
    ("40001", "ACCESS_KEY cannot be empty", 400, AuthenticationFailed, None),
    ("40002", "ACCESS_SIGN cannot be empty", 400, AuthenticationFailed, None),
    ("40003", "ACCESS_TIMESTAMP cannot be empty", 400, AuthenticationFailed, None),
    ("40006", "Invalid ACCESS_KEY", 400, AuthenticationFailed, None),
    ("40009", "sign signature error", 400, AuthenticationFailed, None),
    ("40011", "ACCESS_PASSPHRASE cannot be empty", 400, AuthenticationFailed, None),
    ("40012", "apikey/password is incorrect", 400, AuthenticationFailed, None),
    ("40018", "Invalid IP", 400, AuthenticationFailed, None),
    ("40037", "Apikey does not exist", 400, AuthenticationFailed, None),
    ("40038", "The request ip address is not in the apikey ip whitelist", 400, AuthenticationFailed, None),
    ("40014", "Incorrect permissions", 400, PermissionDenied, None),
    ("40085", "You are in unified account mode", 400, PermissionDenied, None),
    ("40081", "demo trading not supported", 400, PermissionDenied, None),
    ("40105", "wrong environment", 400, PermissionDenied, None),
    ("43012", "Insufficient balance", 400, InsufficientFunds, None),
    ("40754", "balance not enough", 400, InsufficientFunds, None),
    ("40762", "The order amount exceeds the balance", 400, InsufficientFunds, None),
    ("40808", "Parameter verification exception size checkBDScale error", 400, InvalidOrder, None),
    ("45110", "less than the minimum amount 1 USDT", 400, InvalidOrder, None),
    ("43008", "The current order price cannot be higher than 52500 USDT", 400, InvalidOrder, None),
    ("43009", "The current order price cannot be lower than 47500 USDT", 400, InvalidOrder, None),
    ("43005", "Exceed the maximum number of orders", 400, InvalidOrder, None),
    ("40102", "The contract configuration does not exist", 400, InvalidOrder, None),
    ("43119", "Trading is not open", 400, InvalidOrder, None),
    ("40034", "Parameter does not exist", 400, InvalidOrder, None),
    ("40304", "clientOid is too long", 400, InvalidOrder, None),
    ("43118", "clientOrderId duplicate", 400, DuplicateOrder, None),
    ("40786", "Duplicate clientOid", 400, DuplicateOrder, None),
    ("43001", "The order does not exist", 400, OrderNotFound, None),
    ("40109", "The data of the order cannot be found", 400, OrderNotFound, None),
    ("43025", "Plan order does not exist", 400, OrderNotFound, None),
    ("43004", "There is no order to cancel", 400, OrderNotFound, None),
    ("43026", "The order has been filled or cancelled", 400, OrderNotFound, None),
    ("429", "Too Many Requests", 429, RateLimited, None),
    ("45129", "Do not cancel the same order within one second", 400, RateLimited, None),
    ("40200", "Server upgrade, please try again later", 400, ExchangeUnavailable, None),
    ("40604", "Server is busy", 400, ExchangeUnavailable, None),
    ("40010", "Request timed out", 400, OutcomeUnknown, ExchangeUnavailable),
    ("40015", "System is abnormal, please try again later", 400, OutcomeUnknown, ExchangeUnavailable),
    ("40725", "System release error", 400, OutcomeUnknown, ExchangeUnavailable),
    ("45001", "Unknown error", 400, OutcomeUnknown, ExchangeUnavailable),
    ("40910", "Unknown", 400, OutcomeUnknown, ExchangeUnavailable),
    ("49999", "Something new on your side", 400, OrderRejected, ExchangeError),
    ("49999", "Something new on your side, told politely", 200, OrderRejected, ExchangeError),
    ("59999", "Something new on our side", 500, OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(
    ("code", "message", "status", "on_write", "on_read"), FAULTS, ids=[f"{f[0]} {f[1][:30]}" for f in FAULTS]
)
def test_every_documented_refusal_is_told_apart_by_its_code(
    code: str, message: str, status: int, on_write: type[ExchangeError], on_read: type[ExchangeError] | None
) -> None:
    with bitget(refusing(code, message, status)) as (exchange, _), pytest.raises(ExchangeError) as written:
        exchange.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(50)))
    with bitget(refusing(code, message, status)) as (exchange, _), pytest.raises(ExchangeError) as read:
        exchange.order_book("BTC/USDT", 5)
    assert type(written.value) is on_write
    assert type(read.value) is (on_read or on_write)
    assert (written.value.exchange, written.value.code) == ("bitget", code)
    assert message in str(written.value)
    assert written.value.remedy


def test_no_code_is_sorted_twice() -> None:
    listed = [code for codes in wire._BY_KIND.values() for code in codes.split()]
    assert len(listed) == len(set(listed))


def test_a_message_under_its_other_name_is_read() -> None:
    body = '{"code": "43012", "message": "Insufficient balance", "data": null}'
    with bitget(always(body, 400)) as (exchange, _), pytest.raises(InsufficientFunds, match="balance"):
        exchange.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(50)))


#: answers without a code of Bitget's: what the HTTP status alone proves
BARE = [
    (502, OutcomeUnknown, ExchangeUnavailable),
    (504, OutcomeUnknown, ExchangeUnavailable),
    (403, PermissionDenied, PermissionDenied),
    (429, RateLimited, RateLimited),
    (200, OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(("status", "on_write", "on_read"), BARE)
def test_a_page_instead_of_an_answer_is_judged_by_its_status(
    status: int, on_write: type[ExchangeError], on_read: type[ExchangeError]
) -> None:
    for call, expected in (
        (lambda e: e.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(50))), on_write),
        (lambda e: e.server_time(), on_read),
    ):
        with bitget(always("<html>", status)) as (exchange, _), pytest.raises(ExchangeError) as caught:
            call(exchange)
        assert type(caught.value) is expected


@pytest.mark.parametrize(
    "body", ["{}", "[]", '{"code": "00000", "data": null}', '{"code": "00000", "data": {}}', '"text"', "null"]
)
def test_an_answer_of_another_shape_leaves_an_order_unknown_and_a_question_unanswered(body: str) -> None:
    with bitget(always(body)) as (exchange, _):
        with pytest.raises(OutcomeUnknown):
            exchange.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(50)))
        with pytest.raises(OutcomeUnknown):
            exchange.cancel_order("BTC/USDT", exchange_order_id="1")
        with pytest.raises(ExchangeUnavailable):
            exchange.order_book("BTC/USDT", 5)


# -- limits ----------------------------------------------------------------------------------------------------


def test_a_refusal_for_too_many_requests_keeps_us_away_for_a_second() -> None:
    with bitget(refusing("429", "Too many requests", 429)) as (exchange, server):
        with pytest.raises(RateLimited) as caught:
            exchange.balances()
        assert caught.value.retry_after == 1
        with pytest.raises(RateLimited, match="not sent"):
            exchange.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(50)))
    assert len(server.received) == 1


def test_each_endpoint_is_counted_by_itself() -> None:
    with bitget() as (exchange, server):
        for _ in range(10):
            exchange.balances()
        with pytest.raises(RateLimited, match="assets"):
            exchange.balances()
        exchange.order_book("BTC/USDT", 5)
    assert len(server.received) == 11


def test_what_the_exchange_says_is_left_is_taken_over_for_that_endpoint() -> None:
    with bitget(always(body_text("bitget", "server_time"), headers={"x-mbx-used-remain-limit": "0"})) as (
        exchange,
        server,
    ):
        exchange.server_time()
        with pytest.raises(RateLimited, match="time"):
            exchange.server_time()
    assert len(server.received) == 1


# -- the clock -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["40008", "40005", "40078"])
def test_a_refused_timestamp_sets_the_clock_and_the_order_is_sent_once_more(code: str) -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        if operation(request) == "place-order" and int(request.headers["access-timestamp"]) > 1700000002000:
            return refusing(code, "Request timestamp expired")(request)
        return usual(request)

    with bitget(answer) as (exchange, server):
        exchange.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(50)))
    assert [operation(request) for request in server.received][:3] == ["place-order", "time", "place-order"]
    first, again = (json.loads(server.received[number].body) for number in (0, 2))
    assert int(first["requestTime"]) > int(again["requestTime"]), "the window moves with the clock"


def test_a_timestamp_refused_twice_is_reported() -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        refused = refusing("40008", "Request timestamp expired")
        return usual(request) if operation(request) == "time" else refused(request)

    with bitget(answer) as (exchange, server), pytest.raises(InvalidTimestamp):
        exchange.balances()
    assert len(server.received) == 3


# -- connecting ------------------------------------------------------------------------------------------------


def test_signed_calls_without_a_key_are_refused_before_the_wire() -> None:
    with LocalServer(always("{}")) as server:
        exchange = Bitget(None, environment=Environment.LIVE, base_url=server.url)
        with pytest.raises(AuthenticationFailed):
            exchange.balances()
        exchange.close()
    assert server.received == []


def test_the_environment_picks_the_host() -> None:
    assert "//api.bitget.com" in repr(Bitget(None, environment=Environment.LIVE))
    with pytest.raises(NoSuchEnvironment):
        Bitget(None, environment=Environment.SANDBOX)


FAULTY_KEYS = [
    ("40006", "Invalid ACCESS_KEY", "does not know this key"),
    ("40009", "sign signature error", "secret"),
    ("40012", "apikey/password is incorrect", "passphrase"),
    ("40038", "The request ip address is not in the apikey ip whitelist", "address"),
    ("40085", "You are in unified account mode", "classic account"),
    ("40105", "wrong environment", "demo trading"),
]


@pytest.mark.parametrize(("code", "message", "remedy"), FAULTY_KEYS)
def test_the_check_up_names_the_fault_and_its_remedy(code: str, message: str, remedy: str) -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        return usual(request) if operation(request) == "time" else refusing(code, message)(request)

    with bitget(answer) as (exchange, _):
        report = exchange.check_connection()
    assert not report.connected
    assert message in (report.reason or "")
    assert remedy in (report.remedy or "")
    assert report.clock_skew_ms is not None


def test_the_check_up_tells_what_the_key_may_do() -> None:
    with bitget() as (exchange, _):
        report = exchange.check_connection()
    assert report.connected
    assert (report.permissions.read, report.permissions.trade, report.permissions.withdraw) == (
        Grant.YES,
        Grant.YES,
        Grant.NO,
    )
    assert report.ip_restricted is Grant.YES
    assert report.balances["USDT"].total == 1000
    assert report.rate_budget is not None
    assert report.rate_budget.used > 0


def test_permissions_that_cannot_be_asked_for_are_unknown() -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        return refusing("40014", "no")(request) if operation(request) == "info" else usual(request)

    with bitget(answer) as (exchange, _):
        report = exchange.check_connection()
    assert report.connected
    assert (report.permissions.read, report.permissions.trade) == (Grant.YES, Grant.UNKNOWN)
