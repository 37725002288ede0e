"""What an execution moves, exactly."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal, localcontext

from hypothesis import given
from hypothesis import strategies as st

from app.domain.ledger import EntryKind, exact_sum, movements, tells_fee
from app.domain.money import EXACT
from app.domain.orders import Fill, Side

#: Up to 24 digits before and after the point: more than any product of two that a plain context keeps.
amounts = st.decimals(
    min_value=Decimal("1e-18"), max_value=Decimal("1e24"), places=18, allow_nan=False, allow_infinity=False
)
sides = st.sampled_from(Side)


def a_fill(quantity: Decimal, cost: Decimal, fee: Decimal | None, fee_asset: str | None) -> Fill:
    return Fill(
        trade_id="1",
        exchange_order_id=None,
        client_order_id=None,
        symbol="BTC/USDT",
        side=None,
        price=Decimal(1),
        quantity=quantity,
        cost=cost,
        fee=fee,
        fee_asset=fee_asset,
        maker=None,
        at=None,
    )


def by_asset(side: Side, fill: Fill) -> dict[str, Decimal]:
    moved: defaultdict[str, Decimal] = defaultdict(Decimal)
    for asset, amount, _ in movements("BTC/USDT", side, fill):
        moved[asset] = EXACT.add(moved[asset], amount)
    return dict(moved)


@given(amounts, amounts, amounts, st.sampled_from(["BTC", "USDT", "BNB"]), sides)
def test_a_purchase_brings_base_and_costs_quote_and_the_fee_is_paid_in_whatever_asset(
    quantity: Decimal, cost: Decimal, fee: Decimal, fee_asset: str, side: Side
) -> None:
    moved = by_asset(side, a_fill(quantity, cost, fee, fee_asset))

    sign = 1 if side is Side.BUY else -1
    with localcontext(EXACT):
        expected = {"BTC": sign * quantity, "USDT": -sign * cost}
        expected[fee_asset] = expected.get(fee_asset, Decimal(0)) - fee
    assert moved == expected


@given(amounts, amounts, amounts)
def test_buying_and_selling_the_same_leaves_nothing_but_the_fees(
    quantity: Decimal, cost: Decimal, fee: Decimal
) -> None:
    fill = a_fill(quantity, cost, fee, "BNB")
    both = [*movements("BTC/USDT", Side.BUY, fill), *movements("BTC/USDT", Side.SELL, fill)]

    assert exact_sum(moved.amount for moved in both if moved.kind is EntryKind.TRADE) == 0
    with localcontext(EXACT):
        assert exact_sum(moved.amount for moved in both if moved.kind is EntryKind.FEE) == -2 * fee


@given(st.lists(amounts, max_size=30))
def test_a_sum_keeps_every_digit(parts: list[Decimal]) -> None:
    with localcontext() as context:
        context.prec = 200
        assert exact_sum(parts) == sum(parts, Decimal(0))


def test_a_rebate_is_an_amount_that_came() -> None:
    moved = by_asset(Side.SELL, a_fill(Decimal(1), Decimal(100), Decimal("-0.01"), "USDT"))

    assert moved == {"BTC": Decimal(-1), "USDT": Decimal("100.01")}


def test_a_fee_that_is_not_told_moves_nothing_and_is_known_to_be_missing() -> None:
    without = a_fill(Decimal(1), Decimal(100), None, None)
    without_asset = a_fill(Decimal(1), Decimal(100), Decimal("0.1"), None)
    free_of_charge = a_fill(Decimal(1), Decimal(100), Decimal(0), None)

    for fill in (without, without_asset, free_of_charge):
        assert by_asset(Side.BUY, fill) == {"BTC": Decimal(1), "USDT": Decimal(-100)}
    assert [tells_fee(fill) for fill in (without, without_asset, free_of_charge)] == [False, False, True]
