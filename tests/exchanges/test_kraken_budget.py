"""Kraken's counters, as the sandbox enforces them: what stops us is our own count, before the wire."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from decimal import Decimal
from itertools import count

import pytest

from app.domain import Credential, ExchangeError, OrderRequest, OrderType, OutcomeUnknown, RateLimited, Side
from app.exchanges import connect
from app.exchanges.base import Exchange
from app.exchanges.sparing import sparing
from tests.fixtures.sandbox import SandboxServer

BTC = "BTC/USDT"

#: The lowest tier's limits, for which we have to take every account's.
STARTER = {
    "call_counter": 15,
    "call_counter_decay_per_minute": 20,
    "pair_counter": 60,
    "pair_counter_decay_per_minute": 60,
    "open_orders_per_pair": 60,
}


@pytest.fixture
def exchange(fresh_sandbox: SandboxServer) -> Iterator[Exchange]:
    fresh_sandbox.control("limits", exchange="kraken", limits=STARTER)
    keys = fresh_sandbox.account("kraken")
    credential = Credential(keys.api_key, keys.api_secret)
    with closing(connect("kraken", credential, base_url=fresh_sandbox.at("kraken"))) as client:
        client.markets()
        yield client


def place_and_cancel(exchange: Exchange, name: str) -> None:
    request = OrderRequest(
        BTC, Side.BUY, OrderType.LIMIT, Decimal("0.01"), price=Decimal(30_000), client_order_id=name
    )
    placed = exchange.place_order(request)
    exchange.cancel_order(BTC, exchange_order_id=placed.exchange_order_id)


def place_and_amend(exchange: Exchange, name: str) -> None:
    request = OrderRequest(
        BTC, Side.BUY, OrderType.LIMIT, Decimal("0.01"), price=Decimal(30_000), client_order_id=name
    )
    placed = exchange.place_order(request)
    exchange.amend_order(BTC, exchange_order_id=placed.exchange_order_id, price=Decimal(29_000))


def look_at_the_past(exchange: Exchange, _: str) -> None:
    exchange.fills(BTC)
    exchange.order_history(BTC)


@pytest.mark.parametrize("work", [place_and_cancel, place_and_amend, look_at_the_past])
def test_a_burst_ends_at_our_own_count_and_never_at_kraken_s(
    exchange: Exchange, work: Callable[[Exchange, str], None]
) -> None:
    refusal: ExchangeError | None = None
    for number in count(1):
        try:
            work(exchange, f"burst{number}")
        except (
            RateLimited,
            OutcomeUnknown,
        ) as error:  # unknown when it is the look at the result that is stopped
            refusal = error
            break
        assert number < 60, "a burst is never stopped"
    assert "not sent" in str(refusal)


def test_what_is_only_looked_at_leaves_half_of_the_allowance_to_what_trades_depend_on(
    exchange: Exchange,
) -> None:
    with sparing():
        for _ in range(4):
            exchange.order_book(BTC, 10)
        with pytest.raises(RateLimited, match="public"):
            [exchange.order_book(BTC, 10) for _ in range(3)]
    assert exchange.ticker(BTC).last is not None
