"""Our client and ccxt, which shares no code with us: the same request on the wire, the same values read.

Where they differ on purpose, the difference is named here with its reason; any other difference fails.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest

from app.domain import Leg, OcoRequest, OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from app.exchanges.base import Exchange
from tests.exchanges.binance_client import KEY, SECRET, always, binance
from tests.exchanges.recorded import body_text

SYMBOL = "BTC/USDT"

#: ccxt leaves a window of ten seconds for requests to arrive; the exchange's own default of five is kept by us: an
#: order that took longer than that is stale.
WINDOW = "recvWindow"
#: We ask the exchange to leave empty assets out (a tenth of the answer); ccxt reads them all.
OURS_SKIPS_EMPTY = {"omitZeroBalances": "true"}
#: We always ask for the largest page; ccxt takes the exchange's default of 500.
OURS_LARGEST_PAGE = {"limit": "1000"}


@dataclass(frozen=True, slots=True)
class Wire:
    """One request, taken apart."""

    method: str
    path: str
    params: dict[str, str]
    key: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """The same wish in both languages; ``only_ours`` are parameters that only we send, with their reason above."""

    payload: str
    ours: Callable[[Exchange], Any]
    theirs: Callable[[Any], Any]
    only_ours: dict[str, str] = field(default_factory=dict)


def take_apart(method: str, target: str, headers: dict[str, str], body: str) -> Wire:
    """Verify a request's signature if it has one, and leave out what differs from call to call."""
    split = urlsplit(target)
    text = split.query + body
    params = dict(parse_qsl(text))
    if "signature" in params:
        signed = text.replace(f"&signature={params['signature']}", "")
        assert params.pop("signature") == hmac.new(SECRET.encode(), signed.encode(), sha256).hexdigest()
        assert params.pop("timestamp").isdigit()
        assert int(params.pop(WINDOW)) in (5000, 10000)
    key = {name.lower(): value for name, value in headers.items()}.get("x-mbx-apikey")
    return Wire(method, split.path, params, key)


@dataclass(slots=True)
class Theirs:
    """A ccxt client whose requests are kept and answered from the recordings."""

    client: Any
    payload: str = ""
    sent: list[Wire] = field(default_factory=list)

    def fetch(self, url: str, method: str, headers: dict[str, str] | None, body: str | None) -> Any:
        self.sent.append(take_apart(method, url, headers or {}, body or ""))
        return json.loads(body_text("binance", self.payload))


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    client = ccxt.binance({"apiKey": KEY, "secret": SECRET})
    client.options |= {"crossMarginPairsData": [], "isolatedMarginPairsData": []}
    markets = json.loads(body_text("binance", "exchange_info"))["symbols"]
    client.set_markets([client.parse_market(market) for market in markets])
    found = Theirs(client)
    client.fetch = lambda url, method="GET", headers=None, body=None: found.fetch(url, method, headers, body)
    return found


def both(case: Case, theirs: Theirs) -> tuple[Any, Wire, Any, Wire]:
    """What we read and sent, and what they did."""
    with binance(always(body_text("binance", case.payload))) as (exchange, server):
        mine = case.ours(exchange)
    [request] = server.received
    sent = take_apart(request.method, request.target.removeprefix("/binance"), request.headers, request.body)
    theirs.payload = case.payload
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


ORDERS = {
    "market by base": Case(
        "order_market_filled", place(OrderType.MARKET), create("market", "buy", 0.001, None)
    ),
    "market by quote": Case(
        "order_market_filled",
        place(OrderType.MARKET, quantity=None, quote_quantity=Decimal("50.12")),
        create("market", "buy", None, None, cost=50.12),
    ),
    "market sale": Case(
        "order_market_expired", place(OrderType.MARKET, Side.SELL), create("market", "sell", 0.001, None)
    ),
    "limit": Case(
        "order_limit_new",
        place(OrderType.LIMIT, price=Decimal(50000)),
        create("limit", "buy", 0.001, 50000),
    ),
    "limit, digits cut off": Case(
        "order_limit_new",
        place(OrderType.LIMIT, quantity=Decimal("0.0010099"), price=Decimal("50000.12")),
        create("limit", "buy", 0.0010099, 50000.12),
    ),
    "post-only": Case(
        "order_limit_new",
        place(OrderType.LIMIT, price=Decimal(50000), post_only=True),
        create("limit", "buy", 0.001, 50000, postOnly=True),
    ),
    "immediate or cancel": Case(
        "order_limit_new",
        place(OrderType.LIMIT, price=Decimal(50000), time_in_force=TimeInForce.IOC),
        create("limit", "buy", 0.001, 50000, timeInForce="IOC"),
    ),
    "fill or kill": Case(
        "order_limit_new",
        place(OrderType.LIMIT, price=Decimal(50000), time_in_force=TimeInForce.FOK),
        create("limit", "buy", 0.001, 50000, timeInForce="FOK"),
    ),
    "stop": Case(
        "order_stop_new",
        place(OrderType.STOP_LOSS, Side.SELL, trigger_price=Decimal(48000)),
        create("market", "sell", 0.001, None, stopLossPrice=48000),
    ),
    "stop at a limit": Case(
        "order_stop_new",
        place(OrderType.STOP_LIMIT, Side.SELL, price=Decimal(47900), trigger_price=Decimal(48000)),
        create("limit", "sell", 0.001, 47900, stopLossPrice=48000),
    ),
    "take profit": Case(
        "order_stop_new",
        place(OrderType.TAKE_PROFIT, Side.SELL, trigger_price=Decimal(52000)),
        create("market", "sell", 0.001, None, takeProfitPrice=52000),
    ),
    "take profit at a limit": Case(
        "order_stop_new",
        place(OrderType.TAKE_PROFIT_LIMIT, Side.SELL, price=Decimal(51990), trigger_price=Decimal(52000)),
        create("limit", "sell", 0.001, 51990, takeProfitPrice=52000),
    ),
    "stop that follows": Case(
        "order_trailing_new",
        place(OrderType.TRAILING_STOP, Side.SELL, trailing_percent=Decimal("1.5")),
        create("market", "sell", 0.001, None, trailingPercent="1.5", stopLossOrTakeProfit="stopLoss"),
    ),
    "cancel": Case(
        "order_canceled",
        lambda exchange: exchange.cancel_order(SYMBOL, exchange_order_id="1003"),
        lambda client: client.cancel_order("1003", SYMBOL),
    ),
    "cancel by client id": Case(
        "order_canceled",
        lambda exchange: exchange.cancel_order(SYMBOL, client_order_id="mybot-0003"),
        lambda client: client.cancel_order(None, SYMBOL, {"clientOrderId": "mybot-0003"}),
    ),
    "look up": Case(
        "order_query",
        lambda exchange: exchange.get_order(SYMBOL, exchange_order_id="1003"),
        lambda client: client.fetch_order("1003", SYMBOL),
    ),
    "look up by client id": Case(
        "order_query",
        lambda exchange: exchange.get_order(SYMBOL, client_order_id="mybot-0003"),
        lambda client: client.fetch_order(None, SYMBOL, {"clientOrderId": "mybot-0003"}),
    ),
}

OTHERS = {
    "balances": Case(
        "account",
        lambda exchange: exchange.balances(),
        lambda client: client.fetch_balance(),
        OURS_SKIPS_EMPTY,
    ),
    "history": Case(
        "all_orders",
        lambda exchange: exchange.order_history(SYMBOL),
        lambda client: client.fetch_orders(SYMBOL),
        OURS_LARGEST_PAGE,
    ),
    "fills": Case(
        "my_trades",
        lambda exchange: exchange.fills(SYMBOL),
        lambda client: client.fetch_my_trades(SYMBOL),
        OURS_LARGEST_PAGE,
    ),
    "fills of an order": Case(
        "my_trades",
        lambda exchange: exchange.fills(SYMBOL, exchange_order_id="1001"),
        lambda client: client.fetch_my_trades(SYMBOL, None, None, {"orderId": "1001"}),
        OURS_LARGEST_PAGE,
    ),
    "order book": Case(
        "depth",
        lambda exchange: exchange.order_book(SYMBOL, 5),
        lambda client: client.fetch_order_book(SYMBOL, 5),
    ),
    "candles": Case(
        "klines",
        lambda exchange: exchange.candles(SYMBOL, "1m", limit=2),
        lambda client: client.fetch_ohlcv(SYMBOL, "1m", None, 2),
    ),
    "tickers": Case(
        "tickers",
        lambda exchange: exchange.tickers([SYMBOL, "SHIB/USDT", "1000SATS/USDT"]),
        lambda client: client.fetch_tickers([SYMBOL, "SHIB/USDT", "1000SATS/USDT"]),
    ),
    "server time": Case(
        "server_time", lambda exchange: exchange.server_time(), lambda client: client.fetch_time()
    ),
    "pair of exits": Case(
        "oco_placed",
        lambda exchange: exchange.place_oco(
            OcoRequest(
                SYMBOL,
                Side.SELL,
                Decimal("0.005"),
                Leg(Decimal(48000)),
                Leg(Decimal(60000), Decimal(61000)),
                "exit",
            )
        ),
        # ccxt has no pairs of its own; its generated method signs and sends the documented names.
        lambda client: client.privatePostOrderListOco(
            {
                "symbol": "BTCUSDT",
                "side": "SELL",
                "quantity": "0.005",
                "listClientOrderId": "exit",
                "aboveType": "TAKE_PROFIT_LIMIT",
                "aboveStopPrice": "60000",
                "abovePrice": "61000",
                "aboveTimeInForce": "GTC",
                "aboveClientOrderId": "exit-tp",
                "belowType": "STOP_LOSS",
                "belowStopPrice": "48000",
                "belowClientOrderId": "exit-sl",
                "newOrderRespType": "FULL",
            }
        ),
    ),
}


@pytest.mark.parametrize("case", [*ORDERS.values(), *OTHERS.values()], ids=[*ORDERS, *OTHERS])
def test_the_same_wish_is_the_same_request(case: Case, theirs: Theirs) -> None:
    _, ours, _, other = both(case, theirs)
    assert (ours.method, ours.path, ours.key) == (other.method, other.path, other.key)
    assert ours.params == other.params | case.only_ours


#: ccxt knows three outcomes where we tell more apart; the finer word must belong to the coarser one.
COARSE = {
    OrderStatus.OPEN: "open",
    OrderStatus.PARTIALLY_FILLED: "open",
    OrderStatus.FILLED: "closed",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.EXPIRED: "expired",
}


def same(exact: Decimal | None, approximate: float | None) -> bool:
    """Whether a float is what our exact value is to a float's precision."""
    return approximate is None if exact is None else approximate is not None and float(exact) == approximate


@pytest.mark.parametrize("case", ORDERS.values(), ids=ORDERS)
def test_the_same_answer_is_read_as_the_same_order(case: Case, theirs: Theirs) -> None:
    ours, _, other, _ = both(case, theirs)
    assert (ours.exchange_order_id, ours.symbol, ours.side.lower()) == (
        other["id"],
        other["symbol"],
        other["side"],
    )
    # ccxt gives a cancelled order the id of the cancellation; ours is the order's own, by which it is looked up.
    if ours.status is OrderStatus.CANCELED:
        assert (ours.client_order_id, other["clientOrderId"]) == ("mybot-0003", "cancelMyOrder1")
    else:
        assert ours.client_order_id == other["clientOrderId"]
    assert COARSE[ours.status] == other["status"]
    for name, theirs_name in {
        "quantity": "amount",
        "filled_quantity": "filled",
        "remaining": "remaining",
        "cost": "cost",
        "average_price": "average",
        "trigger_price": "triggerPrice",
    }.items():
        assert same(getattr(ours, name), other[theirs_name]), name
    # ccxt fills a market order's missing price in from its average; ours stays None: there was no limit.
    assert same(ours.average_price if ours.type is OrderType.MARKET else ours.price, other["price"])
    # ccxt takes the workingTime -1 of an order that does not work yet for its time; ours is when it was placed.
    assert other["timestamp"] in (-1, ours.created_at.timestamp() * 1000)
    fees = {fee["currency"]: fee["cost"] for fee in other["fees"]}
    assert {asset: float(amount) for asset, amount in ours.fees.items()} == fees


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


def test_the_same_history_is_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["history"], theirs)
    assert [(order.exchange_order_id, COARSE[order.status]) for order in ours] == [
        (order["id"], order["status"]) for order in other
    ]
    # ccxt takes the documented "unknown" (-1) of a very old order for a cost; ours is None.
    assert (ours[0].cost, other[0]["cost"]) == (None, -1)


def test_the_same_prices_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["tickers"], theirs)
    assert set(ours) == set(other)
    names = {"last": "last", "bid": "bid", "ask": "ask", "high": "high", "low": "low"}
    for symbol in (SYMBOL, "SHIB/USDT"):
        for name, theirs_name in (
            names | {"base_volume": "baseVolume", "quote_volume": "quoteVolume"}
        ).items():
            assert same(getattr(ours[symbol], name), other[symbol][theirs_name]), (symbol, name)
        assert ours[symbol].at.timestamp() * 1000 == other[symbol]["timestamp"]
    # A market nobody trades has no price: None with us, zero or None with ccxt.
    for name, theirs_name in names.items():
        assert (getattr(ours["1000SATS/USDT"], name), other["1000SATS/USDT"][theirs_name] or None) == (
            None,
            None,
        )


def test_the_same_book_and_candles_are_read(theirs: Theirs) -> None:
    book, _, their_book, _ = both(OTHERS["order book"], theirs)
    for side in ("bids", "asks"):
        levels = [[float(level.price), float(level.quantity)] for level in getattr(book, side)]
        assert levels == their_book[side]
    candles, _, their_candles, _ = both(OTHERS["candles"], theirs)
    assert [
        [int(c.at.timestamp() * 1000), *(float(x) for x in (c.open, c.high, c.low, c.close, c.volume))]
        for c in candles
    ] == their_candles


def test_the_same_time_is_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["server time"], theirs)
    assert ours.timestamp() * 1000 == other


def test_the_same_markets_are_read(theirs: Theirs) -> None:
    with binance(always(body_text("binance", "exchange_info"))) as (exchange, _):
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
        assert same(market.tick_size, other["precision"]["price"])
        assert same(market.lot_size, other["precision"]["amount"])
        assert same(market.min_quantity, other["limits"]["amount"]["min"])
        assert same(market.max_quantity, other["limits"]["amount"]["max"])
        assert same(market.min_notional, other["limits"]["cost"]["min"])
        assert same(market.max_market_quantity, other["limits"]["market"]["max"] or None)
