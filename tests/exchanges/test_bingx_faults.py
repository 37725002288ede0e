"""BingX's refusals, sorted by what a person or a retry may conclude from them; its limits; the check-up of keys."""

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
    InsufficientFunds,
    InvalidOrder,
    InvalidTimestamp,
    OrderNotFound,
    OrderRejected,
    OrderType,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Side,
)
from app.exchanges.bingx import BingX, wire
from app.exchanges.rest import NoSuchEnvironment
from tests.exchanges.bingx_client import always, bingx, operation, order, recorded, refusing
from tests.exchanges.local_server import Received, Reply
from tests.exchanges.recorded import body_text

SELL = order(type=OrderType.MARKET, side=Side.SELL, quantity=Decimal("0.001"))

#: code, message, HTTP status, what it means for an order, what it means for a question (None: the same)
FAULTS = [
    (100001, "Signature verification failed", 200, AuthenticationFailed, None),
    (100413, "Incorrect apiKey", 200, AuthenticationFailed, None),
    (100004, "Permission denied", 200, PermissionDenied, None),
    (100419, "IP does not match IP whitelist", 200, PermissionDenied, None),
    (100202, "Insufficient assets", 200, InsufficientFunds, None),
    ("100202", "Insufficient assets", 200, InsufficientFunds, None),
    (100202, "The current system is busy, please try again later", 200, OutcomeUnknown, ExchangeUnavailable),
    (100421, "This pair is currently restricted from API trading", 200, InvalidOrder, None),
    (100421, "cancel fail, order not exist", 200, OrderNotFound, None),
    (100421, "The current system is busy, please try again later", 200, OutcomeUnknown, ExchangeUnavailable),
    (100400, "The minimum amount per order is 5", 200, InvalidOrder, None),
    (100400, "miss arguments", 200, InvalidOrder, None),
    (100400, "order not exist", 200, OrderNotFound, None),
    (100400, "clientOrderID not exist, order not exist", 200, OrderNotFound, None),
    (100400, "the order is already FILLED", 200, OrderNotFound, None),
    (100400, "the clientOrderID already exists", 200, DuplicateOrder, None),
    (100400, "The same order can only be submitted once per second.", 200, DuplicateOrder, None),
    (100400, "balance is not enough", 200, InsufficientFunds, None),
    (100440, "Order price deviates greatly from the market price", 200, InvalidOrder, None),
    (101481, "clientOrderID is used", 200, DuplicateOrder, None),
    (80016, "order not exist", 200, OrderNotFound, None),
    (80018, "order is already filled", 200, OrderNotFound, None),
    (100410, "The current system is busy, please try again later", 200, RateLimited, None),
    (100500, "We had a problem with our server", 200, OutcomeUnknown, ExchangeUnavailable),
    (80019, "order is processing", 200, OutcomeUnknown, ExchangeUnavailable),
    (123456, "Something new", 200, OrderRejected, ExchangeError),
    (123456, "Something new on our side", 500, OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(
    ("code", "message", "status", "on_write", "on_read"), FAULTS, ids=[f"{x[0]} {x[1]}" for x in FAULTS]
)
def test_every_refusal_is_told_apart_by_its_code_and_where_that_says_little_by_its_words(
    code: int, message: str, status: int, on_write: type[ExchangeError], on_read: type[ExchangeError] | None
) -> None:
    with bingx(refusing(code, message, status)) as (exchange, _), pytest.raises(ExchangeError) as written:
        exchange.place_order(SELL)
    with bingx(refusing(code, message, status)) as (exchange, _), pytest.raises(ExchangeError) as read:
        exchange.order_book("BTC/USDT", 5)
    assert (type(written.value), type(read.value)) == (on_write, on_read or on_write)
    assert (written.value.exchange, written.value.code) == ("bingx", str(code))
    assert message in str(written.value)
    assert written.value.remedy


def test_no_code_is_sorted_twice() -> None:
    listed = [code for codes in wire._BY_KIND.values() for code in codes.split()]
    assert len(listed) == len(set(listed))


#: answers without a code of BingX's: what the HTTP status alone proves
BARE = [
    ("<html>", 504, OutcomeUnknown, ExchangeUnavailable),
    ("<html>", 403, PermissionDenied, PermissionDenied),
    ("<html>", 418, RateLimited, RateLimited),
    ("<html>", 200, OutcomeUnknown, ExchangeUnavailable),
    ("{}", 200, OutcomeUnknown, ExchangeUnavailable),
    ('{"code": 0, "data": {}}', 200, OutcomeUnknown, ExchangeUnavailable),
    ('{"code": null, "data": null}', 200, OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(("body", "status", "on_write", "on_read"), BARE)
def test_an_answer_of_another_shape_is_judged_by_what_it_proves(
    body: str, status: int, on_write: type[ExchangeError], on_read: type[ExchangeError]
) -> None:
    for call, expected in (
        (lambda e: e.place_order(SELL), on_write),
        (lambda e: e.server_time(), on_read),
    ):
        with bingx(always(body, status)) as (exchange, _), pytest.raises(ExchangeError) as caught:
            call(exchange)
        assert type(caught.value) is expected


# -- limits ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("headers", "seconds"), [({}, (60,)), ({"X-RateLimit-Requests-Expire": ""}, (4, 5))])
def test_who_asked_too_often_stays_away_until_the_window_is_over_or_for_a_minute(
    headers: dict[str, str], seconds: tuple[int, ...]
) -> None:
    told = {name: str(int(time.time() * 1000) + 4500) for name in headers}
    with bingx(refusing(100410, "rate limited", headers=told)) as (exchange, server):
        with pytest.raises(RateLimited) as caught:
            exchange.balances()
        assert caught.value.retry_after in seconds
        with pytest.raises(RateLimited, match="not sent"):
            exchange.place_order(SELL)
    assert len(server.received) == 1


def test_a_banned_address_asks_nothing_more() -> None:
    with bingx(always("<html>", 418)) as (exchange, server):
        with pytest.raises(RateLimited):
            exchange.balances()
        with pytest.raises(RateLimited, match="not sent"):
            exchange.server_time()
    assert len(server.received) == 1


def test_what_the_exchange_says_is_left_is_taken_over_for_that_endpoint() -> None:
    headers = {"X-RateLimit-Requests-Remain": "0"}
    with bingx(always(body_text("bingx", "balances"), headers=headers)) as (exchange, server):
        exchange.balances()
        with pytest.raises(RateLimited, match="account/balance"):
            exchange.balances()
    assert len(server.received) == 1


# -- the clock, and connecting ---------------------------------------------------------------------------------

UNTIMELY = refusing(100421, "Null timestamp or timestamp mismatch")


def test_a_refused_timestamp_sets_the_clock_and_the_order_is_sent_once_more() -> None:
    usual, late = recorded({"trade/order": "placed_market", "trade/query": "order_filled"}), [True]

    def answer(request: Received) -> Reply:
        refused = operation(request) == "trade/order" and late and late.pop()
        return UNTIMELY(request) if refused else usual(request)

    with bingx(answer) as (exchange, server):
        exchange.place_order(SELL)
    assert list(map(operation, server.received))[:3] == ["trade/order", "server/time", "trade/order"]


def test_a_timestamp_refused_twice_is_reported() -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        return usual(request) if operation(request) == "server/time" else UNTIMELY(request)

    with bingx(answer) as (exchange, server), pytest.raises(InvalidTimestamp):
        exchange.balances()
    assert len(server.received) == 3


def test_there_is_no_test_environment() -> None:
    assert "//open-api.bingx.com" in repr(BingX(None, environment=Environment.LIVE))
    assert not wire.CAPABILITIES.test_environment
    with pytest.raises(NoSuchEnvironment):
        BingX(None, environment=Environment.TESTNET)


@pytest.mark.parametrize(
    ("code", "message", "remedy"),
    [
        (100413, "Incorrect apiKey", "does not know this key"),
        (100001, "Signature verification failed", "secret"),
        (100419, "IP does not match IP whitelist", "address"),
    ],
)
def test_the_check_up_names_the_fault_and_its_remedy(code: int, message: str, remedy: str) -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        return usual(request) if operation(request) == "server/time" else refusing(code, message)(request)

    with bingx(answer) as (exchange, _):
        report = exchange.check_connection()
    assert not report.connected
    assert message in (report.reason or "")
    assert remedy in (report.remedy or "")
