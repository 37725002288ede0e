"""A Gate.io client that knows one market, talking to a server that answers each path as a test tells it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.domain import Credential, Environment, Market, MarketKind, OrderRequest, Side
from app.exchanges.gateio import GateIO
from tests.exchanges.local_server import LocalServer, Received, Reply, reply
from tests.exchanges.recorded import body_text, envelope

KEY, SECRET = "GK-DEMO-0001", "GS-DEMO-0002"
ORDER_ID = "1800000001"
BTC = Market(
    symbol="BTC/USDT",
    exchange_symbol="BTC_USDT",
    base="BTC",
    quote="USDT",
    kind=MarketKind.SPOT,
    active=True,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("0.000001"),
    min_notional=Decimal(3),
    quote_lot_size=Decimal("0.1"),
)

#: What an operation is answered with when a test does not care.
USUAL: Mapping[str, str] = {
    "GET spot/time": "server_time",
    "GET spot/currency_pairs": "pairs",
    "GET spot/tickers": "ticker",
    "GET spot/order_book": "order_book",
    "GET spot/candlesticks": "candles",
    "GET spot/accounts": "accounts",
    "GET account/detail": "detail",
    "GET margin/currency_pairs": "none",
    "GET futures/usdt/accounts": "futures_account",
    "GET futures/usdt/positions": "positions",
    "GET futures/usdt/contracts/ID": "contract",
    "POST spot/orders": "order_open",
    "PATCH spot/orders/ID": "order_open",
    "DELETE spot/orders/ID": "order_cancelled",
    "DELETE spot/orders": "none",
    "GET spot/orders/ID": "order_open",
    "GET spot/orders open": "none",
    "GET spot/orders finished": "none",
    "GET spot/open_orders": "none",
    "POST spot/price_orders": "trigger_placed",
    "GET spot/price_orders/ID": "trigger_open",
    "DELETE spot/price_orders/ID": "trigger_open",
    "DELETE spot/price_orders": "none",
    "GET spot/price_orders open": "none",
    "GET spot/price_orders finished": "none",
    "GET spot/my_trades": "fills",
}

Answering = Callable[[Received], Reply]
_NAMED = re.compile(r"(spot/orders|spot/price_orders|contracts)/[^/]+$")


@contextmanager
def gateio(
    answer: Answering | None = None, *, payloads: Mapping[str, str] | None = None
) -> Iterator[tuple[GateIO, LocalServer]]:
    """A client that knows one market, and the server it talks to; ``payloads`` by operation."""
    with (
        LocalServer(answer or recorded(payloads or {})) as server,
        closing(_client(f"{server.url}/gateio")) as exchange,
    ):
        exchange.use_markets([BTC])
        yield exchange, server


def _client(url: str) -> GateIO:
    return GateIO(Credential(KEY, SECRET), environment=Environment.LIVE, base_url=url)


def recorded(payloads: Mapping[str, str]) -> Answering:
    """Answers each operation with its recording."""
    names = {**USUAL, **payloads}

    def answer(request: Received) -> Reply:
        name = names[operation(request)]
        return reply(body_text("gateio", name), envelope("gateio", name)["status"])

    return answer


def operation(request: Received) -> str:
    """Method and path, with ID for what it names, and the state of the orders that a list is asked for."""
    split = urlsplit(request.target)
    path = _NAMED.sub(r"\1/ID", split.path.partition("/api/v4/")[2])
    status = dict(parse_qsl(split.query)).get("status")
    return f"{request.method} {path} {status}" if status else f"{request.method} {path}"


def asked(server: LocalServer) -> list[str]:
    return [operation(request) for request in server.received]


def always(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Answering:
    return lambda request: reply(body, status, headers)


def refusing(label: str, status: int = 400, headers: dict[str, str] | None = None) -> Answering:
    """Every call is refused the same way."""
    return always(json.dumps({"label": label, "message": "said so"}), status, headers)


def sent(request: Received) -> dict[str, Any]:
    """The parameters of a request, wherever they travelled."""
    params: dict[str, Any] = dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
    return params | (json.loads(request.body) if request.body else {})


def order(**fields: Any) -> OrderRequest:
    defaults: dict[str, Any] = {"symbol": "BTC/USDT", "side": Side.BUY, "client_order_id": "mybot-0001"}
    return OrderRequest(**defaults | fields)
