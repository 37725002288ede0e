"""Our client and ccxt, which shares no code with us: the same request on the wire, the same values read.

Where they differ on purpose, the difference is named here with its reason; any other difference fails.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest

from app.domain import Leg, OrderDenied, OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from app.exchanges.base import Exchange
from tests.exchanges.kraken_client import KEY, ORDER_ID, SECRET, SYMBOL, called, kraken, order, recorded
from tests.exchanges.recorded import body_text

#: ccxt lets Python's ``True`` into the form; Kraken documents ``true``.
SPELLED_BOOLEAN = {"trades": "true"}


@dataclass(frozen=True, slots=True)
class Wire:
    """One request, taken apart."""

    method: str
    path: str
    params: dict[str, Any]
    key: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """The same wish in both languages, and what the one call that both make is answered with.

    ``only_ours`` are parameters that only we send or spell this way, with their reason above; ``after`` is what our
    client's further calls are answered with.
    """

    call: str
    payload: str
    ours: Callable[[Exchange], Any]
    theirs: Callable[[Any], Any]
    only_ours: dict[str, str] = field(default_factory=dict)
    after: dict[str, str] = field(default_factory=dict)


def take_apart(method: str, target: str, headers: dict[str, str], text: str) -> Wire:
    """Verify a request's signature if it has one, and leave out the nonce, which differs from call to call."""
    split, headers = urlsplit(target), {name.lower(): value for name, value in headers.items()}
    as_json = headers.get("content-type") == "application/json" and text
    params: dict[str, Any] = json.loads(text) if as_json else dict(parse_qsl(split.query + text))
    if "api-sign" in headers:
        nonce = params.pop("nonce")
        digest = hashlib.sha256((nonce + text).encode()).digest()
        message = hmac.new(base64.b64decode(SECRET), split.path.encode() + digest, hashlib.sha512)
        assert headers["api-sign"] == base64.b64encode(message.digest()).decode()
    return Wire(method, split.path, params, headers.get("api-key"))


@dataclass(slots=True)
class Theirs:
    """A ccxt client whose requests are kept and answered from the recordings."""

    client: Any
    payloads: dict[str, str] = field(default_factory=dict)
    sent: list[Wire] = field(default_factory=list)

    def fetch(self, url: str, method: str, headers: dict[str, str] | None, text: str | None) -> Any:
        self.sent.append(take_apart(method, url, headers or {}, text or ""))
        return json.loads(body_text("kraken", self.payloads[urlsplit(url).path.rpartition("/")[2]]))

    def ask(self, wish: Callable[[Any], Any], **payloads: str) -> tuple[Any, Wire]:
        """What they read, and the one request that they sent."""
        self.payloads = payloads
        self.sent.clear()
        read = wish(self.client)
        [request] = self.sent
        return read, request


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    client = ccxt.kraken({"apiKey": KEY, "secret": SECRET, "enableRateLimit": False})
    found = Theirs(client, {"Assets": "assets", "AssetPairs": "asset_pairs"})
    client.fetch = lambda url, method="GET", headers=None, body=None: found.fetch(url, method, headers, body)
    client.load_markets()
    return found


def both(case: Case, theirs: Theirs) -> tuple[Any, Wire, Any, Wire]:
    """What we read and sent, and what they did."""
    with kraken(recorded(**{case.call: case.payload, "AssetPairs": "asset_pairs"}, **case.after)) as (
        exchange,
        server,
    ):
        mine = case.ours(exchange)
    request = next(request for request in server.received if called(request) == case.call)
    sent = take_apart(request.method, request.target.removeprefix("/kraken"), request.headers, request.body)
    read, other = theirs.ask(case.theirs, **{case.call: case.payload})
    return mine, sent, read, other


def place(type_: OrderType, side: Side = Side.BUY, **fields: Any) -> Callable[[Exchange], Any]:
    fields.setdefault("quantity", Decimal("0.001"))
    request = OrderRequest(SYMBOL, side, type_, client_order_id="bot-0001", **fields)
    return lambda exchange: exchange.place_order(request)


def create(
    type_: str, side: str, amount: float | None, price: float | None, **params: Any
) -> Callable[[Any], Any]:
    return lambda client: client.create_order(
        SYMBOL, type_, side, amount, price, {"clientOrderId": "bot-0001", **params}
    )


def placing(ours: Callable[[Exchange], Any], theirs: Callable[[Any], Any]) -> Case:
    return Case("AddOrder", "order_placed", ours, theirs, after={"QueryOrders": "order_resting"})


ORDERS = {
    "market by base": placing(place(OrderType.MARKET), create("market", "buy", 0.001, None)),
    "market by quote": placing(
        place(OrderType.MARKET, quantity=None, quote_quantity=Decimal("50.1")),
        create("market", "buy", None, None, cost=50.1),
    ),
    "market sale": placing(place(OrderType.MARKET, Side.SELL), create("market", "sell", 0.001, None)),
    "limit": placing(place(OrderType.LIMIT, price=Decimal(60000)), create("limit", "buy", 0.001, 60000)),
    "limit, digits cut off": placing(
        place(OrderType.LIMIT, quantity=Decimal("0.001000009"), price=Decimal("60000.12")),
        create("limit", "buy", 0.001000009, 60000.12),
    ),
    "post-only": placing(
        place(OrderType.LIMIT, price=Decimal(60000), post_only=True),
        create("limit", "buy", 0.001, 60000, postOnly=True),
    ),
    "immediate or cancel": placing(
        place(OrderType.LIMIT, price=Decimal(60000), time_in_force=TimeInForce.IOC),
        create("limit", "buy", 0.001, 60000, timeInForce="IOC"),
    ),
    "fill or kill": placing(
        place(OrderType.LIMIT, price=Decimal(60000), time_in_force=TimeInForce.FOK),
        create("limit", "buy", 0.001, 60000, timeInForce="FOK"),
    ),
    "stop": placing(
        place(OrderType.STOP_LOSS, Side.SELL, trigger_price=Decimal(55000)),
        create("market", "sell", 0.001, None, stopLossPrice=55000),
    ),
    "stop at a limit": placing(
        place(OrderType.STOP_LIMIT, Side.SELL, price=Decimal(54900), trigger_price=Decimal(55000)),
        create("limit", "sell", 0.001, 54900, stopLossPrice=55000),
    ),
    "take profit": placing(
        place(OrderType.TAKE_PROFIT, Side.SELL, trigger_price=Decimal(70000)),
        create("market", "sell", 0.001, None, takeProfitPrice=70000),
    ),
    "take profit at a limit": placing(
        place(OrderType.TAKE_PROFIT_LIMIT, Side.SELL, price=Decimal(70100), trigger_price=Decimal(70000)),
        create("limit", "sell", 0.001, 70100, takeProfitPrice=70000),
    ),
    "stop that follows": placing(
        place(OrderType.TRAILING_STOP, Side.SELL, trailing_percent=Decimal("1.5")),
        create("market", "sell", 0.001, None, trailingPercent="1.5"),
    ),
    "entry with an exit": placing(
        place(OrderType.LIMIT, price=Decimal(60000), stop_loss=Leg(Decimal(55000), Decimal(54900))),
        create(
            "limit",
            "buy",
            0.001,
            60000,
            close={"ordertype": "stop-loss-limit", "price": 55000, "price2": 54900},
        ),
    ),
}

LOOK_UPS = {
    name: Case(
        "QueryOrders",
        payload,
        lambda exchange: exchange.get_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.fetch_order(ORDER_ID, SYMBOL),
        SPELLED_BOOLEAN,
    )
    for name, payload in {
        "a resting order": "order_resting",
        "a partly executed order": "order_partial",
        "an executed order": "order_market",
        "a stop": "order_stop",
        "a cancelled order": "order_canceled",
        "a post-only order that would have crossed": "order_post_only",
        "an expired order": "order_expired",
    }.items()
}

OTHERS = {
    "cancel": Case(
        "CancelOrder",
        "order_cancelled",
        lambda exchange: exchange.cancel_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.cancel_order(ORDER_ID, SYMBOL),
        after={"QueryOrders": "order_canceled"},
    ),
    "cancel by client id": Case(
        "CancelOrder",
        "order_cancelled",
        lambda exchange: exchange.cancel_order(SYMBOL, client_order_id="bot-0001"),
        lambda client: client.cancel_order(None, SYMBOL, {"clientOrderId": "bot-0001"}),
        after={"OpenOrders": "no_open_orders", "ClosedOrders": "closed_orders"},
    ),
    "cancel several": Case(
        "CancelOrderBatch",
        "batch_cancelled",
        lambda exchange: exchange.cancel_all(SYMBOL),
        lambda client: client.cancel_orders(["OEXITA-BBBBB-CCCCCC", "OTAKEP-BBBBB-CCCCCC"], SYMBOL),
        after={"OpenOrders": "open_orders", "QueryOrders": "order_canceled"},
    ),
    "amend": Case(
        "AmendOrder",
        "order_amended",
        lambda exchange: exchange.amend_order(
            SYMBOL, exchange_order_id=ORDER_ID, quantity=Decimal("0.002"), price=Decimal(59000)
        ),
        lambda client: client.edit_order(ORDER_ID, SYMBOL, "limit", "buy", 0.002, 59000),
        after={"QueryOrders": "order_resting"},
    ),
    "open orders by client id": Case(
        "OpenOrders",
        "open_orders",
        lambda exchange: exchange.get_order(SYMBOL, client_order_id="bot-0004"),
        lambda client: client.fetch_open_orders(None, None, None, {"clientOrderId": "bot-0004"}),
        SPELLED_BOOLEAN,
    ),
    "open orders": Case(
        "OpenOrders",
        "open_orders",
        lambda exchange: exchange.open_orders(),
        lambda client: client.fetch_open_orders(),
    ),
    "fills": Case(
        "TradesHistory",
        "trades_history",
        lambda exchange: exchange.fills(SYMBOL),
        lambda client: client.fetch_my_trades(SYMBOL),
        after={"QueryOrders": "order_market"},
    ),
    "balances": Case(
        "BalanceEx", "balance_ex", lambda exchange: exchange.balances(), lambda client: client.fetch_balance()
    ),
    "order book": Case(
        "Depth",
        "depth",
        lambda exchange: exchange.order_book(SYMBOL, 5),
        lambda client: client.fetch_order_book(SYMBOL, 5),
    ),
    "candles": Case(
        "OHLC",
        "ohlc",
        lambda exchange: exchange.candles(SYMBOL, "1m"),
        lambda client: client.fetch_ohlcv(SYMBOL, "1m"),
    ),
    "ticker": Case(
        "Ticker",
        "ticker",
        lambda exchange: exchange.ticker(SYMBOL),
        lambda client: client.fetch_ticker(SYMBOL),
    ),
    "server time": Case(
        "Time", "time", lambda exchange: exchange.server_time(), lambda client: client.fetch_time()
    ),
}


@pytest.mark.parametrize(
    "case", [*ORDERS.values(), *LOOK_UPS.values(), *OTHERS.values()], ids=[*ORDERS, *LOOK_UPS, *OTHERS]
)
def test_the_same_wish_is_the_same_request(case: Case, theirs: Theirs) -> None:
    _, ours, _, other = both(case, theirs)
    assert (ours.method, ours.path, ours.key) == (other.method, other.path, other.key)
    assert ours.params == other.params | case.only_ours


def same(exact: Decimal | None, approximate: float | None) -> bool:
    """Whether a float is what our exact value is to a float's precision."""
    if exact is None or approximate is None:
        return exact is None and approximate is None
    return abs(float(exact) - approximate) <= 1e-12 * abs(approximate)


#: ccxt knows fewer outcomes than we tell apart; the finer word must belong to the coarser one.
COARSE = {
    OrderStatus.OPEN: "open",
    OrderStatus.PARTIALLY_FILLED: "open",
    OrderStatus.FILLED: "closed",
    OrderStatus.CANCELED: "canceled",
    OrderStatus.REJECTED: "canceled",
    OrderStatus.EXPIRED: "expired",
}


@pytest.mark.parametrize("case", LOOK_UPS.values(), ids=LOOK_UPS)
def test_the_same_answer_is_read_as_the_same_order(case: Case, theirs: Theirs) -> None:
    ours, _, other, _ = both(case, theirs)
    assert (ours.exchange_order_id, ours.client_order_id, ours.symbol, ours.side.lower()) == (
        other["id"],
        other["clientOrderId"],
        other["symbol"],
        other["side"],
    )
    assert COARSE[ours.status] == other["status"]
    for name, their_name in {
        "quantity": "amount",
        "filled_quantity": "filled",
        "remaining": "remaining",
        "cost": "cost",
    }.items():
        assert same(getattr(ours, name), other[their_name]), name
    # An average of nothing is nothing with us, and now and then zero with them.
    assert same(ours.average_price, other["average"] or None)
    # ccxt fills a market order's missing price in from its average; ours stays None: there was no limit.
    assert same(ours.average_price if ours.type is OrderType.MARKET else ours.price, other["price"])
    assert same(ours.trigger_price, other["stopLossPrice"])
    fee = Decimal(str(other["fee"]["cost"]))
    assert ours.fees == ({other["fee"]["currency"]: fee} if fee else {})
    assert int(ours.created_at.timestamp() * 1000) == other["timestamp"]


def test_the_same_open_orders_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["open orders"], theirs)
    read = {order["id"]: order for order in other}
    assert {mine.exchange_order_id for mine in ours} == set(read)
    for mine in ours:
        row = read[mine.exchange_order_id]
        assert (mine.symbol, mine.side.lower(), COARSE[mine.status]) == (
            row["symbol"],
            row["side"],
            row["status"],
        )
        assert same(mine.quantity, row["amount"])
        assert same(mine.trigger_price, row["stopLossPrice"] or row["takeProfitPrice"])


def test_the_same_fills_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["fills"], theirs)
    read = {trade["id"]: trade for trade in other}
    assert set(read) == {"TAAAAA-BBBBB-CCCCCC", "TAAAAA-BBBBB-EEEEEE"}
    for mine in ours:
        trade = read[mine.trade_id]
        assert (mine.exchange_order_id, mine.side.lower(), mine.symbol) == (
            trade["order"],
            trade["side"],
            trade["symbol"],
        )
        assert same(mine.price, trade["price"])
        assert same(mine.quantity, trade["amount"])
        assert same(mine.cost, trade["cost"])
        assert (same(mine.fee, trade["fee"]["cost"]), mine.fee_asset) == (True, trade["fee"]["currency"])
        assert ("maker" if mine.maker else "taker") == trade["takerOrMaker"]
        assert int(mine.at.timestamp() * 1000) == trade["timestamp"]


def test_the_same_balances_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["balances"], theirs)
    assert set(ours) == {asset for asset, total in other["total"].items() if total}
    for asset in set(ours) - {"EUR"}:
        assert same(ours[asset].free, other[asset]["free"])
        assert same(ours[asset].locked, other[asset]["used"])
        assert same(ours[asset].total, other[asset]["total"])
    # ccxt leaves a credit line out, and finds less than nothing free where Kraken would still lend.
    assert (ours["EUR"].free, other["EUR"]["free"]) == (400, -80)


def test_the_same_prices_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["ticker"], theirs)
    for name in ("last", "bid", "ask", "high", "low"):
        assert same(getattr(ours, name), other[name]), name
    assert same(ours.base_volume, other["baseVolume"])
    assert same(ours.quote_volume, other["quoteVolume"])
    assert (ours.at, other["timestamp"]) == (None, None)


def test_the_same_book_candles_and_time_are_read(theirs: Theirs) -> None:
    book, _, their_book, _ = both(OTHERS["order book"], theirs)
    for side in ("bids", "asks"):
        levels = [[float(level.price), float(level.quantity)] for level in getattr(book, side)]
        assert levels == [level[:2] for level in their_book[side]]
    candles, _, their_candles, _ = both(OTHERS["candles"], theirs)
    assert [
        [int(c.at.timestamp() * 1000), *(float(x) for x in (c.open, c.high, c.low, c.close, c.volume))]
        for c in candles
    ] == their_candles
    now, _, their_now, _ = both(OTHERS["server time"], theirs)
    assert now.timestamp() * 1000 == their_now


def test_the_same_markets_are_read(theirs: Theirs) -> None:
    with kraken(recorded(AssetPairs="asset_pairs")) as (exchange, _):
        ours = {market.symbol: market for market in exchange.markets()}
    assert set(ours) == set(theirs.client.markets)
    for symbol, market in ours.items():
        other = theirs.client.markets[symbol]
        assert (market.base, market.quote, market.active) == (other["base"], other["quote"], other["active"])
        # Of a pair and its dark pool ccxt keeps whichever comes last; with us the dark pool is no market.
        assert market.exchange_symbol == other["id"]
        assert same(market.lot_size, other["precision"]["amount"])
        assert same(market.min_quantity, other["limits"]["amount"]["min"])
        assert same(market.min_notional, other["limits"]["cost"]["min"])
        if symbol != "SOL/EUR":
            assert same(market.tick_size, other["precision"]["price"])
    # ccxt takes the decimals of prices for the step; orders are checked against the tick.
    assert (ours["SOL/EUR"].tick_size, theirs.client.markets["SOL/EUR"]["precision"]["price"]) == (
        Decimal("0.05"),
        0.01,
    )


# -- traps of theirs that we do not share ----------------------------------------------------------------------


def test_exits_attached_the_usual_way_reach_kraken_as_fields_it_ignores_and_with_us_are_refused(
    theirs: Theirs,
) -> None:
    exits = {"stopLoss": {"triggerPrice": 55000}, "takeProfit": {"triggerPrice": 70000}}
    _, request = theirs.ask(create("limit", "buy", 0.001, 60000, **exits), AddOrder="order_placed")
    assert not [name for name in request.params if name.startswith("close")], "the entry is unprotected"
    wish = order(
        type=OrderType.LIMIT,
        quantity=Decimal("0.001"),
        price=Decimal(60000),
        stop_loss=Leg(Decimal(55000)),
        take_profit=Leg(Decimal(70000)),
    )
    with kraken(recorded()) as (exchange, server), pytest.raises(OrderDenied, match="cannot carry"):
        exchange.place_order(wish)
    assert server.received == []


def test_of_two_trigger_prices_they_drop_one_in_silence_where_we_refuse_pairs(theirs: Theirs) -> None:
    triggers = {"stopLossPrice": 55000, "takeProfitPrice": 70000}
    _, request = theirs.ask(create("market", "sell", 0.001, None, **triggers), AddOrder="order_placed")
    assert (request.params["ordertype"], request.params["price"]) == ("stop-loss", "55000")
    assert "70000" not in request.params.values()


def test_a_trigger_price_alone_makes_theirs_a_plain_market_order(theirs: Theirs) -> None:
    _, request = theirs.ask(
        create("market", "sell", 0.001, None, triggerPrice=55000), AddOrder="order_placed"
    )
    assert (request.params["ordertype"], request.params["triggerPrice"]) == ("market", "55000")


def test_a_client_id_is_looked_up_by_them_under_another_name_and_by_us_where_it_is_known(
    theirs: Theirs,
) -> None:
    _, request = theirs.ask(
        lambda client: client.fetch_order(ORDER_ID, SYMBOL, {"clientOrderId": "bot-0001"}),
        QueryOrders="order_resting",
    )
    assert (request.params["userref"], request.params["txid"]) == ("bot-0001", ORDER_ID)
    answer = recorded(OpenOrders="no_open_orders", ClosedOrders="closed_orders")
    with kraken(answer) as (exchange, server):
        assert exchange.get_order(SYMBOL, client_order_id="bot-0001").exchange_order_id == ORDER_ID
    assert all("cl_ord_id=bot-0001" in request.body for request in server.received)


def test_cancelling_one_market_s_orders_cancels_the_whole_account_s_with_them_and_not_with_us(
    theirs: Theirs,
) -> None:
    _, request = theirs.ask(lambda client: client.cancel_all_orders(SYMBOL), CancelAll="all_cancelled")
    assert (request.path, request.params) == ("/0/private/CancelAll", {})
    _, ours, _, _ = both(OTHERS["cancel several"], theirs)
    assert ours.params == {"orders": ["OEXITA-BBBBB-CCCCCC", "OTAKEP-BBBBB-CCCCCC"]}


def test_an_amount_in_quote_passes_with_them_for_one_in_base_and_with_us_is_read_from_the_fills(
    theirs: Theirs,
) -> None:
    case = Case(
        "QueryOrders",
        "order_in_quote",
        lambda exchange: exchange.get_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.fetch_order(ORDER_ID, SYMBOL),
        after={"QueryTrades": "query_trades"},
    )
    ours, _, other, _ = both(case, theirs)
    assert other["filled"] == 60.0006
    assert (ours.filled_quantity, ours.cost) == (Decimal("0.001"), Decimal("60.0006"))


def test_prices_between_two_ticks_are_rounded_by_them_and_cut_off_by_us(theirs: Theirs) -> None:
    case = placing(place(OrderType.LIMIT, price=Decimal("60000.19")), create("limit", "buy", 0.001, 60000.19))
    _, ours, _, other = both(case, theirs)
    assert (ours.params["price"], other.params["price"]) == ("60000.1", "60000.2")


def test_an_amount_in_quote_is_cut_by_them_to_the_digits_of_a_price_and_by_us_to_those_of_an_amount(
    theirs: Theirs,
) -> None:
    case = placing(
        place(OrderType.MARKET, quantity=None, quote_quantity=Decimal("50.12")),
        create("market", "buy", None, None, cost=50.12),
    )
    _, ours, _, other = both(case, theirs)
    assert (ours.params["volume"], other.params["volume"]) == ("50.12", "50.1")
