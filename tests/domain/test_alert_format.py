"""An alert's text: understood whole, or refused with what is wrong and where; both formats mean the same."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alert_format import ALIASES, AlertFault, parse_alert, read_pairs
from app.domain.alerts import AlertAction, AlertStatus, Signal, signal_from_json, signal_to_json
from app.domain.money import plain
from app.domain.orders import PriceOrPercent

BAD = json.loads(Path(__file__).with_name("bad_alerts.json").read_text(encoding="utf-8"))
BUY = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.1"}

numbers = st.decimals(min_value=Decimal("0.00000001"), max_value=Decimal("1e12"), places=8).map(plain)
shares = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("99.99"), places=2).map(plain)
guards = numbers | shares.map(lambda share: f"{share}%")
words = st.text(st.characters(codec="ascii", categories=("L", "N")), min_size=1, max_size=20)
#: Pieces that bodies are made of, right and wrong, so that fuzzing gets past the first character.
pieces = st.sampled_from(
    [*ALIASES, *AlertAction, *'{}[]",:=;\n\\ ', "1", "-1", "1e9", "NaN", "2%", "null", "\\ud800", "\0"]
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def body(**fields: object) -> dict[str, object]:
    """A buy with some fields more or different."""
    return BUY | fields


def understood(**fields: object) -> Signal:
    """What a buy with these fields means, as JSON."""
    return parse_alert(json.dumps(body(**fields)))


def as_pairs(fields: dict[str, object], separator: str) -> str:
    """The same fields as ``key=value`` pairs."""
    return separator.join(f"{key}={value}" for key, value in fields.items())


@pytest.mark.parametrize("bad", BAD, ids=[repr(bad["body"])[:40] for bad in BAD])
def test_a_bad_body_is_refused_with_its_reason(bad: dict[str, str]) -> None:
    with pytest.raises(AlertFault) as refusal:
        parse_alert(bad["body"])

    assert bad["reason"] in refusal.value.message
    assert refusal.value.remedy


@given(st.text() | st.lists(pieces).map("".join) | json_values.map(json.dumps))
def test_any_text_is_understood_or_refused_and_nothing_else_is_raised(text: str) -> None:
    try:
        assert isinstance(parse_alert(text), Signal)
    except AlertFault as fault:
        assert fault.message  # noqa: PT017 - either outcome is right, and no other


@given(st.dictionaries(st.sampled_from([*ALIASES, "note"]), json_values, max_size=6))
def test_any_json_object_of_our_keys_is_understood_or_refused(fields: dict[str, object]) -> None:
    try:
        signal = parse_alert(json.dumps(fields))
    except AlertFault:
        return
    for text in (signal.symbol, signal.alert_id, signal.comment, *signal.extras, *signal.extras.values()):
        assert text is None or ("\0" not in text and text.encode("utf-8") is not None)


@pytest.mark.parametrize("nesting", ["[", '{"a":'])
@pytest.mark.parametrize("depth", [900, 100_000])
def test_deep_nesting_is_no_way_to_break_the_parser(nesting: str, depth: int) -> None:
    closing = "]" if nesting == "[" else "}"
    text = '{"action": "PING", "x": ' + nesting * depth + "1" * (nesting != "[") + closing * depth + "}"

    try:
        assert parse_alert(text).action is AlertAction.PING
    except AlertFault as fault:
        assert "nested too deeply" in fault.message  # noqa: PT017 - depends on the interpreter's own limit


@given(
    action=st.sampled_from([action for action in AlertAction if action is not AlertAction.PING]),
    symbol=words,
    size=st.sampled_from(["percent", "quantity", "quote_quantity"]),
    amount=shares,
    price=numbers,
    guard=st.fixed_dictionaries({}, optional={"stop_loss": guards, "take_profit": guards}),
    rest=st.fixed_dictionaries({}, optional={"id": words, "comment": words, "mine": words}),
    separator=st.sampled_from(["\n", ",", ";", " , ", "\r\n", ";\n"]),
)
def test_both_formats_mean_the_same(
    action: AlertAction,
    symbol: str,
    size: str,
    amount: str,
    price: str,
    guard: dict[str, str],
    rest: dict[str, str],
    separator: str,
) -> None:
    fields: dict[str, object] = {"action": action.value, "symbol": symbol, size: amount, "price": price}
    fields |= guard | rest

    written = parse_alert(as_pairs(fields, separator))

    assert written == parse_alert(json.dumps(fields))
    assert written == parse_alert(json.dumps(fields, indent=2))
    assert getattr(written, size) == Decimal(amount)


@given(guard=guards, size=numbers)
def test_a_stored_signal_comes_back_as_it_was(guard: str, size: str) -> None:
    signal = understood(quantity=size, take_profit=guard, id="7", comment="go", mine="kept", expires_in=30)

    assert signal_from_json(json.loads(json.dumps(signal_to_json(signal)))) == signal


@given(numbers)
def test_a_number_is_kept_digit_for_digit_quoted_or_not(number: str) -> None:
    quoted = parse_alert(f'{{"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "{number}"}}')
    bare = parse_alert(f'{{"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": {number}}}')

    assert quoted == bare
    assert quoted.quantity is not None
    assert plain(quoted.quantity) == number


def test_more_digits_than_a_float_holds_are_kept() -> None:
    signal = parse_alert('{"action": "BuyMarket", "symbol": "X", "quantity": 0.1234567890123456789012345}')

    assert signal.quantity == Decimal("0.1234567890123456789012345")


@pytest.mark.parametrize(("alias", "name"), ALIASES.items())
def test_every_alias_means_its_key_in_any_case(alias: str, name: str) -> None:
    values = {"action": "BuyLimit", "price": "9", "symbol": "BTCUSDT", "percent": "5", "stop_loss": "8"}
    values |= {"take_profit": "10", "quantity": "1", "quote_quantity": "7", "id": "a", "expires_in": "5"}
    values |= {"comment": "c", "type": "limit", "secret": "s"}
    given_ = {"action": "BuyLimit", "symbol": "BTCUSDT", "price": "9"}
    if name not in ("percent", "quantity", "quote_quantity"):
        given_["quantity"] = "1"
    plain_form = given_ | {name: values[name]}
    aliased = {key: value for key, value in given_.items() if key != name} | {alias: values[name]}

    for spelled in (alias, alias.upper(), alias.title()):
        renamed = {(spelled if key == alias else key): value for key, value in aliased.items()}
        assert parse_alert(json.dumps(renamed)) == parse_alert(json.dumps(plain_form))


@pytest.mark.parametrize(
    ("written", "kind", "action"),
    [
        ("buymarket", None, AlertAction.BUY_MARKET),
        ("BUYLIMIT", None, AlertAction.BUY_LIMIT),
        ("buy", None, AlertAction.BUY_MARKET),
        ("Sell", "market", AlertAction.SELL_MARKET),
        ("BUY", "Limit", AlertAction.BUY_LIMIT),
        ("sell", "limit", AlertAction.SELL_LIMIT),
    ],
)
def test_an_action_may_be_written_plainly_with_a_type(
    written: str, kind: str | None, action: AlertAction
) -> None:
    assert understood(action=written, type=kind, price="5").action is action


def test_a_ping_needs_nothing_else() -> None:
    assert parse_alert("action=PING") == Signal(AlertAction.PING)


def test_unknown_keys_are_kept_as_they_were_written() -> None:
    signal = understood(Interval="15", nested={"a": [1, 0.10]}, nothing=None)

    assert signal.extras == {"Interval": "15", "nested": '{"a": ["1", "0.1"]}', "nothing": "null"}


def test_the_secret_is_no_part_of_what_an_alert_means() -> None:
    signal = understood(secret="do-not-show-me")

    assert "do-not-show-me" not in repr(signal)
    assert "do-not-show-me" not in json.dumps(signal_to_json(signal))


def test_a_protective_price_is_absolute_or_a_percentage() -> None:
    signal = understood(sl="2.5%", tp=60_000)

    assert signal.stop_loss == PriceOrPercent(percent=Decimal("2.5"))
    assert signal.take_profit == PriceOrPercent(price=Decimal(60_000))


def test_a_price_is_ignored_where_none_is_used() -> None:
    assert understood(price="50000").price is None


def test_an_empty_or_null_value_counts_as_not_given() -> None:
    assert understood(price="", stop_loss=None, percent="") == understood()


def test_a_byte_order_mark_is_no_part_of_the_alert() -> None:
    assert read_pairs("\ufeffaction=PING") == {"action": "PING"}
    assert read_pairs('\ufeff{"action": "PING"}') == {"action": "PING"}


def test_a_fault_tells_its_place() -> None:
    with pytest.raises(AlertFault) as refusal:
        parse_alert("\n  action=PING; oops")

    assert (refusal.value.line, refusal.value.column) == (2, 15)


def test_an_alert_is_done_with_once_its_status_is_final() -> None:
    assert {status for status in AlertStatus if not status.is_final} == {
        AlertStatus.RECEIVED,
        AlertStatus.PROCESSING,
    }
