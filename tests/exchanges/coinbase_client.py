"""A Coinbase client that knows one market, talking to a server that answers each path as a test tells it."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.domain import Credential, Environment, Market, MarketKind, OrderRequest, Side
from app.exchanges.coinbase import Coinbase
from tests.exchanges.local_server import LocalServer, Received, Reply, reply
from tests.exchanges.recorded import body_text, envelope

KEY = "22222222-2222-2222-2222-222222222222"
SEED = bytes(range(32))
SECRET = base64.b64encode(SEED).decode()
BTC = Market(
    symbol="BTC/USD",
    exchange_symbol="BTC-USD",
    base="BTC",
    quote="USD",
    kind=MarketKind.SPOT,
    active=True,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.00000001"),
    min_quantity=Decimal("0.00000001"),
    min_notional=Decimal(1),
    quote_lot_size=Decimal("0.01"),
)

#: What a call is answered with when a test does not care.
USUAL: Mapping[str, str] = {
    "GET time": "time",
    "GET products": "products",
    "GET ticker": "ticker",
    "GET product_book": "book",
    "GET candles": "candles",
    "GET accounts": "accounts_end",
    "GET key_permissions": "key_permissions",
    "GET order": "order_open",
    "GET batch": "no_orders",
    "GET fills": "fills",
    "POST orders": "placed",
    "POST edit": "edited",
    "POST batch_cancel": "cancelled",
}

Answering = Callable[[Received], Reply]


@contextmanager
def coinbase(
    answer: Answering | None = None,
    payloads: Mapping[str, str] | None = None,
    *,
    secret: str = SECRET,
) -> Iterator[tuple[Coinbase, LocalServer]]:
    """A client that knows one market, and the server it talks to; ``payloads`` by `operation`."""
    with LocalServer(answer or recorded(payloads or {})) as server:
        exchange = Coinbase(
            Credential(KEY, secret), environment=Environment.LIVE, base_url=f"{server.url}/coinbase"
        )
        exchange.use_markets([BTC])
        yield exchange, server
        exchange.close()


def recorded(payloads: Mapping[str, str]) -> Answering:
    """Answers each operation with its recording."""
    names = {**USUAL, **payloads}

    def answer(request: Received) -> Reply:
        name = names[operation(request)]
        return reply(body_text("coinbase", name), envelope("coinbase", name)["status"])

    return answer


def operation(request: Received) -> str:
    """The method and the last part of the path; ``order`` for one that names an order."""
    name = urlsplit(request.target).path.rpartition("/")[2]
    return f"{request.method} {'order' if name.count('-') == 4 else name}"


def always(body: str, status: int = 200) -> Answering:
    return lambda request: reply(body, status)


def rejecting(reason: str) -> Answering:
    """Every order is refused for one reason, with HTTP 200; everything else is answered as usual."""
    usual = recorded({})
    told = {"error": "UNKNOWN_FAILURE_REASON", "preview_failure_reason": reason, "message": "what it says"}
    body = json.dumps({"success": False, "error_response": told})
    return lambda request: reply(body) if request.method == "POST" else usual(request)


def sent(request: Received) -> Any:
    """The parameters of a request, wherever they travelled."""
    if request.body:
        return json.loads(request.body)
    return parse_qs(urlsplit(request.target).query, keep_blank_values=True)


def order(**fields: Any) -> OrderRequest:
    defaults: dict[str, Any] = {"symbol": "BTC/USD", "side": Side.BUY, "client_order_id": "mybot0001"}
    return OrderRequest(**defaults | fields)
