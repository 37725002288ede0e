"""How Kraken writes ids, amounts and prices, whatever they are."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.money import is_multiple
from app.sandbox.dialects.kraken import prices
from app.sandbox.dialects.kraken.errors import KrakenError
from app.sandbox.dialects.kraken.notation import cut, decode_id, encode_id, padded
from app.sandbox.engine.model import OrderType, Side
from app.sandbox.instruments import listed

amounts = st.decimals(0, 10**12, allow_nan=False, places=10)
decimals = st.integers(0, 10)


@given(st.integers(0, 2**80 - 1))
def test_an_id_is_its_number_in_disguise(number: int) -> None:
    text = encode_id("O", number)
    assert [len(part) for part in text.split("-")] == [6, 5, 6]
    assert decode_id("O", text) == number
    assert decode_id("T", text) is None


@given(st.text())
def test_any_other_text_is_no_id(text: str) -> None:
    assert decode_id("O", text) is None


@given(amounts, decimals)
def test_padding_never_rounds(amount: Decimal, places: int) -> None:
    text = padded(amount, places)
    assert Decimal(text) == amount
    assert len(text.partition(".")[2]) >= places


@given(amounts, decimals)
def test_cutting_never_adds(amount: Decimal, places: int) -> None:
    text = cut(amount, places)
    assert 0 <= amount - Decimal(text) < Decimal(1).scaleb(-places)
    assert len(text.partition(".")[2]) == places


@given(
    st.sampled_from(["", "+", "-", "#"]),
    st.decimals(0, 10**6, places=4),
    st.sampled_from(["", "%"]),
    st.sampled_from(Side),
    st.sampled_from([OrderType.LIMIT, OrderType.STOP_LOSS, OrderType.TAKE_PROFIT]),
)
def test_a_price_that_is_accepted_lies_on_the_grid(
    sign: str, number: Decimal, unit: str, side: Side, kind: OrderType
) -> None:
    instrument = next(x for x in listed() if x.symbol == "BTC/USDT")
    try:
        price = prices.read(f"{sign}{number}{unit}", "price", Decimal(60000), side, kind, instrument)
    except KrakenError:
        return
    assert price > 0
    assert is_multiple(price, instrument.tick)
    if not sign:
        assert price == number


@pytest.mark.parametrize(
    ("side", "kind", "above"),
    [
        (Side.BUY, OrderType.LIMIT, False),
        (Side.SELL, OrderType.LIMIT, True),
        (Side.SELL, OrderType.STOP_LOSS, False),
        (Side.BUY, OrderType.STOP_LIMIT, True),
        (Side.SELL, OrderType.TAKE_PROFIT, True),
        (Side.BUY, OrderType.TAKE_PROFIT_LIMIT, False),
    ],
)
def test_a_hash_puts_a_price_on_the_side_that_makes_sense(side: Side, kind: OrderType, above: bool) -> None:
    instrument = next(x for x in listed() if x.symbol == "BTC/USDT")
    price = prices.read("#10", "price", Decimal(60000), side, kind, instrument)
    assert price == (60010 if above else 59990)
