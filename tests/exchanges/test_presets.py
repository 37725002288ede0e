"""Which exits belong to which entry, where the exchange ties nothing back to it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import Leg, OrderReport, OrderRequest, OrderStatus, OrderType, Side
from app.exchanges import presets
from app.exchanges.presets import STOP, TARGET, Preset

AT = datetime(2026, 7, 1, 12, tzinfo=UTC)
ENTRY = OrderReport(
    exchange_order_id="1001",
    client_order_id="entry",
    symbol="BTC/USDT",
    side=Side.BUY,
    type=OrderType.MARKET,
    status=OrderStatus.FILLED,
    quantity=Decimal(1),
    filled_quantity=Decimal(1),
    average_price=Decimal(50000),
    created_at=AT,
    updated_at=AT + timedelta(seconds=1),
)
STOP_AT_48000 = Preset("1001", STOP, Decimal(48000))


def exit_(
    number: int,
    trigger: int,
    *,
    after: float = 1,
    side: Side = Side.SELL,
    quantity: str = "0.999",
    price: int | None = None,
) -> OrderReport:
    return OrderReport(
        exchange_order_id=f"tpsl-{number}",
        client_order_id=f"9{number}",
        symbol="BTC/USDT",
        side=side,
        type=None,
        status=OrderStatus.OPEN,
        quantity=Decimal(quantity),
        filled_quantity=Decimal(0),
        price=None if price is None else Decimal(price),
        trigger_price=Decimal(trigger),
        created_at=AT + timedelta(seconds=after),
    )


@given(
    entry=st.integers(1, 10**20),
    kind=st.sampled_from([STOP, TARGET]),
    trigger=st.decimals("0.000000001", "99999999", places=9),
)
def test_the_name_of_an_exit_tells_all_that_finds_it(entry: int, kind: str, trigger: Decimal) -> None:
    preset = Preset(str(entry), kind, trigger)
    assert Preset.named(preset.name) == preset
    assert len(preset.name) <= 80, "as long as an order's id may be"


def test_a_request_s_legs_become_exits_of_their_kind() -> None:
    request = OrderRequest(
        "BTC/USDT",
        Side.BUY,
        OrderType.MARKET,
        stop_loss=Leg(Decimal(48000), Decimal(47900)),
        take_profit=Leg(Decimal(60000)),
    )
    assert [preset.type for preset in presets.asked_for(request, "1001")] == [
        OrderType.STOP_LIMIT,
        OrderType.TAKE_PROFIT,
    ]


def test_an_exit_is_known_by_its_side_its_trigger_and_its_birth() -> None:
    others = [
        exit_(1, 48001),
        exit_(2, 48000, side=Side.BUY),
        exit_(3, 48000, after=-10),
    ]
    assert presets.born(STOP_AT_48000, ENTRY, others) is None
    found = presets.born(STOP_AT_48000, ENTRY, [*others, exit_(4, 48000)])
    assert found is not None
    assert (found.exchange_order_id, found.client_order_id, found.type) == (
        "tpsl-4",
        "entry-sl",
        OrderType.STOP_LOSS,
    )


def test_of_two_entries_with_the_same_trigger_each_has_the_exit_born_with_its_fill() -> None:
    found = presets.born(STOP_AT_48000, ENTRY, [exit_(1, 48000, after=30), exit_(2, 48000, after=1.1)])
    assert found is not None
    assert found.exchange_order_id == "tpsl-2"


def test_exits_nobody_knew_of_are_those_born_with_the_fill_at_its_size() -> None:
    born = presets.born_with(
        ENTRY,
        [
            exit_(1, 48000),
            exit_(2, 60000, price=59990),
            exit_(3, 47000, after=20),
            exit_(4, 61000, quantity="0.5"),
            exit_(5, 61000, quantity="1.5"),
        ],
    )
    assert [(leg.exchange_order_id, leg.client_order_id, leg.type) for leg in born] == [
        ("tpsl-1", "entry-sl", OrderType.STOP_LOSS),
        ("tpsl-2", "entry-tp", OrderType.TAKE_PROFIT_LIMIT),
    ]


@pytest.mark.parametrize(
    ("status", "later", "expected"),
    [
        (OrderStatus.OPEN, 3600, OrderStatus.PENDING),
        (OrderStatus.FILLED, 2, OrderStatus.PENDING),
        (OrderStatus.FILLED, 120, OrderStatus.CANCELED),
        (OrderStatus.CANCELED, 2, OrderStatus.CANCELED),
    ],
)
def test_an_exit_that_is_not_there_is_waited_for_as_long_as_it_may_come(
    status: OrderStatus, later: int, expected: OrderStatus
) -> None:
    entry = OrderReport(
        "1001",
        "entry",
        "BTC/USDT",
        Side.BUY,
        OrderType.LIMIT,
        status,
        created_at=AT,
        updated_at=AT,
    )
    found = presets.unborn(STOP_AT_48000, entry, AT + timedelta(seconds=later))
    assert (found.status, found.exchange_order_id, found.side) == (
        expected,
        "preset-sl-1001-48000",
        Side.SELL,
    )
