"""What Kraken's complaints inside HTTP 200 mean to us, its limits, and what the check-up of a key makes of them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
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
    WouldTrigger,
)
from app.exchanges import connect
from app.exchanges.rest import NoSuchEnvironment
from tests.exchanges.kraken_client import (
    ORDER_ID,
    SYMBOL,
    always,
    called,
    kraken,
    order,
    recorded,
    refusing,
)
from tests.exchanges.local_server import LocalServer, Misbehave, Received, Reply, reply
from tests.exchanges.recorded import body_text

MARKET = order(type=OrderType.MARKET, quantity=Decimal("0.001"))

#: complaint, error on a write, error on a read where it differs
FAULTS: list[tuple[str, type[ExchangeError], type[ExchangeError] | None]] = [
    ("EAPI:Invalid key", AuthenticationFailed, None),
    ("EAPI:Invalid signature", AuthenticationFailed, None),
    ("EAPI:Invalid nonce", InvalidTimestamp, None),
    ("EGeneral:Invalid arguments:deadline", InvalidTimestamp, None),
    ("EAPI:Rate limit exceeded", RateLimited, None),
    ("EAPI:Feature disabled", OrderRejected, ExchangeError),
    ("ESession:Invalid session", AuthenticationFailed, None),
    ("EGeneral:Permission denied", PermissionDenied, None),
    ("EGeneral:Temporary lockout", RateLimited, None),
    ("EGeneral:Too many requests", RateLimited, None),
    ("EGeneral:Invalid arguments:cl_ord_id not unique", DuplicateOrder, None),
    ("EGeneral:Invalid arguments:volume minimum not met", InvalidOrder, None),
    ("EGeneral:Invalid arguments:price", InvalidOrder, None),
    ("EGeneral:Invalid arguments:ordertype", InvalidOrder, None),
    ("EGeneral:Invalid arguments:timeinforce", InvalidOrder, None),
    ("EGeneral:Internal error", OutcomeUnknown, ExchangeUnavailable),
    ("EGeneral:Something new", OrderRejected, ExchangeError),
    ("EAccount:Invalid permissions", PermissionDenied, None),
    ("EAuth:Account temporary disabled", PermissionDenied, None),
    ("ETrade:User Locked", PermissionDenied, None),
    ("EOrder:Insufficient funds", InsufficientFunds, None),
    ("EOrder:Order minimum not met", InvalidOrder, None),
    ("EOrder:Cost minimum not met", InvalidOrder, None),
    ("EOrder:Tick size check failed", InvalidOrder, None),
    ("EOrder:Invalid price", InvalidOrder, None),
    ("EOrder:Orders limit exceeded", InvalidOrder, None),
    ("EOrder:Invalid order", InvalidOrder, None),
    ("EOrder:Post only order", InvalidOrder, None),
    ("EOrder:Unknown order", OrderNotFound, None),
    ("EOrder:Rate limit exceeded", RateLimited, None),
    ("EOrder:Domain rate limit exceeded", RateLimited, None),
    ("EQuery:Unknown asset pair", InvalidOrder, None),
    ("EQuery:Invalid asset pair", InvalidOrder, None),
    ("EQuery:Unknown asset", InvalidOrder, None),
    ("EService:Market in cancel_only mode", ExchangeUnavailable, None),
    ("EService:Market in post_only mode", ExchangeUnavailable, None),
    ("EService:Market in limit_only mode", ExchangeUnavailable, None),
    ("EService:Deadline elapsed", OutcomeUnknown, ExchangeUnavailable),
    ("EService:Unavailable", OutcomeUnknown, ExchangeUnavailable),
    ("EService:Busy", OutcomeUnknown, ExchangeUnavailable),
    ("EService:Timeout", OutcomeUnknown, ExchangeUnavailable),
    ("EDatabase:Internal error", OutcomeUnknown, ExchangeUnavailable),
    ("ENew:Never heard of", OutcomeUnknown, ExchangeUnavailable),
    ("ENothing after a colon", OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(("complaint", "on_write", "on_read"), FAULTS, ids=[fault[0] for fault in FAULTS])
def test_every_documented_refusal_is_told_apart(
    complaint: str, on_write: type[ExchangeError], on_read: type[ExchangeError] | None
) -> None:
    with kraken(refusing(complaint)) as (exchange, _), pytest.raises(ExchangeError) as written:
        exchange.place_order(MARKET)
    with kraken(refusing(complaint)) as (exchange, _), pytest.raises(ExchangeError) as read:
        exchange.order_book(SYMBOL, 5)
    assert type(written.value) is on_write
    assert type(read.value) is (on_read or on_write)
    category, _, message = complaint.partition(":")
    assert (written.value.exchange, written.value.code) == ("kraken", category)
    assert (message or complaint) in str(written.value)
    assert written.value.remedy


@pytest.mark.parametrize(
    ("type_", "trigger", "kind"),
    [
        (OrderType.STOP_LOSS, "60000.6", WouldTrigger),
        (OrderType.STOP_LOSS, "60000.4", InvalidOrder),
        (OrderType.TAKE_PROFIT, "60000.4", WouldTrigger),
        (OrderType.TAKE_PROFIT, "60000.6", InvalidOrder),
    ],
)
def test_an_invalid_price_is_one_that_has_passed_when_the_market_says_so(
    type_: OrderType, trigger: str, kind: type[ExchangeError]
) -> None:
    def answer(request: Received) -> Reply:
        if called(request) == "Ticker":
            return reply(body_text("kraken", "ticker"))
        return reply('{"error":["EOrder:Invalid price"]}')

    stop = order(type=type_, side=Side.SELL, quantity=Decimal(1), trigger_price=Decimal(trigger))
    with kraken(answer) as (exchange, _), pytest.raises(ExchangeError) as caught:
        exchange.place_order(stop)
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.exchange_message) == ("EOrder", "Invalid price")


def test_a_price_that_cannot_be_asked_for_leaves_the_refusal_as_it_is() -> None:
    stop = order(type=OrderType.STOP_LOSS, quantity=Decimal(1), trigger_price=Decimal(65000))
    with kraken(refusing("EOrder:Invalid price")) as (exchange, server):
        with pytest.raises(InvalidOrder) as caught:
            exchange.place_order(stop)
        asked = [called(request) for request in server.received]
    assert (type(caught.value), asked) == (InvalidOrder, ["AddOrder", "Ticker"])


@pytest.mark.parametrize("spaced", ["EOrder: Insufficient funds", "EOrder:  Insufficient funds"])
def test_spaces_after_a_colon_change_nothing(spaced: str) -> None:
    with kraken(refusing(spaced)) as (exchange, _), pytest.raises(InsufficientFunds, match="EOrder: Insuff"):
        exchange.place_order(MARKET)


def test_a_warning_beside_an_answer_is_no_refusal_and_beside_a_refusal_does_not_hide_it() -> None:
    body = json.loads(body_text("kraken", "time")) | {"error": ["WGeneral:Deprecated"]}
    with kraken(always(json.dumps(body))) as (exchange, _):
        assert exchange.server_time().year == 2023
    both = refusing("WGeneral:Deprecated", "EOrder:Insufficient funds")
    with kraken(both) as (exchange, _), pytest.raises(InsufficientFunds):
        exchange.place_order(MARKET)


BARE = [
    (408, OutcomeUnknown, ExchangeUnavailable),
    (502, OutcomeUnknown, ExchangeUnavailable),
    (520, OutcomeUnknown, ExchangeUnavailable),
    (403, PermissionDenied, PermissionDenied),
    (429, RateLimited, RateLimited),
    (200, OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(("status", "on_write", "on_read"), BARE)
def test_a_page_instead_of_an_answer_is_judged_by_its_status(
    status: int, on_write: type[ExchangeError], on_read: type[ExchangeError]
) -> None:
    with kraken(always("<html>", status)) as (exchange, _):
        with pytest.raises(ExchangeError) as written:
            exchange.place_order(MARKET)
        with pytest.raises(ExchangeError) as read:
            exchange.server_time()
    assert (type(written.value), type(read.value)) == (on_write, on_read)


SHAPELESS = [
    "{}",
    "[]",
    '"text"',
    "null",
    '{"error":[]}',
    '{"error":[],"result":{}}',
    '{"error":[],"result":[1]}',
]


@pytest.mark.parametrize("body", SHAPELESS)
def test_an_answer_of_another_shape_leaves_an_order_unknown_and_a_question_unanswered(body: str) -> None:
    with kraken(always(body)) as (exchange, _):
        with pytest.raises(OutcomeUnknown):
            exchange.place_order(MARKET)
        with pytest.raises(OutcomeUnknown):
            exchange.cancel_order(SYMBOL, exchange_order_id="O1")
        with pytest.raises(ExchangeUnavailable):
            exchange.open_orders(SYMBOL)


# -- orders whose answers are incomplete -----------------------------------------------------------------------


@pytest.mark.parametrize("look_up", [reply("<html>", 502), reply('{"error":[],"result":{}}')])
def test_a_cancellation_that_worked_is_not_told_as_a_failure_when_its_outcome_cannot_be_read(
    look_up: Reply,
) -> None:
    def answer(request: Received) -> Reply:
        return reply(body_text("kraken", "order_cancelled")) if called(request) == "CancelOrder" else look_up

    with kraken(answer) as (exchange, _), pytest.raises(OutcomeUnknown, match="cancelled, but"):
        exchange.cancel_order(SYMBOL, exchange_order_id=ORDER_ID)


def test_a_cancellation_of_nothing_is_an_order_not_found() -> None:
    with kraken(recorded(CancelOrder="nothing_cancelled")) as (exchange, _), pytest.raises(OrderNotFound):
        exchange.cancel_order(SYMBOL, exchange_order_id=ORDER_ID)


@pytest.mark.parametrize(
    "body",
    ['{"error":[],"result":{}}', '{"error":["EOrder:Invalid order"]}', '{"error":["EOrder:Unknown order"]}'],
)
def test_an_order_that_kraken_does_not_know_is_not_found_however_it_says_so(body: str) -> None:
    with kraken(always(body)) as (exchange, _), pytest.raises(OrderNotFound):
        exchange.get_order(SYMBOL, exchange_order_id=ORDER_ID)


def test_a_client_id_found_neither_open_nor_closed_is_not_found() -> None:
    answer = recorded(OpenOrders="no_open_orders", ClosedOrders="no_closed_orders")
    with kraken(answer) as (exchange, _), pytest.raises(OrderNotFound):
        exchange.get_order(SYMBOL, client_order_id="bot-0009")


# -- limits ----------------------------------------------------------------------------------------------------


def test_a_throttled_call_says_when_to_come_back() -> None:
    until = int(time.time()) + 20
    with kraken(refusing(f"EService: Throttled: {until}")) as (exchange, server):
        with pytest.raises(RateLimited) as caught:
            exchange.balances()
        with pytest.raises(RateLimited, match="not sent"):
            exchange.balances()
    assert caught.value.retry_after is not None
    assert 18 <= caught.value.retry_after <= 20
    assert len(server.received) == 1


def test_a_lock_out_is_sat_out_because_trying_again_prolongs_it() -> None:
    with kraken(refusing("EGeneral:Temporary lockout")) as (exchange, server):
        with pytest.raises(RateLimited) as caught:
            exchange.balances()
        with pytest.raises(RateLimited, match="not sent"):
            exchange.place_order(MARKET)
    assert caught.value.retry_after == 900
    assert len(server.received) == 1


def test_a_market_that_takes_no_more_orders_for_now_stops_orders_and_not_questions() -> None:
    def answer(request: Received) -> Reply:
        if called(request) == "AddOrder":
            return reply('{"error":["EOrder:Rate limit exceeded"]}')
        return reply(body_text("kraken", "balance_ex"))

    with kraken(answer) as (exchange, server):
        for _ in range(2):
            with pytest.raises(RateLimited):
                exchange.place_order(MARKET)
        exchange.balances()
    assert [called(request) for request in server.received] == ["AddOrder", "BalanceEx"]


def limited(call: Callable[[], object]) -> RateLimited:
    """The refusal that ends a burst of calls."""
    for _ in range(20):
        try:
            call()
        except RateLimited as refusal:
            return refusal
    raise AssertionError("no limit was met")


def test_questions_leave_a_share_of_the_counter_for_what_follows_an_order() -> None:
    answer = recorded(BalanceEx="balance_ex", AddOrder="order_placed", QueryOrders="order_resting")
    with kraken(answer) as (exchange, server):
        assert "not sent" in str(limited(exchange.balances))
        exchange.place_order(order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(60000)))
    calls = [called(request) for request in server.received]
    assert 10 <= calls.count("BalanceEx") <= 11
    assert calls[-2:] == ["AddOrder", "QueryOrders"]


def test_cancelling_a_young_order_takes_eight_of_the_engine_and_an_old_one_nothing() -> None:
    answer = recorded(CancelOrder="order_cancelled", QueryOrders="order_canceled")
    with kraken(answer) as (exchange, server):
        for _ in range(12):  # each of them would take 8 of 60, were the order not years old
            exchange.cancel_order(SYMBOL, exchange_order_id=ORDER_ID)
    young = json.loads(body_text("kraken", "order_canceled"))
    young["result"][ORDER_ID]["opentm"] = time.time()

    def fresh(request: Received) -> Reply:
        return reply(
            body_text("kraken", "order_cancelled") if called(request) == "CancelOrder" else json.dumps(young)
        )

    with kraken(fresh) as (exchange, server):
        refusal = limited(lambda: exchange.cancel_order(SYMBOL, exchange_order_id=ORDER_ID))
    assert "engine" in str(refusal)
    assert [called(request) for request in server.received].count("CancelOrder") == 7


# -- connecting ------------------------------------------------------------------------------------------------


def test_signed_calls_without_a_key_are_refused_before_the_wire() -> None:
    with LocalServer(always("{}")) as server:
        exchange = connect("kraken", base_url=server.url)
        with pytest.raises(AuthenticationFailed):
            exchange.balances()
        exchange.close()
    assert server.received == []


def test_there_is_no_test_environment() -> None:
    assert "//api.kraken.com" in repr(connect("kraken"))
    with pytest.raises(NoSuchEnvironment):
        connect("kraken", environment=Environment.TESTNET)


FAULTY_KEYS = [
    ("EAPI:Invalid key", "does not know this key"),
    ("EAPI:Invalid signature", "private key"),
    ("EAPI:Invalid nonce", "key for this server alone"),
    ("EGeneral:Permission denied", "query funds"),
    ("EGeneral:Temporary lockout", "quarter of an hour"),
    ("EAuth:Account temporary disabled", "suspended"),
]


@pytest.mark.parametrize(("complaint", "remedy"), FAULTY_KEYS)
def test_the_check_up_names_the_fault_and_its_remedy(complaint: str, remedy: str) -> None:
    def answer(request: Received) -> Reply:
        if called(request) == "Time":
            return reply(body_text("kraken", "time"))
        return reply(json.dumps({"error": [complaint]}))

    with kraken(answer) as (exchange, _):
        report = exchange.check_connection()
    assert not report.connected
    assert complaint.partition(":")[2] in (report.reason or "")
    assert remedy in (report.remedy or "")
    assert report.clock_skew_ms is not None


def test_a_connection_that_breaks_after_an_order_was_sent_leaves_it_unknown_and_sends_it_once() -> None:
    with kraken(lambda request: Misbehave.CLOSE) as (exchange, server), pytest.raises(OutcomeUnknown):
        exchange.place_order(MARKET)
    assert len(server.received) == 1
