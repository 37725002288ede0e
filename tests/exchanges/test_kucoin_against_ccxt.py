"""Our client and ccxt, which shares no code with us: the same request on the wire, the same values read.

Where they differ on purpose, the difference is named here with its reason; any other difference fails.
"""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import ccxt
import pytest

from app.domain import OcoRequest, OrderRequest, OrderStatus, OrderType, Side, TimeInForce
from app.domain.orders import Leg
from app.exchanges.base import Exchange
from tests.exchanges.kucoin_client import KEY, PHRASE, SECRET, kucoin, recorded
from tests.exchanges.recorded import body_text

SYMBOL = "BTC/USDT"
BEGINNING = datetime.fromtimestamp(1699999980, UTC)

#: ccxt leaves out of a stop for which account it is; we name the spot one, as the documentation does.
OURS_NAMES_SPOT = {"tradeType": "TRADE"}
#: ccxt asks for one kind of trading account, by what `hf/accounts/opened` answered; we ask for all kinds and count
#: every one that can be traded, for which of them a balance is in depends on when the account was opened.
THEIRS_ASKS_ONE_KIND = {"type": "trade_hf"}
#: ccxt repeats in parameters what the path says, out of its days with the abandoned family of calls.
THEIRS_REPEATS_THE_PATH = {"tradeType": "TRADE"}
#: We always ask for the largest page; ccxt takes the exchange's default.
OURS_LARGEST_PAGE = {"limit": "100"}


@dataclass(frozen=True, slots=True)
class Wire:
    """One request, taken apart."""

    method: str
    path: str
    params: dict[str, str]
    key: str | None


@dataclass(frozen=True, slots=True)
class Case:
    """The same wish in both languages, and the recordings that answer both.

    ``only_ours`` and ``only_theirs`` are parameters that only one side sends, with their reason above.
    """

    answers: Mapping[str, str]
    ours: Callable[[Exchange], Any]
    theirs: Callable[[Any], Any]
    only_ours: Mapping[str, str] = field(default_factory=dict)
    only_theirs: Mapping[str, str] = field(default_factory=dict)


def take_apart(method: str, target: str, headers: Mapping[str, str], body: str) -> Wire:
    """Verify a request's signature and passphrase if it has them, and leave out what differs from call to call."""
    split = urlsplit(target)
    found = {name.lower(): value for name, value in headers.items()}
    params = {name: str(value) for name, value in json.loads(body).items()} if body else {}
    params |= dict(parse_qsl(split.query))
    key = found.get("kc-api-key")
    if key is not None:
        path = split.path + (f"?{split.query}" if split.query else "")
        text = f"{found['kc-api-timestamp']}{method}{path}{body}"
        assert found["kc-api-sign"] == _signed(text)
        assert found["kc-api-passphrase"] == _signed(PHRASE)
        assert found["kc-api-key-version"] in ("2", "3"), "both work alike; ccxt still says 2"
    return Wire(method, split.path, params, key)


def _signed(text: str) -> str:
    return base64.b64encode(hmac.digest(SECRET.encode(), text.encode(), "sha256")).decode()


@dataclass(slots=True)
class Theirs:
    """A ccxt client whose requests are kept and answered from the recordings."""

    client: Any
    answers: Mapping[str, str] = field(default_factory=dict)
    sent: list[Wire] = field(default_factory=list)

    def fetch(self, url: str, method: str, headers: dict[str, str] | None, body: str | None) -> Any:
        self.sent.append(take_apart(method, url, headers or {}, body or ""))
        target = url.removeprefix("https://api.kucoin.com").removeprefix("https://api-futures.kucoin.com")
        asked = f"{method} {target}"
        name = next((name for start, name in self.answers.items() if asked.startswith(start)), None)
        assert name is not None, f"nothing is recorded for {asked}"
        return json.loads(name if name.startswith("{") else body_text("kucoin", name))


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    client = ccxt.kucoin({"apiKey": KEY, "secret": SECRET, "password": PHRASE})
    client.options |= {"uta": False, "hf": True, "versions": client.options["versions"]}
    client.options["fetchMarkets"] = {"types": ["spot"], "fetchTickersFees": False}
    client.options["createOrder"] = client.options["cancelOrder"] = {"sync": True}
    found = Theirs(client)
    client.fetch = lambda url, method="GET", headers=None, body=None: found.fetch(url, method, headers, body)
    found.answers = {
        "GET /api/v2/symbols": "symbols",
        "GET /api/v1/hf/accounts/opened": json.dumps({"code": "200000", "data": True}),
        "GET /api/ua/v1/account/mode": json.dumps({"code": "200000", "data": {"selfAccountMode": "CLASSIC"}}),
    }
    client.set_markets(client.fetch_markets({"marginables": False}))
    return found


def both(case: Case, theirs: Theirs) -> tuple[Any, Wire, Any, Wire]:
    """What we read and sent first, and what they did."""
    with kucoin(recorded(case.answers)) as (exchange, server):
        mine = case.ours(exchange)
    request = server.received[0]
    sent = take_apart(request.method, request.target.removeprefix("/kucoin"), request.headers, request.body)
    theirs.answers = case.answers
    theirs.sent.clear()
    read = case.theirs(theirs.client)
    return mine, sent, read, theirs.sent[0]


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


PLACED = {"POST /api/v1/hf/orders/sync": "placed_resting"}
STOP_PLACED = {"POST /api/v1/stop-order": "stop_placed"}
CANCELED = {
    "DELETE /api/v1/hf/orders/sync/": "canceled",
    "GET /api/v1/hf/orders/": "order_canceled",
    "GET /api/v1/hf/fills": "fills",
}
STOP_ID = "vs8hoo8q2ceshiue003b67c0"

PLACINGS = {
    "market by base": Case(PLACED, place(OrderType.MARKET), create("market", "buy", 0.001, None)),
    "market by quote": Case(
        PLACED,
        place(OrderType.MARKET, quantity=None, quote_quantity=Decimal("50.12")),
        create("market", "buy", None, None, cost=50.12),
    ),
    "market sale": Case(PLACED, place(OrderType.MARKET, Side.SELL), create("market", "sell", 0.001, None)),
    "market sale by quote": Case(
        PLACED,
        place(OrderType.MARKET, Side.SELL, quantity=None, quote_quantity=Decimal(50)),
        create("market", "sell", None, None, cost=50),
    ),
    "limit": Case(PLACED, place(OrderType.LIMIT, price=Decimal(50000)), create("limit", "buy", 0.001, 50000)),
    "limit, digits cut off": Case(
        PLACED,
        place(OrderType.LIMIT, quantity=Decimal("0.001000009"), price=Decimal("50000.1")),
        create("limit", "buy", 0.001000009, 50000.1),
    ),
    "post-only": Case(
        PLACED,
        place(OrderType.LIMIT, price=Decimal(50000), post_only=True),
        create("limit", "buy", 0.001, 50000, postOnly=True),
    ),
    "immediate or cancel": Case(
        PLACED,
        place(OrderType.LIMIT, price=Decimal(50000), time_in_force=TimeInForce.IOC),
        create("limit", "buy", 0.001, 50000, timeInForce="IOC"),
    ),
    "fill or kill": Case(
        PLACED,
        place(OrderType.LIMIT, price=Decimal(50000), time_in_force=TimeInForce.FOK),
        create("limit", "buy", 0.001, 50000, timeInForce="FOK"),
    ),
    "stop": Case(
        STOP_PLACED,
        place(OrderType.STOP_LOSS, Side.SELL, trigger_price=Decimal(48000)),
        create("market", "sell", 0.001, None, stopLossPrice=48000),
        OURS_NAMES_SPOT,
    ),
    "stop of a short sale": Case(
        STOP_PLACED,
        place(OrderType.STOP_LOSS, Side.BUY, trigger_price=Decimal(52000)),
        create("market", "buy", 0.001, None, stopLossPrice=52000),
        OURS_NAMES_SPOT,
    ),
    "stop at a limit": Case(
        STOP_PLACED,
        place(OrderType.STOP_LIMIT, Side.SELL, price=Decimal(47900), trigger_price=Decimal(48000)),
        create("limit", "sell", 0.001, 47900, stopLossPrice=48000),
        OURS_NAMES_SPOT,
    ),
    "take profit": Case(
        STOP_PLACED,
        place(OrderType.TAKE_PROFIT, Side.SELL, trigger_price=Decimal(52000)),
        create("market", "sell", 0.001, None, takeProfitPrice=52000),
        OURS_NAMES_SPOT,
    ),
    "take profit at a limit": Case(
        STOP_PLACED,
        place(OrderType.TAKE_PROFIT_LIMIT, Side.SELL, price=Decimal(51990), trigger_price=Decimal(52000)),
        create("limit", "sell", 0.001, 51990, takeProfitPrice=52000),
        OURS_NAMES_SPOT,
    ),
    "pair of exits": Case(
        {"POST /api/v3/oco/order": "pair_placed", "GET ": "pair"},
        lambda exchange: exchange.place_oco(
            OcoRequest(
                SYMBOL,
                Side.SELL,
                Decimal("0.005"),
                Leg(Decimal(48000), Decimal(47900)),
                Leg(Decimal(60000)),
                "exit",
            )
        ),
        # ccxt has no pairs of its own; its generated method signs and sends the documented names.
        lambda client: client.privatePostOcoOrder(
            {
                "clientOid": "exit",
                "symbol": "BTC-USDT",
                "side": "sell",
                "size": "0.005",
                "price": "60000",
                "stopPrice": "48000",
                "limitPrice": "47900",
                "tradeType": "TRADE",
            }
        ),
    ),
    "change": Case(
        {"POST /api/v1/hf/orders/alter": "altered", "GET ": "order_open"},
        lambda exchange: exchange.amend_order(
            SYMBOL, exchange_order_id="1001", quantity=Decimal("0.001"), price=Decimal(50000)
        ),
        lambda client: client.edit_order("1001", SYMBOL, "limit", "buy", 0.001, 50000),
    ),
    "cancel": Case(
        CANCELED,
        lambda exchange: exchange.cancel_order(SYMBOL, exchange_order_id="1001"),
        lambda client: client.cancel_order("1001", SYMBOL),
    ),
    "cancel by client id": Case(
        CANCELED,
        lambda exchange: exchange.cancel_order(SYMBOL, client_order_id="mybot-0001"),
        lambda client: client.cancel_order(None, SYMBOL, {"clientOrderId": "mybot-0001"}),
    ),
    "cancel a stop": Case(
        {"DELETE /api/v1/stop-order/": "stop_canceled", "GET ": "order_missing"},
        lambda exchange: exchange.cancel_order(SYMBOL, exchange_order_id=STOP_ID),
        lambda client: client.cancel_order(STOP_ID, SYMBOL, {"trigger": True}),
    ),
}


def look_up(payload: str) -> Case:
    return Case(
        {"GET /api/v1/hf/orders/1001": payload},
        lambda exchange: exchange.get_order(SYMBOL, exchange_order_id="1001"),
        lambda client: client.fetch_order("1001", SYMBOL),
    )


LOOK_UPS = {
    name: look_up(name)
    for name in (
        "order_open",
        "order_partially_filled",
        "order_market_filled",
        "order_market_by_funds",
        "order_canceled",
    )
}

OTHERS = {
    "look up by client id": Case(
        {"GET /api/v1/hf/orders/client-order/": "order_open"},
        lambda exchange: exchange.get_order(SYMBOL, client_order_id="mybot-0001"),
        lambda client: client.fetch_order(None, SYMBOL, {"clientOrderId": "mybot-0001"}),
    ),
    "look up a stop": Case(
        {"GET /api/v1/stop-order/": "stop"},
        lambda exchange: exchange.get_order(SYMBOL, exchange_order_id=STOP_ID),
        lambda client: client.fetch_order(STOP_ID, SYMBOL, {"trigger": True}),
    ),
    "balances": Case(
        {
            "GET /api/v1/accounts?type=trade_hf": "accounts_of_one_kind",
            "GET /api/v1/accounts": "accounts_of_one_kind",
        },
        lambda exchange: exchange.balances(),
        lambda client: client.fetch_balance(),
        only_theirs=THEIRS_ASKS_ONE_KIND,
    ),
    "open orders": Case(
        {
            "GET /api/v1/hf/orders/active": "active",
            "GET /api/v1/stop-order": "stops",
            "GET /api/v3": "no_pairs",
        },
        lambda exchange: exchange.open_orders(SYMBOL),
        lambda client: client.fetch_open_orders(SYMBOL),
        only_theirs=THEIRS_REPEATS_THE_PATH | {"status": "active"},
    ),
    "history": Case(
        {"GET /api/v1/hf/orders/done": "done", "GET /api/v1/hf/orders/active": "active"},
        lambda exchange: exchange.order_history(SYMBOL),
        lambda client: client.fetch_closed_orders(SYMBOL),
        OURS_LARGEST_PAGE,
        THEIRS_REPEATS_THE_PATH | {"status": "done"},
    ),
    "fills": Case(
        {"GET /api/v1/hf/fills": "fills"},
        lambda exchange: exchange.fills(SYMBOL),
        lambda client: client.fetch_my_trades(SYMBOL),
        OURS_LARGEST_PAGE,
    ),
    "fills of an order": Case(
        {"GET /api/v1/hf/fills": "fills"},
        lambda exchange: exchange.fills(SYMBOL, exchange_order_id="1001"),
        lambda client: client.fetch_my_trades(SYMBOL, None, None, {"orderId": "1001"}),
        OURS_LARGEST_PAGE,
    ),
    "ticker": Case(
        {"GET /api/v1/market/stats": "stats"},
        lambda exchange: exchange.ticker(SYMBOL),
        lambda client: client.fetch_ticker(SYMBOL),
    ),
    "tickers": Case(
        {"GET /api/v1/market/allTickers": "all_tickers"},
        lambda exchange: exchange.tickers([SYMBOL, "SHIB/USDT"]),
        lambda client: client.fetch_tickers([SYMBOL, "SHIB/USDT"]),
    ),
    "order book": Case(
        {"GET /api/v1/market/orderbook/level2_20": "book"},
        lambda exchange: exchange.order_book(SYMBOL, 20),
        lambda client: client.fetch_order_book(SYMBOL, 20),
    ),
    "server time": Case(
        {"GET /api/v1/timestamp": "timestamp"},
        lambda exchange: exchange.server_time(),
        lambda client: client.fetch_time(),
    ),
    "markets": Case(
        {"GET /api/v2/symbols": "symbols"},
        lambda exchange: exchange.markets(),
        lambda client: client.publicGetSymbols(),
    ),
}

CASES = PLACINGS | LOOK_UPS | OTHERS


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_same_wish_is_the_same_request(case: Case, theirs: Theirs) -> None:
    _, ours, _, other = both(case, theirs)
    assert (ours.method, ours.path, ours.key) == (other.method, other.path, other.key)
    assert ours.params | dict(case.only_theirs) == other.params | dict(case.only_ours)


def same(exact: Decimal | None, approximate: float | None) -> bool:
    """Whether a float is what our exact value is to a float's precision."""
    return approximate is None if exact is None else approximate is not None and float(exact) == approximate


#: ccxt knows three outcomes where we tell more apart; the finer word must belong to the coarser one.
COARSE = {
    OrderStatus.OPEN: "open",
    OrderStatus.PARTIALLY_FILLED: "open",
    OrderStatus.FILLED: "closed",
    OrderStatus.CANCELED: "canceled",
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
    for name, theirs_name in {
        "filled_quantity": "filled",
        "cost": "cost",
        "average_price": "average",
        "trigger_price": "triggerPrice",
    }.items():
        assert same(getattr(ours, name), other[theirs_name]), name
    assert ours.created_at.timestamp() * 1000 == other["timestamp"]
    [fee] = other["fees"] or [{"currency": None, "cost": None}]
    assert {asset: float(amount) for asset, amount in ours.fees.items()} == (
        {fee["currency"]: fee["cost"]} if fee["cost"] else {}
    )
    if ours.raw["size"] != "0":
        assert COARSE[ours.status] == other["status"]
        assert same(ours.quantity, other["amount"])
        assert same(ours.remaining, other["remaining"])
    # ccxt fills a market order's missing price in from its average; ours stays None: there was no limit.
    assert same(ours.average_price if ours.type is OrderType.MARKET else ours.price, other["price"])


def test_ccxt_takes_an_order_sized_in_quote_that_has_filled_for_cancelled(theirs: Theirs) -> None:
    """Its remainder, worth less than a lot, sets the flag that ccxt goes by; the amounts say that it was filled."""
    ours, _, other, _ = both(LOOK_UPS["order_market_by_funds"], theirs)
    assert (ours.status, other["status"]) == (OrderStatus.FILLED, "canceled")


def test_ccxt_takes_an_order_that_was_cancelled_in_part_for_cancelled(theirs: Theirs) -> None:
    """It still rests: whether it is active is asked first with us, and last with ccxt."""
    row = json.loads(body_text("kucoin", "order_partially_filled"))
    row["data"]["cancelExist"] = True
    ours, _, other, _ = both(look_up(json.dumps(row)), theirs)
    assert (ours.status, other["status"]) == (OrderStatus.PARTIALLY_FILLED, "canceled")


def test_a_stop_is_read_alike_but_ccxt_does_not_say_what_it_is_for(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["look up a stop"], theirs)
    assert (ours.exchange_order_id, ours.client_order_id) == (other["id"], other["clientOrderId"])
    assert (COARSE[ours.status], float(ours.trigger_price)) == (other["status"], other["triggerPrice"])
    assert same(ours.quantity, other["amount"])
    assert (ours.type, other["type"]) == (OrderType.STOP_LOSS, "market")


def test_ccxt_leaves_a_plain_trigger_without_a_direction(theirs: Theirs) -> None:
    """Its ``triggerPrice`` sends no ``stop``; we have no such order: it is a stop-loss or a take-profit."""
    theirs.answers = STOP_PLACED
    theirs.sent.clear()
    create("market", "sell", 0.001, None, triggerPrice=48000)(theirs.client)
    assert "stop" not in theirs.sent[0].params


def test_ccxt_sends_attached_exits_that_kucoin_ignores(theirs: Theirs) -> None:
    """A position without the protection that was asked for; our capabilities say that no entry carries exits."""
    theirs.answers = PLACED
    theirs.sent.clear()
    create("limit", "buy", 0.001, 50000, stopLoss={"triggerPrice": 48000})(theirs.client)
    assert "stopLoss" in theirs.sent[0].params
    with kucoin(recorded(PLACED)) as (exchange, _):
        assert not exchange.capabilities.attached_stop_loss


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


def test_the_same_prices_are_read(theirs: Theirs) -> None:
    one, _, other, _ = both(OTHERS["ticker"], theirs)
    several, _, others, _ = both(OTHERS["tickers"], theirs)
    for mine, ticker in ((one, other), *((several[symbol], others[symbol]) for symbol in several)):
        for name, theirs_name in {
            "last": "last",
            "bid": "bid",
            "ask": "ask",
            "high": "high",
            "low": "low",
            "base_volume": "baseVolume",
            "quote_volume": "quoteVolume",
        }.items():
            assert same(getattr(mine, name), ticker[theirs_name]), (mine.symbol, name)
    assert one.at.timestamp() * 1000 == other["timestamp"]
    assert several[SYMBOL].at.timestamp() * 1000 == others[SYMBOL]["timestamp"]


def test_the_same_book_is_read(theirs: Theirs) -> None:
    book, _, their_book, _ = both(OTHERS["order book"], theirs)
    for side in ("bids", "asks"):
        levels = [[float(level.price), float(level.quantity)] for level in getattr(book, side)]
        assert levels == their_book[side]


def test_the_same_candles_are_read(theirs: Theirs) -> None:
    case = Case(
        {"GET /api/v1/market/candles": "candles"},
        lambda exchange: exchange.candles(SYMBOL, "1m", since=BEGINNING, limit=2),
        lambda client: client.fetch_ohlcv(SYMBOL, "1m", 1699999980000, 2),
    )
    ours, sent, other, asked = both(case, theirs)
    assert (sent.path, sent.params) == (asked.path, asked.params)
    assert [
        [int(c.at.timestamp() * 1000), *(float(x) for x in (c.open, c.high, c.low, c.close, c.volume))]
        for c in ours
    ] == other


def test_the_same_time_is_read(theirs: Theirs) -> None:
    ours, _, other, _ = both(OTHERS["server time"], theirs)
    assert ours.timestamp() * 1000 == other


def test_the_same_markets_are_read(theirs: Theirs) -> None:
    with kucoin(recorded({"GET /api/v2/symbols": "symbols"})) as (exchange, _):
        ours = {market.exchange_symbol: market for market in exchange.markets()}
    by_id = {market["id"]: market for market in theirs.client.markets.values()}
    assert set(ours) == set(by_id)
    for exchange_symbol, market in ours.items():
        other = by_id[exchange_symbol]
        assert market.active is other["active"]
        assert same(market.tick_size, other["precision"]["price"])
        assert same(market.lot_size, other["precision"]["amount"])
        assert same(market.min_quantity, other["limits"]["amount"]["min"])
        assert same(market.max_quantity, other["limits"]["amount"]["max"])
        # ccxt takes the least amount of funds for the least worth of any order; the market names that one apart.
        least = other["info"]["minFunds"] or other["info"]["quoteMinSize"]
        assert market.min_notional == Decimal(least)
    # ccxt renames coins by a list of its own; with us they go by the code that balances and orders use.
    assert (ours["BCHSV-USDT"].symbol, by_id["BCHSV-USDT"]["symbol"]) == ("BCHSV/USDT", "BSV/USDT")
