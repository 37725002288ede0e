"""A BingX client that knows one market, talking to a server that answers each path as a test tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.domain import Credential, Environment, Market, MarketKind, OrderRequest, Side
from app.exchanges.bingx import BingX
from tests.exchanges.local_server import LocalServer, Received, Reply, reply
from tests.exchanges.recorded import body_text

KEY, SECRET = "BINGX-KEY-EXAMPLE", "BINGX-SECRET-EXAMPLE"
ORDER_ID = "1735963671248581234"
BTC = Market(
    symbol="BTC/USDT",
    exchange_symbol="BTC-USDT",
    base="BTC",
    quote="USDT",
    kind=MarketKind.SPOT,
    active=True,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.000001"),
    min_notional=Decimal(5),
    quote_lot_size=Decimal("0.01"),
)

#: What an operation is answered with when a test does not care.
USUAL: Mapping[str, str] = {
    "server/time": "server_time",
    "common/symbols": "symbols",
    "ticker/24hr": "ticker",
    "market/depth": "depth",
    "market/kline": "kline",
    "account/balance": "balances",
    "user/positions": "positions",
    "user/balance": "futures_balance",
    "trade/order": "placed",
    "trade/cancel": "cancelled",
    "trade/cancelOpenOrders": "cancelled_all",
    "trade/query": "order_new",
    "trade/openOrders": "none",
    "trade/historyOrders": "none",
    "trade/myTrades": "fills",
}

Answering = Callable[[Received], Reply]


@contextmanager
def bingx(
    answer: Answering | None = None, *, payloads: Mapping[str, str] | None = None
) -> Iterator[tuple[BingX, LocalServer]]:
    """A client that knows one market, and the server it talks to; ``payloads`` by operation."""
    with (
        LocalServer(answer or recorded(payloads or {})) as server,
        closing(_client(f"{server.url}/bingx")) as exchange,
    ):
        exchange.use_markets([BTC])
        yield exchange, server


def _client(url: str) -> BingX:
    return BingX(Credential(KEY, SECRET), environment=Environment.LIVE, base_url=url)


def recorded(payloads: Mapping[str, str]) -> Answering:
    """Answers each operation with its recording."""
    names = {**USUAL, **payloads}
    return lambda request: reply(body_text("bingx", names[operation(request)]))


def operation(request: Received) -> str:
    """The end of a path."""
    return "/".join(urlsplit(request.target).path.split("/")[-2:])


def always(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Answering:
    return lambda request: reply(body, status, headers)


def refusing(
    code: int | str, message: str, status: int = 200, headers: dict[str, str] | None = None
) -> Answering:
    """Every call is refused the same way."""
    return always(json.dumps({"code": code, "msg": message, "debugMsg": "", "data": {}}), status, headers)


def sent(request: Received) -> dict[str, str]:
    """The parameters of a request, but for what differs from call to call."""
    params = dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
    return {name: params[name] for name in params.keys() - {"timestamp", "recvWindow", "signature"}}


def order(**fields: Any) -> OrderRequest:
    defaults: dict[str, Any] = {"symbol": "BTC/USDT", "side": Side.BUY, "client_order_id": "mybot_0001"}
    return OrderRequest(**defaults | fields)
