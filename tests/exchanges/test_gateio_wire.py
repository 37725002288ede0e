"""What goes to Gate.io: signatures, the body of every kind of order, what is refused before and what is asked after."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from app.domain import (
    Credential,
    Leg,
    OcoRequest,
    OrderDenied,
    OrderNotFound,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from app.exchanges.gateio import wire
from tests.exchanges.gateio_client import (
    KEY,
    ORDER_ID,
    SECRET,
    asked,
    gateio,
    operation,
    order,
    recorded,
    sent,
)
from tests.exchanges.local_server import Received, Reply, reply
from tests.exchanges.recorded import body_text

CREDENTIAL = Credential(KEY, SECRET)
AT = 1767225600_999


# -- signatures ------------------------------------------------------------------------------------------------


def test_an_order_is_signed_with_the_json_that_travels_and_expires_after_five_seconds() -> None:
    params = {
        "text": "t-abc123",
        "currency_pair": "BTC_USDT",
        "type": "limit",
        "account": "spot",
        "side": "buy",
        "amount": "0.01",
        "price": "90000",
        "time_in_force": "gtc",
    }
    request = wire.build(wire.PLACE, params, CREDENTIAL, AT)
    assert dict(request.headers) == {
        "KEY": KEY,
        "Timestamp": "1767225600",
        "SIGN": (
            "6cd410351f6f8dba3165dd1622a053be31e0fd22dfe941970837c1a86f4d4447"
            "383c7454454fbe87ddc2fc881e42b1fa9e023bde468b9deaff6c57992c5cc388"
        ),
        "Accept": "application/json",
        "Content-Type": "application/json",
        "x-gate-exptime": "1767225605999",
    }
    assert (request.target, json.loads(request.body or b"")) == ("/api/v4/spot/orders", params)


def test_a_question_is_signed_with_its_query_and_has_no_body() -> None:
    request = wire.build(wire.ACCOUNTS, {"currency": "USDT"}, CREDENTIAL, AT)
    assert request.target == "/api/v4/spot/accounts?currency=USDT"
    assert request.headers["SIGN"] == (
        "311faa7dbc392c07054a62062ca4a1ef57a997ef16e370472970678bef3b0b80"
        "cac135cc386b369eee42b64259b6092172a898f9ea7a87ba80cdc6bfd1daa00c"
    )
    assert request.body is None


def test_an_id_is_part_of_the_path_and_public_calls_carry_no_key() -> None:
    request = wire.build(wire.CANCEL, {"id": "17", "currency_pair": "BTC_USDT"}, CREDENTIAL, AT)
    assert request.target == "/api/v4/spot/orders/17?currency_pair=BTC_USDT"
    assert dict(wire.build(wire.TICKERS, {}, CREDENTIAL, AT).headers) == {}


# -- orders ----------------------------------------------------------------------------------------------------

COMMON = {"currency_pair": "BTC_USDT", "account": "spot", "side": "buy", "text": "t-mybot-0001"}
LIMIT = {"type": "limit", "amount": "1", "price": "50000", "time_in_force": "gtc"}
ORDERS = {
    "market by quote, rounded down": (
        order(type=OrderType.MARKET, quote_quantity=Decimal("50.19")),
        {"type": "market", "amount": "50.1", "time_in_force": "ioc"},
    ),
    # 0.002 at 50000.1 come to 100.0002; the grid of amounts in quote is a tenth.
    "market by base, as what the book asks for it": (
        order(type=OrderType.MARKET, quantity=Decimal("0.002")),
        {"type": "market", "amount": "100.1", "time_in_force": "ioc"},
    ),
    "market sale by base": (
        order(type=OrderType.MARKET, side=Side.SELL, quantity=Decimal("0.0010000999")),
        {"side": "sell", "type": "market", "amount": "0.001", "time_in_force": "ioc"},
    ),
    "limit, rounded down to the tick": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal("50000.09")),
        LIMIT,
    ),
    "fill or kill": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), time_in_force=TimeInForce.FOK),
        LIMIT | {"time_in_force": "fok"},
    ),
    "post-only": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), post_only=True),
        LIMIT | {"time_in_force": "poc"},
    ),
}


@pytest.mark.parametrize(("request_", "expected"), ORDERS.values(), ids=ORDERS.keys())
def test_every_kind_of_order_is_asked_for_in_its_documented_words(
    request_: OrderRequest, expected: dict[str, str]
) -> None:
    with gateio() as (exchange, server):
        exchange.place_order(request_)
    [placed] = [each for each in server.received if each.method == "POST"]
    assert placed.target == "/gateio/api/v4/spot/orders"
    assert sent(placed) == COMMON | expected
    assert "GET spot/currency_pairs" not in asked(server), "its market was given"


PUT = {"type": "limit", "side": "sell", "amount": "1", "account": "normal"}
TRIGGERS = {
    "a stop at the market, with a limit eight percent below": (
        order(type=OrderType.STOP_LOSS, side=Side.SELL, quantity=Decimal(1), trigger_price=Decimal(48000)),
        {"price": "48000", "rule": "<="},
        PUT | {"price": "44160", "time_in_force": "ioc"},
    ),
    "a stop at a limit": (
        order(
            type=OrderType.STOP_LIMIT,
            side=Side.SELL,
            quantity=Decimal(1),
            price=Decimal("47900.09"),
            trigger_price=Decimal(48000),
        ),
        {"price": "48000", "rule": "<="},
        PUT | {"price": "47900", "time_in_force": "gtc"},
    ),
    "taking a profit": (
        order(type=OrderType.TAKE_PROFIT, side=Side.SELL, quantity=Decimal(1), trigger_price=Decimal(52000)),
        {"price": "52000", "rule": ">="},
        PUT | {"price": "47840", "time_in_force": "ioc"},
    ),
    "buying once the price has risen": (
        order(type=OrderType.STOP_LOSS, quantity=Decimal(1), trigger_price=Decimal(50000)),
        {"price": "50000", "rule": ">="},
        PUT | {"side": "buy", "price": "54000", "time_in_force": "ioc"},
    ),
}


@pytest.mark.parametrize(("request_", "trigger", "put"), TRIGGERS.values(), ids=TRIGGERS.keys())
def test_an_order_that_waits_for_a_price_is_a_trigger_without_a_name(
    request_: OrderRequest, trigger: dict[str, str], put: dict[str, str]
) -> None:
    with gateio() as (exchange, server):
        report = exchange.place_order(request_)
    assert asked(server) == ["POST spot/price_orders"]
    assert sent(server.received[0]) == {"market": "BTC_USDT", "trigger": trigger, "put": put}
    assert (report.exchange_order_id, report.type, report.status, report.client_order_id) == (
        "trigger-900001",
        request_.type,
        OrderStatus.OPEN,
        "mybot-0001",
    )


DENIED = {
    "worth too little": (
        order(type=OrderType.LIMIT, quantity=Decimal("0.00001"), price=Decimal(50000)),
        "min_notional",
    ),
    "a sale by quote": (
        order(type=OrderType.MARKET, side=Side.SELL, quote_quantity=Decimal(50)),
        "quote_quantity",
    ),
    "exits": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), stop_loss=Leg(Decimal(48000))),
        "stop_loss",
    ),
    "client id that is too long": (
        order(type=OrderType.MARKET, quote_quantity=Decimal(50), client_order_id="x" * 29),
        "client_order_id",
    ),
}


@pytest.mark.parametrize(("request_", "rule"), DENIED.values(), ids=DENIED.keys())
def test_what_breaks_a_rule_is_refused_before_the_wire_and_named(request_: OrderRequest, rule: str) -> None:
    with gateio() as (exchange, server), pytest.raises(OrderDenied) as caught:
        exchange.place_order(request_)
    assert rule in [violation.rule for violation in caught.value.violations]
    assert server.received == []


def test_pairs_and_changes_of_triggers_are_refused_before_the_wire() -> None:
    pair = OcoRequest("BTC/USDT", Side.SELL, Decimal(1), Leg(Decimal(48000)), Leg(Decimal(60000)))
    with gateio() as (exchange, server):
        with pytest.raises(OrderDenied):
            exchange.place_oco(pair)
        with pytest.raises(OrderDenied):
            exchange.amend_order("BTC/USDT", exchange_order_id="trigger-1", quantity=Decimal(1))
    assert server.received == []


# -- looking up ------------------------------------------------------------------------------------------------


def test_what_has_filled_at_once_is_told_with_its_fills_and_stands_without_them() -> None:
    filled = {"POST spot/orders": "order_filled"}
    with gateio(payloads=filled) as (exchange, server):
        report = exchange.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(50)))
    assert asked(server) == ["POST spot/orders", "GET spot/my_trades"]
    assert (report.status, sum(fill.quantity for fill in report.fills)) == (
        OrderStatus.FILLED,
        Decimal("0.001"),
    )
    usual = recorded(filled)

    def answer(request: Received) -> Reply:
        return reply("<html>", 502) if operation(request) == "GET spot/my_trades" else usual(request)

    with gateio(answer) as (exchange, _):
        report = exchange.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(50)))
    assert (report.status, report.fills) == (OrderStatus.FILLED, ())


def test_an_order_is_found_by_its_client_id_while_open_and_then_in_the_history() -> None:
    with gateio() as (exchange, server):
        exchange.get_order("BTC/USDT", client_order_id="mybot-0001")
    assert server.received[0].target.endswith("/spot/orders/t-mybot-0001?currency_pair=BTC_USDT")
    usual = recorded({"GET spot/orders finished": "finished"})

    def ended(request: Received) -> Reply:
        if operation(request) == "GET spot/orders/ID":
            return reply('{"label": "CLIENT_ID_NOT_FOUND", "message": "gone"}', 400)
        return usual(request)

    with gateio(ended) as (exchange, server):
        found = exchange.get_order("BTC/USDT", client_order_id="mybot-done")
        assert (found.exchange_order_id, found.status) == ("1799999996", OrderStatus.FILLED)
        with pytest.raises(OrderNotFound):
            exchange.get_order("BTC/USDT", client_order_id="mybot-none")
    since = int(sent(server.received[1])["from"])
    assert abs(datetime.fromtimestamp(since, UTC) - (datetime.now(UTC) - timedelta(days=1))) < timedelta(
        minutes=1
    )


def test_a_trigger_that_has_fired_is_told_by_the_order_it_placed() -> None:
    payloads = {"GET spot/price_orders/ID": "trigger_fired", "GET spot/orders/ID": "order_filled"}
    with gateio(payloads=payloads) as (exchange, server):
        found = exchange.get_order("BTC/USDT", exchange_order_id="trigger-900001")
        fills = exchange.fills("BTC/USDT", exchange_order_id="trigger-900001")
    assert (found.exchange_order_id, found.type, found.status, found.trigger_price) == (
        "trigger-900001",
        OrderType.STOP_LOSS,
        OrderStatus.FILLED,
        Decimal(48000),
    )
    assert sent(server.received[-1])["order_id"] == ORDER_ID
    assert len(fills) == 2


# -- cancelling ------------------------------------------------------------------------------------------------


def test_an_order_is_cancelled_in_one_call_by_either_id() -> None:
    with gateio() as (exchange, server):
        report = exchange.cancel_order("BTC/USDT", exchange_order_id=ORDER_ID)
        exchange.cancel_order("BTC/USDT", client_order_id="mybot-0001")
    assert asked(server) == ["DELETE spot/orders/ID"] * 2
    assert server.received[1].target.endswith("/spot/orders/t-mybot-0001?currency_pair=BTC_USDT")
    assert report.status is OrderStatus.CANCELED


def test_what_a_trigger_has_placed_is_cancelled_in_its_stead() -> None:
    usual = recorded({"GET spot/price_orders/ID": "trigger_fired", "GET spot/orders/ID": "order_cancelled"})

    def answer(request: Received) -> Reply:
        if operation(request) == "DELETE spot/price_orders/ID":
            return reply('{"label": "ORDER_CLOSED", "message": "fired"}', 400)
        return usual(request)

    with gateio(answer) as (exchange, server):
        report = exchange.cancel_order("BTC/USDT", exchange_order_id="trigger-900001")
    assert "DELETE spot/orders/ID" in asked(server)
    assert (report.exchange_order_id, report.status) == ("trigger-900001", OrderStatus.CANCELED)


def test_a_market_is_always_named_where_all_is_cancelled() -> None:
    """A call that names none would cancel everywhere."""
    lists = {"GET spot/open_orders": "open_all", "GET spot/price_orders open": "triggers"}
    with gateio(payloads=lists) as (exchange, server):
        assert len(exchange.cancel_all()) == 3
    cancelling = [request for request in server.received if request.method == "DELETE"]
    assert [sent(request) for request in cancelling] == [
        {"currency_pair": "BTC_USDT"},
        {"market": "BTC_USDT", "account": "normal"},
    ]


# -- pages -----------------------------------------------------------------------------------------------------


def test_lists_are_read_page_after_page() -> None:
    row = json.loads(body_text("gateio", "finished"))[4]
    rows = [row | {"id": str(5000 - number)} for number in range(250)]

    def answer(request: Received) -> Reply:
        if operation(request) != "GET spot/orders finished":
            return recorded({})(request)
        wanted = sent(request)
        first = (int(wanted["page"]) - 1) * int(wanted["limit"])
        return reply(json.dumps(rows[first : first + int(wanted["limit"])]))

    with gateio(answer) as (exchange, server):
        found = exchange.order_history("BTC/USDT", since=datetime(2026, 1, 1, tzinfo=UTC) - timedelta(days=1))
    pages = [
        sent(request)["page"]
        for request in server.received
        if operation(request) == "GET spot/orders finished"
    ]
    assert (pages, len(found)) == (["1", "2", "3"], 250)
