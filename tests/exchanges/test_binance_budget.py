"""Binance counts orders until their first fill; so do we, on both sides of the wire."""

from __future__ import annotations

from contextlib import closing
from decimal import Decimal

import pytest

from app.domain import Credential, OrderRequest, OrderType, RateLimited, Side
from app.exchanges import Exchange, connect
from app.exchanges.binance.wire import ORDERS_10S
from app.exchanges.budget import LocalRateBudget
from tests.fixtures.sandbox import SandboxServer


def test_orders_that_fill_at_once_leave_the_order_count_free(fresh_sandbox: SandboxServer) -> None:
    keys = fresh_sandbox.account("binance", {"USDT": "1000000"})
    credential = Credential(keys.api_key, keys.api_secret)
    budget = LocalRateBudget()
    with closing(
        connect("binance", credential, base_url=fresh_sandbox.at("binance"), budget=budget)
    ) as binance:
        for _ in range(2 * ORDERS_10S.capacity):
            binance.place_order(
                OrderRequest("BTC/USDT", Side.BUY, OrderType.MARKET, quantity=Decimal("0.001"))
            )

    assert len(fresh_sandbox.orders("binance", keys)) == 2 * ORDERS_10S.capacity


def test_orders_that_rest_are_held_back_before_the_exchange_refuses_them(
    fresh_sandbox: SandboxServer,
) -> None:
    keys = fresh_sandbox.account("binance", {"USDT": "1000000"})
    credential = Credential(keys.api_key, keys.api_secret)
    resting = OrderRequest(
        "BTC/USDT", Side.BUY, OrderType.LIMIT, quantity=Decimal("0.001"), price=Decimal(30000)
    )
    budget = LocalRateBudget()
    with closing(
        connect("binance", credential, base_url=fresh_sandbox.at("binance"), budget=budget)
    ) as binance:
        binance.markets()
        with pytest.raises(RateLimited, match="orders-10s") as caught:
            _place_without_end(binance, resting)

    assert caught.value.http_status is None, "our own budget said so, not the exchange"
    assert caught.value.retry_after


def _place_without_end(exchange: Exchange, request: OrderRequest) -> None:
    for _ in range(1000):
        exchange.place_order(request)
