"""Amounts: exact on the way in, plain on the way out, never enlarged in between."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import InvalidAmount
from app.domain.money import EXACT, MAX_TEXT, floor_to_step, is_multiple, plain, to_decimal

#: Amounts as exchanges and people write them, from 1E-18 to 1E+12.
amounts = st.decimals(
    min_value=Decimal("-1e12"), max_value=Decimal("1e12"), allow_nan=False, allow_infinity=False, places=18
)
steps = st.one_of(
    st.integers(-18, 6).map(lambda exponent: Decimal(1).scaleb(exponent)),
    st.decimals(min_value=Decimal("0.00000001"), max_value=Decimal(1000), places=8),
)


@pytest.mark.parametrize(
    ("given_", "expected"),
    [
        ("0.1", "0.1"),
        (" 12.50 ", "12.50"),
        ("-3", "-3"),
        ("+3", "3"),
        (".5", "0.5"),
        ("1E-18", "1E-18"),
        (7, "7"),
        (Decimal("1.10"), "1.10"),
    ],
)
def test_an_exact_number_is_kept_digit_for_digit(given_: object, expected: str) -> None:
    number = to_decimal(given_)

    assert number == Decimal(expected)
    assert number.as_tuple() == Decimal(expected).as_tuple()


@pytest.mark.parametrize("value", [0.1, 1.0, float("nan"), True, False, None, b"1", [1], 1j])
def test_what_is_not_an_exact_type_is_refused(value: object) -> None:
    with pytest.raises(InvalidAmount, match="not an exact number"):
        to_decimal(value)


@pytest.mark.parametrize(
    "value", ["NaN", "sNaN", "-nan", "inf", "-Infinity", Decimal("NaN"), Decimal("-Infinity")]
)
def test_nan_and_infinity_are_refused(value: object) -> None:
    with pytest.raises(InvalidAmount, match="not a finite number"):
        to_decimal(value)


@pytest.mark.parametrize(
    "value",
    ["", " ", "1_000", "1,5", "1 000", "١٢", "\uff11", "½", "0x10", "1e", "--1", "1.2.3", "ten", "1" * 65],
)
def test_text_that_is_not_one_plain_number_is_refused(value: str) -> None:
    with pytest.raises(InvalidAmount, match="is not a number"):
        to_decimal(value)


@pytest.mark.parametrize("value", ["1e41", "1e-41", "1e400000", "1e-400000", Decimal("1e9999")])
def test_an_amount_no_exchange_could_mean_is_refused_before_it_grows(value: object) -> None:
    with pytest.raises(InvalidAmount, match="outside the range"):
        to_decimal(value)


def test_text_whose_plain_form_would_be_longer_than_an_amount_may_be_is_refused() -> None:
    with pytest.raises(InvalidAmount, match="outside the range"):
        to_decimal("1.23456789012345678901234567890e-40")


def test_an_integer_too_long_to_print_is_refused_like_any_other() -> None:
    with pytest.raises(InvalidAmount, match="outside the range"):
        to_decimal(10**5000)


@given(st.text())
def test_any_text_is_an_amount_or_refused(text: str) -> None:
    try:
        assert to_decimal(text).is_finite()
    except InvalidAmount as refusal:
        assert refusal.message  # noqa: PT017 - either outcome is right, and no other


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1E-18", "0.000000000000000001"),
        ("1E+9", "1000000000"),
        ("1.500", "1.5"),
        ("100", "100"),
        ("-0.00", "0"),
        ("0E-8", "0"),
        ("0E+3", "0"),
        ("-1.20", "-1.2"),
    ],
)
def test_an_amount_is_written_plainly(value: str, text: str) -> None:
    assert plain(Decimal(value)) == text


@given(amounts)
def test_writing_and_reading_gives_the_same_amount(amount: Decimal) -> None:
    assert to_decimal(plain(amount)) == amount


@given(st.from_regex(r"-?[0-9]{0,30}\.?[0-9]{1,30}([eE][+-]?[0-9]{1,2})?", fullmatch=True))
def test_what_was_accepted_once_is_accepted_again_in_its_plain_form(text: str) -> None:
    try:
        number = to_decimal(text)
    except InvalidAmount:
        return
    written = plain(number)

    assert "e" not in written.lower()
    assert len(written) <= MAX_TEXT
    assert to_decimal(written) == number


@given(amounts, steps)
def test_rounding_to_a_grid_never_enlarges(amount: Decimal, step: Decimal) -> None:
    rounded = floor_to_step(amount, step)

    assert abs(rounded) <= abs(amount)
    assert abs(amount - rounded) < step
    assert rounded == 0 or (rounded > 0) == (amount > 0)


@given(amounts, steps)
def test_a_rounded_amount_lies_on_the_grid_and_rounding_it_again_changes_nothing(
    amount: Decimal, step: Decimal
) -> None:
    rounded = floor_to_step(amount, step)

    assert is_multiple(rounded, step)
    assert floor_to_step(rounded, step) == rounded


@given(amounts)
def test_without_a_grid_an_amount_stays_as_it_is(amount: Decimal) -> None:
    assert floor_to_step(amount, Decimal(0)) == amount
    assert is_multiple(amount, Decimal(0))


@given(amounts, steps)
def test_an_amount_between_two_steps_is_not_on_the_grid(amount: Decimal, step: Decimal) -> None:
    beside = EXACT.add(floor_to_step(amount, step), EXACT.divide(step, 2))

    assert not is_multiple(beside, step)


def test_the_largest_amount_can_be_counted_in_the_smallest_step() -> None:
    assert floor_to_step(to_decimal("9e40"), to_decimal("1e-40")) == Decimal("9e40")


@given(amounts, amounts)
def test_a_product_of_amounts_is_exact(one: Decimal, other: Decimal) -> None:
    assert Fraction(EXACT.multiply(one, other)) == Fraction(one) * Fraction(other)
