"""A Bitget client that knows one market, talking to a server that answers each path as a test tells it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from app.domain import Credential, Environment, Market, MarketKind, OrderRequest, Side
from app.exchanges.bitget import Bitget
from tests.exchanges.local_server import LocalServer, Received, Reply, reply
from tests.exchanges.recorded import body_text

KEY, SECRET, PASSPHRASE = "bk_test_key_01", "bk_test_secret_01", "pass-Phrase9"
BTC = Market(
    symbol="BTC/USDT",
    exchange_symbol="BTCUSDT",
    base="BTC",
    quote="USDT",
    kind=MarketKind.SPOT,
    active=True,
    tick_size=Decimal("0.01"),
    lot_size=Decimal("0.000001"),
    min_notional=Decimal(1),
    quote_lot_size=Decimal("1E-8"),
)

#: What the last part of a path is answered with when a test does not care.
USUAL: Mapping[str, str] = {
    "time": "server_time",
    "symbols": "symbols",
    "tickers": "ticker",
    "orderbook": "orderbook",
    "candles": "candles",
    "assets": "assets",
    "info": "account_info",
    "all-position": "all_position",
    "place-order": "placed",
    "place-plan-order": "plan_placed",
    "cancel-order": "cancelled",
    "cancel-plan-order": "plan_cancelled",
    "orderInfo": "order_live",
    "unfilled-orders": "order_none",
    "unfilled-orders tpsl": "order_none",
    "history-orders": "order_none",
    "history-orders tpsl": "order_none",
    "current-plan-order": "no_plans",
    "history-plan-order": "no_plans",
    "plan-sub-order": "plan_sub_order",
    "fills": "fills",
}

Answering = Callable[[Received], Reply]


@contextmanager
def bitget(
    answer: Answering | None = None, *, environment: Environment = Environment.LIVE, **payloads: str
) -> Iterator[tuple[Bitget, LocalServer]]:
    """A client that knows one market, and the server it talks to; ``payloads`` by operation, ``-`` written ``_``."""
    with LocalServer(answer or recorded(payloads)) as server:
        credential = Credential(KEY, SECRET, PASSPHRASE)
        exchange = Bitget(credential, environment=environment, base_url=f"{server.url}/bitget")
        exchange.use_markets([BTC])
        yield exchange, server
        exchange.close()


def recorded(payloads: Mapping[str, str]) -> Answering:
    """Answers each operation with its recording."""
    wanted = {name.replace("__", " ").replace("_", "-"): payload for name, payload in payloads.items()}
    names = {**USUAL, **wanted}
    return lambda request: reply(body_text("bitget", names[operation(request)]))


def operation(request: Received) -> str:
    """The last part of a path; with ``tpsl`` behind it when exits are asked for."""
    split = urlsplit(request.target)
    name = split.path.rpartition("/")[2]
    return f"{name} tpsl" if dict(parse_qsl(split.query)).get("tpslType") == "tpsl" else name


def always(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Answering:
    return lambda request: reply(body, status, headers)


def refusing(code: str, message: str, status: int = 400) -> Answering:
    """Every call is refused the same way."""
    body = {"code": code, "msg": message, "requestTime": 1700000000200, "data": None}
    return always(json.dumps(body), status)


def sent(request: Received) -> dict[str, Any]:
    """The parameters of a request, wherever they travelled; without the window of its validity."""
    params: dict[str, Any] = dict(parse_qsl(urlsplit(request.target).query, keep_blank_values=True))
    params |= json.loads(request.body) if request.body else {}
    return {name: value for name, value in params.items() if name not in ("requestTime", "receiveWindow")}


def order(**fields: Any) -> OrderRequest:
    defaults: dict[str, Any] = {"symbol": "BTC/USDT", "side": Side.BUY, "client_order_id": "mybot-0001"}
    return OrderRequest(**defaults | fields)
