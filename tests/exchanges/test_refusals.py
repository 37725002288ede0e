"""What an exchange does not declare is refused before the wire, whatever it is."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain import Leg, OrderRequest, OrderType, Side, TimeInForce
from app.exchanges import NAMES, UnknownExchange, capabilities, connect, credential_fields
from app.exchanges.base import Capabilities, TrailingRange
from app.exchanges.refusals import refusals

ABLE = capabilities(NAMES[0])
NONE: frozenset[OrderType] = frozenset()
STOP, TARGET = Leg(Decimal(40)), Leg(Decimal(60))
LIMIT = OrderRequest("A/B", Side.BUY, OrderType.LIMIT, quantity=Decimal(1), price=Decimal(50))
MARKET = OrderRequest("A/B", Side.BUY, OrderType.MARKET, quote_quantity=Decimal(1))
TRAILING = OrderRequest(
    "A/B", Side.SELL, OrderType.TRAILING_STOP, quantity=Decimal(1), trailing_percent=Decimal("1.5")
)
RANGE = TrailingRange(Decimal("0.1"), Decimal(20), Decimal("0.01"))

CASES = {
    "no such type": (replace(ABLE, order_types=frozenset({OrderType.MARKET})), LIMIT, "order_type"),
    "no purchase by quote": (replace(ABLE, quote_quantity_market_buy=False), MARKET, "quote_quantity"),
    "no sale by quote": (
        replace(ABLE, quote_quantity_market_sell=False),
        replace(MARKET, side=Side.SELL),
        "quote_quantity",
    ),
    "no stop attached": (replace(ABLE, attached_stop_loss=NONE), replace(LIMIT, stop_loss=STOP), "stop_loss"),
    "no target attached": (
        replace(ABLE, attached_take_profit=NONE),
        replace(LIMIT, take_profit=TARGET),
        "take_profit",
    ),
    "not both attached": (
        replace(ABLE, attached_both=NONE),
        replace(LIMIT, stop_loss=STOP, take_profit=TARGET),
        "attached",
    ),
    "no trailing stops": (
        replace(ABLE, order_types=ABLE.order_types - {OrderType.TRAILING_STOP}),
        TRAILING,
        "order_type",
    ),
    "a trailing stop too close": (
        replace(ABLE, trailing=RANGE),
        replace(TRAILING, trailing_percent=Decimal("0.09")),
        "trailing_percent",
    ),
    "a trailing stop too far": (
        replace(ABLE, trailing=RANGE),
        replace(TRAILING, trailing_percent=Decimal("20.01")),
        "trailing_percent",
    ),
    "a trailing stop between two steps": (
        replace(ABLE, trailing=RANGE),
        replace(TRAILING, trailing_percent=Decimal("1.005")),
        "trailing_percent",
    ),
    "post-only that may not rest": (
        ABLE,
        replace(LIMIT, post_only=True, time_in_force=TimeInForce.IOC),
        "post_only",
    ),
}


@pytest.mark.parametrize(("able", "request_", "rule"), CASES.values(), ids=CASES.keys())
def test_what_is_not_offered_is_named(able: Capabilities, request_: OrderRequest, rule: str) -> None:
    assert [violation.rule for violation in refusals(able, request_)] == [rule]


def test_what_is_offered_passes() -> None:
    for request in (LIMIT, MARKET, TRAILING, replace(LIMIT, stop_loss=STOP, take_profit=TARGET)):
        assert refusals(ABLE, request) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_exchange_declares_what_it_can_do_and_which_keys_it_needs(name: str) -> None:
    able = capabilities(name)
    assert {OrderType.MARKET, OrderType.LIMIT} <= able.order_types
    assert able.attached_both | able.attached_stop_loss | able.attached_take_profit <= able.order_types
    assert (OrderType.TRAILING_STOP in able.order_types) is (able.trailing is not None)
    assert {"api_key", "api_secret"} <= {field.name for field in credential_fields(name)}


def test_an_exchange_nobody_knows_is_named_with_those_we_know() -> None:
    with pytest.raises(UnknownExchange) as caught:
        connect("nowhere")
    assert NAMES[0] in caught.value.remedy
