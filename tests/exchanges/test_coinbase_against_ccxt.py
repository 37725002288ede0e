"""Our Coinbase client and ccxt, which shares no code with us: the same request on the wire, the same values read.

Where they differ on purpose, the difference is named here with its reason; any other difference fails.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import ccxt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.domain import OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from app.exchanges.base import Exchange
from app.exchanges.coinbase import parse
from tests.exchanges.coinbase_client import BTC, KEY, SECRET, SEED, USUAL, coinbase, operation
from tests.exchanges.local_server import Received
from tests.exchanges.recorded import body, body_text

SYMBOL = "BTC/USD"
OID = "6f0c0000-0000-4000-8000-000000000001"
PUBLIC_KEY = Ed25519PrivateKey.from_private_bytes(SEED).public_key()

#: We ask for the largest page; ccxt for a hundred.
PAGES = ("limit",)
#: The documentation names products in the plural; ccxt's singular is not in it.
PRODUCT = {"product_id": "product_ids"}


@dataclass(frozen=True, slots=True)
class Wire:
    """One request, taken apart."""

    method: str
    path: str
    params: dict[str, Any]
    signed: bool


@dataclass(frozen=True, slots=True)
class Case:
    """The same wish in both languages, and the call by which both are compared."""

    call: str
    ours: Callable[[Exchange], Any]
    theirs: Callable[[Any], Any]
    payloads: Mapping[str, str] = field(default_factory=dict)


def take_apart(method: str, target: str, headers: Mapping[str, str], text: str) -> Wire:
    """Verify a request's token if it has one."""
    split, lower = urlsplit(target), {name.lower(): value for name, value in headers.items()}
    token = lower.get("authorization", "").removeprefix("Bearer ")
    if token:
        header, claims, signature = token.split(".")
        PUBLIC_KEY.verify(_decoded(signature), f"{header}.{claims}".encode())
        told = json.loads(_decoded(claims))
        uri = told.get("uri") or told["uris"][0]
        assert (told["sub"], uri) == (KEY, f"{method} api.coinbase.com{split.path}")
    query = {PRODUCT.get(name, name): values[0] for name, values in parse_qs(split.query).items()}
    params = {name: value for name, value in query.items() if name not in PAGES}
    return Wire(method, split.path, params | (json.loads(text) if text else {}), bool(token))


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


@dataclass(slots=True)
class Theirs:
    """A ccxt client whose requests are kept and answered from the recordings."""

    client: Any
    payloads: Mapping[str, str] = field(default_factory=dict)
    sent: list[Wire] = field(default_factory=list)

    def fetch(self, url: str, method: str, headers: dict[str, str] | None, text: str | None) -> Any:
        called = operation(Received(method, url, {}, ""))
        if called == "GET transaction_summary":
            return {}
        self.sent.append(take_apart(method, url, headers or {}, text or ""))
        return json.loads(body_text("coinbase", {**USUAL, **self.payloads}[called]))


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    client = ccxt.coinbase({"apiKey": KEY, "secret": SECRET})
    client.options["fetchTime"] = "v3PublicGetBrokerageTime"
    client.options["fetchCurrencies"] = {"timestamp": client.milliseconds(), "expires": 10**9}
    client.has["fetchCurrencies"] = False  # of an older API
    found = Theirs(client)
    client.fetch = lambda url, method="GET", headers=None, body=None: found.fetch(url, method, headers, body)
    client.load_markets()
    return found


def both(case: Case, theirs: Theirs) -> tuple[Any, Wire, Any, Wire]:
    """What we read and sent, and what they did."""
    unseen = {"GET order": "order_missing"} if case.call == "POST orders" else {}
    with coinbase(payloads={**unseen, **case.payloads}) as (exchange, server):
        mine = case.ours(exchange)
    request = next(request for request in server.received if operation(request) == case.call)
    sent = take_apart(request.method, request.target.removeprefix("/coinbase"), request.headers, request.body)
    theirs.payloads = case.payloads
    theirs.sent.clear()
    read = case.theirs(theirs.client)
    return mine, sent, read, theirs.sent[0]


def place(type_: OrderType, side: Side = Side.BUY, **fields: Any) -> Callable[[Exchange], Any]:
    fields.setdefault("quantity", Decimal("0.01"))
    request = OrderRequest(SYMBOL, side, type_, client_order_id="mybot0001", **fields)
    return lambda exchange: exchange.place_order(request)


def create(
    type_: str, side: str, amount: float | None, price: float | None, **params: Any
) -> Callable[[Any], Any]:
    """ccxt drops its own ``clientOrderId`` and passes the exchange's name of it through."""
    return lambda client: client.create_order(
        SYMBOL, type_, side, amount, price, {"client_order_id": "mybot0001", **params}
    )


LIMIT = {"price": Decimal(90000)}
CASES = {
    "market by quote": Case(
        "POST orders",
        place(OrderType.MARKET, quantity=None, quote_quantity=Decimal("300.12")),
        create("market", "buy", 0, None, cost=300.12),
    ),
    "market sale": Case(
        "POST orders", place(OrderType.MARKET, Side.SELL), create("market", "sell", 0.01, None)
    ),
    "limit, digits cut off": Case(
        "POST orders",
        place(OrderType.LIMIT, quantity=Decimal("0.010000009"), **LIMIT),
        create("limit", "buy", 0.010000009, 90000),
    ),
    "post-only": Case(
        "POST orders",
        place(OrderType.LIMIT, post_only=True, **LIMIT),
        create("limit", "buy", 0.01, 90000, postOnly=True),
    ),
    "immediate or cancel": Case(
        "POST orders",
        place(OrderType.LIMIT, time_in_force=TimeInForce.IOC, **LIMIT),
        create("limit", "buy", 0.01, 90000, timeInForce="IOC"),
    ),
    "fill or kill": Case(
        "POST orders",
        place(OrderType.LIMIT, time_in_force=TimeInForce.FOK, **LIMIT),
        create("limit", "buy", 0.01, 90000, timeInForce="FOK"),
    ),
    "stop at a limit": Case(
        "POST orders",
        place(OrderType.STOP_LIMIT, Side.SELL, price=Decimal(84900), trigger_price=Decimal(85000)),
        create("limit", "sell", 0.01, 84900, stopLossPrice=85000),
    ),
    "change": Case(
        "POST edit",
        lambda exchange: exchange.amend_order(
            SYMBOL, exchange_order_id=OID, quantity=Decimal("0.02"), price=Decimal(90001)
        ),
        lambda client: client.edit_order(OID, SYMBOL, "limit", "buy", 0.02, 90001),
    ),
    "cancel": Case(
        "POST batch_cancel",
        lambda exchange: exchange.cancel_order(SYMBOL, exchange_order_id=OID),
        lambda client: client.cancel_order(OID, SYMBOL),
    ),
    "look up": Case(
        "GET order",
        lambda exchange: exchange.get_order(SYMBOL, exchange_order_id=OID),
        lambda client: client.fetch_order(OID, SYMBOL),
    ),
    "open orders": Case(
        "GET batch",
        lambda exchange: exchange.open_orders(SYMBOL),
        lambda client: client.fetch_open_orders(SYMBOL),
        {"GET batch": "orders"},
    ),
    "history": Case(
        "GET batch",
        lambda exchange: exchange.order_history(SYMBOL),
        lambda client: client.fetch_orders(SYMBOL),
        {"GET batch": "orders"},
    ),
    "fills": Case(
        "GET fills", lambda exchange: exchange.fills(SYMBOL), lambda client: client.fetch_my_trades(SYMBOL)
    ),
    "balances": Case(
        "GET accounts",
        lambda exchange: exchange.balances(),
        lambda client: client.fetch_balance({"v3": True}),
    ),
    "order book": Case(
        "GET product_book",
        lambda exchange: exchange.order_book(SYMBOL, 5),
        lambda client: client.fetch_order_book(SYMBOL, 5),
    ),
    "ticker": Case(
        "GET ticker", lambda exchange: exchange.ticker(SYMBOL), lambda client: client.fetch_ticker(SYMBOL)
    ),
    "server time": Case(
        "GET time", lambda exchange: exchange.server_time(), lambda client: client.fetch_time()
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_same_wish_is_the_same_request(case: Case, theirs: Theirs) -> None:
    _, ours, _, other = both(case, theirs)
    assert ours == other


#: ccxt knows three outcomes where we tell more apart; the finer word must belong to the coarser one.
COARSE = {
    OrderStatus.OPEN: "open",
    OrderStatus.PARTIALLY_FILLED: "open",
    OrderStatus.FILLED: "closed",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.REJECTED: "canceled",
}


def same(exact: Decimal | None, approximate: float | None) -> bool:
    """Whether a float is what our exact value is to a float's precision."""
    return approximate is None if exact is None else approximate is not None and float(exact) == approximate


@pytest.mark.parametrize(
    "name", ["order_open", "order_partial", "order_cancelled", "order_market_filled", "order_failed"]
)
def test_the_same_answer_is_read_as_the_same_order(name: str, theirs: Theirs) -> None:
    ours = parse.parse_order(body("coinbase", name)["order"], BTC)
    other = theirs.client.parse_order(
        json.loads(body_text("coinbase", name))["order"], theirs.client.markets[SYMBOL]
    )
    assert ours.side is not None
    assert ours.created_at is not None
    assert (ours.exchange_order_id, ours.client_order_id, ours.side.lower(), COARSE[ours.status]) == (
        other["id"],
        other["clientOrderId"],
        other["side"],
        other["status"],
    )
    assert ours.created_at.timestamp() * 1000 == other["timestamp"]
    assert same(ours.filled_quantity, other["filled"])
    assert ours.fees.get("USD", 0) == Decimal(other["fee"]["cost"]), "a text there"
    assert same(ours.average_price, other["average"] or None)
    if ours.type is OrderType.LIMIT:
        assert same(ours.quantity, other["amount"])
        assert same(ours.price, other["price"])


def test_the_same_balances_and_fills_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(CASES["balances"], theirs)
    for asset, balance in ours.items():
        assert same(balance.free, other[asset]["free"])
        assert same(balance.locked, other[asset]["used"])
    fills, _, trades, _ = both(CASES["fills"], theirs)
    for mine, fill in zip(fills, trades, strict=True):
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


def test_the_same_prices_and_the_same_time_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(CASES["ticker"], theirs)
    for name in ("last", "bid", "ask"):
        assert same(getattr(ours, name), other[name]), name
    book, _, levels, _ = both(CASES["order book"], theirs)
    for mine, side in ((book.bids, levels["bids"]), (book.asks, levels["asks"])):
        assert [[float(level.price), float(level.quantity)] for level in mine] == [row[:2] for row in side]
    now, _, whole_second, _ = both(CASES["server time"], theirs)
    assert now.timestamp() // 1 * 1000 == whole_second


def test_the_same_markets_are_read(theirs: Theirs) -> None:
    with coinbase() as (exchange, _):
        ours = {market.symbol: market for market in exchange.markets()}
    for symbol, market in ours.items():
        other = theirs.client.markets[symbol]
        assert (market.exchange_symbol, market.base, market.quote) == (
            other["id"],
            other["base"],
            other["quote"],
        )
        assert market.active is other["active"]
        assert same(market.tick_size, other["precision"]["price"])
        assert same(market.lot_size, other["precision"]["amount"])
        assert same(market.min_notional, other["limits"]["cost"]["min"])
