"""Gate.io's refusals, sorted by what a person or a retry may conclude from them; its limits; the check-up of keys."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from app.domain import (
    AuthenticationFailed,
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
    Side,
    WouldTrigger,
)
from app.exchanges.gateio import GateIO, wire
from app.exchanges.rest import NoSuchEnvironment
from tests.exchanges.gateio_client import always, asked, gateio, operation, order, recorded, refusing
from tests.exchanges.local_server import Received, Reply, reply
from tests.exchanges.recorded import body_text

SALE = order(type=OrderType.MARKET, side=Side.SELL, quantity=Decimal("0.001"))

#: label, HTTP status, what it means for an order, what it means for a question (None: the same)
FAULTS = [
    ("INVALID_KEY", 401, AuthenticationFailed, None),
    ("INVALID_SIGNATURE", 401, AuthenticationFailed, None),
    ("READ_ONLY", 403, PermissionDenied, None),
    ("IP_FORBIDDEN", 403, PermissionDenied, None),
    ("BALANCE_NOT_ENOUGH", 400, InsufficientFunds, None),
    ("INVALID_PRECISION", 400, InvalidOrder, None),
    ("INVALID_PARAM_VALUE", 400, InvalidOrder, None),
    ("POC_FILL_IMMEDIATELY", 400, InvalidOrder, None),
    ("INVALID_CURRENCY_PAIR", 400, InvalidOrder, None),
    ("AUTO_TRIGGER_PRICE_LESS_LAST", 400, WouldTrigger, None),
    ("ORDER_NOT_FOUND", 404, OrderNotFound, None),
    ("CLIENT_ID_NOT_FOUND", 400, OrderNotFound, None),
    ("ORDER_CLOSED", 400, OrderNotFound, None),
    ("TOO_MANY_REQUESTS", 429, RateLimited, None),
    ("SERVER_ERROR", 500, OutcomeUnknown, ExchangeUnavailable),
    ("TOO_BUSY", 503, OutcomeUnknown, ExchangeUnavailable),
    ("SOMETHING_NEW", 400, OrderRejected, ExchangeError),
    ("SOMETHING_NEW", 502, OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(("label", "status", "on_write", "on_read"), FAULTS)
def test_every_documented_refusal_is_told_apart_by_its_label(
    label: str, status: int, on_write: type[ExchangeError], on_read: type[ExchangeError] | None
) -> None:
    with gateio(refusing(label, status)) as (exchange, _), pytest.raises(ExchangeError) as written:
        exchange.place_order(SALE)
    with gateio(refusing(label, status)) as (exchange, _), pytest.raises(ExchangeError) as read:
        exchange.order_book("BTC/USDT", 5)
    assert (type(written.value), type(read.value)) == (on_write, on_read or on_write)
    assert (written.value.exchange, written.value.code) == ("gateio", label)
    assert label in str(written.value)
    assert written.value.remedy


def test_no_label_is_sorted_twice() -> None:
    listed = [label for labels in wire._BY_KIND.values() for label in labels.split()]
    assert len(listed) == len(set(listed))


@pytest.mark.parametrize(
    ("body", "status", "on_write", "on_read"),
    [
        ("<html>", 502, OutcomeUnknown, ExchangeUnavailable),
        ("<html>", 403, PermissionDenied, PermissionDenied),
        ("<html>", 200, OutcomeUnknown, ExchangeUnavailable),
        ("{}", 201, OutcomeUnknown, ExchangeUnavailable),
        ("[]", 201, OutcomeUnknown, ExchangeUnavailable),
        ('{"status": "unheard of"}', 201, OutcomeUnknown, ExchangeUnavailable),
    ],
)
def test_an_answer_of_another_shape_is_judged_by_what_it_proves(
    body: str, status: int, on_write: type[ExchangeError], on_read: type[ExchangeError]
) -> None:
    for call, expected in (
        (lambda e: e.place_order(SALE), on_write),
        (lambda e: e.server_time(), on_read),
    ):
        with gateio(always(body, status)) as (exchange, _), pytest.raises(ExchangeError) as caught:
            call(exchange)
        assert type(caught.value) is expected


# -- limits ----------------------------------------------------------------------------------------------------


def test_who_asked_too_often_stays_away_until_the_limit_is_whole_again() -> None:
    reset = {"X-Gate-RateLimit-Reset-Timestamp": str(int(time.time()) + 5)}
    with gateio(refusing("TOO_MANY_REQUESTS", 429, reset)) as (exchange, server):
        with pytest.raises(RateLimited) as caught:
            exchange.balances()
        assert caught.value.retry_after in (4, 5)
        with pytest.raises(RateLimited, match="not sent"):
            exchange.open_orders()
    assert len(server.received) == 1


def test_orders_are_counted_for_each_market_by_itself() -> None:
    with gateio() as (exchange, server):
        for _ in range(10):
            exchange.place_order(SALE)
        with pytest.raises(RateLimited, match="orders"):
            exchange.place_order(SALE)
        exchange.balances()
    assert len(server.received) == 11


def test_what_the_exchange_says_is_left_is_taken_over_for_that_endpoint() -> None:
    headers = {"X-Gate-RateLimit-Limit": "200", "X-Gate-RateLimit-Requests-Remain": "0"}
    with gateio(always(body_text("gateio", "accounts"), headers=headers)) as (exchange, server):
        exchange.balances()
        with pytest.raises(RateLimited, match="spot/accounts"):
            exchange.balances()
    assert len(server.received) == 1


# -- the clock, and connecting ---------------------------------------------------------------------------------


def test_a_refused_timestamp_sets_the_clock_and_the_order_is_sent_once_more() -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        late = request.method == "POST" and int(request.headers["timestamp"]) > 1767225605
        return refusing("REQUEST_EXPIRED", 401)(request) if late else usual(request)

    with gateio(answer) as (exchange, server):
        exchange.place_order(SALE)
    assert asked(server) == ["POST spot/orders", "GET spot/time", "POST spot/orders"]
    first, again = (int(server.received[number].headers["x-gate-exptime"]) for number in (0, 2))
    assert first > again, "the window moves with the clock"


def test_a_timestamp_refused_twice_is_reported() -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        timed = operation(request) == "GET spot/time"
        return usual(request) if timed else refusing("REQUEST_EXPIRED", 401)(request)

    with gateio(answer) as (exchange, server), pytest.raises(InvalidTimestamp):
        exchange.balances()
    assert len(server.received) == 3


def test_the_environment_picks_the_host() -> None:
    assert "//api.gateio.ws" in repr(GateIO(None, environment=Environment.LIVE))
    assert "//api-testnet.gateapi.io" in repr(GateIO(None, environment=Environment.TESTNET))
    with pytest.raises(NoSuchEnvironment):
        GateIO(None, environment=Environment.SANDBOX)


@pytest.mark.parametrize(
    ("label", "remedy"),
    [("INVALID_KEY", "does not know"), ("INVALID_SIGNATURE", "secret"), ("IP_FORBIDDEN", "address")],
)
def test_the_check_up_names_the_fault_and_its_remedy(label: str, remedy: str) -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        return usual(request) if operation(request) == "GET spot/time" else refusing(label, 401)(request)

    with gateio(answer) as (exchange, _):
        report = exchange.check_connection()
    assert not report.connected
    assert label in (report.reason or "")
    assert remedy in (report.remedy or "")


def test_the_check_up_tells_the_addresses_of_a_key_and_refuses_one_of_a_unified_account() -> None:
    usual = recorded({})
    with gateio() as (exchange, _):
        report = exchange.check_connection()
    assert (report.connected, report.permissions.trade, report.ip_restricted) == (
        True,
        Grant.UNKNOWN,
        Grant.YES,
    )

    def unified(request: Received) -> Reply:
        told = operation(request) == "GET account/detail"
        return reply('{"key": {"mode": 2}, "ip_whitelist": []}') if told else usual(request)

    with gateio(unified) as (exchange, _):
        report = exchange.check_connection()
    assert not report.connected
    assert "classic account" in (report.remedy or "")

    def untold(request: Received) -> Reply:
        told = operation(request) == "GET account/detail"
        return refusing("FORBIDDEN", 403)(request) if told else usual(request)

    with gateio(untold) as (exchange, _):
        assert exchange.check_connection().ip_restricted is Grant.UNKNOWN
