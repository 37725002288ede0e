"""Our Bybit client and ccxt, which shares no code with us: the same request on the wire, the same values read.

Where they differ on purpose, the difference is named here with its reason; any other difference fails.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest

from app.domain import Leg, OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from app.exchanges.base import Exchange
from app.exchanges.bybit import parse
from tests.exchanges.bybit_client import KEY, ORDER_ID, SECRET, USUAL, bybit, operation
from tests.exchanges.ccxt_twin import COARSE, Case, Theirs, Wire, same
from tests.exchanges.local_server import Received
from tests.exchanges.recorded import body, body_text

SYMBOL = "BTC/USDT"

#: We ask for the largest page; ccxt takes the exchange's default.
OURS_LARGEST_PAGE = {"limit": "50"}
#: We tell how long an order rests; ccxt leaves out what is the default.
OURS_RESTS = {"timeInForce": "GTC"}


def take_apart(method: str, target: str, headers: Mapping[str, str], text: str) -> Wire:
    """Verify a request's signature if it has one, and leave out what differs from call to call."""
    split, lower = urlsplit(target), {name.lower(): value for name, value in headers.items()}
    if "x-bapi-sign" in lower:
        head = lower["x-bapi-timestamp"] + lower["x-bapi-api-key"] + lower["x-bapi-recv-window"]
        signed = head + (text if method == "POST" else split.query)
        assert lower["x-bapi-sign"] == hmac.digest(SECRET.encode(), signed.encode(), "sha256").hex()
    params = dict(parse_qsl(split.query)) | (json.loads(text) if text else {})
    return Wire(method, split.path, params, lower.get("x-bapi-api-key"))


def answer(method: str, url: str, payloads: Mapping[str, str]) -> str:
    return body_text("bybit", {**USUAL, **payloads}[operation(Received(method, url, {}, ""))])


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    # Left to itself ccxt asks first what kind of account it is.
    options = {
        "enableUnifiedMargin": False,
        "enableUnifiedAccount": True,
        "unifiedMarginStatus": 6,
        "defaultType": "spot",
        "fetchMarkets": {"types": ["spot"]},
    }
    return Theirs(ccxt.bybit({"apiKey": KEY, "secret": SECRET, "options": options}), take_apart, answer)


def both(case: Case, theirs: Theirs) -> tuple[Any, Wire, Any, Wire]:
    """What we read and sent, and what they did."""
    with bybit(payloads=case.payloads) as (exchange, server):
        mine = case.ours(exchange)
    asked = next(request for request in server.received if operation(request) == case.call)
    sent = take_apart(asked.method, asked.target.removeprefix("/bybit"), asked.headers, asked.body)
    return mine, sent, *theirs.ask(case)


def place(type_: OrderType, side: Side = Side.BUY, **fields: Any) -> Callable[[Exchange], Any]:
    fields.setdefault("quantity", Decimal("0.001"))
    request = OrderRequest(SYMBOL, side, type_, client_order_id="mybot-0001", **fields)
    return lambda exchange: exchange.place_order(request)


def create(type_: str, side: str, amount: float, price: float | None, **params: Any) -> Callable[[Any], Any]:
    return lambda client: client.create_order(
        SYMBOL, type_, side, amount, price, {"clientOrderId": "mybot-0001", **params}
    )


PLACED = {
    "market by base": Case("create", place(OrderType.MARKET), create("market", "buy", 0.001, None)),
    # ccxt leaves out the unit where it is the default of the side; it rounds amounts in quote to the tick of the price.
    "market buy by quote": Case(
        "create",
        place(OrderType.MARKET, quantity=None, quote_quantity=Decimal("50.5")),
        create("market", "buy", 0, None, cost=50.5),
        only_ours={"marketUnit": "quoteCoin"},
    ),
    "market sale by quote": Case(
        "create",
        place(OrderType.MARKET, Side.SELL, quantity=None, quote_quantity=Decimal(50)),
        create("market", "sell", 0, None, cost=50),
    ),
    "limit, digits cut off": Case(
        "create",
        place(OrderType.LIMIT, quantity=Decimal("0.0010099"), price=Decimal("50000.1")),
        create("limit", "buy", 0.0010099, 50000.1),
        only_ours=OURS_RESTS,
    ),
    "post-only": Case(
        "create",
        place(OrderType.LIMIT, price=Decimal(50000), post_only=True),
        create("limit", "buy", 0.001, 50000, postOnly=True),
    ),
    "immediate or cancel": Case(
        "create",
        place(OrderType.LIMIT, price=Decimal(50000), time_in_force=TimeInForce.IOC),
        create("limit", "buy", 0.001, 50000, timeInForce="IOC"),
    ),
    # ccxt adds tpslMode where an exit has a limit; it is documented for futures only.
    "limit with both exits": Case(
        "create",
        place(
            OrderType.LIMIT,
            price=Decimal(50000),
            stop_loss=Leg(Decimal(48000)),
            take_profit=Leg(Decimal(60000), Decimal(59990)),
        ),
        create(
            "limit",
            "buy",
            0.001,
            50000,
            stopLoss={"triggerPrice": 48000},
            takeProfit={"triggerPrice": 60000, "price": 59990},
        ),
        only_ours=OURS_RESTS,
        only_theirs={"tpslMode": "Partial"},
    ),
    # ccxt adds a direction and reduceOnly, both documented as not applying to spot.
    "stop at the market": Case(
        "create",
        place(OrderType.STOP_LOSS, Side.SELL, trigger_price=Decimal(48000)),
        create("market", "sell", 0.001, None, stopLossPrice=48000),
        only_theirs={"triggerDirection": 2, "reduceOnly": True},  # type: ignore[dict-item]
    ),
}

OTHERS = {
    "cancel": Case(
        "cancel",
        lambda exchange: exchange.cancel_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.cancel_order(ORDER_ID, SYMBOL),
    ),
    "amend": Case(
        "amend",
        lambda exchange: exchange.amend_order(
            SYMBOL, exchange_order_id=ORDER_ID, quantity=Decimal("0.0020009"), price=Decimal(49000)
        ),
        lambda client: client.edit_order(ORDER_ID, SYMBOL, "limit", "buy", 0.0020009, 49000),
    ),
    # The id alone names an order; ccxt sends its market beside it.
    "look up": Case(
        "realtime one",
        lambda exchange: exchange.get_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.fetch_order(ORDER_ID, SYMBOL, {"acknowledged": True}),
        only_theirs={"symbol": "BTCUSDT"},
    ),
    "open orders": Case(
        "realtime",
        lambda exchange: exchange.open_orders(SYMBOL),
        lambda client: client.fetch_open_orders(SYMBOL),
        only_ours=OURS_LARGEST_PAGE,
        payloads={"realtime": "open_orders"},
    ),
    "balances": Case(
        "wallet-balance", lambda exchange: exchange.balances(), lambda client: client.fetch_balance()
    ),
    "history": Case(
        "history",
        lambda exchange: exchange.order_history(SYMBOL),
        lambda client: client.fetch_canceled_and_closed_orders(SYMBOL),
        only_ours=OURS_LARGEST_PAGE,
        payloads={"history": "history"},
    ),
    # Spot knows no other executions than trades.
    "fills": Case(
        "execution/list",
        lambda exchange: exchange.fills(SYMBOL),
        lambda client: client.fetch_my_trades(SYMBOL),
        only_ours={"limit": "100"},
        only_theirs={"execType": "Trade"},
    ),
    "order book": Case(
        "orderbook",
        lambda exchange: exchange.order_book(SYMBOL, 5),
        lambda client: client.fetch_order_book(SYMBOL, 5),
    ),
    "candles": Case(
        "kline",
        lambda exchange: exchange.candles(SYMBOL, "1h", limit=2),
        lambda client: client.fetch_ohlcv(SYMBOL, "1h", None, 2),
    ),
    "ticker": Case(
        "tickers", lambda exchange: exchange.ticker(SYMBOL), lambda client: client.fetch_ticker(SYMBOL)
    ),
    "server time": Case("time", lambda exchange: exchange.server_time(), lambda client: client.fetch_time()),
    "positions": Case(
        "position/list",
        lambda exchange: exchange.positions(),
        lambda client: client.fetch_positions(None, {"category": "linear", "settleCoin": "USDT"}),
    ),
}


@pytest.mark.parametrize("case", [*PLACED.values(), *OTHERS.values()], ids=[*PLACED, *OTHERS])
def test_the_same_wish_is_the_same_request(case: Case, theirs: Theirs) -> None:
    _, ours, _, other = both(case, theirs)
    assert case.only_theirs.items() <= other.params.items()
    assert ours == case.expected(other)


def test_an_exit_is_cancelled_by_its_kind_where_ccxt_takes_every_waiting_order_for_conditional(
    theirs: Theirs,
) -> None:
    wish = Case(
        "cancel",
        lambda exchange: exchange.cancel_order(SYMBOL, exchange_order_id="1523347543495541400"),
        lambda client: client.cancel_order("1523347543495541400", SYMBOL, {"trigger": True}),
        payloads={"realtime one": "stop"},
    )
    _, ours, _, other = both(wish, theirs)
    assert (ours.params["orderFilter"], other.params["orderFilter"]) == ("tpslOrder", "StopOrder")


@pytest.mark.parametrize(
    "name",
    [
        "order_new",
        "order_partial",
        "order_filled",
        "order_market_bought",
        "order_market_sold",
        "order_cancelled",
        "stop",
    ],
)
def test_the_same_answer_is_read_as_the_same_order(name: str, theirs: Theirs) -> None:
    row = body("bybit", name)["result"]["list"][0]
    ours = parse.parse_order(row, SYMBOL)
    other = theirs.client.parse_order(dict(row), theirs.client.markets[SYMBOL])
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
    assert same(ours.cost, other["cost"])
    assert same(ours.average_price, other["average"])
    assert same(ours.trigger_price, other["triggerPrice"])
    assert same(ours.quantity, other["amount"])
    if ours.type is OrderType.LIMIT and ours.status is not OrderStatus.CANCELED:
        assert same(ours.remaining, other["remaining"])
        assert same(ours.price, other["price"])


def test_the_same_fees_are_read_but_for_those_paid_in_two_coins(theirs: Theirs) -> None:
    """ccxt tells the first coin only."""
    row = body("bybit", "order_market_sold")["result"]["list"][0]
    assert theirs.client.parse_order(dict(row))["fee"] == {"currency": "USDT", "cost": 0.04}
    assert parse.parse_order(row, SYMBOL).fees == {"USDT": Decimal("0.04"), "MNT": Decimal("0.0123")}


def test_the_same_balances_are_read_but_for_what_futures_tie_up(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["balances"], theirs)
    assert set(ours) == {asset for asset, total in other["total"].items() if total}
    for asset, balance in ours.items():
        assert same(balance.free, other[asset]["free"])
        assert same(balance.locked, other[asset]["used"])
        assert same(balance.total, other[asset]["total"])
    # One wallet: ccxt counts the margin of positions as used, we tell it with what backs futures.
    data = body("bybit", "wallet_futures")
    spot = parse.parse_balances(data["result"])["USDT"]
    whole = theirs.client.parse_balance(json.loads(body_text("bybit", "wallet_futures")))["USDT"]
    assert (float(spot.total) + 110.5, float(spot.locked) - 5 + 110.5) == (whole["total"], whole["used"])


def test_the_same_fills_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["fills"], theirs)
    for mine, fill in zip(ours, other, strict=True):
        assert (mine.trade_id, mine.exchange_order_id, mine.side.lower()) == (
            fill["id"],
            fill["order"],
            fill["side"],
        )
        assert (mine.fee_asset, "maker" if mine.maker else "taker") == (
            fill["fee"]["currency"],
            fill["takerOrMaker"],
        )
        assert mine.at.timestamp() * 1000 == fill["timestamp"]
        for name, value in (("price", mine.price), ("amount", mine.quantity), ("cost", mine.cost)):
            assert same(value, fill[name])
        assert same(mine.fee, fill["fee"]["cost"])


def test_the_same_prices_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["ticker"], theirs)
    for name in ("last", "bid", "ask", "high", "low"):
        assert same(getattr(ours, name), other[name]), name
    assert same(ours.base_volume, other["baseVolume"])
    assert same(ours.quote_volume, other["quoteVolume"])
    ours, _, other, _ = both(OTHERS["order book"], theirs)
    for mine, levels in ((ours.bids, other["bids"]), (ours.asks, other["asks"])):
        assert [[float(level.price), float(level.quantity)] for level in mine] == levels
    ours, _, other, _ = both(OTHERS["candles"], theirs)
    for mine, candle in zip(ours, other, strict=True):
        values = (mine.open, mine.high, mine.low, mine.close, mine.volume)
        assert [mine.at.timestamp() * 1000, *map(float, values)] == candle


def test_the_same_positions_are_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["positions"], theirs)
    assert [float(abs(mine.quantity)) for mine in ours] == [
        row["contracts"] for row in other if row["contracts"]
    ]


def test_the_same_markets_are_read(theirs: Theirs) -> None:
    with bybit() as (exchange, _):
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
        # ccxt takes the obsolete lower bound on the quantity, which is not enforced any more.
        assert market.min_quantity is None
