"""A Binance client that knows one market, talking to a server that a test tells what to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.domain import Credential, Market, MarketKind, OrderRequest, Side
from app.exchanges import connect
from app.exchanges.base import Exchange
from tests.exchanges.local_server import LocalServer, Received, Reply, reply

KEY, SECRET = "bk_test_key_01", "bk_test_secret_01"
BTC = Market(
    symbol="BTC/USDT",
    exchange_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    kind=MarketKind.SPOT,
    active=True,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.00001"),
    min_quantity=Decimal("0.00001"),
    max_quantity=Decimal(9000),
    min_notional=Decimal(5),
    max_market_quantity=Decimal(70),
    quote_lot_size=Decimal("1E-8"),
)

Answering = Callable[[Received], Reply]


@contextmanager
def binance(answer: Answering) -> Iterator[tuple[Exchange, LocalServer]]:
    """A client that knows one market, and the server it talks to."""
    with LocalServer(answer) as server:
        exchange = connect("binance", Credential(KEY, SECRET), base_url=f"{server.url}/binance")
        exchange.use_markets([BTC])
        yield exchange, server
        exchange.close()


def always(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Answering:
    return lambda request: reply(body, status, headers)


def sent(request: Received) -> dict[str, str]:
    """The business parameters of a request, wherever they travelled."""
    pairs = parse_qsl(urlsplit(request.target).query) + parse_qsl(request.body)
    params = dict(pairs)
    assert len(pairs) == len(params), "a repeated name is refused with -1101"
    return {
        name: value for name, value in params.items() if name not in ("signature", "timestamp", "recvWindow")
    }


def order(**fields: Any) -> OrderRequest:
    defaults: dict[str, Any] = {"symbol": "BTC/USDT", "side": Side.BUY, "client_order_id": "mybot-0001"}
    return OrderRequest(**defaults | fields)
