"""What goes to Bitget: signatures, the body of every kind of order, and what is refused before."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import (
    AuthenticationFailed,
    Credential,
    Environment,
    Leg,
    Level,
    OcoRequest,
    OrderBook,
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
from app.exchanges import sizing
from app.exchanges.bitget import Bitget, wire
from app.exchanges.rest import Endpoint, to_milliseconds
from tests.exchanges.bitget_client import (
    KEY,
    PASSPHRASE,
    SECRET,
    bitget,
    operation,
    order,
    recorded,
    sent,
)
from tests.exchanges.local_server import Received, Reply, reply
from tests.exchanges.recorded import body_text

CREDENTIAL = Credential(KEY, SECRET, PASSPHRASE)
AT = 1700000000123


# -- signatures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prehash", "expected"),
    [
        (
            '1700000000123POST/api/v2/spot/trade/place-order{"symbol":"BTCUSDT","side":"buy","orderType":"limit",'
            '"force":"gtc","price":"50000.00","size":"0.001","clientOid":"mybot-0001"}',
            "pK/aJJr55w062AwwURNu/ZpGYuCfkYhuEfQ3hr7roZQ=",
        ),
        (
            "1700000000123GET/api/v2/spot/trade/orderInfo?clientOid=mybot-0001&orderId=1001",
            "QbPdkOm7yqxoZeCg0pCU1JrXceeuktnAsuTl84UcQW0=",
        ),
    ],
)
def test_the_known_signatures_come_out(prehash: str, expected: str) -> None:
    assert wire.signature(SECRET, prehash) == expected


def test_a_question_is_signed_with_its_query_in_ascending_order() -> None:
    request = wire.build(
        wire.GET_ORDER, {"orderId": "1001", "clientOid": "mybot-0001"}, CREDENTIAL, AT, demo=False
    )
    assert request.target == "/api/v2/spot/trade/orderInfo?clientOid=mybot-0001&orderId=1001"
    assert dict(request.headers) == {
        "ACCESS-KEY": KEY,
        "ACCESS-SIGN": "QbPdkOm7yqxoZeCg0pCU1JrXceeuktnAsuTl84UcQW0=",
        "ACCESS-TIMESTAMP": "1700000000123",
        "ACCESS-PASSPHRASE": PASSPHRASE,
    }
    assert request.body is None


def test_an_instruction_is_signed_with_the_json_that_travels() -> None:
    params = {
        "symbol": "BTCUSDT",
        "side": "buy",
        "orderType": "limit",
        "force": "gtc",
        "price": "50000.00",
        "size": "0.001",
        "clientOid": "mybot-0001",
    }
    place = Endpoint("POST", "/api/v2/spot/trade/place-order", (), signed=True, writes=True)
    request = wire.build(place, params, CREDENTIAL, AT, demo=False)
    assert request.headers["ACCESS-SIGN"] == "pK/aJJr55w062AwwURNu/ZpGYuCfkYhuEfQ3hr7roZQ="
    assert request.headers["Content-Type"] == "application/json"
    assert json.loads(request.body or b"") == params


def test_a_new_order_is_valid_for_five_seconds_only() -> None:
    body = json.loads(wire.build(wire.PLACE, {"size": "1"}, CREDENTIAL, AT, demo=False).body or b"")
    assert body == {"size": "1", "requestTime": "1700000000123", "receiveWindow": "5000"}


def test_public_calls_carry_neither_key_nor_signature() -> None:
    request = wire.build(wire.TIME, {}, CREDENTIAL, AT, demo=True)
    assert (request.target, dict(request.headers), request.body) == ("/api/v2/public/time", {}, None)


def test_demo_trading_is_the_live_host_and_a_header_on_private_calls() -> None:
    assert wire.SPOT_URLS[Environment.TESTNET] == wire.SPOT_URLS[Environment.LIVE]
    with bitget(environment=Environment.TESTNET) as (exchange, server):
        exchange.server_time()
        exchange.balances()
        exchange.cancel_order("BTC/USDT", exchange_order_id="1001")
    public, *private = server.received
    assert "paptrading" not in public.headers
    assert [request.headers.get("paptrading") for request in private] == ["1"] * len(private)
    with bitget() as (exchange, server):
        exchange.balances()
    assert "paptrading" not in server.received[0].headers


def test_a_key_without_its_passphrase_is_refused_before_the_wire() -> None:
    with bitget() as (_, server):
        exchange = Bitget(Credential(KEY, SECRET), environment=Environment.LIVE, base_url=server.url)
        with pytest.raises(AuthenticationFailed, match="passphrase"):
            exchange.balances()
        exchange.close()
    assert server.received == []


# -- orders ----------------------------------------------------------------------------------------------------

COMMON = {"symbol": "BTCUSDT", "side": "buy", "force": "gtc", "clientOid": "mybot-0001"}
SPOT_ORDERS = {
    "market by quote, rounded down": (
        order(type=OrderType.MARKET, quote_quantity=Decimal("50.123456789")),
        {"orderType": "market", "size": "50.12345678"},
    ),
    "market sale by base, rounded down to the lot": (
        order(type=OrderType.MARKET, side=Side.SELL, quantity=Decimal("0.0010000999")),
        {"orderType": "market", "side": "sell", "size": "0.001"},
    ),
    "limit, rounded down to the tick": (
        order(type=OrderType.LIMIT, quantity=Decimal("0.001"), price=Decimal("50000.129")),
        {"orderType": "limit", "size": "0.001", "price": "50000.12"},
    ),
    "immediate or cancel": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), time_in_force=TimeInForce.IOC),
        {"orderType": "limit", "size": "1", "price": "50000", "force": "ioc"},
    ),
    "fill or kill": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), time_in_force=TimeInForce.FOK),
        {"orderType": "limit", "size": "1", "price": "50000", "force": "fok"},
    ),
    "post-only": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), post_only=True),
        {"orderType": "limit", "size": "1", "price": "50000", "force": "post_only"},
    ),
    "limit with both exits": (
        order(
            type=OrderType.LIMIT,
            quantity=Decimal(1),
            price=Decimal(50000),
            stop_loss=Leg(Decimal("48000.009")),
            take_profit=Leg(Decimal(60000), Decimal(59990)),
        ),
        {
            "orderType": "limit",
            "size": "1",
            "price": "50000",
            "presetStopLossPrice": "48000",
            "presetTakeProfitPrice": "60000",
            "executeTakeProfitPrice": "59990",
        },
    ),
    "market with both exits": (
        order(
            type=OrderType.MARKET,
            quote_quantity=Decimal(50),
            stop_loss=Leg(Decimal(48000), Decimal(47900)),
            take_profit=Leg(Decimal(60000)),
        ),
        {
            "orderType": "market",
            "size": "50",
            "presetStopLossPrice": "48000",
            "executeStopLossPrice": "47900",
            "presetTakeProfitPrice": "60000",
        },
    ),
}


@pytest.mark.parametrize(("request_", "expected"), SPOT_ORDERS.values(), ids=SPOT_ORDERS.keys())
def test_every_kind_of_spot_order_is_asked_for_in_its_documented_words(
    request_: OrderRequest, expected: dict[str, str]
) -> None:
    with bitget() as (exchange, server):
        exchange.place_order(request_)
    placed = server.received[0]
    assert (placed.method, placed.target) == ("POST", "/bitget/api/v2/spot/trade/place-order")
    assert sent(placed) == COMMON | expected


WAITING = {"symbol": "BTCUSDT", "clientOid": "mybot-0001", "planType": "amount", "triggerType": "fill_price"}
PLAN_ORDERS = {
    "stop at the market": (
        order(type=OrderType.STOP_LOSS, side=Side.SELL, quantity=Decimal(1), trigger_price=Decimal(48000)),
        {"side": "sell", "orderType": "market", "size": "1", "triggerPrice": "48000"},
    ),
    "stop at a limit": (
        order(
            type=OrderType.STOP_LIMIT,
            side=Side.SELL,
            quantity=Decimal(1),
            price=Decimal("47900.009"),
            trigger_price=Decimal(48000),
        ),
        {
            "side": "sell",
            "orderType": "limit",
            "size": "1",
            "triggerPrice": "48000",
            "executePrice": "47900",
        },
    ),
    "take profit at the market": (
        order(type=OrderType.TAKE_PROFIT, side=Side.SELL, quantity=Decimal(1), trigger_price=Decimal(52000)),
        {"side": "sell", "orderType": "market", "size": "1", "triggerPrice": "52000"},
    ),
    "buying at a limit once the price has risen": (
        order(
            type=OrderType.STOP_LIMIT, quantity=Decimal(1), price=Decimal(51010), trigger_price=Decimal(51000)
        ),
        {"side": "buy", "orderType": "limit", "size": "1", "triggerPrice": "51000", "executePrice": "51010"},
    ),
}


@pytest.mark.parametrize(("request_", "expected"), PLAN_ORDERS.values(), ids=PLAN_ORDERS.keys())
def test_an_order_that_waits_for_a_price_is_a_plan_order(
    request_: OrderRequest, expected: dict[str, str]
) -> None:
    with bitget() as (exchange, server):
        report = exchange.place_order(request_)
    assert [operation(request) for request in server.received] == ["tickers", "place-plan-order"]
    assert sent(server.received[1]) == WAITING | expected
    assert (report.exchange_order_id, report.type, report.status) == (
        "plan-1098394344925597700",
        request_.type,
        OrderStatus.OPEN,
    )


# -- a market buy by base --------------------------------------------------------------------------------------


def test_a_market_buy_by_base_is_sized_by_what_the_book_asks_for_it() -> None:
    with bitget(orderInfo="order_market_filled") as (exchange, server):
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal("0.6")))
    book, placed = server.received[:2]
    assert (operation(book), operation(placed)) == ("orderbook", "place-order")
    assert sent(placed)["size"] == "30000.252"  # 0.2 at 50000.01, 0.3 at 50000.5 and 0.1 at 50001


def test_a_market_buy_by_base_beyond_the_book_is_denied() -> None:
    with bitget() as (exchange, server), pytest.raises(OrderDenied, match="order book"):
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal("2.000001")))
    assert [operation(request) for request in server.received] == ["orderbook"]


def test_a_market_buy_by_base_that_comes_to_too_little_is_denied() -> None:
    with bitget() as (exchange, server), pytest.raises(OrderDenied, match="minimum"):
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal("0.000001")))
    assert [operation(request) for request in server.received] == ["orderbook"]


levels = st.lists(
    st.tuples(st.decimals("0.01", "99999", places=2), st.decimals("0.000001", "9", places=6)), min_size=1
)


@given(offers=levels, share=st.decimals("0.000001", "1", places=6))
def test_what_the_book_asks_buys_exactly_that_much_at_its_offers(
    offers: list[tuple[Decimal, Decimal]], share: Decimal
) -> None:
    asks = tuple(Level(price, quantity) for price, quantity in sorted(offers))
    total = sum((level.quantity for level in asks), Decimal(0))
    quantity = (total * share).quantize(Decimal("0.000001"))
    cost = sizing.cost_of(quantity, OrderBook("BTC/USDT", (), asks))
    assert cost is not None
    bought = Decimal(0)
    for level in asks:
        taken = min(level.quantity, (cost / level.price).quantize(Decimal("1E-15")))
        bought, cost = bought + taken, cost - taken * level.price
    assert abs(bought - quantity) < Decimal("1E-9")
    assert sizing.cost_of(total + 1, OrderBook("BTC/USDT", (), asks)) is None


# -- refused before the wire -----------------------------------------------------------------------------------

DENIED = {
    "unknown market": (order(symbol="NO/SUCH", type=OrderType.MARKET, quantity=Decimal(1)), "symbol"),
    "below a lot": (
        order(type=OrderType.MARKET, side=Side.SELL, quantity=Decimal("0.0000001")),
        "lot_size",
    ),
    "worth too little": (
        order(type=OrderType.LIMIT, quantity=Decimal("0.00001"), price=Decimal(50000)),
        "min_notional",
    ),
    "a sale by quote": (
        order(type=OrderType.MARKET, side=Side.SELL, quote_quantity=Decimal(50)),
        "quote_quantity",
    ),
    "post-only at the market": (
        order(type=OrderType.MARKET, quote_quantity=Decimal(50), post_only=True),
        "post_only",
    ),
    "exits on an order that waits": (
        order(
            type=OrderType.STOP_LIMIT,
            quantity=Decimal(1),
            price=Decimal(51010),
            trigger_price=Decimal(51000),
            stop_loss=Leg(Decimal(48000)),
        ),
        "stop_loss",
    ),
    "client id with a colon": (
        order(type=OrderType.MARKET, quote_quantity=Decimal(50), client_order_id="a:b"),
        "client_order_id",
    ),
    "client id that is too long": (
        order(type=OrderType.MARKET, quote_quantity=Decimal(50), client_order_id="x" * 33),
        "client_order_id",
    ),
    "buying at the market once a price is reached": (
        order(type=OrderType.STOP_LOSS, quantity=Decimal(1), trigger_price=Decimal(51000)),
        "order_type",
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
    with bitget() as (exchange, server), pytest.raises(OrderDenied) as caught:
        exchange.place_order(request_)
    assert rule in [violation.rule for violation in caught.value.violations]
    assert {request.method for request in server.received} <= {"GET"}


@pytest.mark.parametrize(
    ("type_", "trigger", "wanted"),
    [(OrderType.STOP_LOSS, "51000", "below"), (OrderType.TAKE_PROFIT, "49000", "above")],
)
def test_a_trigger_that_has_passed_is_refused_before_it_could_wait_for_the_opposite(
    type_: OrderType, trigger: str, wanted: str
) -> None:
    request = order(type=type_, side=Side.SELL, quantity=Decimal(1), trigger_price=Decimal(trigger))
    with bitget() as (exchange, server), pytest.raises(WouldTrigger, match=f"not sent.*{wanted}"):
        exchange.place_order(request)
    assert [request.method for request in server.received] == ["GET"]


def test_pairs_and_amendments_are_refused_before_the_wire() -> None:
    pair = OcoRequest("BTC/USDT", Side.SELL, Decimal(1), Leg(Decimal(48000)), Leg(Decimal(60000)))
    with bitget() as (exchange, server):
        with pytest.raises(OrderDenied):
            exchange.place_oco(pair)
        with pytest.raises(OrderDenied):
            exchange.amend_order("BTC/USDT", exchange_order_id="1", quantity=Decimal(1))
    assert server.received == []


# -- answers with ids only -------------------------------------------------------------------------------------


def test_a_placed_order_is_looked_up_at_once_and_told_with_its_fills() -> None:
    with bitget(orderInfo="order_market_filled") as (exchange, server):
        report = exchange.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(150)))
    asked = [operation(request) for request in server.received]
    assert asked == ["place-order", "orderInfo", "fills"]
    assert sent(server.received[1]) == {"orderId": "1098394344925597696"}
    assert (report.status, report.filled_quantity, report.fees) == (
        OrderStatus.FILLED,
        Decimal("0.003"),
        {"BTC": Decimal("0.000003")},
    )
    assert sum(fill.quantity for fill in report.fills) == Decimal("0.003")


@pytest.mark.parametrize("failing", ["orderInfo", "fills"])
def test_a_placed_order_that_cannot_be_looked_up_is_received_and_never_unplaced(failing: str) -> None:
    usual = recorded({"orderInfo": "order_market_filled"})

    def answer(request: Received) -> Reply:
        return reply("<html>", 502) if operation(request) == failing else usual(request)

    with bitget(answer) as (exchange, _):
        report = exchange.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(150)))
    assert (report.exchange_order_id, report.client_order_id, report.status, report.filled_quantity) == (
        "1098394344925597696",
        "mybot-0001",
        OrderStatus.PENDING,
        None,
    )


def test_a_placed_order_that_is_not_visible_yet_is_received() -> None:
    with bitget(orderInfo="order_none") as (exchange, _):
        report = exchange.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(150)))
    assert report.status is OrderStatus.PENDING


def test_a_cancellation_is_confirmed_by_a_look_at_the_order() -> None:
    with bitget(orderInfo="order_cancelled") as (exchange, server):
        report = exchange.cancel_order("BTC/USDT", exchange_order_id="1098394344925597696")
    assert [operation(request) for request in server.received] == ["cancel-order", "orderInfo"]
    assert sent(server.received[0]) == {"symbol": "BTCUSDT", "orderId": "1098394344925597696"}
    assert report.status is OrderStatus.CANCELED


def test_a_cancellation_that_was_taken_and_cannot_be_confirmed_is_unknown() -> None:
    usual = recorded({})

    def answer(request: Received) -> Reply:
        return reply("<html>", 502) if operation(request) == "orderInfo" else usual(request)

    with bitget(answer) as (exchange, _), pytest.raises(OutcomeUnknown, match="taken"):
        exchange.cancel_order("BTC/USDT", exchange_order_id="1098394344925597696")


@pytest.mark.parametrize(
    ("order_id", "operation_", "expected"),
    [
        ("plan-1098394344925597700", "cancel-plan-order", {"orderId": "1098394344925597700"}),
        (
            "tpsl-1098394344925597901",
            "cancel-order",
            {"orderId": "1098394344925597901", "tpslType": "tpsl"},
        ),
    ],
)
def test_plan_orders_and_exits_are_cancelled_where_they_are_kept(
    order_id: str, operation_: str, expected: dict[str, str]
) -> None:
    lists = {"current_plan_order": "current_plan", "unfilled_orders__tpsl": "unfilled_tpsl"}
    with bitget(**lists) as (exchange, server):
        assert exchange.cancel_order("BTC/USDT", exchange_order_id=order_id).exchange_order_id == order_id
    assert operation(server.received[0]) == operation_
    assert sent(server.received[0]) == expected


# -- exits attached to an entry --------------------------------------------------------------------------------

ENTRY = order(
    type=OrderType.MARKET,
    quote_quantity=Decimal(150),
    stop_loss=Leg(Decimal(48000)),
    take_profit=Leg(Decimal(60000)),
)


def test_the_exits_of_a_filled_entry_are_its_children_with_ids_of_the_exchange() -> None:
    with bitget(orderInfo="order_market_filled", unfilled_orders__tpsl="unfilled_tpsl") as (exchange, _):
        entry = exchange.place_order(ENTRY)
    assert [
        (leg.exchange_order_id, leg.client_order_id, leg.side, leg.type, leg.status, leg.trigger_price)
        for leg in entry.children
    ] == [
        ("tpsl-1098394344925597901", "mybot-0001-sl", "SELL", "STOP_LOSS", "OPEN", 48000),
        ("tpsl-1098394344925597902", "mybot-0001-tp", "SELL", "TAKE_PROFIT", "OPEN", 60000),
    ]


def test_exits_that_wait_for_their_entry_are_named_after_it_and_found_later() -> None:
    resting = replace(ENTRY, type=OrderType.LIMIT, quote_quantity=None, quantity=Decimal("0.001"))
    resting = replace(resting, price=Decimal(50000))
    with bitget() as (exchange, _):
        entry = exchange.place_order(resting)
    stop, target = entry.children
    assert (stop.exchange_order_id, stop.type, stop.status) == (
        "preset-sl-1098394344925597696-48000",
        OrderType.STOP_LOSS,
        OrderStatus.PENDING,
    )
    assert (target.client_order_id, target.side) == ("mybot-0001-tp", Side.SELL)
    with bitget() as (exchange, _):
        found = exchange.get_order("BTC/USDT", exchange_order_id=stop.exchange_order_id)
        assert found.status is OrderStatus.PENDING
        with pytest.raises(OrderNotFound):
            exchange.cancel_order("BTC/USDT", exchange_order_id=stop.exchange_order_id)
    with bitget(orderInfo="order_market_filled", unfilled_orders__tpsl="unfilled_tpsl") as (exchange, _):
        found = exchange.get_order("BTC/USDT", exchange_order_id=stop.exchange_order_id)
    assert (found.exchange_order_id, found.status) == ("tpsl-1098394344925597901", OrderStatus.OPEN)


def test_exits_that_the_exchange_does_not_tell_are_waited_for_and_the_entry_stands() -> None:
    usual = recorded({"orderInfo": "order_market_filled"})

    def answer(request: Received) -> Reply:
        return reply("<html>", 502) if operation(request).endswith("tpsl") else usual(request)

    with bitget(answer) as (exchange, _):
        entry = exchange.place_order(ENTRY)
    assert entry.status is OrderStatus.FILLED
    assert [leg.exchange_order_id for leg in entry.children] == [
        "preset-sl-1098394344925597696-48000",
        "preset-tp-1098394344925597696-60000",
    ]


@pytest.mark.parametrize("carried", [True, False])
def test_an_entry_whose_record_names_its_exits_brings_those(carried: bool) -> None:
    row = json.loads(body_text("bitget", "order_market_filled"))
    prices = {"presetStopLossPrice": "48000", "presetTakeProfitPrice": ""} if carried else {}
    row["data"][0] |= {"presetStopLossPrice": "", "presetTakeProfitPrice": "", **prices}
    usual = recorded({"unfilled_orders__tpsl": "unfilled_tpsl"})

    def answer(request: Received) -> Reply:
        return reply(json.dumps(row)) if operation(request) == "orderInfo" else usual(request)

    with bitget(answer) as (exchange, server):
        entry = exchange.get_order("BTC/USDT", exchange_order_id="1098394344925597696")
    assert [leg.exchange_order_id for leg in entry.children] == ["tpsl-1098394344925597901"] * carried
    assert len(server.received) == 1 + carried, "nobody looks for exits that are known not to be"


def test_exits_end_with_an_entry_that_is_cancelled_and_are_given_up_when_they_never_come() -> None:
    name = "preset-sl-1098394344925597696-48000"
    for entry in ("order_cancelled", "order_market_filled"):
        with bitget(orderInfo=entry) as (exchange, _):
            found = exchange.get_order("BTC/USDT", exchange_order_id=name)
        assert found.status is OrderStatus.CANCELED


def test_an_entry_found_after_its_answer_was_lost_brings_the_exits_born_with_its_fill() -> None:
    with bitget(orderInfo="order_market_filled", unfilled_orders__tpsl="unfilled_tpsl") as (exchange, _):
        entry = exchange.get_order("BTC/USDT", client_order_id="mybot-0001")
    assert [(leg.exchange_order_id, leg.type) for leg in entry.children] == [
        ("tpsl-1098394344925597901", OrderType.STOP_LOSS),
        ("tpsl-1098394344925597902", OrderType.TAKE_PROFIT),
    ]


# -- pages -----------------------------------------------------------------------------------------------------


def test_lists_are_read_page_after_page_by_the_last_id() -> None:
    now = datetime.now(UTC)
    row = json.loads(body_text("bitget", "history_orders"))["data"][0]
    rows = [
        row | {"orderId": str(5000 - number), "cTime": str(to_milliseconds(now) - number)}
        for number in range(250)
    ]

    def answer(request: Received) -> Reply:
        if operation(request) != "history-orders":
            return recorded({})(request)
        before = int(sent(request).get("idLessThan", 10_000))
        page = [each for each in rows if int(each["orderId"]) < before][: int(sent(request)["limit"])]
        return reply(json.dumps({"code": "00000", "msg": "success", "data": page}))

    with bitget(answer) as (exchange, server):
        found = exchange.order_history("BTC/USDT", since=now - timedelta(days=1))
    asked = [sent(request) for request in server.received if operation(request) == "history-orders"]
    assert [params.get("idLessThan") for params in asked] == [None, "4901", "4801"]
    assert {params["startTime"] for params in asked} == {str(to_milliseconds(now - timedelta(days=1)))}
    assert [order.exchange_order_id for order in found] == [str(number) for number in range(4751, 5001)]


def test_no_market_is_fetched_on_the_way_of_an_order_whose_market_was_given() -> None:
    with bitget() as (exchange, server):
        exchange.place_order(order(type=OrderType.MARKET, quote_quantity=Decimal(50)))
    assert "symbols" not in [urlsplit(request.target).path.rpartition("/")[2] for request in server.received]
