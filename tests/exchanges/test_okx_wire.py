"""What goes to OKX: signatures, hosts, the body of every kind of order; and what its refusals mean."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

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
    Leg,
    OcoRequest,
    OrderDenied,
    OrderNotFound,
    OrderRejected,
    OrderRequest,
    OrderStatus,
    OrderType,
    OutcomeUnknown,
    PermissionDenied,
    RateLimited,
    Side,
    TimeInForce,
    WouldTrigger,
)
from app.exchanges import connect
from app.exchanges.okx import OKX, wire
from app.exchanges.rest import Endpoint, NoSuchRegion
from tests.exchanges.local_server import Received, Reply, reply
from tests.exchanges.okx_client import (
    KEY,
    PASSPHRASE,
    SECRET,
    always,
    okx,
    operation,
    order,
    recorded,
    refusing,
    sent,
)
from tests.exchanges.recorded import body_text

CREDENTIAL = Credential(KEY, SECRET, PASSPHRASE)
AT = 1767225600000  # 2026-01-01
ASK = Endpoint("GET", "/api/v5/account/balance", (), signed=True)
TELL = Endpoint("POST", "/api/v5/trade/order", (), signed=True, writes=True)


# -- signatures and hosts --------------------------------------------------------------------------------------

VECTORS: list[tuple[Endpoint, Mapping[str, str], str]] = [
    (ASK, {"ccy": "BTC,USDT"}, "fbVhZ+Krnyezwvb99N9j/OiMqtIwzqbIZum89CJ0RRY="),
    (ASK, {}, "NfXcsKuAJx6SuUUEH570tYbalI7Orl922djHW7bAnM8="),
    (
        TELL,
        {
            "instId": "BTC-USDT",
            "tdMode": "cash",
            "side": "buy",
            "ordType": "limit",
            "px": "90000",
            "sz": "0.01",
            "clOrdId": "abc123",
        },
        "Wh4ihxot7/O9F3xg2n8Y7WZ0sgnHG6jMNmdPqrhdmZY=",
    ),
]


@pytest.mark.parametrize(("endpoint", "params", "expected"), VECTORS)
def test_the_known_signatures_come_out(endpoint: Endpoint, params: Mapping[str, str], expected: str) -> None:
    request = wire.build(endpoint, params, CREDENTIAL, AT, demo=False)
    assert request.headers["OK-ACCESS-SIGN"] == expected
    assert request.headers["OK-ACCESS-TIMESTAMP"] == "2026-01-01T00:00:00.000Z"
    assert request.headers["OK-ACCESS-KEY"] == KEY
    assert request.headers["OK-ACCESS-PASSPHRASE"] == PASSPHRASE
    assert "x-simulated-trading" not in request.headers


def test_a_new_order_is_thrown_away_after_five_seconds() -> None:
    assert wire.build(wire.PLACE, {}, CREDENTIAL, AT, demo=False).headers["expTime"] == str(AT + 5000)
    assert "expTime" not in wire.build(wire.GET_ORDER, {}, CREDENTIAL, AT, demo=False).headers


def test_demo_trading_is_a_header_on_every_call_and_no_other_host() -> None:
    with okx(environment=Environment.TESTNET) as (exchange, server):
        exchange.server_time()
        exchange.balances()
    assert [request.headers.get("x-simulated-trading") for request in server.received] == ["1", "1"]


@pytest.mark.parametrize(
    ("region", "host"),
    [(None, "www.okx.com"), ("global", "www.okx.com"), ("eea", "eea.okx.com"), ("us", "us.okx.com")],
)
def test_the_region_of_an_account_picks_its_host(region: str | None, host: str) -> None:
    assert f"//{host}>" in repr(connect("okx", region=region))
    with pytest.raises(NoSuchRegion):
        connect("okx", region="moon")
    with pytest.raises(NoSuchRegion):
        connect("kraken", region="eea")


def test_a_key_without_its_passphrase_is_refused_before_the_wire() -> None:
    with okx() as (_, server):
        exchange = OKX(Credential(KEY, SECRET), environment=Environment.LIVE, base_url=server.url)
        with pytest.raises(AuthenticationFailed, match="passphrase"):
            exchange.balances()
        exchange.close()
    assert server.received == []


# -- orders ----------------------------------------------------------------------------------------------------

COMMON = {"instId": "BTC-USDT", "tdMode": "cash", "side": "buy"}
LIMIT = {**COMMON, "clOrdId": "mybot0001", "sz": "1", "px": "90000"}
MARKET = {**COMMON, "clOrdId": "mybot0001", "ordType": "market", "banAmend": True}
WAITING = {**COMMON, "side": "sell", "algoClOrdId": "mybot0001", "sz": "1"}
SL, TP = ({f"{kind}OrdPx": "-1", f"{kind}TriggerPxType": "last"} for kind in ("sl", "tp"))


def limit(**fields: Any) -> OrderRequest:
    return order(type=OrderType.LIMIT, **{"quantity": Decimal(1), "price": Decimal(90000), **fields})


def exit_(type_: OrderType, trigger: int, **fields: Any) -> OrderRequest:
    return order(
        **{
            "type": type_,
            "side": Side.SELL,
            "quantity": Decimal(1),
            "trigger_price": Decimal(trigger),
            **fields,
        }
    )


ORDERS: dict[str, tuple[OrderRequest, str, dict[str, Any]]] = {
    "market by quote, rounded down": (
        order(type=OrderType.MARKET, quote_quantity=Decimal("50.19")),
        "POST order",
        {**MARKET, "sz": "50.1", "tgtCcy": "quote_ccy"},
    ),
    "market by base, rounded down to the lot": (
        order(type=OrderType.MARKET, quantity=Decimal("0.010000009")),
        "POST order",
        {**MARKET, "sz": "0.01", "tgtCcy": "base_ccy"},
    ),
    "market sale by quote": (
        order(type=OrderType.MARKET, side=Side.SELL, quote_quantity=Decimal(50)),
        "POST order",
        {**MARKET, "side": "sell", "sz": "50", "tgtCcy": "quote_ccy"},
    ),
    "limit, rounded down to the tick": (
        limit(price=Decimal("90000.19")),
        "POST order",
        {**LIMIT, "ordType": "limit", "px": "90000.1"},
    ),
    "immediate or cancel": (limit(time_in_force=TimeInForce.IOC), "POST order", {**LIMIT, "ordType": "ioc"}),
    "fill or kill": (limit(time_in_force=TimeInForce.FOK), "POST order", {**LIMIT, "ordType": "fok"}),
    "post-only": (limit(post_only=True), "POST order", {**LIMIT, "ordType": "post_only"}),
    "limit with both exits": (
        limit(stop_loss=Leg(Decimal("85000.09")), take_profit=Leg(Decimal(99000), Decimal("98990.5"))),
        "POST order",
        {
            **LIMIT,
            "ordType": "limit",
            "attachAlgoOrds": [
                {
                    "attachAlgoClOrdId": "mybot0001x",
                    "slTriggerPx": "85000",
                    **SL,
                    "tpTriggerPx": "99000",
                    **TP,
                    "tpOrdPx": "98990.5",
                }
            ],
        },
    ),
    "stop at the market": (
        exit_(OrderType.STOP_LOSS, 85000),
        "POST order-algo",
        {**WAITING, "ordType": "conditional", "slTriggerPx": "85000", **SL},
    ),
    "stop at a limit": (
        exit_(OrderType.STOP_LIMIT, 85000, price=Decimal(84900)),
        "POST order-algo",
        {**WAITING, "ordType": "conditional", "slTriggerPx": "85000", **SL, "slOrdPx": "84900"},
    ),
    "take profit at the market": (
        exit_(OrderType.TAKE_PROFIT, 99000),
        "POST order-algo",
        {**WAITING, "ordType": "conditional", "tpTriggerPx": "99000", **TP},
    ),
    "buying at the market once the price has risen": (
        exit_(OrderType.STOP_LOSS, 99000, side=Side.BUY),
        "POST order-algo",
        {
            **WAITING,
            "side": "buy",
            "ordType": "conditional",
            "slTriggerPx": "99000",
            **SL,
            "tgtCcy": "base_ccy",
        },
    ),
}


@pytest.mark.parametrize(("request_", "call", "expected"), ORDERS.values(), ids=ORDERS.keys())
def test_every_kind_of_order_is_asked_for_in_its_documented_words(
    request_: OrderRequest, call: str, expected: dict[str, Any]
) -> None:
    with okx() as (exchange, server):
        exchange.place_order(request_)
    assert [operation(request) for request in server.received][:2] == ["GET config", call]
    assert sent(server.received[1]) == expected


def test_two_exits_are_one_algo_order_with_an_id_for_each_leg() -> None:
    wanted = OcoRequest(
        "BTC/USDT", Side.SELL, Decimal(1), Leg(Decimal(85000)), Leg(Decimal(99000)), "mybot0001"
    )
    with okx() as (exchange, server):
        report = exchange.place_oco(wanted)
    assert sent(server.received[1]) == {
        **WAITING,
        "ordType": "oco",
        "slTriggerPx": "85000",
        **SL,
        "tpTriggerPx": "99000",
        **TP,
    }
    assert (report.exchange_order_id, report.client_order_id) == ("algo-2420000000000000009", "mybot0001")
    assert [(leg.exchange_order_id, leg.type, leg.status) for leg in report.children] == [
        ("algo-2420000000000000009-sl", OrderType.STOP_LOSS, OrderStatus.OPEN),
        ("algo-2420000000000000009-tp", OrderType.TAKE_PROFIT, OrderStatus.OPEN),
    ]


@pytest.mark.parametrize(("level", "mode"), [("1", "cash"), ("2", "cash"), ("3", "cross"), ("4", "cross")])
def test_the_mode_of_the_account_is_asked_once_and_again_after_a_refusal(level: str, mode: str) -> None:
    usual = recorded({})
    refused = False

    def answer(request: Received) -> Reply:
        if operation(request) == "GET config":
            return reply(json.dumps({"code": "0", "msg": "", "data": [{"acctLv": level}]}))
        if refused and operation(request) == "POST order":
            return refusing("51000", "Parameter tdMode error")(request)
        return usual(request)

    with okx(answer) as (exchange, server):
        exchange.place_order(limit())
        exchange.place_order(limit())
        refused = True
        with pytest.raises(InvalidOrder, match="tdMode"):
            exchange.place_order(limit())
        refused = False
        exchange.place_order(limit())
    placed = [sent(request)["tdMode"] for request in server.received if operation(request) == "POST order"]
    assert placed == [mode] * 4
    assert [operation(request) for request in server.received].count("GET config") == 2


def test_an_order_is_changed_in_place_and_one_that_waits_is_not() -> None:
    with okx() as (exchange, server):
        exchange.amend_order(
            "BTC/USDT", client_order_id="mybot0001", quantity=Decimal("0.50"), price=Decimal("90000.19")
        )
        with pytest.raises(OrderDenied, match="waits for a price"):
            exchange.amend_order("BTC/USDT", exchange_order_id="algo-1-sl", price=Decimal(1))
    assert operation(server.received[0]) == "POST amend-order"
    assert sent(server.received[0]) == {
        "instId": "BTC-USDT",
        "clOrdId": "mybot0001",
        "newSz": "0.5",
        "newPx": "90000.1",
    }


def test_cancelling_goes_by_the_family_of_the_id_and_a_fired_exit_by_the_order_it_placed() -> None:
    gone = '{"code":"1","msg":"","data":[{"algoId":"9","sCode":"51400","sMsg":"gone"}]}'
    usual = recorded({"GET order-algo": "algo_pair_fired", "GET order": "order_of_algo"})

    def answer(request: Received) -> Reply:
        return reply(gone) if operation(request) == "POST cancel-algos" else usual(request)

    with okx(answer) as (exchange, server):
        report = exchange.cancel_order("BTC/USDT", exchange_order_id="algo-2420000000000000009-tp")
    assert [operation(request) for request in server.received] == [
        "POST cancel-algos",
        "GET order-algo",
        "POST cancel-order",
        "GET order-algo",
        "GET order",
        "GET order-algo",
        "GET fills",
    ]
    assert sent(server.received[0]) == [{"instId": "BTC-USDT", "algoId": "2420000000000000009"}]
    assert sent(server.received[2])["ordId"] == "2410000000000000007"
    assert (report.exchange_order_id, report.status) == ("algo-2420000000000000009-tp", OrderStatus.FILLED)


# -- refusals --------------------------------------------------------------------------------------------------

#: code, HTTP status, what it means for an order, what it means for a question (None: the same)
FAULTS: list[tuple[str, int, type[ExchangeError], type[ExchangeError] | None]] = [
    ("50101", 401, AuthenticationFailed, None),
    ("50105", 401, AuthenticationFailed, None),
    ("50111", 401, AuthenticationFailed, None),
    ("50113", 401, AuthenticationFailed, None),
    ("50110", 401, PermissionDenied, None),
    ("50120", 200, PermissionDenied, None),
    ("51010", 200, PermissionDenied, None),
    ("51008", 200, InsufficientFunds, None),
    ("51131", 200, InsufficientFunds, None),
    ("51000", 400, InvalidOrder, None),
    ("51001", 200, InvalidOrder, None),
    ("51020", 200, InvalidOrder, None),
    ("51121", 200, InvalidOrder, None),
    ("51138", 200, InvalidOrder, None),
    ("51094", 200, InvalidOrder, None),
    ("51277", 200, WouldTrigger, None),
    ("51280", 200, WouldTrigger, None),
    ("51016", 200, DuplicateOrder, None),
    ("51065", 200, DuplicateOrder, None),
    ("51603", 200, OrderNotFound, None),
    ("51400", 200, OrderNotFound, None),
    ("50011", 429, RateLimited, None),
    ("50011", 200, RateLimited, None),
    ("50061", 200, RateLimited, None),
    ("51412", 200, RateLimited, None),
    ("50001", 503, ExchangeUnavailable, None),
    ("50004", 400, OutcomeUnknown, ExchangeUnavailable),
    ("50026", 500, OutcomeUnknown, ExchangeUnavailable),
    ("51149", 200, OutcomeUnknown, ExchangeUnavailable),
    ("59998", 400, OrderRejected, ExchangeError),
    ("59999", 500, OutcomeUnknown, ExchangeUnavailable),
]


@pytest.mark.parametrize(("code", "status", "on_write", "on_read"), FAULTS)
@pytest.mark.parametrize("inner", [False, True], ids=["of the answer", "of the order"])
def test_every_documented_refusal_is_told_apart_by_its_code(
    code: str, status: int, on_write: type[ExchangeError], on_read: type[ExchangeError] | None, inner: bool
) -> None:
    words = {"code": code, "msg": "what it says", "data": []}
    if inner:
        words = {"code": "0", "msg": "", "data": [{"ordId": "", "sCode": code, "sMsg": "what it says"}]}
    usual, refusal = recorded({}), always(json.dumps(words), status)

    def answer(request: Received) -> Reply:
        return usual(request) if operation(request) == "GET config" else refusal(request)

    with okx(answer) as (exchange, _), pytest.raises(ExchangeError) as written:
        exchange.place_order(limit())
    assert type(written.value) is on_write
    assert (written.value.exchange, written.value.code) == ("okx", code)
    assert "what it says" in str(written.value)
    assert written.value.remedy
    if not inner:
        with okx(answer) as (exchange, _), pytest.raises(ExchangeError) as read:
            exchange.order_book("BTC/USDT", 5)
        assert type(read.value) is (on_read or on_write)


def test_no_code_is_sorted_twice() -> None:
    listed = [code for codes in wire._BY_KIND.values() for code in codes.split()]
    assert len(listed) == len(set(listed))


def test_some_orders_of_a_batch_may_be_gone_already() -> None:
    with okx(payloads={"GET orders-pending": "orders_pending"}) as (exchange, server):
        reports = exchange.cancel_all("BTC/USDT")
    batch = next(request for request in server.received if operation(request) == "POST cancel-batch-orders")
    assert [row["ordId"] for row in sent(batch)] == ["2400000000000000001", "2400000000000000000"]
    assert len(reports) == 2


@pytest.mark.parametrize(
    "body", ["{}", "[]", '{"code": "0", "data": null}', '{"code": "0", "data": []}', '"x"']
)
def test_an_answer_of_another_shape_leaves_an_order_unknown_and_a_question_unanswered(body: str) -> None:
    usual, strange = recorded({}), always(body)

    def answer(request: Received) -> Reply:
        return usual(request) if operation(request) == "GET config" else strange(request)

    with okx(answer) as (exchange, _):
        with pytest.raises(OutcomeUnknown):
            exchange.place_order(limit())
        with pytest.raises(ExchangeUnavailable):
            exchange.order_book("BTC/USDT", 5)


def test_an_order_that_was_taken_is_told_so_with_its_exits_when_it_cannot_be_looked_up() -> None:
    request_ = limit(stop_loss=Leg(Decimal(85000)), take_profit=Leg(Decimal(99000)))
    with okx(payloads={"GET order": "order_missing"}) as (exchange, _):
        report = exchange.place_order(request_)
    assert (report.exchange_order_id, report.status) == ("2400000000000000001", OrderStatus.PENDING)
    assert [(leg.exchange_order_id, leg.client_order_id, leg.status) for leg in report.children] == [
        ("attached-mybot0001x-sl", "mybot0001xsl", OrderStatus.PENDING),
        ("attached-mybot0001x-tp", "mybot0001xtp", OrderStatus.PENDING),
    ]


@pytest.mark.parametrize("code", ["50102", "50112", "50036"])
def test_a_refused_timestamp_sets_the_clock_and_the_order_is_sent_once_more(code: str) -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        late = request.headers.get("ok-access-timestamp", "") > "2026-01-01T00:01"
        return refusing(code, "expired", 401)(request) if late else usual(request)

    with okx(answer) as (exchange, server):
        exchange.place_order(limit())
    names = [operation(request) for request in server.received]
    assert names[:4] == ["GET config", "GET time", "GET config", "POST order"]
    with (
        okx(lambda request: usual(request) if "time" in request.target else refusing(code, "x")(request)) as (
            exchange,
            _,
        ),
        pytest.raises(InvalidTimestamp),
    ):
        exchange.balances()


def test_the_check_up_tells_what_the_key_may_do_and_names_a_fault_and_its_remedy() -> None:
    with okx() as (exchange, _):
        report = exchange.check_connection()
    assert report.connected
    assert [grant.value for grant in (report.permissions.trade, report.permissions.withdraw)] == ["YES", "NO"]
    assert report.ip_restricted.value == "YES"
    usual = recorded({})
    for code, remedy in (("50101", "demo trading"), ("50105", "passphrase"), ("50111", "region")):
        with okx(
            lambda request, code=code: (
                usual(request) if "time" in request.target else refusing(code, "no", 401)(request)
            )
        ) as (exchange, _):
            report = exchange.check_connection()
        assert not report.connected
        assert remedy in (report.remedy or "")


def test_the_recorded_refusal_says_what_is_missing() -> None:
    text = body_text("okx", "insufficient")
    usual = recorded({})
    with (
        okx(lambda request: reply(text) if request.method == "POST" else usual(request)) as (
            exchange,
            _,
        ),
        pytest.raises(InsufficientFunds, match="Insufficient USDT balance"),
    ):
        exchange.place_order(limit())
