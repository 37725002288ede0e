"""An alert's text: understood whole, or refused with what is wrong and where; both formats mean the same."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.alert_format import ALIASES, AlertFault, parse_alert, read_pairs
from app.domain.alerts import (
    SIZES,
    AlertAction,
    AlertStatus,
    Signal,
    StrategyPosition,
    signal_from_json,
    signal_to_json,
)
from app.domain.money import plain
from app.domain.orders import PriceOrPercent, TargetWish

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
    action=st.sampled_from([action for action in AlertAction if action.places]),
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
    several = {"sl": guard, "tp": [f"{size}:40", {"price": "3%", "share": "60.0"}], "trailing": "1.5%"}
    strategy = {"market_position": "long", "prev_market_position": "flat", "position_size": size}
    rest = {"id": "7", "comment": "go", "mine": "kept", "expires_in": 30, "time": "2026-01-31T12:00:00Z"}
    signal = understood(quantity=size, **several, **strategy, **rest)

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
    values |= {"comment": "c", "type": "limit", "secret": "s", "risk_percent": "1", "equity_percent": "2"}
    values |= {"trailing_percent": "3", "time": "1790000000", "position_size": "-2"}
    values |= {"market_position": "long", "prev_market_position": "Short"}
    given_ = {"action": "BuyLimit", "symbol": "BTCUSDT", "price": "9"}
    if name not in SIZES:
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
        ("BuyLimit", "LIMIT", AlertAction.BUY_LIMIT),
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


def test_an_empty_or_null_value_counts_as_not_given_where_no_amount_is_meant() -> None:
    assert understood(id="", comment=None, time="", market_position="") == understood()


@pytest.mark.parametrize("key", ["quote_quantity", "percent", "price", "sl", "take_profit", "trailing"])
@pytest.mark.parametrize("empty", ["", None])
def test_an_amount_that_is_empty_is_a_fault_which_tells_its_place(key: str, empty: str | None) -> None:
    with pytest.raises(AlertFault, match=f"{ALIASES[key]} is empty; leave the key out") as refusal:
        understood(**{key: empty})
    assert refusal.value.line == 1
    with pytest.raises(AlertFault, match="TradingView writes nothing for a plot without one"):
        parse_alert(as_pairs(body(**{key: ""}), "\n"))


def test_a_byte_order_mark_is_no_part_of_the_alert() -> None:
    assert read_pairs("\ufeffaction=PING") == {"action": "PING"}
    assert read_pairs('\ufeff{"action": "PING"}') == {"action": "PING"}


def test_a_fault_tells_its_place() -> None:
    with pytest.raises(AlertFault) as refusal:
        parse_alert("\n  action=PING; oops")

    assert (refusal.value.line, refusal.value.column) == (2, 16)


def test_an_alert_is_done_with_once_its_status_is_final() -> None:
    assert [status for status in AlertStatus if not status.is_final] == [AlertStatus.RECEIVED]


def test_several_take_profits_are_a_list_or_a_line_with_the_share_of_each() -> None:
    listed = understood(tp=[{"price": 52_000, "share": 50}, {"price": "6%", "share": "25%"}])

    assert listed.take_profit is None
    assert listed.targets == (
        TargetWish(PriceOrPercent(price=Decimal(52_000)), Decimal(50)),
        TargetWish(PriceOrPercent(percent=Decimal(6)), Decimal(25)),
    )
    assert understood(tp=["52000:50", "6%:25"]) == listed
    assert parse_alert(as_pairs(body(tp="52000:50 | 6%:25%"), "\n")) == listed


def test_what_the_strategy_holds_is_read_as_tradingview_writes_it() -> None:
    signal = understood(
        action="sell", market_position="short", prev_market_position="long", position_size="-1.5"
    )

    assert (signal.market_position, signal.prev_market_position) == (
        StrategyPosition.SHORT,
        StrategyPosition.LONG,
    )
    assert signal.position_size == Decimal("-1.5")


@pytest.mark.parametrize(
    "written", ["2026-01-31T12:00:00Z", "2026-01-31T13:00:00+01:00", "1769860800", "1769860800000"]
)
def test_the_senders_time_is_told_in_its_zone_or_since_1970(written: str) -> None:
    assert understood(time=written).time == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_an_alert_is_good_for_so_long_from_the_time_it_tells() -> None:
    came = datetime(2026, 1, 31, 12, 0, 30, tzinfo=UTC)
    usual = came + timedelta(seconds=60)

    assert understood().expires_at(came, 60) == usual
    sent = understood(time="2026-01-31T12:00:00Z")
    assert sent.expires_at(came, 60) == usual - timedelta(seconds=30)
    assert understood(expires_in=20).expires_at(came, 60) == came + timedelta(seconds=20)
    late = understood(time="2026-01-31T12:00:00Z", expires_in=20)
    assert late.expires_at(came, 60) < came
    for good_for in ({}, {"expires_in": 60}):
        ahead = understood(time="2026-01-31T12:05:00Z", **good_for)
        assert ahead.expires_at(came, 60) == usual, "a clock that is fast prolongs nothing"


@pytest.mark.parametrize("action", ["MAJ", "CLOSE", "REVERSE", "CANCEL"])
def test_what_concerns_a_position_needs_no_size(action: str) -> None:
    signal = parse_alert(f"action={action},symbol=BTCUSDT,sl=49000")

    assert (signal.action, signal.size) == (AlertAction(action), None)


def test_a_cancel_may_leave_out_the_symbol() -> None:
    assert parse_alert("action=CANCEL").symbol is None


def test_an_order_may_leave_its_size_to_the_source() -> None:
    assert parse_alert("action=BuyMarket,symbol=BTCUSDT").size is None


def test_a_key_that_resembles_one_that_is_given_beside_it_is_kept() -> None:
    signal = parse_alert("action=BuyMarket,ticker=BTCUSDT,tickerid=BINANCE:BTCUSDT,quantity=1,comments=x")

    assert signal.extras == {"tickerid": "BINANCE:BTCUSDT", "comments": "x"}


@given(st.sampled_from([alias for alias in ALIASES if len(alias) > 6 and alias != "comment"]), st.data())
def test_a_known_key_with_a_letter_lost_is_a_slip_and_never_ignored(alias: str, data: st.DataObject) -> None:
    lost = data.draw(st.sampled_from([at for at, letter in enumerate(alias) if letter != "_"]))
    slip = alias[:lost] + alias[lost + 1 :]

    with pytest.raises(AlertFault, match="did you mean"):
        parse_alert(f"action=PING,{slip}=1")


def test_an_alert_of_more_keys_than_anybody_needs_is_refused_before_they_are_read() -> None:
    fields = {f"note_{number}": "x" for number in range(98 - len(BUY))}
    assert len(understood(**fields, a="x", b="x").extras) == 100 - len(BUY)
    with pytest.raises(AlertFault, match="101 keys"):
        understood(**fields, a="x", b="x", c="x")


def test_an_exit_does_not_fail_over_an_empty_price_that_only_an_entry_has_use_for() -> None:
    signal = parse_alert(
        '{"action": "sell", "symbol": "BTCUSDT", "percent": 50, "stop_loss": "", "tp": null}'
    )
    assert (signal.action, signal.stop_loss, signal.take_profit) == (AlertAction.SELL_MARKET, None, None)


@pytest.mark.parametrize("key", ["stop_loss", "quantity"])
def test_an_entry_fails_over_an_empty_value_that_it_would_otherwise_trade_without(key: str) -> None:
    with pytest.raises(AlertFault, match=f"{key} is empty"):
        parse_alert(f'{{"action": "buy", "symbol": "BTCUSDT", "quote_quantity": 50, "{key}": ""}}')
