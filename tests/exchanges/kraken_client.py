"""A Kraken client that knows one market, talking to a server that a test tells what to answer."""

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
from tests.exchanges.recorded import body_text

KEY = "KRAKEN-KEY-EXAMPLE"
#: The bytes 0x00 … 0x3f.
SECRET = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+Pw=="
ORDER_ID = "OAAAAA-BBBBB-CCCCCC"
SYMBOL = "BTC/USD"
BTC = Market(
    symbol=SYMBOL,
    exchange_symbol="XXBTZUSD",
    base="BTC",
    quote="USD",
    kind=MarketKind.SPOT,
    active=True,
    tick_size=Decimal("0.1"),
    lot_size=Decimal("1E-8"),
    min_quantity=Decimal("0.00005"),
    min_notional=Decimal("0.5"),
    quote_lot_size=Decimal("1E-5"),
)

Answering = Callable[[Received], Reply]


@contextmanager
def kraken(answer: Answering) -> Iterator[tuple[Exchange, LocalServer]]:
    """A client that knows one market, and the server it talks to."""
    with LocalServer(answer) as server:
        exchange = connect("kraken", Credential(KEY, SECRET), base_url=f"{server.url}/kraken")
        exchange.use_markets([BTC])
        yield exchange, server
        exchange.close()


def always(body: str, status: int = 200) -> Answering:
    return lambda request: reply(body, status)


def recorded(**names: str) -> Answering:
    """Answers each call, by the last part of its path, with the recording of that name."""
    return lambda request: reply(body_text("kraken", names[called(request)]))


def refusing(*complaints: str) -> Answering:
    """Answers everything with complaints."""
    listed = ",".join(f'"{complaint}"' for complaint in complaints)
    return always(f'{{"error":[{listed}]}}')


def called(request: Received) -> str:
    """The call that a request makes: AddOrder, Ticker …"""
    return urlsplit(request.target).path.rpartition("/")[2]


def sent(request: Received) -> dict[str, str]:
    """The parameters of a request but for its nonce, wherever they travelled."""
    pairs = parse_qsl(urlsplit(request.target).query) + parse_qsl(request.body)
    params = dict(pairs)
    assert len(pairs) == len(params), "a name is sent once"
    return {name: value for name, value in params.items() if name != "nonce"}


def order(**fields: Any) -> OrderRequest:
    defaults: dict[str, Any] = {"symbol": SYMBOL, "side": Side.BUY, "client_order_id": "bot-0001"}
    return OrderRequest(**defaults | fields)
