"""What goes to Kraken: signatures, the parameters of every kind of order, and what is refused before."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import (
    AuthenticationFailed,
    Credential,
    ExchangeUnavailable,
    Leg,
    OcoRequest,
    OrderDenied,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from app.exchanges.kraken import wire
from app.exchanges.transport import sending_until
from tests.exchanges.kraken_client import (
    BTC,
    KEY,
    ORDER_ID,
    SECRET,
    SYMBOL,
    always,
    called,
    kraken,
    order,
    recorded,
    sent,
)
from tests.exchanges.local_server import Received, Reply, reply
from tests.exchanges.recorded import body_text

PLACING = recorded(AddOrder="order_placed", QueryOrders="order_resting")

# -- signatures ------------------------------------------------------------------------------------------------

ADD_FORM = (
    b"nonce=1700000000003&pair=XXBTZUSD&type=buy&ordertype=limit&volume=0.001&cl_ord_id=bot-0001&price=60000"
)
ADD_JSON = (
    b'{"nonce":"1700000000014","pair":"XXBTZUSD","type":"sell","ordertype":"trailing-stop","volume":"0.001",'
    b'"trigger":"last","price":"+5%"}'
)


@pytest.mark.parametrize(
    ("nonce", "body", "expected"),
    [
        (
            "1700000000003",
            ADD_FORM,
            "GynNgMJU4r1RV6H7KtiMl3e02priZA4rkfTMzy+daG+B2KA7ty6oUxbzzlRR9UKfer67nLODrUOgkGK2fvG2Aw==",
        ),
        (
            "1700000000014",
            ADD_JSON,
            "NGGrHc3m+cS2GMLYC1FtSJEA9XyUi+M2r9tkjbol+cgS1ExqeFKvP/BJu1APqe98wUDF1K7jgduTxekO0LJyIg==",
        ),
    ],
    ids=["form", "json"],
)
def test_the_known_signatures_come_out(nonce: str, body: bytes, expected: str) -> None:
    assert wire.signature(SECRET, "/0/private/AddOrder", nonce, body) == expected


def test_a_whole_request_comes_out_as_in_the_worked_example() -> None:
    params = {
        "nonce": "1700000000003",
        "pair": "XXBTZUSD",
        "type": "buy",
        "ordertype": "limit",
        "volume": "0.001",
        "cl_ord_id": "bot-0001",
        "price": "60000",
    }
    request = wire.build(wire.ADD_ORDER, params, Credential(KEY, SECRET))
    assert (request.method, request.target, request.body) == ("POST", "/0/private/AddOrder", ADD_FORM)
    assert request.headers == {
        "API-Key": KEY,
        "API-Sign": "GynNgMJU4r1RV6H7KtiMl3e02priZA4rkfTMzy+daG+B2KA7ty6oUxbzzlRR9UKfer67nLODrUOgkGK2fvG2Aw==",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def test_names_keep_their_brackets_and_values_are_encoded() -> None:
    assert wire.encode({"close[price]": "+5%", "a": "x y&="}) == "close[price]=%2B5%25&a=x%20y%26%3D"


def test_public_calls_carry_neither_key_nor_signature() -> None:
    request = wire.build(wire.TICKER, {"pair": "XXBTZUSD"}, Credential(KEY, SECRET))
    assert (request.method, request.target) == ("GET", "/0/public/Ticker?pair=XXBTZUSD")
    assert (dict(request.headers), request.body) == ({}, None)


@pytest.mark.parametrize("secret", ["not base64!", "abc", "AAAA\nAAAA", "ключ"])
def test_a_private_key_that_is_none_is_refused_before_the_wire_and_not_repeated(secret: str) -> None:
    with pytest.raises(AuthenticationFailed, match="base64") as caught:
        wire.build(wire.BALANCES, {"nonce": "1"}, Credential(KEY, secret))
    assert secret not in str(caught.value)
    assert "again" in caught.value.remedy


# -- assets and markets ----------------------------------------------------------------------------------------

ASSETS = [
    ("XXBT", "XBT", "BTC"),
    ("XXDG", "XDG", "DOGE"),
    ("XETH", "ETH", "ETH"),
    ("ZUSD", "USD", "USD"),
    ("ZEUR", "EUR", "EUR"),
    ("SOL", "SOL", "SOL"),
    ("USDT", "USDT", "USDT"),
    ("XTZ", "XTZ", "XTZ"),
    ("ZRX", "ZRX", "ZRX"),
    ("ZEUS", "ZEUS", "ZEUS"),
    ("XION", "XION", "XION"),
]


@pytest.mark.parametrize(("code", "altname", "ours"), ASSETS)
def test_every_name_of_an_asset_is_understood_and_ours_leads_back(code: str, altname: str, ours: str) -> None:
    assert wire.asset_name(code) == wire.asset_name(altname) == ours
    assert wire.asset_altname(ours) == altname


def test_what_is_staked_stays_apart_from_what_can_be_traded() -> None:
    assert [wire.asset_name(code) for code in ("XBT.M", "ETH2.S", "USD.HOLD", "DOT.F")] == [
        "BTC.M",
        "ETH2.S",
        "USD.HOLD",
        "DOT.F",
    ]


@given(st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", min_size=2, max_size=8))
def test_a_code_read_and_written_and_read_is_the_same_asset(code: str) -> None:
    name = wire.asset_name(code)
    assert wire.asset_name(wire.asset_altname(name)) == name


def test_a_market_whose_rules_are_not_known_is_asked_for_by_its_altname() -> None:
    with kraken(recorded(Depth="depth")) as (exchange, server):
        exchange.order_book(SYMBOL, 5)
        exchange.order_book("DOGE/EUR", 700)
    assert [request.target for request in server.received] == [
        "/kraken/0/public/Depth?pair=XXBTZUSD&count=5",
        "/kraken/0/public/Depth?pair=XDGEUR&count=500",
    ]


# -- orders ----------------------------------------------------------------------------------------------------

COMMON = {"pair": "XXBTZUSD", "type": "buy", "cl_ord_id": "bot-0001"}
SINGLE_ORDERS = {
    "market by base, rounded down to the lot": (
        order(type=OrderType.MARKET, quantity=Decimal("0.001000009")),
        {"ordertype": "market", "volume": "0.001"},
    ),
    "market by quote": (
        order(type=OrderType.MARKET, quote_quantity=Decimal("50.123456789")),
        {"ordertype": "market", "volume": "50.12345", "oflags": "viqc"},
    ),
    "limit, rounded down to the tick": (
        order(type=OrderType.LIMIT, quantity=Decimal("0.001"), price=Decimal("60000.19")),
        {"ordertype": "limit", "volume": "0.001", "price": "60000.1"},
    ),
    "immediate or cancel": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(60000), time_in_force=TimeInForce.IOC),
        {"ordertype": "limit", "volume": "1", "price": "60000", "timeinforce": "IOC"},
    ),
    "fill or kill": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(60000), time_in_force=TimeInForce.FOK),
        {"ordertype": "limit", "volume": "1", "price": "60000", "timeinforce": "FOK"},
    ),
    "post-only, which is a flag and no time in force": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(60000), post_only=True),
        {"ordertype": "limit", "volume": "1", "price": "60000", "oflags": "post"},
    ),
    "stop at the market": (
        order(type=OrderType.STOP_LOSS, quantity=Decimal(1), trigger_price=Decimal(65000)),
        {"ordertype": "stop-loss", "volume": "1", "price": "65000"},
    ),
    "stop at a limit: the trigger comes first": (
        order(
            type=OrderType.STOP_LIMIT, quantity=Decimal(1), price=Decimal(65100), trigger_price=Decimal(65000)
        ),
        {"ordertype": "stop-loss-limit", "volume": "1", "price": "65000", "price2": "65100"},
    ),
    "take profit at the market": (
        order(type=OrderType.TAKE_PROFIT, quantity=Decimal(1), trigger_price=Decimal(50000)),
        {"ordertype": "take-profit", "volume": "1", "price": "50000"},
    ),
    "take profit at a limit": (
        order(
            type=OrderType.TAKE_PROFIT_LIMIT,
            quantity=Decimal(1),
            price=Decimal(50100),
            trigger_price=Decimal(50000),
        ),
        {"ordertype": "take-profit-limit", "volume": "1", "price": "50000", "price2": "50100"},
    ),
    "an entry with a stop-loss": (
        order(
            type=OrderType.LIMIT,
            quantity=Decimal(1),
            price=Decimal(60000),
            stop_loss=Leg(Decimal("55000.07")),
        ),
        {
            "ordertype": "limit",
            "volume": "1",
            "price": "60000",
            "close[ordertype]": "stop-loss",
            "close[price]": "55000",
        },
    ),
    "an entry with a take-profit at a limit": (
        order(
            type=OrderType.LIMIT,
            quantity=Decimal(1),
            price=Decimal(60000),
            take_profit=Leg(Decimal(70000), Decimal(69900)),
        ),
        {
            "ordertype": "limit",
            "volume": "1",
            "price": "60000",
            "close[ordertype]": "take-profit-limit",
            "close[price]": "70000",
            "close[price2]": "69900",
        },
    ),
}


@pytest.mark.parametrize(("request_", "expected"), SINGLE_ORDERS.values(), ids=SINGLE_ORDERS.keys())
def test_every_kind_of_order_is_asked_for_in_its_documented_words(
    request_: OrderRequest, expected: dict[str, str]
) -> None:
    with kraken(PLACING) as (exchange, server):
        exchange.place_order(request_)
    placed, looked_up = server.received
    assert (placed.method, placed.target) == ("POST", "/kraken/0/private/AddOrder")
    assert sent(placed) == COMMON | expected
    assert (called(looked_up), sent(looked_up)) == ("QueryOrders", {"txid": ORDER_ID, "trades": "true"})


def test_a_stop_that_follows_is_asked_for_in_json_its_distance_written_with_a_plus() -> None:
    request = order(type=OrderType.TRAILING_STOP, quantity=Decimal(1), trailing_percent=Decimal("1.50"))
    with kraken(PLACING) as (exchange, server):
        exchange.place_order(request)
    placed = server.received[0]
    assert placed.target == "/kraken/0/private/AddOrder"
    assert placed.headers["content-type"] == "application/json"
    said = json.loads(placed.body)
    assert said.pop("nonce").isdigit()
    assert said == COMMON | {"ordertype": "trailing-stop", "volume": "1", "price": "+1.5%", "trigger": "last"}


def test_an_order_that_may_be_sent_for_a_while_only_may_be_taken_for_that_long_only() -> None:
    until = datetime.now(UTC) + timedelta(seconds=5)
    with kraken(PLACING) as (exchange, server), sending_until(until):
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal(1)))
    placed, looked_up = server.received
    assert abs(datetime.fromisoformat(sent(placed)["deadline"]) - until) < timedelta(milliseconds=2)
    assert "deadline" not in sent(looked_up)


def test_the_longest_deadline_is_a_minute() -> None:
    with kraken(PLACING) as (exchange, server), sending_until(datetime.now(UTC) + timedelta(hours=1)):
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal(1)))
    deadline = datetime.fromisoformat(sent(server.received[0])["deadline"])
    assert deadline < datetime.now(UTC) + timedelta(minutes=1)


def test_an_order_is_not_sent_when_kraken_could_not_be_told_in_time_to_leave_it() -> None:
    with (
        kraken(PLACING) as (exchange, server),
        sending_until(datetime.now(UTC) + timedelta(seconds=2)),
        pytest.raises(ExchangeUnavailable, match="nothing was sent"),
    ):
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal(1)))
    assert server.received == []


def test_a_deadline_that_is_refused_sets_the_clock() -> None:
    refusals = [reply('{"error":["EGeneral:Invalid arguments:deadline"]}')]

    def answer(request: Received) -> Reply:
        if called(request) == "Time":
            ahead = int(datetime.now(UTC).timestamp()) + 100
            return reply(f'{{"error":[],"result":{{"unixtime":{ahead}}}}}')
        return refusals.pop() if refusals else PLACING(request)

    with kraken(answer) as (exchange, server), sending_until(datetime.now(UTC) + timedelta(seconds=5)):
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal(1)))
    refused, asked, placed, _ = server.received
    assert called(asked) == "Time"
    first, second = (datetime.fromisoformat(sent(each)["deadline"]) for each in (refused, placed))
    assert timedelta(seconds=98) < second - first < timedelta(seconds=102)


def test_a_sale_says_so() -> None:
    with kraken(PLACING) as (exchange, server):
        exchange.place_order(order(type=OrderType.MARKET, side=Side.SELL, quantity=Decimal(1)))
    assert sent(server.received[0])["type"] == "sell"


DENIED = {
    "both exits": order(
        type=OrderType.LIMIT,
        quantity=Decimal(1),
        price=Decimal(60000),
        stop_loss=Leg(Decimal(55000)),
        take_profit=Leg(Decimal(70000)),
    ),
    "an exit on a market order": order(
        type=OrderType.MARKET, quantity=Decimal(1), stop_loss=Leg(Decimal(55000))
    ),
    "a sale sized in quote": order(type=OrderType.MARKET, side=Side.SELL, quote_quantity=Decimal(50)),
    "a client id that is too long": order(
        type=OrderType.MARKET, quantity=Decimal(1), client_order_id="nineteen-characters"
    ),
    "too little": order(type=OrderType.MARKET, quantity=Decimal("0.00001")),
    "worth too little": order(type=OrderType.LIMIT, quantity=Decimal("0.00005"), price=Decimal(10)),
}


@pytest.mark.parametrize("request_", DENIED.values(), ids=DENIED.keys())
def test_what_kraken_cannot_do_is_refused_before_the_wire(request_: OrderRequest) -> None:
    with kraken(always("{}")) as (exchange, server), pytest.raises(OrderDenied):
        exchange.place_order(request_)
    assert server.received == []


def test_pairs_of_exits_and_futures_are_refused_before_the_wire() -> None:
    with kraken(always("{}")) as (exchange, server):
        with pytest.raises(OrderDenied, match="cancels the other"):
            exchange.place_oco(
                OcoRequest(SYMBOL, Side.SELL, Decimal(1), Leg(Decimal(55000)), Leg(Decimal(70000)))
            )
        with pytest.raises(OrderDenied, match="futures"):
            exchange.positions()
    assert server.received == []


@pytest.mark.parametrize(
    "client_id",
    ["s1", "abcdefghijklmnopqr", "b4d8f0c2a1e34d6f9b7a5c3e1d2f4a6b", "b4d8f0c2-a1e3-4d6f-9b7a-5c3e1d2f4a6b"],
)
def test_ids_of_the_documented_forms_are_sent(client_id: str) -> None:
    with kraken(PLACING) as (exchange, server):
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal(1), client_order_id=client_id))
    assert sent(server.received[0])["cl_ord_id"] == client_id


# -- what follows a bare answer --------------------------------------------------------------------------------


def test_an_executed_order_is_completed_with_its_executions() -> None:
    answer = recorded(AddOrder="order_placed", QueryOrders="order_market", QueryTrades="query_trades")
    with kraken(answer) as (exchange, server):
        report = exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal("0.001")))
    assert (report.status, report.exchange_order_id, report.filled_quantity) == (
        OrderStatus.FILLED,
        ORDER_ID,
        Decimal("0.001"),
    )
    assert sum(fill.quantity for fill in report.fills) == Decimal("0.001")
    assert sent(server.received[2]) == {"txid": "TAAAAA-BBBBB-CCCCCC,TAAAAA-BBBBB-EEEEEE"}


INCOMPLETE: dict[str, dict[str, Reply]] = {
    "the order does not show yet": {"QueryOrders": reply('{"error":[],"result":{}}')},
    "the look-up is refused": {"QueryOrders": reply('{"error":["EAPI:Rate limit exceeded"]}')},
    "the look-up is lost": {"QueryOrders": reply("<html>", 502)},
    "not all executions show yet": {
        "QueryOrders": reply(body_text("kraken", "order_market")),
        "QueryTrades": reply(
            json.dumps(
                {
                    "error": [],
                    "result": {
                        "TAAAAA-BBBBB-CCCCCC": json.loads(body_text("kraken", "query_trades"))["result"][
                            "TAAAAA-BBBBB-CCCCCC"
                        ]
                    },
                }
            )
        ),
    },
    "the exit that goes with its executions is still to show": {
        "QueryOrders": reply(body_text("kraken", "order_with_exit"))
    },
}


@pytest.mark.parametrize("answers", INCOMPLETE.values(), ids=INCOMPLETE.keys())
def test_an_accepted_order_is_never_lost_because_it_cannot_be_told_whole(answers: dict[str, Reply]) -> None:
    answers = {"AddOrder": reply(body_text("kraken", "order_placed")), **answers}
    with kraken(lambda request: answers[called(request)]) as (exchange, server):
        report = exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal("0.001")))
    assert (report.status, report.exchange_order_id, report.client_order_id) == (
        OrderStatus.PENDING,
        ORDER_ID,
        "bot-0001",
    )
    assert [called(request) for request in server.received].count("AddOrder") == 1


@pytest.mark.parametrize(
    ("ids", "expected"),
    [({"exchange_order_id": ORDER_ID}, {"txid": ORDER_ID}), ({"client_order_id": "b1"}, {"cl_ord_id": "b1"})],
    ids=["by id", "by client id"],
)
def test_orders_are_amended_and_cancelled_by_either_id(ids: dict[str, str], expected: dict[str, str]) -> None:
    answer = recorded(
        AmendOrder="order_amended",
        CancelOrder="order_cancelled",
        QueryOrders="order_canceled",
        OpenOrders="no_open_orders",
        ClosedOrders="closed_orders",
    )
    with kraken(answer) as (exchange, server):
        exchange.amend_order(SYMBOL, quantity=Decimal("0.0020000001"), price=Decimal("59000.05"), **ids)
        exchange.cancel_order(SYMBOL, **ids)
    amended, cancelled = (r for r in server.received if called(r) in ("AmendOrder", "CancelOrder"))
    assert sent(amended) == expected | {"order_qty": "0.002", "limit_price": "59000"}
    assert sent(cancelled) == expected


def test_an_amendment_of_nothing_and_an_order_without_an_id_are_refused_before_the_wire() -> None:
    with kraken(always("{}")) as (exchange, server):
        with pytest.raises(OrderDenied, match="new quantity"):
            exchange.amend_order(SYMBOL, exchange_order_id=ORDER_ID)
        for call in (exchange.cancel_order, exchange.get_order):
            with pytest.raises(OrderDenied, match="order id"):
                call(SYMBOL)
    assert server.received == []


def test_cancelling_everything_on_a_market_names_its_orders_in_json_and_spares_the_others() -> None:
    answer = recorded(
        OpenOrders="open_orders",
        AssetPairs="asset_pairs",
        CancelOrderBatch="batch_cancelled",
        QueryOrders="order_canceled",
    )
    with kraken(answer) as (exchange, server):
        exchange.cancel_all(SYMBOL)
    batch = next(request for request in server.received if called(request) == "CancelOrderBatch")
    assert batch.headers["content-type"] == "application/json"
    body: dict[str, Any] = json.loads(batch.body)
    assert body.pop("nonce").isdigit()
    assert body == {"orders": ["OEXITA-BBBBB-CCCCCC", "OTAKEP-BBBBB-CCCCCC"]}


def test_nothing_to_cancel_is_no_request() -> None:
    with kraken(recorded(OpenOrders="no_open_orders")) as (exchange, server):
        assert exchange.cancel_all(SYMBOL) == []
    assert [called(request) for request in server.received] == ["OpenOrders"]


# -- looking up ------------------------------------------------------------------------------------------------


def test_a_client_id_is_looked_for_among_the_open_and_then_the_closed_orders_and_never_as_a_userref() -> None:
    answer = recorded(OpenOrders="no_open_orders", ClosedOrders="closed_orders")
    with kraken(answer) as (exchange, server):
        report = exchange.get_order(SYMBOL, client_order_id="bot-0001")
    assert report.exchange_order_id == ORDER_ID, "the latest of those that had the id"
    assert [called(request) for request in server.received] == ["OpenOrders", "ClosedOrders"]
    assert all(sent(request) == {"cl_ord_id": "bot-0001", "trades": "true"} for request in server.received)


def test_more_than_a_page_is_read_page_by_page_from_just_before_the_time() -> None:
    trades = json.loads(body_text("kraken", "trades_history"))["result"]["trades"]
    trade = trades["TAAAAA-BBBBB-CCCCCC"]

    def answer(request: Received) -> Reply:
        if called(request) == "QueryOrders":
            return reply(body_text("kraken", "order_market"))
        offset = int(sent(request)["ofs"])
        page = {f"T{number}": trade for number in range(offset, min(offset + 50, 120))}
        return reply(json.dumps({"error": [], "result": {"trades": page, "count": 120}}))

    since = datetime(2023, 11, 14, 22, 13, 20, 250_000, tzinfo=UTC)
    with kraken(answer) as (exchange, server):
        fills = exchange.fills(SYMBOL, since=since)
    assert len(fills) == 120
    pages = [sent(request) for request in server.received if called(request) == "TradesHistory"]
    assert pages == [{"start": "1699999999", "ofs": str(offset)} for offset in (0, 50, 100)]


def test_candles_are_asked_for_in_minutes_and_cut_to_what_was_asked() -> None:
    with kraken(recorded(OHLC="ohlc")) as (exchange, server):
        since = datetime.fromtimestamp(1700000040, UTC)
        [candle] = exchange.candles(SYMBOL, "4h", since=since, limit=10)
        assert candle.at == since
        assert len(exchange.candles(SYMBOL, "1m", limit=1)) == 1
    assert sent(server.received[0]) == {"pair": BTC.exchange_symbol, "interval": "240", "since": "1700000039"}
