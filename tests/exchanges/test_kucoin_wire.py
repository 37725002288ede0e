"""What goes to KuCoin: signatures, the body of every kind of order, and what is refused before."""

from __future__ import annotations

import base64
import hmac
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import (
    AuthenticationFailed,
    Credential,
    Environment,
    Leg,
    OcoRequest,
    OrderDenied,
    OrderRequest,
    OrderStatus,
    OrderType,
    Side,
    TimeInForce,
)
from app.exchanges.kucoin import KuCoin, orders, wire
from app.exchanges.refusals import on_grid
from app.exchanges.rest import Endpoint, NoSuchEnvironment
from tests.exchanges.kucoin_client import (
    BTC,
    KEY,
    PHRASE,
    SECRET,
    always,
    kucoin,
    order,
    path_of,
    recorded,
    refusal,
    sent,
)
from tests.exchanges.local_server import Received, Reply, reply
from tests.exchanges.recorded import body_text

KEYS = Credential(KEY, SECRET, PHRASE)
AT = 1700000000123

# -- signatures ------------------------------------------------------------------------------------------------

SIGNED_PHRASE = "eDQojvqUIsab9BW5gEradMOk4ywRlh4tNn6SohV/hys="
PLACING = Endpoint("POST", "/api/v1/hf/orders", (), signed=True, writes=True)
BODY = {
    "clientOid": "mybot-0001",
    "side": "buy",
    "symbol": "BTC-USDT",
    "type": "limit",
    "price": "50000.0",
    "size": "0.001",
}


@pytest.mark.parametrize("version", ["2", "3"])
def test_the_known_signature_of_an_order_comes_out_for_either_key_version(version: str) -> None:
    request = wire.build(PLACING, BODY, KEYS, AT, version)
    assert (request.method, request.target) == ("POST", "/api/v1/hf/orders")
    assert request.body == (
        b'{"clientOid":"mybot-0001","side":"buy","symbol":"BTC-USDT","type":"limit","price":"50000.0","size":"0.001"}'
    )
    assert request.headers == {
        "KC-API-KEY": KEY,
        "KC-API-SIGN": "wmOLBgRrb395F4CWf1LhTGmem8qBeUZ1MkGVQDSwr0g=",
        "KC-API-TIMESTAMP": "1700000000123",
        "KC-API-PASSPHRASE": SIGNED_PHRASE,
        "KC-API-KEY-VERSION": version,
        "Content-Type": "application/json",
    }


@pytest.mark.parametrize("version", ["2", "3"])
def test_the_known_signature_of_a_look_up_comes_out_for_either_key_version(version: str) -> None:
    named = {"clientOid": "mybot-0001", "symbol": "BTC-USDT"}
    request = wire.build(wire.GET_BY_CLIENT, named, KEYS, AT, version)
    assert request.target == "/api/v1/hf/orders/client-order/mybot-0001?symbol=BTC-USDT"
    assert request.body is None
    assert request.headers["KC-API-SIGN"] == "Chlcpq26FBd65LlbBxBxZC55FrErzbkeqesedpuj0QE="
    assert request.headers["KC-API-PASSPHRASE"] == SIGNED_PHRASE
    assert request.headers["KC-API-KEY-VERSION"] == version


def test_the_signature_covers_the_path_before_it_is_encoded() -> None:
    request = wire.build(wire.GET_BY_CLIENT, {"clientOid": "a b/c", "symbol": "币-USDT"}, KEYS, AT)
    assert request.target == "/api/v1/hf/orders/client-order/a%20b%2Fc?symbol=%E5%B8%81-USDT"
    text = f"{AT}GET/api/v1/hf/orders/client-order/a b/c?symbol=币-USDT"
    expected = base64.b64encode(hmac.digest(SECRET.encode(), text.encode(), "sha256")).decode()
    assert request.headers["KC-API-SIGN"] == expected


def test_public_calls_carry_neither_key_nor_signature() -> None:
    request = wire.build(wire.STATS, {"symbol": "BTC-USDT"}, KEYS, AT)
    assert (request.target, dict(request.headers), request.body) == (
        "/api/v1/market/stats?symbol=BTC-USDT",
        {},
        None,
    )


def old_key(request: Received) -> Reply:
    """A server to which the key is of version 2."""
    if request.headers["kc-api-key-version"] == "3":
        return reply(refusal("400009", "KC-API-KEY-VERSION is wrong"))
    return reply(body_text("kucoin", "accounts"))


def test_the_version_of_a_key_is_found_out_once() -> None:
    with kucoin(old_key) as (exchange, server):
        assert exchange.balances()["USDT"]
        exchange.balances()
    assert [request.headers["kc-api-key-version"] for request in server.received] == ["3", "2", "2"]


def test_a_key_of_neither_version_is_reported_with_what_to_do() -> None:
    with kucoin(always(refusal("400009", "wrong version"))) as (exchange, server):
        with pytest.raises(AuthenticationFailed, match="wrong version") as caught:
            exchange.balances()
        with pytest.raises(AuthenticationFailed):
            exchange.balances()
    assert "new key" in caught.value.remedy
    assert len(server.received) == 3, "the second time only the version that was left is tried"


def test_there_is_no_test_environment() -> None:
    assert "//api.kucoin.com" in repr(KuCoin(None, environment=Environment.LIVE))
    with pytest.raises(NoSuchEnvironment):
        KuCoin(None, environment=Environment.TESTNET)
    assert KuCoin.capabilities.test_environment is False


# -- orders ----------------------------------------------------------------------------------------------------

COMMON = {"symbol": "BTC-USDT", "side": "buy", "clientOid": "mybot-0001"}
SINGLE_ORDERS: dict[str, tuple[OrderRequest, dict[str, Any]]] = {
    "market by base, rounded down to the lot": (
        order(type=OrderType.MARKET, quantity=Decimal("0.001000009")),
        {"type": "market", "size": "0.001"},
    ),
    "market by quote": (
        order(type=OrderType.MARKET, quote_quantity=Decimal("50.12345678")),
        {"type": "market", "funds": "50.123456"},
    ),
    "market sale by quote": (
        order(side=Side.SELL, type=OrderType.MARKET, quote_quantity=Decimal(50)),
        {"side": "sell", "type": "market", "funds": "50"},
    ),
    "limit, rounded down to the tick": (
        order(type=OrderType.LIMIT, quantity=Decimal("0.001"), price=Decimal("50000.19")),
        {"type": "limit", "size": "0.001", "price": "50000.1"},
    ),
    "immediate or cancel": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), time_in_force=TimeInForce.IOC),
        {"type": "limit", "size": "1", "price": "50000", "timeInForce": "IOC"},
    ),
    "fill or kill": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), time_in_force=TimeInForce.FOK),
        {"type": "limit", "size": "1", "price": "50000", "timeInForce": "FOK"},
    ),
    "post-only, a JSON boolean": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), post_only=True),
        {"type": "limit", "size": "1", "price": "50000", "postOnly": True},
    ),
}


@pytest.mark.parametrize(("request_", "expected"), SINGLE_ORDERS.values(), ids=SINGLE_ORDERS.keys())
def test_every_kind_of_order_is_asked_for_in_its_documented_words(
    request_: OrderRequest, expected: dict[str, Any]
) -> None:
    with kucoin(always(body_text("kucoin", "placed_resting"))) as (exchange, server):
        exchange.place_order(request_)
    [received] = server.received
    assert (received.method, path_of(received)) == ("POST", "/api/v1/hf/orders/sync")
    assert sent(received) == COMMON | expected


TRIGGERS = [
    (OrderType.STOP_LOSS, Side.SELL, None, "market", "loss"),
    (OrderType.STOP_LOSS, Side.BUY, None, "market", "entry"),
    (OrderType.TAKE_PROFIT, Side.SELL, None, "market", "entry"),
    (OrderType.TAKE_PROFIT, Side.BUY, None, "market", "loss"),
    (OrderType.STOP_LIMIT, Side.SELL, "47900.09", "limit", "loss"),
    (OrderType.TAKE_PROFIT_LIMIT, Side.SELL, "47900.09", "limit", "entry"),
]


@pytest.mark.parametrize(("type_", "side", "price", "becomes", "direction"), TRIGGERS)
def test_a_stop_always_says_which_way_the_price_has_to_go(
    type_: OrderType, side: Side, price: str | None, becomes: str, direction: str
) -> None:
    request = order(
        type=type_,
        side=side,
        quantity=Decimal("0.001"),
        trigger_price=Decimal("48000.09"),
        price=None if price is None else Decimal(price),
    )
    with kucoin(always(body_text("kucoin", "stop_placed"))) as (exchange, server):
        report = exchange.place_order(request)
    [received] = server.received
    assert (received.method, path_of(received)) == ("POST", "/api/v1/stop-order")
    assert sent(received) == {
        **COMMON,
        "side": side.value.lower(),
        "type": becomes,
        "size": "0.001",
        **({} if price is None else {"price": "47900"}),
        "stop": direction,
        "stopPrice": "48000",
        "tradeType": "TRADE",
    }
    assert (report.exchange_order_id, report.status, report.type, report.trigger_price) == (
        "vs8hoo8q2ceshiue003b67c0",
        OrderStatus.OPEN,
        type_,
        Decimal(48000),
    )


@pytest.mark.parametrize(
    ("side", "stop", "target", "limit"),
    [
        (Side.SELL, Leg(Decimal("48000.09")), Leg(Decimal("60000.09")), "44160"),
        (Side.BUY, Leg(Decimal(60000)), Leg(Decimal(48000)), "64800"),
        (Side.SELL, Leg(Decimal(48000), Decimal("47900.09")), Leg(Decimal(60000), Decimal(60000)), "47900"),
    ],
    ids=["sale", "purchase", "stop at a limit"],
)
def test_a_pair_of_exits_is_a_limit_order_and_a_stop_with_a_limit_that_is_surely_taken(
    side: Side, stop: Leg, target: Leg, limit: str
) -> None:
    request = OcoRequest("BTC/USDT", side, Decimal("0.005000009"), stop, target, "exit")
    answers = recorded({"POST /api/v3/oco/order": "pair_placed", "GET /api/v3/oco/order/details": "pair"})
    with kucoin(answers) as (exchange, server):
        exchange.place_oco(request)
    placing, looking = server.received
    assert sent(placing) == {
        "clientOid": "exit",
        "symbol": "BTC-USDT",
        "side": side.value.lower(),
        "size": "0.005",
        "price": "60000" if side is Side.SELL else "48000",
        "stopPrice": "48000" if side is Side.SELL else "60000",
        "limitPrice": limit,
        "tradeType": "TRADE",
    }
    assert path_of(looking) == "/api/v3/oco/order/details/6572fdd65723280007deb5e0"


def test_a_pair_whose_take_profit_waits_at_one_price_for_another_is_denied() -> None:
    target = Leg(Decimal(60000), Decimal(59000))
    request = OcoRequest("BTC/USDT", Side.SELL, Decimal("0.005"), Leg(Decimal(48000)), target, "exit")
    with kucoin(always("{}")) as (exchange, server), pytest.raises(OrderDenied, match="no trigger"):
        exchange.place_oco(request)
    assert server.received == []


def test_an_order_without_a_client_id_gets_one_to_be_looked_up_by() -> None:
    request = order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), client_order_id=None)
    with kucoin(always(body_text("kucoin", "placed_resting"))) as (exchange, server):
        report = exchange.place_order(request)
    given = sent(server.received[0])["clientOid"]
    assert wire.CLIENT_ID.fullmatch(given)
    assert report.client_order_id == given


@given(
    quantity=st.decimals("0.0002", "60", allow_nan=False, places=10),
    price=st.decimals("30000", "99999", allow_nan=False, places=6),
)
def test_nothing_that_goes_out_is_larger_than_what_was_asked(quantity: Decimal, price: Decimal) -> None:
    request = order(type=OrderType.LIMIT, quantity=quantity, price=price)
    body = orders.single(on_grid(request, BTC), BTC)
    size, limit = str(body["size"]), str(body["price"])
    assert quantity - BTC.lot_size < Decimal(size) <= quantity
    assert price - BTC.tick_size < Decimal(limit) <= price
    assert "E" not in size + limit


# -- changing and cancelling -----------------------------------------------------------------------------------


def test_an_order_is_changed_under_its_client_id_and_goes_by_another_id_then() -> None:
    new = body_text("kucoin", "order_open").replace("6700000000000000000001", "6700000000000000000005")
    answers = recorded({"POST /api/v1/hf/orders/alter": "altered", "GET /api/v1/hf/orders/": new})
    with kucoin(answers) as (exchange, server):
        report = exchange.amend_order(
            "BTC/USDT",
            exchange_order_id="6700000000000000000001",
            quantity=Decimal("0.001000009"),
            price=Decimal("50000.09"),
        )
    assert sent(server.received[0]) == {
        "symbol": "BTC-USDT",
        "orderId": "6700000000000000000001",
        "newSize": "0.001",
        "newPrice": "50000",
    }
    assert (report.exchange_order_id, report.client_order_id) == ("6700000000000000000005", "mybot-0001")


def test_changing_needs_something_to_change_and_an_order() -> None:
    with kucoin(always("{}")) as (exchange, server):
        with pytest.raises(OrderDenied, match="quantity or the new price"):
            exchange.amend_order("BTC/USDT", exchange_order_id="1")
        with pytest.raises(OrderDenied, match="order id"):
            exchange.amend_order("BTC/USDT", price=Decimal(1))
    assert server.received == []


CANCELLATIONS = {
    "an order": ("6700000000000000000004", "canceled", "/api/v1/hf/orders/sync/6700000000000000000004"),
    "a stop": ("vs8hoo8q2ceshiue003b67c0", "stop_canceled", "/api/v1/stop-order/vs8hoo8q2ceshiue003b67c0"),
    "a pair": ("oco-6572", "stop_canceled", "/api/v3/oco/order/6572"),
    "a leg, with its pair": ("oco-6572:vs8h", "stop_canceled", "/api/v3/oco/order/6572"),
}


@pytest.mark.parametrize(("order_id", "payload", "path"), CANCELLATIONS.values(), ids=CANCELLATIONS)
def test_every_family_of_orders_is_cancelled_by_its_own_call(order_id: str, payload: str, path: str) -> None:
    answers = recorded({"DELETE ": payload, "GET ": "order_missing"})
    with kucoin(answers) as (exchange, server):
        report = exchange.cancel_order("BTC/USDT", exchange_order_id=order_id)
    assert (server.received[0].method, path_of(server.received[0])) == ("DELETE", path)
    assert (report.status, report.exchange_order_id) == (OrderStatus.CANCELED, order_id)


# -- refused before the wire -----------------------------------------------------------------------------------

DENIED = {
    "below a lot": (order(type=OrderType.MARKET, quantity=Decimal("0.000000001")), "lot_size"),
    "below the least size": (order(type=OrderType.MARKET, quantity=Decimal("0.000001")), "min_quantity"),
    "worth too little": (
        order(type=OrderType.LIMIT, quantity=Decimal("0.00001"), price=Decimal(5000)),
        "min_notional",
    ),
    "two sizes": (order(type=OrderType.MARKET, quantity=Decimal(1), quote_quantity=Decimal(1)), "size"),
    "limit by quote": (
        order(type=OrderType.LIMIT, quote_quantity=Decimal(50), price=Decimal(50000)),
        "quote_quantity",
    ),
    "an exit attached to an entry, which KuCoin would ignore without a word": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), stop_loss=Leg(Decimal(48000))),
        "stop_loss",
    ),
    "both exits attached": (
        order(
            type=OrderType.MARKET,
            quantity=Decimal(1),
            stop_loss=Leg(Decimal(48000)),
            take_profit=Leg(Decimal(60000)),
        ),
        "attached",
    ),
    "client id with a dot": (
        order(type=OrderType.MARKET, quantity=Decimal(1), client_order_id="a.b"),
        "client_order_id",
    ),
    "client id that leaves no room for legs": (
        order(type=OrderType.MARKET, quantity=Decimal(1), client_order_id="x" * 37),
        "client_order_id",
    ),
}


@pytest.mark.parametrize(("request_", "rule"), DENIED.values(), ids=DENIED.keys())
def test_what_breaks_a_rule_is_refused_before_the_wire_and_named(request_: OrderRequest, rule: str) -> None:
    with kucoin(always("{}")) as (exchange, server), pytest.raises(OrderDenied) as caught:
        exchange.place_order(request_)
    assert rule in [violation.rule for violation in caught.value.violations]
    assert server.received == []


def test_nothing_but_the_order_is_sent_when_it_rests() -> None:
    with kucoin(always(body_text("kucoin", "placed_resting"))) as (exchange, server):
        report = exchange.place_order(
            order(type=OrderType.LIMIT, quantity=Decimal("0.001"), price=Decimal(50000))
        )
    assert [path_of(request) for request in server.received] == ["/api/v1/hf/orders/sync"]
    assert (report.status, report.filled_quantity, report.remaining) == (
        OrderStatus.OPEN,
        0,
        Decimal("0.001"),
    )


EXECUTED = {
    "POST /api/v1/hf/orders/sync": "placed_executed",
    "GET /api/v1/hf/orders/67": "order_market_filled",
    "GET /api/v1/hf/fills": "fills_of_order",
}


def test_an_order_that_executed_is_completed_by_its_own_record_and_its_fills() -> None:
    with kucoin(recorded(EXECUTED)) as (exchange, server):
        report = exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal("0.003")))
    assert [request.method for request in server.received] == ["POST", "GET", "GET"]
    assert (report.status, report.average_price) == (OrderStatus.FILLED, Decimal("50000.01"))
    assert [fill.trade_id for fill in report.fills] == ["76", "77"]
    assert sum(fill.fee or 0 for fill in report.fills) == report.fees["USDT"]


@pytest.mark.parametrize("answer", ["order_missing", refusal("500000", "busy"), "{}"])
@pytest.mark.parametrize("lost", ["GET /api/v1/hf/orders/67", "GET /api/v1/hf/fills"])
def test_an_executed_order_is_placed_even_when_what_it_did_cannot_be_read(lost: str, answer: str) -> None:
    with kucoin(recorded(EXECUTED | {lost: answer})) as (exchange, _):
        report = exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal("0.003")))
    assert (report.exchange_order_id, report.status) == ("6700000000000000000002", OrderStatus.OPEN)
    assert report.filled_quantity is None, "it is not known yet, which is not nothing"


def test_an_order_is_not_told_as_filled_before_all_of_its_fills_are() -> None:
    one = body_text("kucoin", "fills_of_order").replace('"size":"0.002"', '"size":"0.001"')
    with kucoin(recorded(EXECUTED | {"GET /api/v1/hf/fills": one})) as (exchange, _):
        report = exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal("0.003")))
    assert (report.status, report.filled_quantity) == (OrderStatus.OPEN, None)
