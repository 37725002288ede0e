"""An OKX client that knows one market, talking to a server that answers each path as a test tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.domain import Credential, Environment, Market, MarketKind, OrderRequest, Side
from app.exchanges.okx import OKX
from tests.exchanges.local_server import LocalServer, Received, Reply, reply
from tests.exchanges.recorded import body_text

KEY, SECRET, PASSPHRASE = "K-DEMO-0001", "S-DEMO-0002", "Pass-0003!"
BTC = Market(
    symbol="BTC/USDT",
    exchange_symbol="BTC-USDT",
    base="BTC",
    quote="USDT",
    kind=MarketKind.SPOT,
    active=True,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.00000001"),
    min_quantity=Decimal("0.00001"),
    quote_lot_size=Decimal("0.1"),
)

#: What a call is answered with when a test does not care.
USUAL: Mapping[str, str] = {
    "GET time": "time",
    "GET instruments": "instruments",
    "GET ticker": "ticker",
    "GET tickers": "tickers",
    "GET books": "books",
    "GET candles": "candles",
    "GET balance": "balance",
    "GET config": "config",
    "GET positions": "positions",
    "GET order": "order_live",
    "GET order-algo": "order_missing",
    "GET orders-pending": "nothing",
    "GET orders-history": "nothing",
    "GET orders-algo-pending": "nothing",
    "GET orders-algo-history": "nothing",
    "GET fills": "fills",
    "GET fills-history": "nothing",
    "POST order": "order_placed",
    "POST batch-orders": "order_placed",
    "POST order-algo": "algo_placed",
    "POST amend-order": "order_amended",
    "POST cancel-order": "order_cancelled",
    "POST cancel-algos": "algo_cancelled",
    "POST cancel-batch-orders": "some_cancelled",
}

Answering = Callable[[Received], Reply]


@contextmanager
def okx(
    answer: Answering | None = None,
    payloads: Mapping[str, str] | None = None,
    *,
    environment: Environment = Environment.LIVE,
) -> Iterator[tuple[OKX, LocalServer]]:
    """A client that knows one market, and the server it talks to; ``payloads`` by `operation`."""
    with LocalServer(answer or recorded(payloads or {})) as server:
        credential = Credential(KEY, SECRET, PASSPHRASE)
        exchange = OKX(credential, environment=environment, base_url=f"{server.url}/okx")
        exchange.use_markets([BTC])
        yield exchange, server
        exchange.close()


def recorded(payloads: Mapping[str, str]) -> Answering:
    """Answers each operation with its recording."""
    names = {**USUAL, **payloads}
    return lambda request: reply(body_text("okx", names[operation(request)]))


def operation(request: Received) -> str:
    """The method and the last part of the path."""
    return f"{request.method} {urlsplit(request.target).path.rpartition('/')[2]}"


def always(body: str, status: int = 200) -> Answering:
    return lambda request: reply(body, status)


def refusing(code: str, message: str, status: int = 200) -> Answering:
    """Every call is refused the same way, by the answer as a whole."""
    return always(json.dumps({"code": code, "msg": message, "data": []}), status)


def sent(request: Received) -> Any:
    """The parameters of a request, wherever they travelled."""
    if request.body:
        return json.loads(request.body)
    return dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))


def order(**fields: Any) -> OrderRequest:
    defaults: dict[str, Any] = {"symbol": "BTC/USDT", "side": Side.BUY, "client_order_id": "mybot0001"}
    return OrderRequest(**defaults | fields)
