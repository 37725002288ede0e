"""Our Gate.io client and ccxt, which shares no code with us: the same request on the wire, the same values read.

Where they differ on purpose, the difference is named here with its reason; any other difference fails.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from hashlib import sha512
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import ccxt
import pytest

from app.domain import OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from app.exchanges.base import Exchange
from app.exchanges.gateio import parse
from tests.exchanges.ccxt_twin import COARSE, Case, Theirs, Wire, same
from tests.exchanges.gateio_client import KEY, ORDER_ID, SECRET, USUAL, gateio, operation
from tests.exchanges.local_server import Received
from tests.exchanges.recorded import body, body_text

SYMBOL = "BTC/USDT"

#: We ask for the largest page, and tell which; ccxt takes the exchange's default.
OURS_LARGEST_PAGE = {"limit": "100", "page": "1"}
#: We tell how long an order rests; ccxt leaves out what is the default.
OURS_RESTS = {"time_in_force": "gtc"}
#: ccxt names the account in every question, which is the usual one.
THEIRS_ACCOUNT = {"account": "spot"}


def take_apart(method: str, target: str, headers: Mapping[str, str], text: str) -> Wire:
    """Verify a request's signature if it has one, and leave out what differs from call to call."""
    split, lower = urlsplit(target), {name.lower(): value for name, value in headers.items()}
    path = split.path[split.path.index("/api/v4") :]
    if "sign" in lower:
        lines = (method, path, unquote(split.query), sha512(text.encode()).hexdigest(), lower["timestamp"])
        assert lower["sign"] == hmac.digest(SECRET.encode(), "\n".join(lines).encode(), "sha512").hex()
    params = dict(parse_qsl(split.query)) | (json.loads(text) if text else {})
    return Wire(method, path, params, lower.get("key"))


def answer(method: str, url: str, payloads: Mapping[str, str]) -> str:
    return body_text("gateio", {**USUAL, **payloads}[operation(Received(method, url, {}, ""))])


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    # Left to itself ccxt asks first whether the account is a unified one.
    options = {"unifiedAccount": False, "fetchMarkets": {"types": ["spot"]}}
    return Theirs(ccxt.gate({"apiKey": KEY, "secret": SECRET, "options": options}), take_apart, answer)


def both(case: Case, theirs: Theirs) -> tuple[Any, Wire, Any, Wire]:
    """What we read and sent, and what they did."""
    with gateio(payloads=case.payloads) as (exchange, server):
        mine = case.ours(exchange)
    asked = next(request for request in server.received if operation(request) == case.call)
    sent = take_apart(asked.method, asked.target.removeprefix("/gateio"), asked.headers, asked.body)
    return mine, sent, *theirs.ask(case)


def place(type_: OrderType, side: Side = Side.BUY, **fields: Any) -> Callable[[Exchange], Any]:
    fields.setdefault("quantity", Decimal("0.001"))
    request = OrderRequest(SYMBOL, side, type_, client_order_id="mybot-0001", **fields)
    return lambda exchange: exchange.place_order(request)


def create(type_: str, side: str, amount: float, price: float | None, **params: Any) -> Callable[[Any], Any]:
    """ccxt gives no prefix to a client id that begins with its first letter, so the whole name is told."""
    return lambda client: client.create_order(
        SYMBOL, type_, side, amount, price, {"text": "t-mybot-0001", **params}
    )


PLACED = {
    "market buy by quote": Case(
        "POST spot/orders",
        place(OrderType.MARKET, quantity=None, quote_quantity=Decimal("50.19")),
        create("market", "buy", 0, None, cost=50.19),
    ),
    "market sale": Case(
        "POST spot/orders", place(OrderType.MARKET, Side.SELL), create("market", "sell", 0.001, None)
    ),
    "limit, digits cut off": Case(
        "POST spot/orders",
        place(OrderType.LIMIT, quantity=Decimal("0.0010099"), price=Decimal("50000.1")),
        create("limit", "buy", 0.0010099, 50000.1),
        only_ours=OURS_RESTS,
    ),
    "post-only": Case(
        "POST spot/orders",
        place(OrderType.LIMIT, price=Decimal(50000), post_only=True),
        create("limit", "buy", 0.001, 50000, postOnly=True),
    ),
    "fill or kill": Case(
        "POST spot/orders",
        place(OrderType.LIMIT, price=Decimal(50000), time_in_force=TimeInForce.FOK),
        create("limit", "buy", 0.001, 50000, timeInForce="FOK"),
    ),
}

OTHERS = {
    "cancel": Case(
        "DELETE spot/orders/ID",
        lambda exchange: exchange.cancel_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.cancel_order(ORDER_ID, SYMBOL),
        only_theirs=THEIRS_ACCOUNT,
    ),
    # ccxt repeats in the query what stands in the body.
    "amend": Case(
        "PATCH spot/orders/ID",
        lambda exchange: exchange.amend_order(
            SYMBOL, exchange_order_id=ORDER_ID, quantity=Decimal("0.0020009"), price=Decimal(49000)
        ),
        lambda client: client.edit_order(ORDER_ID, SYMBOL, "limit", "buy", 0.0020009, 49000),
        only_theirs=THEIRS_ACCOUNT,
    ),
    "look up": Case(
        "GET spot/orders/ID",
        lambda exchange: exchange.get_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.fetch_order(ORDER_ID, SYMBOL),
        only_theirs=THEIRS_ACCOUNT,
    ),
    "balances": Case(
        "GET spot/accounts", lambda exchange: exchange.balances(), lambda client: client.fetch_balance()
    ),
    "history": Case(
        "GET spot/orders finished",
        lambda exchange: exchange.order_history(SYMBOL),
        lambda client: client.fetch_closed_orders(SYMBOL),
        only_ours=OURS_LARGEST_PAGE,
        only_theirs=THEIRS_ACCOUNT,
        payloads={"GET spot/orders finished": "finished"},
    ),
    "fills": Case(
        "GET spot/my_trades",
        lambda exchange: exchange.fills(SYMBOL),
        lambda client: client.fetch_my_trades(SYMBOL),
        only_ours={"limit": "1000", "page": "1"},
        only_theirs=THEIRS_ACCOUNT,
    ),
    # We need no number of the book's state.
    "order book": Case(
        "GET spot/order_book",
        lambda exchange: exchange.order_book(SYMBOL, 5),
        lambda client: client.fetch_order_book(SYMBOL, 5),
        only_theirs={"with_id": "true"},
    ),
    "candles": Case(
        "GET spot/candlesticks",
        lambda exchange: exchange.candles(SYMBOL, "1h", limit=2),
        lambda client: client.fetch_ohlcv(SYMBOL, "1h", None, 2),
    ),
    "ticker": Case(
        "GET spot/tickers",
        lambda exchange: exchange.ticker(SYMBOL),
        lambda client: client.fetch_ticker(SYMBOL),
    ),
    "server time": Case(
        "GET spot/time", lambda exchange: exchange.server_time(), lambda client: client.fetch_time()
    ),
}


@pytest.mark.parametrize("case", [*PLACED.values(), *OTHERS.values()], ids=[*PLACED, *OTHERS])
def test_the_same_wish_is_the_same_request(case: Case, theirs: Theirs) -> None:
    _, ours, _, other = both(case, theirs)
    assert case.only_theirs.items() <= other.params.items()
    assert ours == case.expected(other)


def test_a_stop_is_the_same_trigger_but_for_its_day_and_its_words_for_the_market(theirs: Theirs) -> None:
    """ccxt lets a stop lapse after a day, and gives one at the market no price at all."""
    wish = Case(
        "POST spot/price_orders",
        place(OrderType.STOP_LIMIT, Side.SELL, price=Decimal(47900), trigger_price=Decimal(48000)),
        lambda client: client.create_order(SYMBOL, "limit", "sell", 0.001, 47900, {"stopLossPrice": 48000}),
    )
    _, ours, _, other = both(wish, theirs)
    trigger = dict(other.params["trigger"])  # type: ignore[call-overload]
    assert trigger.pop("expiration") == 86400
    assert (ours.method, ours.path, ours.params) == (
        other.method,
        other.path,
        {**other.params, "trigger": trigger},
    )


@pytest.mark.parametrize(
    "name",
    [
        "order_open",
        "order_partial",
        "order_filled",
        "order_market_bought",
        "order_market_sold",
        "order_cancelled",
    ],
)
def test_the_same_answer_is_read_as_the_same_order(name: str, theirs: Theirs) -> None:
    row = body("gateio", name)
    ours = parse.parse_order(row, SYMBOL)
    other = theirs.client.parse_order(json.loads(body_text("gateio", name)), theirs.client.markets[SYMBOL])
    assert ours.side is not None
    assert ours.created_at is not None
    assert (ours.exchange_order_id, f"t-{ours.client_order_id}", ours.side.lower()) == (
        other["id"],
        other["clientOrderId"],
        other["side"],
    )
    # ccxt takes a market buy that left some dust for one that was cancelled.
    assert COARSE[ours.status] == other["status"] or name == "order_market_bought"
    assert ours.created_at.timestamp() * 1000 == other["timestamp"]
    if name != "order_market_bought":  # whose sizes ccxt works out from its average price
        assert same(ours.quantity, other["amount"])
        assert same(ours.filled_quantity, other["filled"])
        assert same(ours.cost, other["cost"])
        assert same(ours.average_price, other["average"] or None)
    if ours.type is OrderType.LIMIT and ours.status is not OrderStatus.CANCELED:
        assert same(ours.price, other["price"])


def test_the_same_balances_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["balances"], theirs)
    assert set(ours) == {asset for asset, total in other["total"].items() if total}
    for asset, balance in ours.items():
        assert same(balance.free, other[asset]["free"])
        assert same(balance.locked, other[asset]["used"])
        assert same(balance.total, other[asset]["total"])


def test_the_same_fills_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["fills"], theirs)
    for mine, fill in zip(ours, other, strict=True):
        assert (mine.trade_id, mine.exchange_order_id, mine.side.lower()) == (
            fill["id"],
            fill["order"],
            fill["side"],
        )
        assert ("maker" if mine.maker else "taker") == fill["takerOrMaker"]
        for name, value in (("price", mine.price), ("amount", mine.quantity), ("cost", mine.cost)):
            assert same(value, fill[name])
        paid = {fee["currency"]: fee["cost"] for fee in fill["fees"] if fee["cost"]}
        assert paid == {mine.fee_asset: float(mine.fee)}


def test_the_same_prices_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["ticker"], theirs)
    for name in ("last", "bid", "ask", "high", "low"):
        assert same(getattr(ours, name), other[name]), name
    assert same(ours.base_volume, other["baseVolume"])
    ours, _, other, _ = both(OTHERS["order book"], theirs)
    for mine, levels in ((ours.bids, other["bids"]), (ours.asks, other["asks"])):
        assert [[float(level.price), float(level.quantity)] for level in mine] == levels
    ours, _, other, _ = both(OTHERS["candles"], theirs)
    for mine, candle in zip(ours, other, strict=True):
        values = (mine.open, mine.high, mine.low, mine.close, mine.volume)
        assert [mine.at.timestamp() * 1000, *map(float, values)] == candle


def test_the_same_markets_are_read(theirs: Theirs) -> None:
    with gateio() as (exchange, _):
        ours = {market.symbol: market for market in exchange.markets()}
    assert set(ours) == set(theirs.client.markets)
    for symbol, market in ours.items():
        other = theirs.client.markets[symbol]
        assert (market.exchange_symbol, market.base, market.quote, market.active) == (
            other["id"],
            other["base"],
            other["quote"],
            other["active"],
        )
        assert same(market.tick_size, other["precision"]["price"])
        assert same(market.lot_size, other["precision"]["amount"])
        assert same(market.min_notional, other["limits"]["cost"]["min"])
