"""What goes to BingX: signatures, the parameters of every kind of order, what is refused before and asked after."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain import (
    Credential,
    Leg,
    OcoRequest,
    OrderDenied,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
    WouldTrigger,
)
from app.exchanges.bingx import wire
from app.exchanges.rest import to_milliseconds
from tests.exchanges.bingx_client import KEY, ORDER_ID, SECRET, bingx, operation, order, recorded, sent
from tests.exchanges.local_server import Received, Reply, reply
from tests.exchanges.recorded import body_text

CREDENTIAL = Credential(KEY, SECRET)
AT = 1700000000000


# -- signatures ------------------------------------------------------------------------------------------------

#: computed with OpenSSL, apart from this code
VECTORS = [
    (
        {
            "newClientOrderId": "bot_1",
            "price": "60000.04",
            "quantity": "0.001",
            "side": "BUY",
            "symbol": "BTC-USDT",
            "timestamp": AT,
            "type": "LIMIT",
        },
        "a9ac8c211a9146b018e8060c49659db6c99bcbfee6df52e406f930a681345af6",
    ),
    (
        {"orderIds": "1,2", "symbol": "BTC-USDT", "timestamp": AT},
        "d5b250e580b128c5f4985b9e1a31ca0ed63a89d130ba791d0ce7099a9d4daf85",
    ),
]


@pytest.mark.parametrize(("params", "expected"), VECTORS)
def test_what_is_signed_is_sorted_and_not_encoded(params: dict[str, object], expected: str) -> None:
    backwards = dict(reversed(params.items()))
    assert wire.signature(SECRET, wire.signed_text(backwards)) == expected


def test_what_travels_is_encoded_all_the_same() -> None:
    request = wire.build(wire.CANCEL, {"symbol": "BTC-USDT", "orderIds": "1,2"}, CREDENTIAL, AT)
    split = urlsplit(request.target)
    assert split.path == "/openApi/spot/v1/trade/cancel"
    assert split.query.startswith("orderIds=1%2C2&recvWindow=5000&symbol=BTC-USDT&timestamp=1700000000000&")
    text = f"orderIds=1,2&recvWindow=5000&symbol=BTC-USDT&timestamp={AT}"
    assert parse_qs(split.query)["signature"] == [wire.signature(SECRET, text)]
    assert (dict(request.headers), request.body) == ({"X-BX-APIKEY": KEY}, None)


def test_a_value_that_would_pass_for_several_parameters_is_refused() -> None:
    with pytest.raises(OrderDenied):
        wire.build(wire.CANCEL, {"symbol": "BTC-USDT&orderId=1"}, CREDENTIAL, AT)


def test_public_calls_carry_neither_key_nor_signature() -> None:
    request = wire.build(wire.TICKERS, {"symbol": "BTC-USDT"}, CREDENTIAL, AT)
    assert request.target == f"/openApi/spot/v1/ticker/24hr?symbol=BTC-USDT&timestamp={AT}"
    assert dict(request.headers) == {}


# -- orders ----------------------------------------------------------------------------------------------------

COMMON = {"symbol": "BTC-USDT", "side": "BUY", "newClientOrderId": "mybot_0001"}
LIMIT = {"type": "LIMIT", "quantity": "1", "price": "50000", "timeInForce": "GTC"}
SALE = {"side": Side.SELL, "quantity": Decimal(1)}
ORDERS = {
    "market by quote, cut to the tick": (
        order(type=OrderType.MARKET, quote_quantity=Decimal("50.129")),
        {"type": "MARKET", "quoteOrderQty": "50.12"},
    ),
    "market buy by base, in quote by the book": (
        order(type=OrderType.MARKET, quantity=Decimal("0.8")),
        {"type": "MARKET", "quoteOrderQty": "40000.01"},
    ),
    "market sale by base, cut to the lot": (
        order(type=OrderType.MARKET, side=Side.SELL, quantity=Decimal("0.0010009")),
        {"side": "SELL", "type": "MARKET", "quantity": "0.001"},
    ),
    "limit, cut to the tick": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal("50000.009")),
        LIMIT,
    ),
    "fill or kill": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), time_in_force=TimeInForce.FOK),
        LIMIT | {"timeInForce": "FOK"},
    ),
    "post-only": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), post_only=True),
        LIMIT | {"timeInForce": "PostOnly"},
    ),
    "stop at the market": (
        order(type=OrderType.STOP_LOSS, trigger_price=Decimal("48000.009"), **SALE),
        {"side": "SELL", "type": "TAKE_STOP_MARKET", "quantity": "1", "stopPrice": "48000"},
    ),
    "take profit at a limit": (
        order(type=OrderType.TAKE_PROFIT_LIMIT, price=Decimal(50990), trigger_price=Decimal(51000), **SALE),
        {
            "side": "SELL",
            "type": "TAKE_STOP_LIMIT",
            "quantity": "1",
            "price": "50990",
            "stopPrice": "51000",
        },
    ),
}


@pytest.mark.parametrize(("request_", "expected"), ORDERS.values(), ids=ORDERS.keys())
def test_every_kind_of_order_is_asked_for_in_its_documented_words(
    request_: OrderRequest, expected: dict[str, str]
) -> None:
    with bingx() as (exchange, server):
        exchange.place_order(request_)
    [placed] = [each for each in server.received if each.method == "POST"]
    assert urlsplit(placed.target).path == "/bingx/openApi/spot/v1/trade/order"
    assert (sent(placed), placed.body) == (COMMON | expected, "")
    assert "common/symbols" not in map(operation, server.received), "its market was given"


DENIED = {
    "worth too little": (
        order(type=OrderType.LIMIT, quantity=Decimal("0.00001"), price=Decimal(50000)),
        "min_notional",
    ),
    "exits on an entry": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), stop_loss=Leg(Decimal(48000))),
        "stop_loss",
    ),
    "sale sized in quote": (
        order(type=OrderType.MARKET, side=Side.SELL, quote_quantity=Decimal(50)),
        "quote_quantity",
    ),
    "client id with a hyphen": (
        order(type=OrderType.MARKET, quantity=Decimal(1), client_order_id="bot-1"),
        "client_order_id",
    ),
    "a stop that follows": (
        order(type=OrderType.TRAILING_STOP, trailing_percent=Decimal("1.5"), **SALE),
        "order_type",
    ),
    "a buy at the market that waits": (
        order(type=OrderType.STOP_LOSS, quantity=Decimal(1), trigger_price=Decimal(51000)),
        "order_type",
    ),
}


@pytest.mark.parametrize(("request_", "rule"), DENIED.values(), ids=DENIED.keys())
def test_what_breaks_a_rule_is_refused_before_the_wire_and_named(request_: OrderRequest, rule: str) -> None:
    with bingx() as (exchange, server), pytest.raises(OrderDenied) as caught:
        exchange.place_order(request_)
    assert rule in [violation.rule for violation in caught.value.violations]
    assert server.received == []


@pytest.mark.parametrize(
    ("type_", "trigger", "wanted"),
    [(OrderType.STOP_LOSS, "51000", "below"), (OrderType.TAKE_PROFIT, "49000", "above")],
)
def test_a_trigger_that_has_passed_is_refused_before_it_could_wait_for_the_opposite(
    type_: OrderType, trigger: str, wanted: str
) -> None:
    request = order(type=type_, trigger_price=Decimal(trigger), **SALE)
    with bingx() as (exchange, server), pytest.raises(WouldTrigger, match=f"not sent.*{wanted}"):
        exchange.place_order(request)
    assert list(map(operation, server.received)) == ["ticker/24hr"]


def test_pairs_and_amendments_are_refused_before_the_wire() -> None:
    pair = OcoRequest("BTC/USDT", Side.SELL, Decimal(1), Leg(Decimal(48000)), Leg(Decimal(60000)))
    with bingx() as (exchange, server):
        with pytest.raises(OrderDenied):
            exchange.place_oco(pair)
        with pytest.raises(OrderDenied):
            exchange.amend_order("BTC/USDT", exchange_order_id=ORDER_ID, quantity=Decimal(1))
    assert server.received == []


# -- what is asked after an order ------------------------------------------------------------------------------

MARKET_SALE = order(type=OrderType.MARKET, side=Side.SELL, quantity=Decimal("0.001"))
EXECUTED = {"trade/order": "placed_market", "trade/query": "order_filled"}


def test_an_order_that_rests_is_told_by_its_answer_alone() -> None:
    with bingx() as (exchange, server):
        report = exchange.place_order(ORDERS["limit, cut to the tick"][0])
    assert list(map(operation, server.received)) == ["trade/order"]
    assert (report.status, report.exchange_order_id, report.client_order_id) == (
        OrderStatus.OPEN,
        ORDER_ID,
        "mybot_0001",
    )


def test_a_stop_that_rests_has_the_type_it_was_given() -> None:
    with bingx(payloads={"trade/order": "placed_stop"}) as (exchange, server):
        report = exchange.place_order(ORDERS["stop at the market"][0])
    assert list(map(operation, server.received)) == ["ticker/24hr", "trade/order"]
    assert (report.type, report.status, report.trigger_price) == (
        OrderType.STOP_LOSS,
        OrderStatus.OPEN,
        48000,
    )


def test_an_order_that_has_executed_is_looked_up_for_its_fees_and_fills() -> None:
    with bingx(payloads=EXECUTED) as (exchange, server):
        report = exchange.place_order(MARKET_SALE)
    assert list(map(operation, server.received)) == ["trade/order", "trade/query", "trade/myTrades"]
    assert (report.status, report.fees, len(report.fills)) == (
        OrderStatus.FILLED,
        {"BTC": Decimal("0.000001")},
        2,
    )


@pytest.mark.parametrize("failing", ["trade/query", "trade/myTrades"])
def test_a_placed_order_that_cannot_be_looked_up_is_told_by_its_answer_and_never_unplaced(
    failing: str,
) -> None:
    usual = recorded(EXECUTED)

    def answer(request: Received) -> Reply:
        return reply("<html>", 502) if operation(request) == failing else usual(request)

    with bingx(answer) as (exchange, _):
        report = exchange.place_order(MARKET_SALE)
    assert (report.exchange_order_id, report.status, report.fills) == (ORDER_ID, OrderStatus.FILLED, ())


@pytest.mark.parametrize(
    ("named", "word"),
    [({"exchange_order_id": ORDER_ID}, "orderId"), ({"client_order_id": "mybot_0001"}, "clientOrderID")],
)
def test_an_order_is_looked_up_and_cancelled_by_either_id(named: dict[str, str], word: str) -> None:
    with bingx() as (exchange, server):
        exchange.get_order("BTC/USDT", **named)
        assert exchange.cancel_order("BTC/USDT", **named).status is OrderStatus.CANCELED
    assert list(map(operation, server.received)) == ["trade/query", "trade/cancel"]
    [value] = named.values()
    assert [sent(each) for each in server.received] == [{"symbol": "BTC-USDT", word: value}] * 2


def test_everything_is_cancelled_in_one_call_and_nothing_is_no_error() -> None:
    with bingx() as (exchange, server):
        [gone] = exchange.cancel_all()
    assert (gone.exchange_order_id, [sent(each) for each in server.received]) == (ORDER_ID, [{}])
    with bingx(payloads={"trade/cancelOpenOrders": "none"}) as (exchange, _):
        assert exchange.cancel_all("BTC/USDT") == []


# -- pages -----------------------------------------------------------------------------------------------------


def test_the_history_is_read_page_after_page_and_told_oldest_first() -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    row = json.loads(body_text("bingx", "history"))["data"]["orders"][0]
    rows = [
        row | {"orderId": 5000 - number, "time": to_milliseconds(now) - number * 1000}
        for number in range(120)
    ]

    def answer(request: Received) -> Reply:
        if operation(request) != "trade/historyOrders":
            return recorded({})(request)
        index, size = (int(sent(request)[name]) for name in ("pageIndex", "pageSize"))
        data = {"orders": rows[(index - 1) * size : index * size], "total": len(rows)}
        return reply(json.dumps({"code": 0, "msg": "", "data": data}))

    with bingx(answer) as (exchange, server):
        found = exchange.order_history("BTC/USDT", since=now - timedelta(minutes=1))
    asked = [sent(request) for request in server.received if operation(request) == "trade/historyOrders"]
    assert [(params["pageIndex"], params["pageSize"]) for params in asked] == [("1", "100"), ("2", "100")]
    assert {params["startTime"] for params in asked} == {str(to_milliseconds(now - timedelta(minutes=1)))}
    assert [each.exchange_order_id for each in found] == [str(number) for number in range(4940, 5001)]


def test_fills_are_asked_for_within_the_week_that_is_told_of() -> None:
    long_ago, now = datetime(2020, 1, 1, tzinfo=UTC), datetime.now(UTC)
    with bingx() as (exchange, server):
        exchange.fills("BTC/USDT", since=long_ago)
        exchange.fills("BTC/USDT", exchange_order_id=ORDER_ID)
        exchange.fills("BTC/USDT")
    since, of_order, latest = (sent(request) for request in server.received)
    week_ago = to_milliseconds(now - timedelta(days=7))
    assert all(week_ago < int(params["startTime"]) < week_ago + 600_000 for params in (since, of_order))
    assert of_order["orderId"] == ORDER_ID
    assert "startTime" not in latest
