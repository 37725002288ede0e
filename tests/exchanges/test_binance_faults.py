"""What Binance's refusals, limits and clock mean to us, and what the check-up of a key makes of them."""

from __future__ import annotations

import json
from decimal import Decimal
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.domain import (
    AuthenticationFailed,
    Credential,
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
    WouldTrigger,
)
from app.exchanges import connect
from app.exchanges.rest import NoSuchEnvironment
from tests.exchanges.binance_client import KEY, SECRET, always, binance, order
from tests.exchanges.local_server import LocalServer, Received, Reply, reply
from tests.exchanges.recorded import body_text

# -- faults ----------------------------------------------------------------------------------------------------

#: code, message, HTTP status, error on a write, error on a read where it differs
FAULTS: list[tuple[int, str, int, type[ExchangeError], type[ExchangeError] | None]] = [
    (
        -1000,
        "An unknown error occurred while processing the request.",
        400,
        OutcomeUnknown,
        ExchangeUnavailable,
    ),
    (-1001, "Internal error; unable to process your request.", 400, OutcomeUnknown, ExchangeUnavailable),
    (-1002, "You are not authorized to execute this request.", 401, AuthenticationFailed, None),
    (-1003, "Too much request weight used; current limit is 6000.", 429, RateLimited, None),
    (-1006, "An unexpected response was received.", 400, OutcomeUnknown, ExchangeUnavailable),
    (-1007, "Timeout waiting for response from backend server.", 408, OutcomeUnknown, ExchangeUnavailable),
    (-1008, "Server is currently overloaded with other requests.", 503, ExchangeUnavailable, None),
    (-1013, "Filter failure: LOT_SIZE", 400, InvalidOrder, None),
    (-1013, "Filter failure: NOTIONAL", 400, InvalidOrder, None),
    (-1013, "Market is closed.", 400, InvalidOrder, None),
    (-1015, "Too many new orders; current limit is 50 orders per 10 SECOND.", 429, RateLimited, None),
    (-1016, "This service is no longer available.", 503, ExchangeUnavailable, None),
    (-1022, "Signature for this request is not valid.", 400, AuthenticationFailed, None),
    (-1100, "Illegal characters found in parameter 'price'.", 400, InvalidOrder, None),
    (-1101, "Duplicate values for parameter 'symbol' detected.", 400, InvalidOrder, None),
    (-1102, "Mandatory parameter 'side' was not sent.", 400, InvalidOrder, None),
    (-1104, "Not all sent parameters were read.", 400, InvalidOrder, None),
    (-1105, "Parameter 'price' was empty.", 400, InvalidOrder, None),
    (-1106, "Parameter 'timeInForce' sent when not required.", 400, InvalidOrder, None),
    (-1109, "Invalid account.", 400, PermissionDenied, None),
    (-1111, "Parameter 'quantity' has too much precision.", 400, InvalidOrder, None),
    (-1112, "No orders on book for symbol.", 400, InvalidOrder, None),
    (-1114, "TimeInForce parameter sent when not required.", 400, InvalidOrder, None),
    (-1115, "Invalid timeInForce.", 400, InvalidOrder, None),
    (-1116, "Invalid orderType.", 400, InvalidOrder, None),
    (-1117, "Invalid side.", 400, InvalidOrder, None),
    (-1121, "Invalid symbol.", 400, InvalidOrder, None),
    (-1128, "Combination of optional parameters invalid.", 400, InvalidOrder, None),
    (-1130, "Data sent for parameter 'x' is not valid.", 400, InvalidOrder, None),
    (-1145, "Invalid cancelRestrictions.", 400, InvalidOrder, None),
    (-1158, "Order type not supported in OCO.", 400, InvalidOrder, None),
    (-1165, "A limit order in a buy OCO must be below.", 400, InvalidOrder, None),
    (-1166, "A limit order in a sell OCO must be above.", 400, InvalidOrder, None),
    (-1168, "At least one OCO order must be contingent.", 400, InvalidOrder, None),
    (-1196, "A stop loss order in a buy OCO must be above.", 400, InvalidOrder, None),
    (-1199, "A take profit order in a sell OCO must be above.", 400, InvalidOrder, None),
    (-2008, "Invalid Api-Key ID.", 400, AuthenticationFailed, None),
    (-2010, "Account has insufficient balance for requested action.", 400, InsufficientFunds, None),
    (-2010, "Duplicate order sent.", 400, DuplicateOrder, None),
    (-2010, "This symbol is not permitted for this account.", 400, PermissionDenied, None),
    (-2010, "Order would immediately match and take.", 400, InvalidOrder, None),
    (-2010, "Order would trigger immediately.", 400, WouldTrigger, None),
    (-2010, "The relationship of the prices for the orders is not correct.", 400, WouldTrigger, None),
    (-2010, "Market is closed.", 400, InvalidOrder, None),
    (-2011, "Unknown order sent.", 400, OrderNotFound, None),
    (-2013, "Order does not exist.", 400, OrderNotFound, None),
    (-2014, "API-key format invalid.", 401, AuthenticationFailed, None),
    (-2015, "Invalid API-key, IP, or permissions for action.", 401, AuthenticationFailed, None),
    (-2019, "Margin is insufficient.", 400, InsufficientFunds, None),
    (-2026, "Order was canceled or expired with no executed qty over 90 days ago.", 400, OrderNotFound, None),
    (-2038, "Order amend rejected.", 400, InvalidOrder, None),
    (-2039, "Client order id is not correct for this order id.", 400, OrderNotFound, None),
    (-4116, "ClientOrderId is duplicated.", 400, DuplicateOrder, None),
    (-9999, "Something new on our side.", 500, OutcomeUnknown, ExchangeUnavailable),
    (-9998, "Something new on your side.", 400, OrderRejected, ExchangeError),
]


@pytest.mark.parametrize(
    ("code", "message", "status", "on_write", "on_read"), FAULTS, ids=[f"{f[0]} {f[1][:30]}" for f in FAULTS]
)
def test_every_documented_refusal_is_told_apart(
    code: int, message: str, status: int, on_write: type[ExchangeError], on_read: type[ExchangeError] | None
) -> None:
    body = json.dumps({"code": code, "msg": message})
    with binance(always(body, status)) as (exchange, _), pytest.raises(ExchangeError) as written:
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal(1)))
    with binance(always(body, status)) as (exchange, _), pytest.raises(ExchangeError) as read:
        exchange.order_book("BTC/USDT", 5)
    assert type(written.value) is on_write
    assert type(read.value) is (on_read or on_write)
    assert (written.value.exchange, written.value.code) == ("binance", str(code))
    assert message in str(written.value)
    assert written.value.remedy


#: answers without a code of Binance's: what the HTTP status alone proves
BARE = [
    (408, OutcomeUnknown, ExchangeUnavailable),
    (502, OutcomeUnknown, ExchangeUnavailable),
    (503, OutcomeUnknown, ExchangeUnavailable),
    (504, OutcomeUnknown, ExchangeUnavailable),
    (403, PermissionDenied, PermissionDenied),
    (429, RateLimited, RateLimited),
    (418, RateLimited, RateLimited),
    (200, OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(("status", "on_write", "on_read"), BARE)
def test_a_page_instead_of_an_answer_is_judged_by_its_status(
    status: int, on_write: type[ExchangeError], on_read: type[ExchangeError]
) -> None:
    for call, expected in (
        (lambda e: e.place_order(order(type=OrderType.MARKET, quantity=Decimal(1))), on_write),
        (lambda e: e.server_time(), on_read),
    ):
        with binance(always("<html>", status)) as (exchange, _), pytest.raises(ExchangeError) as caught:
            call(exchange)
        assert type(caught.value) is expected


@pytest.mark.parametrize("body", ["{}", "[]", '{"orderId": 1}', '"text"', "null"])
def test_an_answer_of_another_shape_leaves_an_order_unknown_and_a_question_unanswered(body: str) -> None:
    with binance(always(body)) as (exchange, _):
        with pytest.raises(OutcomeUnknown):
            exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal(1)))
        with pytest.raises(OutcomeUnknown):
            exchange.cancel_order("BTC/USDT", exchange_order_id="1")
        with pytest.raises(ExchangeUnavailable):
            exchange.balances()


def test_a_filter_failure_comes_with_what_to_do_about_that_filter() -> None:
    body = '{"code": -1013, "msg": "Filter failure: NOTIONAL"}'
    with binance(always(body, 400)) as (exchange, _), pytest.raises(OrderRejected) as caught:
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal(1)))
    assert "value" in caught.value.remedy


# -- limits ----------------------------------------------------------------------------------------------------


def test_a_refusal_for_too_many_requests_keeps_us_away_for_as_long_as_it_says() -> None:
    body = '{"code": -1003, "msg": "Too much request weight used."}'
    with binance(always(body, 429, {"Retry-After": "17"})) as (exchange, server):
        with pytest.raises(RateLimited) as caught:
            exchange.server_time()
        assert caught.value.retry_after == 17
        with pytest.raises(RateLimited, match="not sent"):
            exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal(1)))
    assert len(server.received) == 1


def test_a_ban_lasts_until_the_time_its_message_tells() -> None:
    until = 32503680000000  # the year 3000: longer than any ban, and clamped to the longest there is
    body = json.dumps({"code": -1003, "msg": f"Way too much request weight used; IP banned until {until}."})
    with binance(always(body, 418)) as (exchange, _), pytest.raises(RateLimited) as caught:
        exchange.server_time()
    assert caught.value.retry_after == 3 * 24 * 3600


def test_an_account_s_order_limit_stops_its_orders_but_not_its_reads() -> None:
    def answer(request: Received) -> Reply:
        if request.method == "GET":
            return reply(body_text("binance", "account"))
        return reply('{"code": -1015, "msg": "Too many new orders."}', 429, {"Retry-After": "9"})

    with binance(answer) as (exchange, server):
        for _ in range(2):
            with pytest.raises(RateLimited):
                exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal(1)))
        exchange.balances()
    assert [request.method for request in server.received] == ["POST", "GET"]


def test_usage_that_the_exchange_reports_is_taken_over() -> None:
    heavy = {"X-MBX-USED-WEIGHT-1M": "5990"}
    with binance(always(body_text("binance", "server_time"), headers=heavy)) as (exchange, server):
        exchange.server_time()
        with pytest.raises(RateLimited, match="weight") as caught:
            exchange.server_time()
        assert caught.value.retry_after is not None
        assert caught.value.retry_after >= 1
    assert len(server.received) == 1


def test_published_limits_replace_the_assumed_ones() -> None:
    with binance(always(body_text("binance", "exchange_info"))) as (exchange, _):
        exchange.markets()
        capacities = {name: limit.capacity for name, limit in exchange._limits.items()}  # type: ignore[attr-defined]
    assert capacities["orders-10s"] == 100
    assert capacities["orders-1d"] == 200_000


# -- the clock -------------------------------------------------------------------------------------------------


def test_a_refused_timestamp_sets_the_clock_and_the_order_is_sent_once_more() -> None:
    def answer(request: Received) -> Reply:
        if "/v3/time" in request.target:
            return reply('{"serverTime": 1700000000000}')
        stamp = int(dict(parse_qsl(request.body))["timestamp"])
        if stamp > 1700000001000:
            return reply('{"code": -1021, "msg": "Timestamp for this request was 1000ms ahead."}', 400)
        return reply(body_text("binance", "order_market_filled"))

    with binance(answer) as (exchange, server):
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal("0.003")))
    assert [request.method for request in server.received] == ["POST", "GET", "POST"]


def test_a_timestamp_refused_twice_is_reported() -> None:
    def answer(request: Received) -> Reply:
        if "/v3/time" in request.target:
            return reply('{"serverTime": 1700000000000}')
        return reply(
            '{"code": -1021, "msg": "Timestamp for this request is outside of the recvWindow."}', 400
        )

    with binance(answer) as (exchange, server), pytest.raises(InvalidTimestamp):
        exchange.balances()
    assert len(server.received) == 3


# -- connecting ------------------------------------------------------------------------------------------------


def test_signed_calls_without_a_key_are_refused_before_the_wire() -> None:
    with LocalServer(always("{}")) as server:
        exchange = connect("binance", base_url=server.url)
        with pytest.raises(AuthenticationFailed):
            exchange.balances()
        exchange.close()
    assert server.received == []


def test_the_environment_picks_the_host() -> None:
    assert "//api.binance.com" in repr(connect("binance"))
    assert "//testnet.binance.vision" in repr(connect("binance", environment=Environment.TESTNET))
    with pytest.raises(NoSuchEnvironment):
        connect("binance", environment=Environment.SANDBOX)


FAULTY_KEYS = [
    (-2014, "API-key format invalid.", "form of a Binance key"),
    (-2008, "Invalid Api-Key ID.", "does not know this key"),
    (-2015, "Invalid API-key, IP, or permissions for action.", "three"),
    (-1022, "Signature for this request is not valid.", "secret"),
]


@pytest.mark.parametrize(("code", "message", "remedy"), FAULTY_KEYS)
def test_the_check_up_names_the_fault_and_its_remedy(code: int, message: str, remedy: str) -> None:
    def answer(request: Received) -> Reply:
        if "/v3/time" in request.target:
            return reply('{"serverTime": 1700000000000}')
        return reply(json.dumps({"code": code, "msg": message}), 400)

    with binance(answer) as (exchange, _):
        report = exchange.check_connection()
    assert not report.connected
    assert message in (report.reason or "")
    assert remedy in (report.remedy or "")
    assert report.clock_skew_ms is not None


def test_the_check_up_tells_what_the_key_may_do() -> None:
    names = {"time": "server_time", "account": "account", "apiRestrictions": "api_restrictions"}

    def answer(request: Received) -> Reply:
        path = urlsplit(request.target).path.rpartition("/")[2]
        return reply(body_text("binance", names[path]))

    with binance(answer) as (exchange, _):
        report = exchange.check_connection()
    assert report.connected
    assert report.reason is None
    assert (report.permissions.read, report.permissions.trade, report.permissions.withdraw) == (
        "YES",
        "YES",
        "NO",
    )
    assert report.ip_restricted == "NO"
    assert report.balances["USDT"].total == 1000
    assert report.rate_budget is not None
    assert report.rate_budget.used > 0


def test_permissions_that_cannot_be_asked_for_are_unknown() -> None:
    names = {"time": "server_time", "account": "account"}

    def answer(request: Received) -> Reply:
        path = urlsplit(request.target).path.rpartition("/")[2]
        return reply(body_text("binance", names[path])) if path in names else reply("<html>", 404)

    with binance(answer) as (exchange, _):
        report = exchange.check_connection()
    assert report.connected
    assert (report.permissions.read, report.permissions.trade) == ("YES", "UNKNOWN")


def test_nothing_secret_is_in_any_repr() -> None:
    exchange = connect("binance", Credential(KEY, SECRET))
    assert KEY not in repr(exchange)
    assert SECRET not in repr(exchange)
    assert SECRET not in repr(Credential(KEY, SECRET))
