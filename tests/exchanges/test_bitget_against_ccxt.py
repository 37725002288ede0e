"""Our Bitget client and ccxt, which shares no code with us: the same request on the wire, the same values read.

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

from app.domain import OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from app.exchanges.base import Exchange
from app.exchanges.bitget import parse
from tests.exchanges.bitget_client import KEY, PASSPHRASE, SECRET, USUAL, bitget, operation
from tests.exchanges.local_server import Received
from tests.exchanges.recorded import body, body_text

SYMBOL = "BTC/USDT"
ORDER_ID = "1098394344925597696"

#: We let a new order expire after five seconds; ccxt leaves it to the timestamp, which allows thirty.
OURS_EXPIRES = ("requestTime", "receiveWindow")
#: We ask for the largest page; ccxt takes the exchange's default.
OURS_LARGEST_PAGE = {"limit": "100"}
#: We ask for the raw book aloud; it is the default.
OURS_RAW_BOOK = {"type": "step0"}
#: The documentation's words are in lower case; ccxt's capitals are taken too.
FORCES = {"GTC": "gtc", "IOC": "ioc", "FOK": "fok"}


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
    """Verify a request's signature if it has one, and leave out what differs from call to call."""
    split, lower = urlsplit(target), {name.lower(): value for name, value in headers.items()}
    if "access-sign" in lower:
        asked = f"{split.path}?{split.query}" if split.query else split.path
        signed = lower["access-timestamp"] + method + asked + text
        digest = hmac.new(SECRET.encode(), signed.encode(), sha256).digest()
        assert lower["access-sign"] == base64.b64encode(digest).decode()
        assert lower["access-passphrase"] == PASSPHRASE
    params = dict(parse_qsl(split.query)) | {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in (json.loads(text) if text else {}).items()
        if name not in OURS_EXPIRES
    }
    if "force" in params:
        params["force"] = FORCES.get(params["force"], params["force"])
    return Wire(method, split.path, params, lower.get("access-key"))


@dataclass(slots=True)
class Theirs:
    """A ccxt client whose requests are kept and answered from the recordings."""

    client: Any
    payloads: Mapping[str, str] = field(default_factory=dict)
    sent: list[Wire] = field(default_factory=list)

    def fetch(self, url: str, method: str, headers: dict[str, str] | None, text: str | None) -> Any:
        called = operation(Received(method, url, {}, ""))
        self.sent.append(take_apart(method, url, headers or {}, text or ""))
        return json.loads(body_text("bitget", {**USUAL, **self.payloads}[called]))


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    # Left to itself ccxt asks first whether the account is a unified one, and then speaks another API.
    options = {"uta": False, "fetchMarkets": {"types": ["spot"]}}
    client = ccxt.bitget({"apiKey": KEY, "secret": SECRET, "password": PASSPHRASE, "options": options})
    found = Theirs(client, {"currencies": "order_none"})
    client.fetch = lambda url, method="GET", headers=None, body=None: found.fetch(url, method, headers, body)
    client.set_markets(client.fetch_markets())
    return found


def both(case: Case, theirs: Theirs) -> tuple[Any, Wire, Any, Wire]:
    """What we read and sent, and what they did."""
    with bitget(**{name.replace("-", "_"): payload for name, payload in case.payloads.items()}) as (
        exchange,
        server,
    ):
        mine = case.ours(exchange)
    requests = [request for request in server.received if operation(request) == case.call]
    sent = take_apart(
        requests[0].method,
        requests[0].target.removeprefix("/bitget"),
        requests[0].headers,
        requests[0].body,
    )
    theirs.payloads = case.payloads
    theirs.sent.clear()
    read = case.theirs(theirs.client)
    [other] = theirs.sent
    return mine, sent, read, other


def place(type_: OrderType, side: Side = Side.BUY, **fields: Any) -> Callable[[Exchange], Any]:
    fields.setdefault("quantity", Decimal("0.001"))
    request = OrderRequest(SYMBOL, side, type_, client_order_id="mybot-0001", **fields)
    return lambda exchange: exchange.place_order(request)


def create(
    type_: str, side: str, amount: float | None, price: float | None, **params: Any
) -> Callable[[Any], Any]:
    return lambda client: client.create_order(
        SYMBOL, type_, side, amount, price, {"clientOrderId": "mybot-0001", **params}
    )


PLACED = {
    "market by quote": Case(
        "place-order",
        place(OrderType.MARKET, quantity=None, quote_quantity=Decimal("50.12")),
        create("market", "buy", None, None, cost=50.12),
    ),
    "market sale": Case(
        "place-order", place(OrderType.MARKET, Side.SELL), create("market", "sell", 0.001, None)
    ),
    "limit, digits cut off": Case(
        "place-order",
        place(OrderType.LIMIT, quantity=Decimal("0.0010099"), price=Decimal("50000.12")),
        create("limit", "buy", 0.0010099, 50000.12),
    ),
    "post-only": Case(
        "place-order",
        place(OrderType.LIMIT, price=Decimal(50000), post_only=True),
        create("limit", "buy", 0.001, 50000, postOnly=True),
    ),
    "immediate or cancel": Case(
        "place-order",
        place(OrderType.LIMIT, price=Decimal(50000), time_in_force=TimeInForce.IOC),
        create("limit", "buy", 0.001, 50000, timeInForce="IOC"),
    ),
    "fill or kill": Case(
        "place-order",
        place(OrderType.LIMIT, price=Decimal(50000), time_in_force=TimeInForce.FOK),
        create("limit", "buy", 0.001, 50000, timeInForce="FOK"),
    ),
    # ccxt repeats the price of a plan order beside the one that is documented, and leaves out that the size is in
    # base, which is the default.
    "stop at a limit": Case(
        "place-plan-order",
        place(OrderType.STOP_LIMIT, Side.SELL, price=Decimal(47900), trigger_price=Decimal(48000)),
        create("limit", "sell", 0.001, 47900, triggerPrice="48000", triggerType="fill_price"),
        only_ours={"planType": "amount"},
        only_theirs={"price": "47900", "force": "gtc"},
    ),
}

OTHERS = {
    "cancel": Case(
        "cancel-order",
        lambda exchange: exchange.cancel_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.cancel_order(ORDER_ID, SYMBOL),
    ),
    "cancel by client id": Case(
        "cancel-order",
        lambda exchange: exchange.cancel_order(SYMBOL, client_order_id="mybot-0001"),
        lambda client: client.cancel_order(None, SYMBOL, {"clientOrderId": "mybot-0001"}),
    ),
    "look up": Case(
        "orderInfo",
        lambda exchange: exchange.get_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.fetch_order(ORDER_ID, SYMBOL),
    ),
    "open orders": Case(
        "unfilled-orders",
        lambda exchange: exchange.open_orders(SYMBOL),
        lambda client: client.fetch_open_orders(SYMBOL),
        only_ours=OURS_LARGEST_PAGE,
        payloads={"unfilled-orders": "unfilled_orders"},
    ),
    "balances": Case("assets", lambda exchange: exchange.balances(), lambda client: client.fetch_balance()),
    "history": Case(
        "history-orders",
        lambda exchange: exchange.order_history(SYMBOL),
        lambda client: client.fetch_canceled_and_closed_orders(SYMBOL),
        only_ours=OURS_LARGEST_PAGE,
        payloads={"history-orders": "history_orders"},
    ),
    "fills": Case(
        "fills",
        lambda exchange: exchange.fills(SYMBOL),
        lambda client: client.fetch_my_trades(SYMBOL),
        only_ours=OURS_LARGEST_PAGE,
    ),
    "order book": Case(
        "orderbook",
        lambda exchange: exchange.order_book(SYMBOL, 5),
        lambda client: client.fetch_order_book(SYMBOL, 5),
        only_ours=OURS_RAW_BOOK,
    ),
    "candles": Case(
        "candles",
        lambda exchange: exchange.candles(SYMBOL, "1m", limit=2),
        lambda client: client.fetch_ohlcv(SYMBOL, "1m", None, 2),
    ),
    "candles of a day, in UTC": Case(
        "candles",
        lambda exchange: exchange.candles(SYMBOL, "1d", limit=2),
        lambda client: client.fetch_ohlcv(SYMBOL, "1d", None, 2),
    ),
    "ticker": Case(
        "tickers", lambda exchange: exchange.ticker(SYMBOL), lambda client: client.fetch_ticker(SYMBOL)
    ),
    "server time": Case("time", lambda exchange: exchange.server_time(), lambda client: client.fetch_time()),
}


@pytest.mark.parametrize("case", [*PLACED.values(), *OTHERS.values()], ids=[*PLACED, *OTHERS])
def test_the_same_wish_is_the_same_request(case: Case, theirs: Theirs) -> None:
    _, ours, _, other = both(case, theirs)
    assert (ours.method, ours.path, ours.key) == (other.method, other.path, other.key)
    assert ours.params == {
        name: value for name, value in other.params.items() if name not in case.only_theirs
    } | dict(case.only_ours)
    assert {name: other.params[name] for name in case.only_theirs} == dict(case.only_theirs)


def test_a_market_buy_by_base_is_sized_by_the_book_where_ccxt_refuses(theirs: Theirs) -> None:
    with pytest.raises(ccxt.InvalidOrder, match="price"):
        theirs.client.create_order(SYMBOL, "market", "buy", 0.1)
    with bitget() as (exchange, server):
        place(OrderType.MARKET, quantity=Decimal("0.1"))(exchange)
    [placed] = [request for request in server.received if operation(request) == "place-order"]
    assert json.loads(placed.body)["size"] == "5000.001"


def test_exits_are_attached_where_ccxt_refuses_and_in_the_words_it_passes_through(theirs: Theirs) -> None:
    with pytest.raises(ccxt.InvalidOrder):
        create("limit", "buy", 0.001, 50000, stopLoss={"triggerPrice": 48000})(theirs.client)
    theirs.payloads = {}
    theirs.sent.clear()
    presets = {"presetStopLossPrice": "48000", "presetTakeProfitPrice": "60000"}
    create("limit", "buy", 0.001, 50000, **presets)(theirs.client)
    [passed_through] = theirs.sent
    assert presets.items() <= passed_through.params.items()


def test_a_waiting_order_follows_the_last_price_where_ccxt_follows_the_mark_price(theirs: Theirs) -> None:
    """A mark price is a matter of futures; spot stops are expected to follow the trades."""
    theirs.payloads = {}
    theirs.sent.clear()
    create("limit", "sell", 0.001, 47900, triggerPrice=48000)(theirs.client)
    assert theirs.sent[0].params["triggerType"] == "mark_price"
    with bitget() as (exchange, server):
        PLACED["stop at a limit"].ours(exchange)
    assert json.loads(server.received[-1].body)["triggerType"] == "fill_price"


def test_a_request_that_timed_out_is_unknown_where_ccxt_takes_the_key_for_wrong(theirs: Theirs) -> None:
    assert theirs.client.exceptions["exact"]["40010"] is ccxt.AuthenticationError


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


@pytest.mark.parametrize(
    "name", ["order_live", "order_partial", "order_market_filled", "order_market_sold", "order_cancelled"]
)
def test_the_same_answer_is_read_as_the_same_order(name: str, theirs: Theirs) -> None:
    row = body("bitget", name)["data"][0]
    ours = parse.parse_order(row, SYMBOL)
    other = theirs.client.parse_order(
        json.loads(body_text("bitget", name))["data"][0], theirs.client.markets[SYMBOL]
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
    for mine, names in {"filled_quantity": "filled", "cost": "cost", "average_price": "average"}.items():
        assert same(getattr(ours, mine), other[names]), mine
    if ours.type is OrderType.LIMIT:
        assert same(ours.quantity, other["amount"])
        assert same(ours.remaining, other["remaining"])
        assert same(ours.price, other["price"])


def test_the_same_fees_are_read_but_for_those_paid_in_two_coins(theirs: Theirs) -> None:
    def read(name: str) -> tuple[Any, Any]:
        text = json.loads(body_text("bitget", name))["data"][0]
        return parse.parse_order(body("bitget", name)["data"][0], SYMBOL).fees, theirs.client.parse_order(
            text
        )

    ours, other = read("order_market_filled")
    assert {asset: float(fee) for asset, fee in ours.items()} == {
        other["fee"]["currency"]: other["fee"]["cost"]
    }
    # Half of this fee was paid in BGB. ccxt tells the whole in the asset received; the balance shows it was not.
    ours, other = read("order_market_sold")
    assert ours == {"USDT": Decimal("0.05"), "BGB": Decimal("0.000432")}
    assert (other["fee"]["currency"], other["fee"]["cost"]) != ("USDT", 0.05)


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
        assert same(mine.price, fill["price"])
        assert same(mine.quantity, fill["amount"])
        assert same(mine.cost, fill["cost"])
        assert (float(mine.fee), mine.fee_asset) == (fill["fee"]["cost"], fill["fee"]["currency"])
        assert mine.at.timestamp() * 1000 == fill["timestamp"]


def test_the_same_open_orders_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["open orders"], theirs)
    by_id = {order["id"]: order for order in other}
    assert {order.exchange_order_id for order in ours} == set(by_id)
    for order in ours:
        assert same(order.quantity, by_id[order.exchange_order_id]["amount"])
        assert same(order.price, by_id[order.exchange_order_id]["price"])


def test_the_same_history_is_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["history"], theirs)
    assert [(order.exchange_order_id, COARSE[order.status]) for order in ours] == [
        (order["id"], order["status"]) for order in other
    ]


def test_the_same_prices_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["ticker"], theirs)
    for name in ("last", "bid", "ask", "high", "low"):
        assert same(getattr(ours, name), other[name]), name
    assert same(ours.base_volume, other["baseVolume"])
    assert same(ours.quote_volume, other["quoteVolume"])
    assert ours.at.timestamp() * 1000 == other["timestamp"]


def test_the_same_book_is_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["order book"], theirs)
    for mine, levels in ((ours.bids, other["bids"]), (ours.asks, other["asks"])):
        assert [[float(level.price), float(level.quantity)] for level in mine] == levels


def test_the_same_candles_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["candles"], theirs)
    for mine, candle in zip(ours, other, strict=True):
        values = (mine.open, mine.high, mine.low, mine.close, mine.volume)
        assert [mine.at.timestamp() * 1000, *map(float, values)] == candle


def test_the_same_time_is_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["server time"], theirs)
    assert ours.timestamp() * 1000 == other


def test_the_same_markets_are_read(theirs: Theirs) -> None:
    with bitget() as (exchange, _):
        ours = {market.symbol: market for market in exchange.markets()}
    assert set(ours) == set(theirs.client.markets)
    for symbol, market in ours.items():
        other = theirs.client.markets[symbol]
        assert (market.exchange_symbol, market.base, market.quote) == (
            other["id"],
            other["base"],
            other["quote"],
        )
        # A "gray" market trades for chosen users only: closed with us, open with ccxt.
        assert market.active is other["active"] or symbol == "币安人生/USDT"
        assert same(market.tick_size, other["precision"]["price"])
        assert same(market.lot_size, other["precision"]["amount"])
        # ccxt takes the obsolete bounds for quantities; ours stay open.
        assert market.max_quantity is None
        # The minimum is in USDT; ccxt takes it for an amount of whatever the quote is.
        if market.quote == "USDT":
            assert same(market.min_notional, other["limits"]["cost"]["min"])
