"""Seeing, protecting and closing what is held: everything through ``flask position …``."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.cli.conftest import Operator


@pytest.fixture(scope="module")
def new_holder(new_operator: Callable[..., Operator]) -> Callable[[], Operator]:
    """Those who hold 0.01 BTC under a stop-loss two percent below."""

    def make() -> Operator:
        made = new_operator({"USDT": "100000", "BTC": "0"})
        made.connect()
        words = ("--quantity", "0.01", "--stop-loss", "2%", "--yes")
        made.flask("order", "place", "buy", "BTCUSDT", *words)
        return made

    return make


@pytest.fixture(scope="module")
def holder(new_holder: Callable[[], Operator]) -> Operator:
    """One of them, for tests that change nothing."""
    return new_holder()


def held(operator: Operator) -> Any:
    [found] = operator.flask("position", "list", "--json").json
    return found


def resting(operator: Operator) -> list[dict[str, str]]:
    """The exits that wait at the engine."""
    orders = operator.stack.sandbox.orders(operator.stack.exchange, operator.keys)
    return [order for order in orders if order["state"] == "open"]


def test_what_is_held_is_listed_with_how_it_is_guarded_and_what_it_would_earn(holder: Operator) -> None:
    found = held(holder)

    assert (found["symbol"], found["broker"], found["status"]) == ("BTC/USDT", "main", "OPEN")
    assert Decimal(found["entry_price"]) > Decimal(found["stop_loss"]) > 0
    assert "rests on" in found["held"]
    assert Decimal(found["fees"]) > 0
    assert found["age"] >= 0
    [line] = [row for row in holder.flask("position", "list").out.splitlines() if "BTC/USDT" in row]
    assert "main" in line


def test_a_position_is_shown_with_its_orders(holder: Operator) -> None:
    number = str(held(holder)["id"])

    shown = holder.flask("position", "show", number, "--json").json

    assert [(order["role"], order["side"]) for order in shown["orders"]] == [
        ("ENTRY", "BUY"),
        ("PROTECTION", "SELL"),
    ]
    assert "STOP_LOSS" in holder.flask("position", "show", number).out


def test_a_stop_loss_is_moved_on_the_exchange_before_the_command_ends(
    new_holder: Callable[[], Operator],
) -> None:
    holder = new_holder()
    number = str(held(holder)["id"])

    moved = holder.flask("position", "move", number, "--stop-loss", "5%", "--json").json

    [stop] = resting(holder)
    assert Decimal(stop["trigger_price"]) == Decimal(moved["stop_loss"])
    share = Decimal(moved["stop_loss"]) / Decimal(moved["entry_price"])
    assert abs(share - Decimal("0.95")) < Decimal("0.001")


def test_half_is_sold_and_the_rest_stays_guarded_until_it_is_sold_as_well(
    new_holder: Callable[[], Operator],
) -> None:
    holder = new_holder()
    before = held(holder)
    number = str(before["id"])

    half = holder.flask("position", "close", number, "--percent", "50", "--yes", "--json").json

    assert Decimal(half["quantity"]) < Decimal(before["quantity"]) * Decimal("0.51")
    [stop] = resting(holder)
    assert Decimal(stop["quantity"]) <= Decimal(half["quantity"])
    over = holder.flask("position", "close", number, "--yes", "--json").json
    assert (over["status"], over["held"]) == ("CLOSED", "closed at the market")
    assert resting(holder) == []
    assert holder.flask("position", "list", "--json").json == []
    assert [row["id"] for row in holder.flask("position", "list", "--all", "--json").json] == [before["id"]]


def test_reversing_says_that_spot_has_no_shorts_and_sells_it_all(
    new_holder: Callable[[], Operator],
) -> None:
    holder = new_holder()
    done = holder.flask("position", "reverse", str(held(holder)["id"]), "--yes", "--json")

    assert "no short positions" in done.err
    assert done.json["status"] == "CLOSED"


def test_nothing_is_sold_without_a_yes(holder: Operator) -> None:
    before = held(holder)

    done = holder.flask("position", "close", str(before["id"]), stdin="n\n", code=1)

    assert "Sell 100 % of it at the market?" in done.err
    assert held(holder)["quantity"] == before["quantity"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("close", "{id}", "--percent", "0", "--yes"), "above 0 and at most 100"),
        (("close", "{id}", "--percent", "0.001", "--yes"), "less than one lot"),
        (("close", "{id}", "--percent", "half", "--yes"), "not a number"),
        (("move", "{id}"), "nothing to move"),
        (("move", "{id}", "--trailing", "100%"), "below 100 percent"),
        (("move", "{id}", "--stop-loss", "100%"), "above zero"),
        (("close", "987654", "--yes"), "there is no position 987654"),
    ],
)
def test_a_wish_that_makes_no_sense_is_refused_with_a_remedy(
    holder: Operator, words: tuple[str, ...], said: str
) -> None:
    number = str(held(holder)["id"])

    done = holder.flask("position", *(word.format(id=number) for word in words), code=1)

    assert said in done.err
    assert "remedy: " in done.err


def test_another_persons_position_is_as_if_it_did_not_exist(
    holder: Operator, new_operator: Callable[..., Operator]
) -> None:
    number = str(held(holder)["id"])
    stranger = new_operator()

    for words in (
        ("show",),
        ("close", "--yes"),
        ("move", "--trailing", "2%"),
        ("break-even",),
        ("reverse", "--yes"),
    ):
        done = stranger.flask("position", words[0], number, *words[1:], code=1)
        assert f"there is no position {number}" in done.err
    assert stranger.flask("position", "list", "--all", "--json").json == []


def test_an_order_may_ask_for_several_take_profits_and_a_trailing_stop(
    new_operator: Callable[..., Operator],
) -> None:
    operator = new_operator({"USDT": "100000", "BTC": "0"})
    operator.connect()
    words = ("--quantity", "0.01", "--trailing", "3%", "--target", "5%:50", "--target", "8%:50", "--yes")

    operator.flask("order", "place", "buy", "BTCUSDT", *words)

    found = held(operator)
    assert found["trailing_percent"] == "3"
    assert [(target["share"], target["status"]) for target in found["take_profits"]] == [
        ("50", "WAITING"),
        ("50", "WAITING"),
    ]
    assert found["alarm"] is None
