"""Our BingX client and ccxt, which shares no code with us: the same request on the wire, the same values read.

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

from app.domain import OrderRequest, OrderType, Side, TimeInForce
from app.exchanges.base import Exchange
from app.exchanges.bingx import parse
from tests.exchanges.bingx_client import KEY, ORDER_ID, SECRET, USUAL, bingx, operation
from tests.exchanges.ccxt_twin import COARSE, Case, Theirs, Wire, same
from tests.exchanges.local_server import Received
from tests.exchanges.recorded import body, body_text

SYMBOL = "BTC/USDT"

#: We ask for the largest page, and for the first; ccxt takes what is the default.
OURS_FIRST_PAGE = {"pageIndex": "1", "pageSize": "100"}
#: We tell how long an order rests; ccxt leaves out what is the default.
OURS_RESTS = {"timeInForce": "GTC"}
NO_FUTURES = json.dumps({"code": 0, "msg": "", "data": []})


def take_apart(method: str, target: str, headers: Mapping[str, str], text: str) -> Wire:
    """Verify a request's signature if it has one, over the values as they were before they were encoded."""
    assert not text
    split, lower = urlsplit(target), {name.lower(): value for name, value in headers.items()}
    params = dict(parse_qsl(split.query))
    signature = params.pop("signature", None)
    if signature is not None:
        signed = "&".join(f"{name}={value}" for name, value in sorted(params.items()))
        assert signature == hmac.digest(SECRET.encode(), signed.encode(), "sha256").hex()
    # The time differs from call to call; ccxt leaves the window to the default, which is ours.
    del params["timestamp"]
    assert params.pop("recvWindow", "5000") == "5000"
    return Wire(method, split.path, params, lower.get("x-bx-apikey"))


def answer(method: str, url: str, payloads: Mapping[str, str]) -> str:
    asked = operation(Received(method, url, {}, ""))
    return body_text("bingx", {**USUAL, **payloads}[asked]) if asked in USUAL else NO_FUTURES


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    return Theirs(ccxt.bingx({"apiKey": KEY, "secret": SECRET}), take_apart, answer)


def both(case: Case, theirs: Theirs) -> tuple[Any, Wire, Any, Wire]:
    """What we read and sent, and what they did."""
    with bingx(payloads=case.payloads) as (exchange, server):
        mine = case.ours(exchange)
    asked = next(request for request in server.received if operation(request) == case.call)
    sent = take_apart(asked.method, asked.target.removeprefix("/bingx"), asked.headers, asked.body)
    return mine, sent, *theirs.ask(case)


def place(type_: OrderType, side: Side = Side.BUY, **fields: Any) -> Callable[[Exchange], Any]:
    fields.setdefault("quantity", Decimal("0.001"))
    request = OrderRequest(SYMBOL, side, type_, client_order_id="mybot_0001", **fields)
    return lambda exchange: exchange.place_order(request)


def create(type_: str, side: str, amount: float, price: float | None, **params: Any) -> Callable[[Any], Any]:
    return lambda client: client.create_order(
        SYMBOL, type_, side, amount, price, {"clientOrderId": "mybot_0001", **params}
    )


PLACED = {
    "market buy by quote, digits cut off": Case(
        "trade/order",
        place(OrderType.MARKET, quantity=None, quote_quantity=Decimal("50.129")),
        create("market", "buy", 0, None, cost=50.129),
    ),
    "market sale": Case(
        "trade/order", place(OrderType.MARKET, Side.SELL), create("market", "sell", 0.001, None)
    ),
    "limit, digits cut off": Case(
        "trade/order",
        place(OrderType.LIMIT, quantity=Decimal("0.0010009"), price=Decimal("50000.01")),
        create("limit", "buy", 0.0010009, 50000.01),
        only_ours=OURS_RESTS,
    ),
    "post-only": Case(
        "trade/order",
        place(OrderType.LIMIT, price=Decimal(50000), post_only=True),
        create("limit", "buy", 0.001, 50000, postOnly=True),
    ),
    "immediate or cancel": Case(
        "trade/order",
        place(OrderType.LIMIT, price=Decimal(50000), time_in_force=TimeInForce.IOC),
        create("limit", "buy", 0.001, 50000, timeInForce="IOC"),
    ),
    "stop at the market": Case(
        "trade/order",
        place(OrderType.STOP_LOSS, Side.SELL, trigger_price=Decimal(48000)),
        create("market", "sell", 0.001, None, stopLossPrice=48000),
    ),
    "take profit at a limit": Case(
        "trade/order",
        place(OrderType.TAKE_PROFIT_LIMIT, Side.SELL, price=Decimal(50990), trigger_price=Decimal(51000)),
        create("limit", "sell", 0.001, 50990, takeProfitPrice=51000),
    ),
}

OTHERS = {
    "cancel": Case(
        "trade/cancel",
        lambda exchange: exchange.cancel_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.cancel_order(ORDER_ID, SYMBOL),
    ),
    "cancel by client id": Case(
        "trade/cancel",
        lambda exchange: exchange.cancel_order(SYMBOL, client_order_id="mybot_0001"),
        lambda client: client.cancel_order(None, SYMBOL, {"clientOrderID": "mybot_0001"}),
    ),
    "cancel all": Case(
        "trade/cancelOpenOrders",
        lambda exchange: exchange.cancel_all(SYMBOL),
        lambda client: client.cancel_all_orders(SYMBOL),
    ),
    "look up": Case(
        "trade/query",
        lambda exchange: exchange.get_order(SYMBOL, exchange_order_id=ORDER_ID),
        lambda client: client.fetch_order(ORDER_ID, SYMBOL),
    ),
    "open orders": Case(
        "trade/openOrders",
        lambda exchange: exchange.open_orders(SYMBOL),
        lambda client: client.fetch_open_orders(SYMBOL),
        payloads={"trade/openOrders": "open_orders"},
    ),
    "history": Case(
        "trade/historyOrders",
        lambda exchange: exchange.order_history(SYMBOL),
        lambda client: client.fetch_canceled_and_closed_orders(SYMBOL),
        only_ours=OURS_FIRST_PAGE,
        payloads={"trade/historyOrders": "history"},
    ),
    "fills": Case(
        "trade/myTrades",
        lambda exchange: exchange.fills(SYMBOL),
        lambda client: client.fetch_my_trades(SYMBOL),
        only_ours={"limit": "500"},
    ),
    "balances": Case(
        "account/balance", lambda exchange: exchange.balances(), lambda client: client.fetch_balance()
    ),
    "order book": Case(
        "market/depth",
        lambda exchange: exchange.order_book(SYMBOL, 5),
        lambda client: client.fetch_order_book(SYMBOL, 5),
    ),
    "candles": Case(
        "market/kline",
        lambda exchange: exchange.candles(SYMBOL, "1h", limit=2),
        lambda client: client.fetch_ohlcv(SYMBOL, "1h", None, 2),
    ),
    "ticker": Case(
        "ticker/24hr", lambda exchange: exchange.ticker(SYMBOL), lambda client: client.fetch_ticker(SYMBOL)
    ),
    "server time": Case(
        "server/time", lambda exchange: exchange.server_time(), lambda client: client.fetch_time()
    ),
    "positions": Case(
        "user/positions", lambda exchange: exchange.positions(), lambda client: client.fetch_positions()
    ),
}


@pytest.mark.parametrize("case", [*PLACED.values(), *OTHERS.values()], ids=[*PLACED, *OTHERS])
def test_the_same_wish_is_the_same_request(case: Case, theirs: Theirs) -> None:
    _, ours, _, other = both(case, theirs)
    assert ours == case.expected(other)


def test_a_market_buy_by_base_is_in_quote_where_ccxt_sends_what_the_documentation_excludes(
    theirs: Theirs,
) -> None:
    wish = Case("trade/order", place(OrderType.MARKET), create("market", "buy", 0.001, None))
    _, ours, _, other = both(wish, theirs)
    assert (ours.params["quoteOrderQty"], other.params["quantity"]) == ("50.01", "0.001")


@pytest.mark.parametrize(
    "name", ["placed", "order_new", "order_partial", "order_filled", "order_cancelled", "stop"]
)
def test_the_same_answer_is_read_as_the_same_order(name: str, theirs: Theirs) -> None:
    row = body("bingx", name)["data"]
    ours = parse.parse_order(row, SYMBOL)
    other = theirs.client.parse_order(json.loads(body_text("bingx", name))["data"])
    assert ours.side is not None
    assert ours.created_at is not None
    assert (ours.exchange_order_id, ours.client_order_id, ours.side.lower(), COARSE[ours.status]) == (
        other["id"],
        other["clientOrderId"],
        other["side"],
        other["status"],
    )
    assert ours.created_at.timestamp() * 1000 == other["timestamp"]
    assert ours.symbol == other["symbol"]
    pairs = {
        "filled": ours.filled_quantity,
        "cost": ours.cost,
        "triggerPrice": ours.trigger_price,
        "amount": ours.quantity,
        "remaining": ours.remaining,
        "price": ours.price,
        "average": ours.average_price,
    }
    for field, value in pairs.items():
        assert same(value, other[field]), field


def test_the_same_balances_are_read_but_for_simulated_money(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["balances"], theirs)
    assert {*ours, "VST"} == {asset for asset, total in other["total"].items() if total}
    for asset, balance in ours.items():
        assert same(balance.free, other[asset]["free"])
        assert same(balance.locked, other[asset]["used"])
        assert same(balance.total, other[asset]["total"])


def test_the_same_fills_prices_and_candles_are_read(theirs: Theirs) -> None:
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
    ticker, _, their_ticker, _ = both(OTHERS["ticker"], theirs)
    for name in ("last", "bid", "ask", "high", "low"):
        assert same(getattr(ticker, name), their_ticker[name])
    book, _, their_book, _ = both(OTHERS["order book"], theirs)
    assert [[float(x.price), float(x.quantity)] for x in book.asks] == their_book["asks"]
    candles, _, their_candles, _ = both(OTHERS["candles"], theirs)
    assert [float(candle.close) for candle in candles] == [row[4] for row in their_candles]


def test_markets_have_the_same_steps(theirs: Theirs) -> None:
    for row in body("bingx", "symbols")["data"]["symbols"]:
        market = parse.parse_market(row)
        other = theirs.client.markets[market.symbol]
        assert (market.exchange_symbol, market.active) == (other["id"], other["active"])
        assert same(market.tick_size, other["precision"]["price"])
        assert same(market.lot_size, other["precision"]["amount"])
        assert same(market.min_notional, other["limits"]["cost"]["min"])
