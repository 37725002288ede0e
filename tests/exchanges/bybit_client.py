"""A Bybit client that knows one market, talking to a server that answers each path as a test tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.domain import Credential, Environment, Market, MarketKind, OrderRequest, Side
from app.exchanges.bybit import Bybit
from tests.exchanges.local_server import LocalServer, Received, Reply, reply
from tests.exchanges.recorded import body_text

KEY, SECRET = "BYBIT-KEY-EXAMPLE", "BYBIT-SECRET-EXAMPLE"
ORDER_ID = "1523347543495541248"
BTC = Market(
    symbol="BTC/USDT",
    exchange_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    kind=MarketKind.SPOT,
    active=True,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.000001"),
    min_notional=Decimal(5),
    quote_lot_size=Decimal("1E-7"),
)

#: What an operation is answered with when a test does not care.
USUAL: Mapping[str, str] = {
    "time": "server_time",
    "instruments-info": "instruments",
    "tickers": "ticker",
    "orderbook": "orderbook",
    "kline": "kline",
    "wallet-balance": "wallet",
    "query-api": "key",
    "position/list": "positions",
    "create": "ids",
    "amend": "ids",
    "cancel": "ids",
    "cancel-all": "cancelled_all",
    "realtime one": "order_new",
    "realtime": "none",
    "realtime ended": "none",
    "history one": "none",
    "history": "none",
    "execution/list": "fills",
}

Answering = Callable[[Received], Reply]


@contextmanager
def bybit(
    answer: Answering | None = None, *, payloads: Mapping[str, str] | None = None
) -> Iterator[tuple[Bybit, LocalServer]]:
    """A client that knows one market, and the server it talks to; ``payloads`` by operation."""
    with (
        LocalServer(answer or recorded(payloads or {})) as server,
        closing(_client(f"{server.url}/bybit")) as exchange,
    ):
        exchange.use_markets([BTC])
        yield exchange, server


def _client(url: str) -> Bybit:
    return Bybit(Credential(KEY, SECRET), environment=Environment.LIVE, base_url=url)


def recorded(payloads: Mapping[str, str]) -> Answering:
    """Answers each operation with its recording."""
    names = {**USUAL, **payloads}
    return lambda request: reply(body_text("bybit", names[operation(request)]))


def operation(request: Received) -> str:
    """The end of a path, with what tells look-ups of one order and of ended ones from lists."""
    split = urlsplit(request.target)
    asked = dict(parse_qsl(split.query))
    name = (
        "/".join(split.path.split("/")[-2:])
        if split.path.endswith("/list")
        else split.path.rpartition("/")[2]
    )
    if name in ("realtime", "history") and asked.keys() & {"orderId", "orderLinkId"}:
        return f"{name} one"
    return f"{name} ended" if asked.get("openOnly") == "1" else name


def always(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Answering:
    return lambda request: reply(body, status, headers)


def refusing(code: int, message: str, status: int = 200, headers: dict[str, str] | None = None) -> Answering:
    """Every call is refused the same way."""
    body = {"retCode": code, "retMsg": message, "result": {}, "retExtInfo": {}, "time": 1700000000200}
    return always(json.dumps(body), status, headers)


def sent(request: Received) -> dict[str, Any]:
    """The parameters of a request, wherever they travelled."""
    params: dict[str, Any] = dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
    return params | (json.loads(request.body) if request.body else {})


def order(**fields: Any) -> OrderRequest:
    defaults: dict[str, Any] = {"symbol": "BTC/USDT", "side": Side.BUY, "client_order_id": "mybot-0001"}
    return OrderRequest(**defaults | fields)
