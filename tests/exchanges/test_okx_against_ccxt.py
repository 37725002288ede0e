"""Our OKX client and ccxt, which shares no code with us: the same request on the wire, the same values read.

Where they differ on purpose, the difference is named here with its reason; any other difference fails.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest

from app.domain import Leg, OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from app.exchanges.base import Exchange
from app.exchanges.okx import parse
from tests.exchanges.local_server import Received
from tests.exchanges.okx_client import KEY, PASSPHRASE, SECRET, USUAL, okx, operation
from tests.exchanges.recorded import body, body_text

SYMBOL = "BTC/USDT"
ORDER_ID = "2400000000000000001"

#: ccxt leaves a market order to be made smaller when the balance does not cover it; we have it refused instead.
OURS_UNSHRUNK = {"banAmend": "true"}
#: ccxt adds a tag of its own, by which it is paid.
THEIR_TAG = {"tag": "6b9ad766b55dBCDE"}
#: ccxt says of a limit order what its size is in, too, where it is always the base.
THEIR_UNIT = {"tgtCcy": "base_ccy"}
#: We ask for the largest page; ccxt takes the exchange's default, which is as large.
OURS_LARGEST_PAGE = {"limit": "100"}
#: We say that it is spot; ccxt asks for everything there is in the list of open orders.
OURS_SPOT = {"instType": "SPOT"}


@dataclass(frozen=True, slots=True)
class Wire:
    """One request, taken apart."""

    method: str
    path: str
    params: dict[str, str]
    key: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """The same wish in both languages, and the call by which both are compared.

    ``only_ours`` and ``only_theirs`` are parameters that one of us sends, with their reasons above or beside.
    """

    call: str
    ours: Callable[[Exchange], Any]
    theirs: Callable[[Any], Any]
    only_ours: Mapping[str, str] = field(default_factory=dict)
    only_theirs: Mapping[str, str] = field(default_factory=dict)
    payloads: Mapping[str, str] = field(default_factory=dict)


def take_apart(method: str, target: str, headers: Mapping[str, str], text: str) -> Wire:
    """Verify a request's signature if it has one."""
    split, lower = urlsplit(target), {name.lower(): value for name, value in headers.items()}
    if "ok-access-sign" in lower:
        asked = f"{split.path}?{split.query}" if split.query else split.path
        signed = lower["ok-access-timestamp"] + method + asked + text
        digest = hmac.new(SECRET.encode(), signed.encode(), sha256).digest()
        assert lower["ok-access-sign"] == base64.b64encode(digest).decode()
        assert lower["ok-access-passphrase"] == PASSPHRASE
    params = dict(parse_qsl(split.query)) | {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in (json.loads(text) if text else {}).items()
    }
    return Wire(method, split.path, params, lower.get("ok-access-key"))


@dataclass(slots=True)
class Theirs:
    """A ccxt client whose requests are kept and answered from the recordings."""

    client: Any
    payloads: Mapping[str, str] = field(default_factory=dict)
    sent: list[Wire] = field(default_factory=list)

    def fetch(self, url: str, method: str, headers: dict[str, str] | None, text: str | None) -> Any:
        called = operation(Received(method, url, {}, ""))
        self.sent.append(take_apart(method, url, headers or {}, text or ""))
        return json.loads(body_text("okx", {**USUAL, "GET currencies": "nothing", **self.payloads}[called]))


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    # Left to itself ccxt places orders one at a time by the call for several.
    options = {
        "fetchMarkets": {"types": ["spot"]},
        "createOrder": "privatePostTradeOrder",
    }
    client = ccxt.okx({"apiKey": KEY, "secret": SECRET, "password": PASSPHRASE, "options": options})
    found = Theirs(client)
    client.fetch = lambda url, method="GET", headers=None, body=None: found.fetch(url, method, headers, body)
    client.load_markets()
    return found


def both(case: Case, theirs: Theirs) -> tuple[Any, Wire, Any, Wire]:
    """What we read and sent, and what they did."""
    with okx(payloads=case.payloads) as (exchange, server):
        mine = case.ours(exchange)
    request = next(request for request in server.received if operation(request) == case.call)
    sent = take_apart(request.method, request.target.removeprefix("/okx"), request.headers, request.body)
    theirs.payloads = case.payloads
    theirs.sent.clear()
    read = case.theirs(theirs.client)
    [other] = theirs.sent
    return mine, sent, read, other


def place(type_: OrderType, side: Side = Side.BUY, **fields: Any) -> Callable[[Exchange], Any]:
    fields.setdefault("quantity", Decimal("0.01"))
    request = OrderRequest(SYMBOL, side, type_, client_order_id="mybot0001", **fields)
    return lambda exchange: exchange.place_order(request)


def create(
    type_: str, side: str, amount: float | None, price: float | None, **params: Any
) -> Callable[[Any], Any]:
    return lambda client: client.create_order(
        SYMBOL, type_, side, amount, price, {"clientOrderId": "mybot0001", **params}
    )


LIMIT = {"price": Decimal(90000)}
PLACED = {
    "market by quote": Case(
        "POST order",
        place(OrderType.MARKET, quantity=None, quote_quantity=Decimal("300.5")),
        create("market", "buy", None, None, cost=300.5, tgtCcy="quote_ccy"),
        only_ours=OURS_UNSHRUNK,
    ),
    "market by base": Case(
        "POST order",
        place(OrderType.MARKET),
        create("market", "buy", 0.01, None),
        only_ours=OURS_UNSHRUNK,
    ),
    "market sale": Case(
        "POST order",
        place(OrderType.MARKET, Side.SELL),
        create("market", "sell", 0.01, None),
        only_ours=OURS_UNSHRUNK,
    ),
    "limit, digits cut off": Case(
        "POST order",
        place(OrderType.LIMIT, quantity=Decimal("0.010000009"), price=Decimal("90000.1")),
        create("limit", "buy", 0.010000009, 90000.1),
        only_theirs=THEIR_UNIT,
    ),
    "post-only": Case(
        "POST order",
        place(OrderType.LIMIT, post_only=True, **LIMIT),
        create("limit", "buy", 0.01, 90000, postOnly=True),
        only_theirs=THEIR_UNIT,
    ),
    "immediate or cancel": Case(
        "POST order",
        place(OrderType.LIMIT, time_in_force=TimeInForce.IOC, **LIMIT),
        create("limit", "buy", 0.01, 90000, timeInForce="IOC"),
        only_theirs=THEIR_UNIT,
    ),
    "fill or kill": Case(
        "POST order",
        place(OrderType.LIMIT, time_in_force=TimeInForce.FOK, **LIMIT),
        create("limit", "buy", 0.01, 90000, timeInForce="FOK"),
        only_theirs=THEIR_UNIT,
    ),
}

OTHERS = {
    "change": Case(
        "POST amend-order",
        lambda exchange: exchange.amend_order(
            SYMBOL, exchange_order_id=ORDER_ID, quantity=Decimal("0.02"), price=Decimal(90001)
        ),
        lambda client: client.edit_order(ORDER_ID, SYMBOL, "limit", "buy", 0.02, 90001),
    ),
    "cancel": Case(
        "POST cancel-order",
        lambda exchange: exchange.cancel_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.cancel_order(ORDER_ID, SYMBOL),
    ),
    "cancel by client id": Case(
        "POST cancel-order",
        lambda exchange: exchange.cancel_order(SYMBOL, client_order_id="mybot0001"),
        lambda client: client.cancel_order(None, SYMBOL, {"clientOrderId": "mybot0001"}),
    ),
    "look up": Case(
        "GET order",
        lambda exchange: exchange.get_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.fetch_order(ORDER_ID, SYMBOL),
    ),
    "open orders": Case(
        "GET orders-pending",
        lambda exchange: exchange.open_orders(SYMBOL),
        lambda client: client.fetch_open_orders(SYMBOL),
        only_ours=OURS_LARGEST_PAGE | OURS_SPOT,
        payloads={"GET orders-pending": "orders_pending"},
    ),
    # ccxt asks for filled orders alone.
    "history": Case(
        "GET orders-history",
        lambda exchange: exchange.order_history(SYMBOL),
        lambda client: client.fetch_closed_orders(SYMBOL),
        only_ours=OURS_LARGEST_PAGE,
        only_theirs={"state": "filled"},
        payloads={"GET orders-history": "orders_history"},
    ),
    "balances": Case(
        "GET balance", lambda exchange: exchange.balances(), lambda client: client.fetch_balance()
    ),
    "order book": Case(
        "GET books",
        lambda exchange: exchange.order_book(SYMBOL, 5),
        lambda client: client.fetch_order_book(SYMBOL, 5),
    ),
    "candles": Case(
        "GET candles",
        lambda exchange: exchange.candles(SYMBOL, "1m", limit=2),
        lambda client: client.fetch_ohlcv(SYMBOL, "1m", None, 2),
    ),
    "candles of a day, in UTC": Case(
        "GET candles",
        lambda exchange: exchange.candles(SYMBOL, "1d", limit=2),
        lambda client: client.fetch_ohlcv(SYMBOL, "1d", None, 2),
    ),
    "ticker": Case(
        "GET ticker", lambda exchange: exchange.ticker(SYMBOL), lambda client: client.fetch_ticker(SYMBOL)
    ),
    "server time": Case(
        "GET time", lambda exchange: exchange.server_time(), lambda client: client.fetch_time()
    ),
}


@pytest.mark.parametrize("case", [*PLACED.values(), *OTHERS.values()], ids=[*PLACED, *OTHERS])
def test_the_same_wish_is_the_same_request(case: Case, theirs: Theirs) -> None:
    _, ours, _, other = both(case, theirs)
    only_theirs = {**case.only_theirs, **(THEIR_TAG if "tag" in other.params else {})}
    assert (ours.method, ours.path, ours.key) == (other.method, other.path, other.key)
    assert ours.params == {
        name: value for name, value in other.params.items() if name not in only_theirs
    } | dict(case.only_ours)
    assert {name: other.params[name] for name in only_theirs} == only_theirs


def test_exits_are_attached_alike_but_for_the_kind_that_spot_refuses(theirs: Theirs) -> None:
    """ccxt asks for a take-profit that is a limit order (51094 on spot) where it should wait for its trigger."""
    exits = {
        "stopLoss": {"triggerPrice": 85000, "type": "market"},
        "takeProfit": {"triggerPrice": 99000, "price": 98990.5, "type": "limit"},
    }
    legs = {
        "stop_loss": Leg(Decimal(85000)),
        "take_profit": Leg(Decimal(99000), Decimal("98990.5")),
    }
    case = Case(
        "POST order", place(OrderType.LIMIT, **LIMIT, **legs), create("limit", "buy", 0.01, 90000, **exits)
    )
    _, ours, _, other = both(case, theirs)
    [mine] = json.loads(ours.params["attachAlgoOrds"])
    [theirs_] = json.loads(other.params["attachAlgoOrds"])
    assert mine.pop("attachAlgoClOrdId") == "mybot0001x"
    assert theirs_.pop("tpOrdKind") == "limit"
    assert mine == {name: str(value) for name, value in theirs_.items()}


def test_a_stop_is_a_cash_order_with_a_client_id_of_its_own_kind_where_ccxt_takes_margin(
    theirs: Theirs,
) -> None:
    case = Case(
        "POST order-algo",
        place(OrderType.STOP_LOSS, Side.SELL, trigger_price=Decimal(85000)),
        create("market", "sell", 0.01, None, stopLossPrice=85000),
    )
    _, ours, _, other = both(case, theirs)
    shared = ("instId", "side", "ordType", "sz", "slTriggerPx", "slOrdPx")
    assert {name: ours.params[name] for name in shared} == {name: other.params[name] for name in shared}
    assert (ours.params["tdMode"], ours.params["algoClOrdId"]) == ("cash", "mybot0001")


def test_the_time_out_of_an_order_is_unknown_where_ccxt_takes_the_exchange_for_away(theirs: Theirs) -> None:
    assert theirs.client.exceptions["exact"]["50004"] is ccxt.RequestTimeout
    assert theirs.client.exceptions["exact"]["50026"] is ccxt.ExchangeNotAvailable


#: ccxt knows three outcomes where we tell more apart; the finer word must belong to the coarser one.
COARSE = {
    OrderStatus.OPEN: "open",
    OrderStatus.PARTIALLY_FILLED: "open",
    OrderStatus.FILLED: "closed",
    OrderStatus.CANCELED: "canceled",
}


def same(exact: Decimal | None, approximate: float | None) -> bool:
    """Whether a float is what our exact value is to a float's precision."""
    return approximate is None if exact is None else approximate is not None and float(exact) == approximate


@pytest.mark.parametrize("name", ["order_live", "order_partial", "order_market_filled", "order_canceled"])
def test_the_same_answer_is_read_as_the_same_order(name: str, theirs: Theirs) -> None:
    ours = parse.parse_order(body("okx", name)["data"][0])
    other = theirs.client.parse_order(json.loads(body_text("okx", name))["data"][0])
    assert ours.side is not None
    assert ours.created_at is not None
    assert (ours.exchange_order_id, ours.client_order_id, ours.side.lower(), COARSE[ours.status]) == (
        other["id"],
        other["clientOrderId"],
        other["side"],
        other["status"],
    )
    assert ours.created_at.timestamp() * 1000 == other["timestamp"]
    assert {asset: float(fee) for asset, fee in ours.fees.items()} == (
        {other["fee"]["currency"]: other["fee"]["cost"]} if other["fee"]["cost"] else {}
    )
    for mine, names in {"filled_quantity": "filled", "average_price": "average"}.items():
        assert same(getattr(ours, mine), other[names]), mine
    if ours.type is OrderType.LIMIT:
        assert same(ours.quantity, other["amount"])
        assert same(ours.remaining, other["remaining"])
        assert same(ours.price, other["price"])
        assert same(ours.cost, other["cost"])


def test_the_same_balances_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["balances"], theirs)
    assert set(ours) == {asset for asset, total in other["total"].items() if total}
    for asset, balance in ours.items():
        assert same(balance.free, other[asset]["free"])
        assert same(balance.locked, other[asset]["used"])
        assert same(balance.total, other[asset]["total"])


def test_the_same_fills_are_read(theirs: Theirs) -> None:
    """By another call: ccxt asks the slow list, which reaches back three months, we the quick one first."""
    with okx() as (exchange, _):
        ours = exchange.fills(SYMBOL)
    theirs.payloads = {"GET fills-history": "fills"}
    other = theirs.client.fetch_my_trades(SYMBOL)
    for mine, fill in zip(ours, other, strict=True):
        assert mine.side is not None
        assert mine.fee is not None
        assert mine.at is not None
        assert (mine.trade_id, mine.exchange_order_id, mine.side.lower()) == (
            fill["id"],
            fill["order"],
            fill["side"],
        )
        assert ("maker" if mine.maker else "taker") == fill["takerOrMaker"]
        assert same(mine.price, fill["price"])
        assert same(mine.quantity, fill["amount"])
        assert same(mine.cost, fill["cost"])
        assert (float(mine.fee), mine.fee_asset) == (fill["fee"]["cost"], fill["fee"]["currency"])


@pytest.mark.parametrize("name", ["open orders", "history"])
def test_the_same_lists_are_read(name: str, theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS[name], theirs)
    by_id = {order["id"]: order for order in other}
    assert {order.exchange_order_id for order in ours} == set(by_id)
    for order in ours:
        assert COARSE[order.status] == by_id[order.exchange_order_id]["status"]
        assert same(order.price, by_id[order.exchange_order_id]["price"] if order.price else None)


def test_the_same_prices_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["ticker"], theirs)
    for name in ("last", "bid", "ask", "high", "low"):
        assert same(getattr(ours, name), other[name]), name
    assert same(ours.base_volume, other["baseVolume"])
    assert same(ours.quote_volume, other["quoteVolume"])
    book, _, levels, _ = both(OTHERS["order book"], theirs)
    for mine, side in ((book.bids, levels["bids"]), (book.asks, levels["asks"])):
        assert [[float(level.price), float(level.quantity)] for level in mine] == [row[:2] for row in side]


def test_the_same_candles_and_the_same_time_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["candles"], theirs)
    for mine, candle in zip(ours, other, strict=True):
        values = (mine.open, mine.high, mine.low, mine.close, mine.volume)
        assert [mine.at.timestamp() * 1000, *map(float, values)] == candle
    now, _, same_now, _ = both(OTHERS["server time"], theirs)
    assert now.timestamp() * 1000 == same_now


def test_the_same_markets_are_read(theirs: Theirs) -> None:
    with okx() as (exchange, _):
        ours = {market.symbol: market for market in exchange.markets()}
    assert set(ours) == set(theirs.client.markets)
    for symbol, market in ours.items():
        other = theirs.client.markets[symbol]
        assert (market.exchange_symbol, market.base, market.quote) == (
            other["id"],
            other["base"],
            other["quote"],
        )
        assert market.active is other["active"]
        if market.active:
            assert same(market.tick_size, other["precision"]["price"])
            assert same(market.lot_size, other["precision"]["amount"])
            assert same(market.min_quantity, other["limits"]["amount"]["min"])
