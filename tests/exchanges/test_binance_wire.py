"""What goes to Binance: signatures, the parameters of every kind of order, and what is refused before."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import (
    Credential,
    Leg,
    OcoRequest,
    OrderDenied,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
)
from app.exchanges.binance import orders, wire
from app.exchanges.refusals import on_grid
from tests.exchanges.binance_client import BTC, KEY, SECRET, always, binance, order, sent
from tests.exchanges.local_server import Received, Reply, reply
from tests.exchanges.recorded import body_text

# -- signatures ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "timestamp=1700000000123&symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=GTC&quantity=0.001"
            "&price=50000.00&newClientOrderId=mybot-0001&recvWindow=5000",
            "c88c6128784539f5ac8240d4d65357801bd4576491cf3dc876d8faa0571b23d6",
        ),
        (
            "timestamp=1700000000123&symbol=BTCUSDT&origClientOrderId=mybot-0001&recvWindow=5000",
            "f791ad404d33d4c60d5e66a9eaab5aad5f8ef5d001e1bd674c048831ed534898",
        ),
    ],
)
def test_the_known_signatures_come_out(text: str, expected: str) -> None:
    assert wire.signature(SECRET, text) == expected


@pytest.mark.parametrize(
    ("endpoint", "in_body"), [(wire.PLACE, True), (wire.AMEND, True), (wire.CANCEL, False)]
)
def test_the_signature_covers_exactly_what_travels_and_comes_last(endpoint: Any, in_body: bool) -> None:
    request = wire.build(
        endpoint, {"symbol": "币安人生USDT", "a": "x y+&="}, Credential(KEY, SECRET), 1700000000123
    )
    query, body = urlsplit(request.target).query, (request.body or b"").decode()
    assert bool(body) is in_body
    assert bool(query) is not in_body
    text, _, signature = (query + body).rpartition("&signature=")
    assert signature == wire.signature(SECRET, text)
    assert "%E5%B8%81" in text, "values are encoded before they are signed"
    assert dict(parse_qsl(text))["a"] == "x y+&="
    assert request.headers["X-MBX-APIKEY"] == KEY


def test_public_calls_carry_neither_key_nor_signature() -> None:
    request = wire.build(wire.TIME, {}, Credential(KEY, SECRET), 1700000000123)
    assert (request.target, dict(request.headers), request.body) == ("/api/v3/time", {}, None)


# -- orders ----------------------------------------------------------------------------------------------------


COMMON = {"symbol": "BTCUSDT", "side": "BUY", "newClientOrderId": "mybot-0001", "newOrderRespType": "FULL"}
SINGLE_ORDERS = {
    "market by base, rounded down to the lot": (
        order(type=OrderType.MARKET, quantity=Decimal("0.0010099")),
        {"type": "MARKET", "quantity": "0.001"},
    ),
    "market by quote": (
        order(type=OrderType.MARKET, quote_quantity=Decimal("50.123456789")),
        {"type": "MARKET", "quoteOrderQty": "50.12345678"},
    ),
    "limit, rounded down to the tick": (
        order(type=OrderType.LIMIT, quantity=Decimal("0.001"), price=Decimal("50000.129")),
        {"type": "LIMIT", "quantity": "0.001", "price": "50000.12", "timeInForce": "GTC"},
    ),
    "immediate or cancel": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), time_in_force=TimeInForce.IOC),
        {"type": "LIMIT", "quantity": "1", "price": "50000", "timeInForce": "IOC"},
    ),
    "fill or kill": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), time_in_force=TimeInForce.FOK),
        {"type": "LIMIT", "quantity": "1", "price": "50000", "timeInForce": "FOK"},
    ),
    "post-only, without a time in force": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), post_only=True),
        {"type": "LIMIT_MAKER", "quantity": "1", "price": "50000"},
    ),
    "stop at the market": (
        order(type=OrderType.STOP_LOSS, quantity=Decimal(1), trigger_price=Decimal(51000)),
        {"type": "STOP_LOSS", "quantity": "1", "stopPrice": "51000"},
    ),
    "stop at a limit": (
        order(
            type=OrderType.STOP_LIMIT, quantity=Decimal(1), price=Decimal(51010), trigger_price=Decimal(51000)
        ),
        {
            "type": "STOP_LOSS_LIMIT",
            "quantity": "1",
            "price": "51010",
            "stopPrice": "51000",
            "timeInForce": "GTC",
        },
    ),
    "take profit at the market": (
        order(type=OrderType.TAKE_PROFIT, quantity=Decimal(1), trigger_price=Decimal(49000)),
        {"type": "TAKE_PROFIT", "quantity": "1", "stopPrice": "49000"},
    ),
    "take profit at a limit": (
        order(
            type=OrderType.TAKE_PROFIT_LIMIT,
            quantity=Decimal(1),
            price=Decimal(48990),
            trigger_price=Decimal(49000),
        ),
        {
            "type": "TAKE_PROFIT_LIMIT",
            "quantity": "1",
            "price": "48990",
            "stopPrice": "49000",
            "timeInForce": "GTC",
        },
    ),
    "a stop that follows, its distance in basis points": (
        order(type=OrderType.TRAILING_STOP, quantity=Decimal(1), trailing_percent=Decimal("1.5")),
        {"type": "STOP_LOSS", "quantity": "1", "trailingDelta": "150"},
    ),
}


@pytest.mark.parametrize(("request_", "expected"), SINGLE_ORDERS.values(), ids=SINGLE_ORDERS.keys())
def test_every_kind_of_order_is_asked_for_in_its_documented_words(
    request_: OrderRequest, expected: dict[str, str]
) -> None:
    with binance(always(body_text("binance", "order_limit_new"))) as (exchange, server):
        exchange.place_order(request_)
    [received] = server.received
    assert (received.method, received.target) == ("POST", "/binance/api/v3/order")
    assert sent(received) == COMMON | expected


ENTRY = order(
    type=OrderType.LIMIT, quantity=Decimal("0.10000"), price=Decimal("50000.009"), client_order_id="entry"
)
WORKING = {
    "symbol": "BTCUSDT",
    "workingType": "LIMIT",
    "workingSide": "BUY",
    "workingQuantity": "0.1",
    "workingPrice": "50000",
    "workingTimeInForce": "GTC",
    "workingClientOrderId": "entry",
    "pendingSide": "SELL",
    "pendingQuantity": "0.0999",
    "newOrderRespType": "FULL",
}


def test_an_entry_with_both_exits_goes_out_as_one_list_sized_net_of_the_fee_in_base() -> None:
    request = replace(
        ENTRY, stop_loss=Leg(Decimal("48000.009")), take_profit=Leg(Decimal(60000), Decimal(59990))
    )
    with binance(always(body_text("binance", "otoco_placed"))) as (exchange, server):
        report = exchange.place_order(request)
    [received] = server.received
    assert received.target == "/binance/api/v3/orderList/otoco"
    assert sent(received) == WORKING | {
        "pendingBelowType": "STOP_LOSS",
        "pendingBelowStopPrice": "48000",
        "pendingBelowClientOrderId": "entry-sl",
        "pendingAboveType": "TAKE_PROFIT_LIMIT",
        "pendingAboveStopPrice": "60000",
        "pendingAbovePrice": "59990",
        "pendingAboveTimeInForce": "GTC",
        "pendingAboveClientOrderId": "entry-tp",
    }
    assert report.client_order_id == "entry"
    assert [leg.client_order_id for leg in report.children] == ["entry-sl", "entry-tp"]


@pytest.mark.parametrize(
    ("legs", "expected"),
    [
        (
            {"stop_loss": Leg(Decimal(48000), Decimal(47900))},
            {
                "pendingType": "STOP_LOSS_LIMIT",
                "pendingStopPrice": "48000",
                "pendingPrice": "47900",
                "pendingTimeInForce": "GTC",
                "pendingClientOrderId": "entry-sl",
            },
        ),
        (
            {"take_profit": Leg(Decimal(60000))},
            {"pendingType": "TAKE_PROFIT", "pendingStopPrice": "60000", "pendingClientOrderId": "entry-tp"},
        ),
    ],
)
def test_an_entry_with_one_exit_goes_out_as_a_list_of_two(
    legs: dict[str, Leg], expected: dict[str, str]
) -> None:
    request = replace(ENTRY, **legs)
    with binance(always(body_text("binance", "otoco_placed"))) as (exchange, server):
        exchange.place_order(request)
    [received] = server.received
    assert received.target == "/binance/api/v3/orderList/oto"
    assert sent(received) == WORKING | expected


def test_exits_are_sized_by_the_account_s_own_fee_once_it_is_known() -> None:
    def answer(request: Received) -> Reply:
        return reply(body_text("binance", "account" if "account" in request.target else "otoco_placed"))

    request = replace(ENTRY, stop_loss=Leg(Decimal(48000)))
    with binance(answer) as (exchange, server):
        exchange.balances()  # tells of a taker fee of 0.12 %
        exchange.place_order(request)
    assert sent(server.received[-1])["pendingQuantity"] == "0.09988"


@pytest.mark.parametrize(
    ("side", "above", "below"), [(Side.SELL, "tp", "sl"), (Side.BUY, "sl", "tp")], ids=["sale", "purchase"]
)
def test_a_pair_of_exits_lies_above_and_below_the_market(side: Side, above: str, below: str) -> None:
    stop, target = (48000, 60000) if side is Side.SELL else (60000, 48000)
    request = OcoRequest(
        "BTC/USDT",
        side,
        Decimal("0.0050009"),
        Leg(Decimal(stop)),
        Leg(Decimal(target), Decimal(target)),
        "exit",
    )
    with binance(always(body_text("binance", "oco_placed"))) as (exchange, server):
        exchange.place_oco(request)
    [received] = server.received
    assert received.target == "/binance/api/v3/orderList/oco"
    types = {"sl": "STOP_LOSS", "tp": "TAKE_PROFIT_LIMIT"}
    limit_leg = "above" if above == "tp" else "below"
    assert sent(received) == {
        "symbol": "BTCUSDT",
        "side": side.value,
        "quantity": "0.005",
        "listClientOrderId": "exit",
        "newOrderRespType": "FULL",
        "aboveType": types[above],
        "aboveStopPrice": "60000",
        "aboveClientOrderId": f"exit-{above}",
        "belowType": types[below],
        "belowStopPrice": "48000",
        "belowClientOrderId": f"exit-{below}",
        f"{limit_leg}Price": str(target),
        f"{limit_leg}TimeInForce": "GTC",
    }


@pytest.mark.parametrize(("side", "stop_at"), [(Side.SELL, "below"), (Side.BUY, "above")])
def test_the_stop_of_a_pair_that_trails_has_a_distance_in_place_of_its_price(
    side: Side, stop_at: str
) -> None:
    stop, target = (48000, 60000) if side is Side.SELL else (60000, 48000)
    legs = Leg(Decimal(stop)), Leg(Decimal(target))
    request = OcoRequest("BTC/USDT", side, Decimal("0.005"), *legs, "exit", Decimal("1.5"))
    with binance(always(body_text("binance", "oco_placed"))) as (exchange, server):
        exchange.place_oco(request)
    params = sent(server.received[0])
    assert (params[f"{stop_at}Type"], params[f"{stop_at}TrailingDelta"]) == ("STOP_LOSS", "150")
    assert f"{stop_at}StopPrice" not in params


@given(
    quantity=st.decimals("0.0002", "60", allow_nan=False, places=9),
    price=st.decimals("30000", "99999", allow_nan=False, places=6),
)
def test_nothing_that_goes_out_is_larger_than_what_was_asked(quantity: Decimal, price: Decimal) -> None:
    request = order(type=OrderType.LIMIT, quantity=quantity, price=price, stop_loss=Leg(price / 2))
    params = orders.single(on_grid(request, BTC), BTC)
    assert quantity - BTC.lot_size < Decimal(params["quantity"]) <= quantity
    assert price - BTC.tick_size < Decimal(params["price"]) <= price
    assert orders.exit_quantity(request, BTC, Decimal("0.001")) <= quantity * Decimal("0.999")
    assert "E" not in params["quantity"] + params["price"]


# -- refused before the wire -----------------------------------------------------------------------------------

DENIED = {
    "unknown market": (order(symbol="NO/SUCH", type=OrderType.MARKET, quantity=Decimal(1)), "symbol"),
    "below a lot": (order(type=OrderType.MARKET, quantity=Decimal("0.000001")), "lot_size"),
    "worth too little": (
        order(type=OrderType.LIMIT, quantity=Decimal("0.00009"), price=Decimal(50000)),
        "min_notional",
    ),
    "too large for a market order": (order(type=OrderType.MARKET, quantity=Decimal(71)), "max_quantity"),
    "no size": (order(type=OrderType.MARKET), "size"),
    "two sizes": (order(type=OrderType.MARKET, quantity=Decimal(1), quote_quantity=Decimal(1)), "size"),
    "limit without a price": (order(type=OrderType.LIMIT, quantity=Decimal(1)), "price"),
    "limit by quote": (
        order(type=OrderType.LIMIT, quote_quantity=Decimal(50), price=Decimal(50000)),
        "quote_quantity",
    ),
    "post-only at the market": (
        order(type=OrderType.MARKET, quantity=Decimal(1), post_only=True),
        "post_only",
    ),
    "stop attached to a market order": (
        order(type=OrderType.MARKET, quantity=Decimal(1), stop_loss=Leg(Decimal(48000))),
        "stop_loss",
    ),
    "stop above a purchase": (
        order(type=OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50000), stop_loss=Leg(Decimal(51000))),
        "stop_loss",
    ),
    "client id with a dot": (
        order(type=OrderType.MARKET, quantity=Decimal(1), client_order_id="a.b"),
        "client_order_id",
    ),
    "client id that leaves no room for legs": (
        order(type=OrderType.MARKET, quantity=Decimal(1), client_order_id="x" * 33),
        "client_order_id",
    ),
}


@pytest.mark.parametrize(("request_", "rule"), DENIED.values(), ids=DENIED.keys())
def test_what_breaks_a_rule_is_refused_before_the_wire_and_named(request_: OrderRequest, rule: str) -> None:
    def answer(request: Received) -> Reply:
        assert "exchangeInfo" in request.target, "nothing else may be sent"
        return reply(body_text("binance", "exchange_info"))

    with binance(answer) as (exchange, _), pytest.raises(OrderDenied) as caught:
        exchange.place_order(request_)
    assert rule in [violation.rule for violation in caught.value.violations]


def test_a_price_is_not_changed_in_place() -> None:
    with binance(always("{}")) as (exchange, server), pytest.raises(OrderDenied, match="price"):
        exchange.amend_order("BTC/USDT", exchange_order_id="1", price=Decimal(1))
    assert server.received == []


def test_amending_needs_the_new_quantity() -> None:
    with binance(always("{}")) as (exchange, server), pytest.raises(OrderDenied, match="quantity"):
        exchange.amend_order("BTC/USDT", exchange_order_id="1")
    assert server.received == []


def test_an_exit_of_which_the_fee_leaves_nothing_is_denied() -> None:
    request = replace(ENTRY, quantity=BTC.lot_size, price=Decimal(900_000), stop_loss=Leg(Decimal(48000)))
    with binance(always("{}")) as (exchange, server), pytest.raises(OrderDenied, match="fee"):
        exchange.place_order(request)
    assert server.received == []


def test_no_market_is_fetched_on_the_way_of_an_order_whose_market_was_given() -> None:
    with binance(always(body_text("binance", "order_market_filled"))) as (exchange, server):
        exchange.place_order(order(type=OrderType.MARKET, quantity=Decimal("0.003")))
    assert [request.target for request in server.received] == ["/binance/api/v3/order"]


def test_amending_keeps_the_client_order_id() -> None:
    def answer(request: Received) -> Reply:
        return reply(body_text("binance", "order_query" if request.method == "GET" else "order_amended"))

    with binance(answer) as (exchange, server):
        report = exchange.amend_order("BTC/USDT", exchange_order_id="1003", quantity=Decimal("0.0020009"))
    assert sent(server.received[-1]) == {
        "symbol": "BTCUSDT",
        "orderId": "1003",
        "origClientOrderId": "mybot-0003",
        "newClientOrderId": "mybot-0003",
        "newQty": "0.002",
    }
    assert (report.quantity, report.client_order_id) == (Decimal("0.002"), "mybot-0003")
