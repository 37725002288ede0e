"""A KuCoin client that knows one market, talking to a server that a test tells what to answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.domain import Credential, Environment, Market, MarketKind, OrderRequest, Side
from app.exchanges.base import Exchange
from app.exchanges.kucoin import KuCoin
from tests.exchanges.local_server import LocalServer, Received, Reply, reply
from tests.exchanges.recorded import body_text

KEY, SECRET, PHRASE = "bk_test_key_01", "bk_test_secret_01", "pass-Phrase9"
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
    max_quantity=Decimal(10_000_000_000),
    min_notional=Decimal("0.1"),
    quote_lot_size=Decimal("0.000001"),
)

Answering = Callable[[Received], Reply]


@contextmanager
def kucoin(answer: Answering) -> Iterator[tuple[Exchange, LocalServer]]:
    """A client that knows one market, and the server it talks to."""
    with LocalServer(answer) as server:
        exchange = KuCoin(
            Credential(KEY, SECRET, PHRASE), environment=Environment.LIVE, base_url=f"{server.url}/kucoin"
        )
        exchange.use_markets([BTC])
        yield exchange, server
        exchange.close()


def always(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Answering:
    """The same answer to everything."""
    return lambda request: reply(body, status, headers)


def recorded(payloads: Mapping[str, str]) -> Answering:
    """For each request the recording named after the first of ``METHOD path`` that it begins with."""

    def answer(request: Received) -> Reply:
        asked = f"{request.method} {request.target.removeprefix('/kucoin')}"
        name = next((name for start, name in payloads.items() if asked.startswith(start)), None)
        assert name is not None, f"nothing is recorded for {asked}"
        return reply(name if name.startswith("{") else body_text("kucoin", name))

    return answer


def refusal(code: str, message: str = "") -> str:
    """A failure's envelope."""
    return json.dumps({"code": code, "msg": message})


def path_of(request: Received) -> str:
    """The path without the prefix at which the test serves."""
    return urlsplit(request.target).path.removeprefix("/kucoin")


def sent(request: Received) -> dict[str, Any]:
    """The parameters of a request, wherever they travelled."""
    if request.body:
        found: dict[str, Any] = json.loads(request.body)
        return found
    return dict(parse_qsl(urlsplit(request.target).query))


def order(**fields: Any) -> OrderRequest:
    """An order of which the test tells what matters to it."""
    defaults: dict[str, Any] = {"symbol": "BTC/USDT", "side": Side.BUY, "client_order_id": "mybot-0001"}
    return OrderRequest(**defaults | fields)
