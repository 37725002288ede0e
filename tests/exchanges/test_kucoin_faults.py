"""What KuCoin's refusals, limits and clock mean to us, and what the check-up of a key makes of them."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain import (
    AuthenticationFailed,
    Credential,
    DuplicateOrder,
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
from app.exchanges import connect
from app.exchanges.base import Exchange
from tests.exchanges.kucoin_client import (
    KEY,
    PHRASE,
    SECRET,
    always,
    kucoin,
    order,
    path_of,
    recorded,
    refusal,
)
from tests.exchanges.local_server import LocalServer, Received, Reply, reply
from tests.exchanges.recorded import body_text

MARKET_ORDER = order(type=OrderType.MARKET, quantity=Decimal(1))

# -- faults ----------------------------------------------------------------------------------------------------

#: code, message, HTTP status, error on a write, error on a read where it differs
FAULTS: list[tuple[str, str, int, type[ExchangeError], type[ExchangeError] | None]] = [
    ("400001", "Please check the header of your request.", 401, AuthenticationFailed, None),
    ("400003", "KC-API-KEY not exists", 401, AuthenticationFailed, None),
    ("400004", "Invalid KC-API-PASSPHRASE", 401, AuthenticationFailed, None),
    ("400005", "Invalid KC-API-SIGN", 401, AuthenticationFailed, None),
    ("400006", "The IP address is not in the API whitelist", 401, AuthenticationFailed, None),
    ("400008", "V1 and V2 keys are no longer supported", 200, AuthenticationFailed, None),
    ("400010", "Invalid request", 401, AuthenticationFailed, None),
    ("400007", "Access denied, require more permission", 403, PermissionDenied, None),
    ("400200", "Forbidden to place an order", 200, PermissionDenied, None),
    ("400303", "Please finish the identity verification", 200, PermissionDenied, None),
    ("400310", "Something else that the account may not do", 200, PermissionDenied, None),
    ("400500", "Not available in your region", 200, PermissionDenied, None),
    ("400700", "Transaction restricted", 200, PermissionDenied, None),
    ("200009", "Identity verification needed", 200, PermissionDenied, None),
    ("411100", "User are frozen.", 200, PermissionDenied, None),
    ("200004", "Balance insufficient!", 200, InsufficientFunds, None),
    ("102421", "Insufficient balance", 200, InsufficientFunds, None),
    ("126013", "Insufficient balance", 200, InsufficientFunds, None),
    ("400100", "account.available.amount", 200, InsufficientFunds, None),
    ("400100", "Parameter Error", 200, InvalidOrder, None),
    ("400100", "validation.createOrder.clientOidDuplicated", 200, DuplicateOrder, None),
    ("400100", "order_not_exist_or_not_allow_to_cancel", 200, OrderNotFound, None),
    ("400100", "order not exist.", 200, OrderNotFound, None),
    ("400100", "The order does not exist.", 200, OrderNotFound, None),
    ("102411", "Order parameter error", 200, InvalidOrder, None),
    ("300000", "Order size below the minimum requirement.", 200, InvalidOrder, None),
    ("600100", "Order funds increment invalid.", 200, InvalidOrder, None),
    ("600101", "Order funds should more then 0.1 USDT.", 200, InvalidOrder, None),
    ("102429", "Price out of range", 200, InvalidOrder, None),
    ("102434", "Size too large", 200, InvalidOrder, None),
    ("102435", "Size too small", 200, InvalidOrder, None),
    ("400330", "Order price cannot be below 45000", 200, InvalidOrder, None),
    ("400350", "Upper limit for holding", 200, InvalidOrder, None),
    ("400370", "Max. price: 55000", 200, InvalidOrder, None),
    ("400760", "Order price should be more than the minimum", 200, InvalidOrder, None),
    ("415000", "Unsupported Media Type", 415, InvalidOrder, None),
    ("900001", "symbol not exists", 200, InvalidOrder, None),
    ("400600", "The symbol is not supported", 200, InvalidOrder, None),
    ("600203", "Symbol BTC-USDT has not been enabled for trading", 200, InvalidOrder, None),
    ("200003", "Too many open orders", 200, InvalidOrder, None),
    ("102427", "Too many active orders", 200, InvalidOrder, None),
    ("102426", "Duplicate clientOid", 200, DuplicateOrder, None),
    ("126044", "clientOid duplicated", 200, DuplicateOrder, None),
    ("102436", "order not exist", 200, OrderNotFound, None),
    ("order_not_exist", "order_not_exist", 200, OrderNotFound, None),
    ("126043", "order not exist", 200, OrderNotFound, None),
    ("102428", "Order is being processed", 200, OrderNotFound, None),
    ("429000", "Too many requests", 429, RateLimited, None),
    ("400100", "error.getOrder.orderNotExist", 200, OrderNotFound, None),
    ("200002", "Too many requests in a short period of time", 200, RateLimited, None),
    ("200002", "Trading is suspended", 200, ExchangeUnavailable, None),
    ("200001", "Order creation for this pair suspended", 200, ExchangeUnavailable, None),
    ("404000", "Url Not Found", 404, ExchangeUnavailable, None),
    ("102425", "Order window exceeded", 200, InvalidTimestamp, None),
    ("500000", "Internal Server Error", 500, OutcomeUnknown, ExchangeUnavailable),
    ("500000", "Internal Server Error", 200, OutcomeUnknown, ExchangeUnavailable),
    ("230005", "System error", 200, OutcomeUnknown, ExchangeUnavailable),
    ("408000", "Network timeout, the order may have been created", 200, OutcomeUnknown, ExchangeUnavailable),
    ("999999", "Something new on our side.", 500, OutcomeUnknown, ExchangeUnavailable),
    ("999998", "Something new on your side.", 200, OrderRejected, ExchangeError),
]


@pytest.mark.parametrize(
    ("code", "message", "status", "on_write", "on_read"),
    FAULTS,
    ids=[f"{code} {message[:24]}" for code, message, *_ in FAULTS],
)
def test_every_documented_refusal_is_told_apart(
    code: str, message: str, status: int, on_write: type[ExchangeError], on_read: type[ExchangeError] | None
) -> None:
    with (
        kucoin(always(refusal(code, message), status)) as (exchange, _),
        pytest.raises(ExchangeError) as written,
    ):
        exchange.place_order(MARKET_ORDER)
    with (
        kucoin(always(refusal(code, message), status)) as (exchange, _),
        pytest.raises(ExchangeError) as read,
    ):
        exchange.order_book("BTC/USDT", 5)
    assert type(written.value) is on_write
    assert type(read.value) is (on_read or on_write)
    assert (written.value.exchange, written.value.code) == ("kucoin", code)
    assert message in str(written.value)
    assert written.value.remedy


#: answers without a code of KuCoin's: what the HTTP status alone proves
BARE = [
    (408, OutcomeUnknown, ExchangeUnavailable),
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
    with kucoin(always("<html>", status)) as (exchange, _), pytest.raises(ExchangeError) as written:
        exchange.place_order(MARKET_ORDER)
    with kucoin(always("<html>", status)) as (exchange, _), pytest.raises(ExchangeError) as read:
        exchange.server_time()
    assert (type(written.value), type(read.value)) == (on_write, on_read)


@pytest.mark.parametrize(
    "body",
    ["{}", "[]", '"text"', "null", '{"code": "200000"}', '{"code": "200000", "data": {"x": 1}}'],
)
def test_an_answer_of_another_shape_leaves_an_order_unknown_and_a_question_unanswered(body: str) -> None:
    with kucoin(always(body)) as (exchange, _):
        with pytest.raises(OutcomeUnknown):
            exchange.place_order(MARKET_ORDER)
        with pytest.raises(OutcomeUnknown):
            exchange.cancel_order("BTC/USDT", exchange_order_id="67")
        with pytest.raises(ExchangeUnavailable):
            exchange.balances()


@pytest.mark.parametrize("order_id", ["67", "vs8h", "oco-67", "oco-67:vs8h"])
def test_an_order_of_which_nothing_is_told_with_success_is_not_found(order_id: str) -> None:
    with kucoin(always(body_text("kucoin", "order_missing"))) as (exchange, _), pytest.raises(OrderNotFound):
        exchange.get_order("BTC/USDT", exchange_order_id=order_id)


def test_a_client_id_that_no_family_knows_is_not_found_after_three_questions() -> None:
    answers = recorded(
        {
            "GET /api/v1/hf/": "order_missing",
            "GET /api/v1/stop-order/": refusal("400100", "order not exist."),
            "GET /api/v3/oco/": refusal("102436", "order not exist"),
        }
    )
    with kucoin(answers) as (exchange, server), pytest.raises(OrderNotFound, match="no such order"):
        exchange.get_order("BTC/USDT", client_order_id="nobody")
    assert len(server.received) == 3


def test_a_family_that_complains_of_something_else_is_not_taken_to_know_no_such_order() -> None:
    answers = recorded(
        {"GET /api/v3/oco/": refusal("400100", "Parameter error"), "GET /api/v1/": "order_missing"}
    )
    with kucoin(answers) as (exchange, _), pytest.raises(InvalidOrder, match="Parameter error"):
        exchange.get_order("BTC/USDT", client_order_id="nobody")


def test_funds_in_the_wrong_account_come_with_what_to_do() -> None:
    refused = always(refusal("200004", "Balance insufficient!"))
    with kucoin(refused) as (exchange, _), pytest.raises(InsufficientFunds) as caught:
        exchange.place_order(MARKET_ORDER)
    assert "transfer" in caught.value.remedy


# -- limits ----------------------------------------------------------------------------------------------------


def test_a_refusal_for_too_many_requests_keeps_us_away_until_the_pool_is_refilled() -> None:
    headers = {"gw-ratelimit-reset": "16400"}
    with kucoin(always(refusal("429000", "Too many requests"), 429, headers)) as (exchange, server):
        with pytest.raises(RateLimited) as caught:
            exchange.place_order(MARKET_ORDER)
        assert caught.value.retry_after == 17
        with pytest.raises(RateLimited, match="not sent"):
            exchange.balances()
    assert len(server.received) == 1


def test_an_account_s_limit_leaves_public_calls_free() -> None:
    def answer(request: Received) -> Reply:
        if "timestamp" in request.target:
            return reply(body_text("kucoin", "timestamp"))
        return reply(refusal("429000", "Too many requests"), 429, {"gw-ratelimit-reset": "9000"})

    with kucoin(answer) as (exchange, _):
        with pytest.raises(RateLimited):
            exchange.balances()
        assert exchange.server_time()


def test_an_address_that_was_shut_out_stays_away_for_half_a_minute_whatever_it_asks() -> None:
    with kucoin(always("error code: 1015", 429)) as (exchange, server):
        with pytest.raises(RateLimited) as caught:
            exchange.balances()
        for call in (exchange.server_time, exchange.balances):
            with pytest.raises(RateLimited, match="not sent"):
                call()
    assert caught.value.retry_after == 30
    assert len(server.received) == 1


def test_usage_that_the_exchange_reports_is_taken_over() -> None:
    heavy = {"gw-ratelimit-limit": "2000", "gw-ratelimit-remaining": "1"}
    with kucoin(always(body_text("kucoin", "timestamp"), headers=heavy)) as (exchange, server):
        exchange.server_time()
        with pytest.raises(RateLimited, match="public"):
            exchange.server_time()
    assert len(server.received) == 1


def test_an_account_that_is_allowed_more_than_most_is_not_held_back() -> None:
    roomy = {"gw-ratelimit-limit": "8000", "gw-ratelimit-remaining": "5000"}
    with kucoin(always(body_text("kucoin", "timestamp"), headers=roomy)) as (exchange, server):
        exchange.server_time()
        exchange.server_time()
    assert len(server.received) == 2


# -- the clock -------------------------------------------------------------------------------------------------


def test_a_refused_timestamp_sets_the_clock_and_the_order_is_sent_once_more() -> None:
    def answer(request: Received) -> Reply:
        if path_of(request) == "/api/v1/timestamp":
            return reply(body_text("kucoin", "timestamp"))
        if int(request.headers["kc-api-timestamp"]) > 1700000005456:
            return reply(refusal("400002", "KC-API-TIMESTAMP Invalid"))
        return reply(body_text("kucoin", "placed_resting"))

    with kucoin(answer) as (exchange, server):
        exchange.place_order(order(type=OrderType.LIMIT, quantity=Decimal("0.001"), price=Decimal(50000)))
    assert [request.method for request in server.received] == ["POST", "GET", "POST"]


def test_a_timestamp_refused_twice_is_reported() -> None:
    def answer(request: Received) -> Reply:
        if path_of(request) == "/api/v1/timestamp":
            return reply(body_text("kucoin", "timestamp"))
        return reply(refusal("400002", "KC-API-TIMESTAMP Invalid"))

    with kucoin(answer) as (exchange, server), pytest.raises(InvalidTimestamp):
        exchange.balances()
    assert len(server.received) == 3


# -- connecting ------------------------------------------------------------------------------------------------


def test_signed_calls_without_a_key_are_refused_before_the_wire() -> None:
    with LocalServer(always("{}")) as server:
        exchange = connect("kucoin", base_url=server.url)
        with pytest.raises(AuthenticationFailed):
            exchange.balances()
        exchange.close()
    assert server.received == []


FAULTY_KEYS = [
    ("400003", "KC-API-KEY not exists", "does not know this key"),
    ("400004", "Invalid KC-API-PASSPHRASE", "passphrase"),
    ("400005", "Invalid KC-API-SIGN", "secret"),
    ("400006", "The IP address is not in the whitelist", "address"),
    ("400007", "Access denied, require more permission", "allow it to trade"),
    ("400008", "V1/V2 key no longer supported", "make a new key"),
]


@pytest.mark.parametrize(("code", "message", "remedy"), FAULTY_KEYS)
def test_the_check_up_names_the_fault_and_its_remedy(code: str, message: str, remedy: str) -> None:
    answers = recorded({"GET /api/v1/timestamp": "timestamp", "GET ": refusal(code, message)})
    with kucoin(answers) as (exchange, _):
        report = exchange.check_connection()
    assert not report.connected
    assert message in (report.reason or "")
    assert remedy in (report.remedy or "")
    assert report.clock_skew_ms is not None


def check_up(exchange: Exchange) -> tuple[Grant, Grant, Grant, Grant]:
    report = exchange.check_connection()
    assert report.connected
    assert report.rate_budget is not None
    assert report.rate_budget.used > 0
    may = report.permissions
    return may.read, may.trade, may.withdraw, report.ip_restricted


def test_the_check_up_tells_what_the_key_may_do() -> None:
    answers = {"GET /api/v1/timestamp": "timestamp", "GET /api/v1/accounts": "accounts"}
    with kucoin(recorded(answers | {"GET /api/v1/user/api-key": "api_key"})) as (exchange, _):
        assert check_up(exchange) == (Grant.YES, Grant.YES, Grant.NO, Grant.YES)
    dangerous = body_text("kucoin", "api_key").replace("General,Spot", "General, Withdrawal")
    open_to_all = dangerous.replace("203.0.113.7", "")
    with kucoin(recorded(answers | {"GET /api/v1/user/api-key": open_to_all})) as (exchange, _):
        assert check_up(exchange) == (Grant.YES, Grant.NO, Grant.YES, Grant.NO)


def test_permissions_that_cannot_be_asked_for_are_unknown() -> None:
    answers = {"GET /api/v1/timestamp": "timestamp", "GET /api/v1/accounts": "accounts"}
    denied = {"GET /api/v1/user/api-key": refusal("400007", "Access denied")}
    with kucoin(recorded(answers | denied)) as (exchange, _):
        assert check_up(exchange) == (Grant.YES, Grant.UNKNOWN, Grant.UNKNOWN, Grant.UNKNOWN)


def test_nothing_secret_is_in_any_repr_or_error() -> None:
    exchange = connect("kucoin", Credential(KEY, SECRET, PHRASE))
    for secret in (KEY, SECRET, PHRASE):
        assert secret not in repr(exchange)
    refused = always(refusal("400004", f"Invalid {PHRASE} of {KEY}"))
    with kucoin(refused) as (exchange, _), pytest.raises(AuthenticationFailed) as caught:
        exchange.balances()
    for secret in (KEY, SECRET, PHRASE):
        assert secret not in str(caught.value) + str(caught.value.raw)
