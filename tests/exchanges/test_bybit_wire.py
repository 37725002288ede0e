"""What goes to Bybit: signatures, the body of every kind of order, what is refused before, and what is asked after."""

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
    OutcomeUnknown,
    Side,
    TimeInForce,
    WouldTrigger,
)
from app.exchanges.bybit import wire
from app.exchanges.rest import to_milliseconds
from tests.exchanges.bybit_client import KEY, ORDER_ID, SECRET, bybit, operation, order, recorded, sent
from tests.exchanges.local_server import Received, Reply, reply
from tests.exchanges.recorded import body_text

CREDENTIAL = Credential(KEY, SECRET)
AT = 1700000000000
STOP_ID = "1523347543495541400"


# -- signatures ------------------------------------------------------------------------------------------------


def test_an_order_is_signed_with_the_json_that_travels() -> None:
    params = {
        "symbol": "BTCUSDT",
        "side": "Buy",
        "orderType": "Limit",
        "orderLinkId": "bot-1",
        "price": "60000",
        "category": "spot",
        "qty": "0.001",
    }
    request = wire.build(wire.PLACE, params, CREDENTIAL, AT)
    assert dict(request.headers) == {
        "X-BAPI-API-KEY": KEY,
        "X-BAPI-TIMESTAMP": "1700000000000",
        "X-BAPI-RECV-WINDOW": "5000",
        "X-BAPI-SIGN": "1e6f3c2d6d4b13165c11779cbe6ea8e30677cc8e15c68fd60526a713d6d9ba8a",
        "Content-Type": "application/json",
    }
    assert (request.target, json.loads(request.body or b"")) == ("/v5/order/create", params)


def test_a_question_is_signed_with_its_query_and_has_no_body() -> None:
    request = wire.build(wire.WALLET, {"accountType": "UNIFIED"}, CREDENTIAL, AT)
    assert request.target == "/v5/account/wallet-balance?accountType=UNIFIED"
    assert (
        request.headers["X-BAPI-SIGN"] == "f9a462e28c8596ba308b7358920b03f2ae0020c628ed5c5fc4b3a1df0caeff79"
    )
    assert request.body is None


def test_public_calls_carry_neither_key_nor_signature() -> None:
    request = wire.build(wire.TICKERS, {"category": "spot"}, CREDENTIAL, AT)
    assert (request.target, dict(request.headers)) == ("/v5/market/tickers?category=spot", {})


# -- orders ----------------------------------------------------------------------------------------------------

COMMON = {"category": "spot", "symbol": "BTCUSDT", "side": "Buy", "orderLinkId": "mybot-0001"}
LIMIT = {"orderType": "Limit", "qty": "1", "price": "50000", "timeInForce": "GTC"}
ORDERS = {
    "market by quote, rounded down": (
        order(type=OrderType.MARKET, quote_quantity=Decimal("50.123456789")),
        {"orderType": "Market", "qty": "50.1234567", "marketUnit": "quoteCoin"},
    ),
    "market by base, rounded down to the lot": (
        order(type=OrderType.MARKET, quantity=Decimal("0.0010000999")),
        {"orderType": "Market", "qty": "0.001", "marketUnit": "baseCoin"},
    ),
    "market sale by quote": (
        order(type=OrderType.MARKET, side=Side.SELL, quote_quantity=Decimal(50)),
        {"side": "Sell", "orderType": "Market", "qty": "50", "marketUnit": "quoteCoin"},
    ),
    "limit, rounded down to the tick": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal("50000.09")),
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
    "limit with both exits": (
        order(
            type=OrderType.LIMIT,
            quantity=Decimal(1),
            price=Decimal(50000),
            stop_loss=Leg(Decimal("48000.09")),
            take_profit=Leg(Decimal(60000), Decimal(59990)),
        ),
        LIMIT
        | {
            "stopLoss": "48000",
            "slOrderType": "Market",
            "takeProfit": "60000",
            "tpOrderType": "Limit",
            "tpLimitPrice": "59990",
        },
    ),
    "stop at the market": (
        order(type=OrderType.STOP_LOSS, side=Side.SELL, quantity=Decimal(1), trigger_price=Decimal(48000)),
        {
            "side": "Sell",
            "orderType": "Market",
            "qty": "1",
            "marketUnit": "baseCoin",
            "orderFilter": "tpslOrder",
            "triggerPrice": "48000",
        },
    ),
    "take profit at a limit": (
        order(
            type=OrderType.TAKE_PROFIT_LIMIT,
            side=Side.SELL,
            quantity=Decimal(1),
            price=Decimal(50990),
            trigger_price=Decimal(51000),
        ),
        LIMIT | {"side": "Sell", "price": "50990", "orderFilter": "tpslOrder", "triggerPrice": "51000"},
    ),
}


@pytest.mark.parametrize(("request_", "expected"), ORDERS.values(), ids=ORDERS.keys())
def test_every_kind_of_order_is_asked_for_in_its_documented_words(
    request_: OrderRequest, expected: dict[str, str]
) -> None:
    with bybit() as (exchange, server):
        exchange.place_order(request_)
    [placed] = [each for each in server.received if each.method == "POST"]
    assert placed.target == "/bybit/v5/order/create"
    assert sent(placed) == COMMON | expected
    assert "instruments-info" not in map(operation, server.received), "its market was given"


DENIED = {
    "worth too little": (
        order(type=OrderType.LIMIT, quantity=Decimal("0.00001"), price=Decimal(50000)),
        "min_notional",
    ),
    "exits at the market": (
        order(type=OrderType.MARKET, quantity=Decimal(1), stop_loss=Leg(Decimal(48000))),
        "stop_loss",
    ),
    "client id that is too long": (
        order(type=OrderType.MARKET, quantity=Decimal(1), client_order_id="x" * 37),
        "client_order_id",
    ),
    "a stop that follows": (
        order(
            type=OrderType.TRAILING_STOP, side=Side.SELL, quantity=Decimal(1), trailing_percent=Decimal("1.5")
        ),
        "order_type",
    ),
}


@pytest.mark.parametrize(("request_", "rule"), DENIED.values(), ids=DENIED.keys())
def test_what_breaks_a_rule_is_refused_before_the_wire_and_named(request_: OrderRequest, rule: str) -> None:
    with bybit() as (exchange, server), pytest.raises(OrderDenied) as caught:
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
    request = order(type=type_, side=Side.SELL, quantity=Decimal(1), trigger_price=Decimal(trigger))
    with bybit() as (exchange, server), pytest.raises(WouldTrigger, match=f"not sent.*{wanted}"):
        exchange.place_order(request)
    assert list(map(operation, server.received)) == ["tickers"]


def test_pairs_and_empty_amendments_are_refused_before_the_wire() -> None:
    pair = OcoRequest("BTC/USDT", Side.SELL, Decimal(1), Leg(Decimal(48000)), Leg(Decimal(60000)))
    with bybit() as (exchange, server):
        with pytest.raises(OrderDenied):
            exchange.place_oco(pair)
        with pytest.raises(OrderDenied):
            exchange.amend_order("BTC/USDT", exchange_order_id=ORDER_ID)
    assert server.received == []


# -- answers with ids only -------------------------------------------------------------------------------------


def test_a_placed_order_is_looked_up_at_once_and_told_with_its_fills() -> None:
    with bybit(payloads={"realtime one": "order_filled", "realtime": "exits"}) as (exchange, server):
        report = exchange.place_order(ORDERS["limit with both exits"][0])
    assert list(map(operation, server.received)) == ["create", "realtime one", "execution/list", "realtime"]
    assert (report.status, report.fees, len(report.fills)) == (
        OrderStatus.FILLED,
        {"BTC": Decimal("0.000001")},
        2,
    )
    assert [
        (leg.exchange_order_id, leg.client_order_id, leg.side, leg.type, leg.status, leg.trigger_price)
        for leg in report.children
    ] == [
        ("1523347543495541301", "mybot-0001-sl", "SELL", "STOP_LOSS", "OPEN", 48000),
        ("1523347543495541302", "mybot-0001-tp", "SELL", "TAKE_PROFIT_LIMIT", "OPEN", 60000),
    ]


def test_a_stop_of_our_own_is_never_taken_for_an_exit_that_came_with_an_entry() -> None:
    """It may wait for the same price; but it has a name, and exits made by the exchange have none."""
    with bybit(payloads={"realtime one": "order_filled", "realtime": "open_orders"}) as (exchange, _):
        stop, _ = exchange.get_order("BTC/USDT", exchange_order_id=ORDER_ID).children
    assert stop.exchange_order_id == f"preset-sl-{ORDER_ID}-48000"


@pytest.mark.parametrize("failing", ["realtime one", "execution/list"])
def test_a_placed_order_that_cannot_be_looked_up_is_received_and_never_unplaced(failing: str) -> None:
    usual = recorded({"realtime one": "order_filled"})

    def answer(request: Received) -> Reply:
        return reply("<html>", 502) if operation(request) == failing else usual(request)

    with bybit(answer) as (exchange, _):
        report = exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal("0.001")))
    assert (report.exchange_order_id, report.client_order_id, report.status, report.filled_quantity) == (
        ORDER_ID,
        "mybot-0001",
        OrderStatus.PENDING,
        None,
    )


def test_an_order_is_looked_for_in_the_history_where_it_is_not_at_hand_any_more() -> None:
    with bybit(payloads={"realtime one": "none", "history one": "order_filled"}) as (exchange, server):
        assert exchange.get_order("BTC/USDT", client_order_id="mybot-0001").status is OrderStatus.FILLED
    assert sent(server.received[1]) == {"category": "spot", "orderLinkId": "mybot-0001"}


@pytest.mark.parametrize(
    ("row", "kind"), [("order_new", "Order"), ("stop", "tpslOrder"), ("exits", "tpslOrder")]
)
def test_a_cancellation_names_the_kind_of_its_order_and_is_confirmed_by_a_look(row: str, kind: str) -> None:
    with bybit(payloads={"realtime one": row}) as (exchange, server):
        report = exchange.cancel_order("BTC/USDT", client_order_id="mybot-0001")
    assert list(map(operation, server.received)) == ["realtime one", "cancel", "realtime one"]
    cancelled = {"category": "spot", "symbol": "BTCUSDT", "orderId": report.exchange_order_id}
    assert sent(server.received[1]) == cancelled | {"orderFilter": kind}


def test_a_cancellation_that_was_taken_and_cannot_be_confirmed_is_unknown() -> None:
    usual, taken = recorded({}), []

    def answer(request: Received) -> Reply:
        taken.extend([request] if operation(request) == "cancel" else [])
        return reply("<html>", 502) if taken and request not in taken else usual(request)

    with bybit(answer) as (exchange, _), pytest.raises(OutcomeUnknown, match="taken"):
        exchange.cancel_order("BTC/USDT", exchange_order_id=ORDER_ID)


def test_an_exit_that_is_not_born_yet_is_found_by_its_name_and_not_cancelled() -> None:
    with bybit(payloads={"realtime one": "order_filled"}) as (exchange, server):
        name = f"preset-sl-{ORDER_ID}-48000"
        assert exchange.get_order("BTC/USDT", exchange_order_id=name).type is OrderType.STOP_LOSS
        with pytest.raises(OrderNotFound):
            exchange.cancel_order("BTC/USDT", exchange_order_id=name)
    assert "cancel" not in map(operation, server.received)


def test_everything_is_cancelled_kind_by_kind() -> None:
    with bybit(payloads={"realtime": "open_orders"}) as (exchange, server):
        exchange.cancel_all("BTC/USDT")
    asked = [
        sent(request)["orderFilter"] for request in server.received if operation(request) == "cancel-all"
    ]
    assert asked == ["Order", "tpslOrder"]
    with bybit(payloads={"realtime": "exits"}) as (exchange, server):
        exchange.cancel_all("BTC/USDT")
    asked = [
        sent(request)["orderFilter"] for request in server.received if operation(request) == "cancel-all"
    ]
    assert asked == ["BidirectionalTpslOrder"]


# -- pages -----------------------------------------------------------------------------------------------------


def test_the_past_is_read_a_week_at_a_time_and_page_after_page() -> None:
    now = datetime.now(UTC)
    row = json.loads(body_text("bybit", "history"))["result"]["list"][1]
    rows = [
        row | {"orderId": str(5000 - number), "createdTime": str(to_milliseconds(now) - number * 7_200_000)}
        for number in range(120)
    ]

    def answer(request: Received) -> Reply:
        asked = sent(request)
        if operation(request) != "history":
            return recorded({})(request)
        within = [
            each
            for each in rows
            if int(asked["startTime"]) <= int(each["createdTime"]) <= int(asked["endTime"])
        ]
        first = int(asked.get("cursor", 0))
        following = first + int(asked["limit"])
        cursor = str(following) if following < len(within) else ""
        result = {"category": "spot", "nextPageCursor": cursor, "list": within[first:following]}
        return reply(json.dumps({"retCode": 0, "retMsg": "OK", "result": result, "time": 1}))

    with bybit(answer) as (exchange, server):
        found = exchange.order_history("BTC/USDT", since=now - timedelta(days=10))
    asked = [sent(request) for request in server.received if operation(request) == "history"]
    assert [params.get("cursor") for params in asked] == [None, "50", None]
    assert {int(params["endTime"]) - int(params["startTime"]) for params in asked} == {7 * 86_400_000 - 1}
    assert [each.exchange_order_id for each in found] == [str(number) for number in range(4881, 5001)]
