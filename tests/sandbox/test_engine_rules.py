"""Where exchanges differ, the engine's rules say so; and whoever comes at once is served one after the other."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from decimal import Decimal

import pytest

from app.sandbox.engine.account import Account
from app.sandbox.engine.market import Level
from app.sandbox.engine.model import OrderSpec, OrderType, Reason, Refusal, Refused, Side, State
from app.sandbox.engine.settlement import ClientIds, VenueRules
from app.sandbox.engine.venue import Venue
from app.sandbox.instruments import listed

BTC = "BTC/USDT"
RULES = VenueRules(maker=Decimal("0.001"), taker=Decimal("0.002"))


def venue_with(rules: VenueRules, **balances: str) -> tuple[Venue, Account]:
    venue = Venue("any", rules, listed())
    account = venue.open_account(
        "key", "secret", None, {asset: Decimal(free) for asset, free in balances.items()}
    )
    return venue, account


def limit(side: Side, price: str, quantity: str = "1", client_id: str | None = None) -> OrderSpec:
    return OrderSpec(BTC, side, OrderType.LIMIT, Decimal(quantity), price=Decimal(price), client_id=client_id)


def stop(side: Side, trigger: str, quantity: str = "1", price: str | None = None) -> OrderSpec:
    kind = OrderType.STOP_LOSS if price is None else OrderType.STOP_LIMIT
    at = None if price is None else Decimal(price)
    return OrderSpec(BTC, side, kind, Decimal(quantity), price=at, trigger_price=Decimal(trigger))


def test_a_fee_in_quote_is_held_with_the_price_and_leaves_the_base_whole() -> None:
    venue, account = venue_with(replace(RULES, buy_fee_in_quote=True), USDT="60000")
    with pytest.raises(Refused) as refusal:
        venue.submit(account, limit(Side.BUY, "60000"))
    assert refusal.value.refusal is Refusal.INSUFFICIENT_FUNDS
    venue.submit(account, limit(Side.BUY, "50000"))
    assert account.balance("USDT").locked == Decimal("50100")
    venue.set_price(BTC, Decimal("49000"))
    assert account.balance("BTC").free == 1
    assert account.balance("USDT").free == Decimal("9950")


def test_a_fee_in_base_is_held_on_top_of_what_is_sold() -> None:
    venue, account = venue_with(RULES, BTC="1")
    whole = replace(limit(Side.SELL, "70000"), fee_in_quote=False)
    with pytest.raises(Refused):
        venue.submit(account, whole)
    order = venue.submit(account, replace(whole, quantity=Decimal("0.9")))
    assert account.balance("BTC").locked == Decimal("0.9018")
    venue.set_price(BTC, Decimal("70000"))
    assert order.fees == {"BTC": Decimal("0.0009")}
    assert account.balance("USDT").free == 63_000


def test_an_order_lapses_before_the_price_that_would_have_filled_it() -> None:
    venue, account = venue_with(RULES, USDT="100000")
    order = venue.submit(account, replace(limit(Side.BUY, "50000"), expires_at=venue.now() + 1_000_000))
    venue.skew += 1_000_000
    venue.set_price(BTC, Decimal("49000"))
    assert (order.state, order.reason, order.filled) == (State.EXPIRED, Reason.TIME_OUT, 0)
    assert account.balance("USDT").free == 100_000


def test_every_fill_brings_forth_a_closing_order_that_lives_on_its_own() -> None:
    venue, account = venue_with(RULES, USDT="100000", BTC="1")
    close = OrderSpec(BTC, Side.SELL, OrderType.STOP_LOSS, trigger_price=Decimal("55000"))
    entry = venue.submit(account, replace(limit(Side.BUY, "59000"), close=close))
    venue.set_book(BTC, [], [Level(Decimal("59000"), Decimal("0.3"))])
    (leg,) = (order for order in account.open_orders.values() if order.parent is entry)
    assert (leg.quantity, account.balance("BTC").locked) == (Decimal("0.3"), Decimal("0.3"))
    venue.cancel(entry)
    assert leg.live
    venue.set_price(BTC, Decimal("54000"))
    assert leg.state is State.FILLED


@pytest.mark.parametrize(("fee_in_quote", "brought_in"), [(False, "0.00996"), (True, "0.00998")])
def test_an_exit_without_a_size_takes_what_its_entry_brought_in_when_it_has_filled(
    fee_in_quote: bool, brought_in: str
) -> None:
    venue, account = venue_with(replace(RULES, buy_fee_in_quote=fee_in_quote), USDT="10000")
    leg = OrderSpec(BTC, Side.SELL, OrderType.STOP_LOSS, trigger_price=Decimal("55000"))
    entry = OrderSpec(BTC, Side.BUY, OrderType.MARKET, quote_quantity=Decimal("599"))
    group = venue.submit_group(account, "", (leg,), entry)
    (exit_,) = group.exits
    assert (exit_.state, exit_.quantity) == (State.OPEN, Decimal(brought_in))
    venue.set_price(BTC, Decimal("55000"))
    assert exit_.state is State.FILLED


def test_an_exit_of_an_entry_too_small_to_leave_a_lot_is_rejected() -> None:
    venue, account = venue_with(RULES, USDT="10000")
    leg = OrderSpec(BTC, Side.SELL, OrderType.STOP_LOSS, trigger_price=Decimal("55000"))
    group = venue.submit_group(
        account, "", (leg,), replace(limit(Side.BUY, "61000"), quantity=Decimal("0.00001"))
    )
    assert (group.exits[0].state, group.exits[0].quantity) == (State.REJECTED, 0)


def test_a_trigger_order_sized_in_quote_is_sized_at_the_price_it_triggers_at() -> None:
    venue, account = venue_with(replace(RULES, triggers_hold=False), USDT="10000")
    spec = OrderSpec(
        BTC,
        Side.BUY,
        OrderType.TAKE_PROFIT,
        quote_quantity=Decimal("5000.1"),
        trigger_price=Decimal("50000"),
    )
    order = venue.submit(account, spec)
    venue.set_price(BTC, Decimal("50000"))
    assert (order.state, order.filled) == (State.FILLED, Decimal("0.1"))


def test_an_order_that_waits_takes_other_terms_if_they_can_be_paid_for_and_one_that_has_triggered_does_not() -> (
    None
):
    venue, account = venue_with(RULES, BTC="1")
    order = venue.submit(account, stop(Side.SELL, "55000", "0.5"))
    with pytest.raises(Refused, match=Refusal.INSUFFICIENT_FUNDS):
        venue.restate(order, stop(Side.SELL, "50000", "1.1"))
    assert (order.spec.trigger_price, account.balance("BTC").locked) == (Decimal("55000"), Decimal("0.5"))
    venue.restate(order, stop(Side.SELL, "50000", "1"))
    venue.set_price(BTC, Decimal("54000"))
    assert (order.live, account.balance("BTC").free) == (True, Decimal(0))
    venue.set_price(BTC, Decimal("50000"))
    assert order.state is State.FILLED
    with pytest.raises(Refused, match=Refusal.NOT_OPEN):
        venue.restate(order, stop(Side.SELL, "40000", "1"))


@pytest.mark.parametrize("price", [None, "54900"])
def test_a_stop_that_holds_nothing_is_rejected_when_it_fires_and_cannot_be_paid(price: str | None) -> None:
    venue, account = venue_with(replace(RULES, triggers_hold=False), BTC="1")
    order = venue.submit(account, stop(Side.SELL, "55000", price=price))
    assert account.balance("BTC").locked == 0
    venue.submit(account, limit(Side.SELL, "70000"))
    venue.set_price(BTC, Decimal("55000"))
    assert (order.state, order.reason) == (State.REJECTED, Reason.INSUFFICIENT_FUNDS)


def test_a_buy_stop_that_the_price_jumps_over_buys_what_its_money_allows() -> None:
    venue, account = venue_with(RULES, USDT="61000")
    order = venue.submit(account, stop(Side.BUY, "61000"))
    assert account.balance("USDT").free == 0
    venue.set_price(BTC, Decimal("64000"))
    assert order.state is State.EXPIRED
    assert order.filled == Decimal("0.95310")
    assert account.balance("USDT").locked == 0


def test_a_crossing_post_only_order_is_cancelled_where_it_is_not_refused() -> None:
    venue, account = venue_with(replace(RULES, post_only_refused=False), USDT="100000")
    order = venue.submit(account, replace(limit(Side.BUY, "61000"), post_only=True))
    assert (order.state, order.reason) == (State.CANCELED, Reason.WOULD_MATCH)
    assert account.balance("USDT").free == 100_000


@pytest.mark.parametrize(
    ("client_ids", "again_while_open", "again_when_closed"),
    [(ClientIds.WHILE_OPEN, False, True), (ClientIds.FOREVER, False, False), (ClientIds.NEVER, True, True)],
)
def test_a_client_id_stays_taken_as_long_as_the_rules_say(
    client_ids: ClientIds, again_while_open: bool, again_when_closed: bool
) -> None:
    venue, account = venue_with(replace(RULES, client_ids=client_ids), USDT="100000")
    spec = limit(Side.BUY, "100", client_id="mine")

    def try_again(*, accepted: bool) -> None:
        expectation = nullcontext() if accepted else pytest.raises(Refused, match=Refusal.DUPLICATE_CLIENT_ID)
        with expectation:
            venue.submit(account, spec)

    try_again(accepted=True)
    try_again(accepted=again_while_open)
    for order in list(account.open_orders.values()):
        venue.cancel(order)
    try_again(accepted=again_when_closed)


def test_an_amended_price_may_fill_at_once_and_must_be_paid_for() -> None:
    venue, account = venue_with(RULES, USDT="61000")
    order = venue.submit(account, limit(Side.BUY, "50000"))
    with pytest.raises(Refused):
        venue.amend(order, price=Decimal("62000"))
    assert (order.price, account.balance("USDT").locked) == (50_000, 50_000)
    venue.amend(order, price=Decimal("60500"))
    assert (order.state, order.cost) == (State.FILLED, Decimal("60001.01002"))
    with pytest.raises(Refused) as refusal:
        venue.amend(order, quantity=Decimal("2"))
    assert refusal.value.refusal is Refusal.NOT_OPEN


def test_an_order_takes_the_place_of_another_or_leaves_it_as_it_was() -> None:
    venue, account = venue_with(RULES, USDT="60000")
    order = venue.submit(account, limit(Side.BUY, "50000", client_id="mine"))
    with pytest.raises(Refused, match=Refusal.INSUFFICIENT_FUNDS):
        venue.substitute(order, limit(Side.BUY, "50000", "2", client_id="mine"))
    assert (order.live, account.balance("USDT").locked) == (True, 50_000)
    fresh = venue.substitute(order, limit(Side.BUY, "59000", client_id="mine"))
    assert (order.state, fresh.state, account.by_client_id["mine"]) == (State.CANCELED, State.OPEN, fresh)
    assert account.balance("USDT").locked == 59_000
    with pytest.raises(Refused, match=Refusal.NOT_OPEN):
        venue.substitute(order, limit(Side.BUY, "40000"))


def test_a_trigger_that_has_been_reached_fires_at_once_where_it_is_not_refused() -> None:
    venue, account = venue_with(RULES, BTC="1")
    with pytest.raises(Refused, match=Refusal.WOULD_TRIGGER):
        venue.submit(account, stop(Side.SELL, "61000"))
    venue, account = venue_with(replace(RULES, passed_triggers_refused=False), BTC="1")
    assert venue.submit(account, stop(Side.SELL, "61000")).state is State.FILLED


def test_the_exits_of_one_group_must_close_the_same_thing() -> None:
    venue, account = venue_with(RULES, BTC="5")
    with pytest.raises(Refused) as refusal:
        venue.submit_group(account, "", (limit(Side.SELL, "70000"), stop(Side.SELL, "50000", "2")))
    assert refusal.value.refusal is Refusal.BAD_LEGS


def test_an_exit_whose_trigger_has_passed_when_the_entry_fills_fires_at_once() -> None:
    venue, account = venue_with(RULES, USDT="100000")
    exit_ = stop(Side.SELL, "58000", "0.9")
    group = venue.submit_group(account, "", (exit_,), limit(Side.BUY, "57000"))
    venue.set_price(BTC, Decimal("56000"))
    assert [order.state for order in group.orders] == [State.FILLED, State.FILLED]


def test_a_price_that_is_not_listed_is_refused() -> None:
    venue, _ = venue_with(RULES)
    with pytest.raises(Refused) as refusal:
        venue.set_price("NO/PE", Decimal(1))
    assert refusal.value.refusal is Refusal.UNKNOWN_SYMBOL


def test_a_book_that_was_set_is_consumed_and_gone_when_the_price_moves() -> None:
    venue, account = venue_with(RULES, USDT="100000")
    venue.set_book(
        BTC, [], [Level(Decimal("60000"), Decimal("0.5")), Level(Decimal("60100"), Decimal("0.5"))]
    )
    order = venue.submit(account, OrderSpec(BTC, Side.BUY, OrderType.MARKET, Decimal("0.7")))
    assert [(fill.price, fill.quantity) for fill in order.fills] == [
        (60_000, Decimal("0.5")),
        (60_100, Decimal("0.2")),
    ]
    assert venue.market(BTC).levels(Side.SELL) == [Level(Decimal("60100"), Decimal("0.3"))]
    venue.set_price(BTC, Decimal("60000"))
    assert len(venue.market(BTC).levels(Side.BUY)) > 100


def test_orders_from_many_threads_leave_the_balances_exact() -> None:
    venue, account = venue_with(RULES, USDT="1000000", BTC="10")

    def trade(number: int) -> None:
        side = Side.BUY if number % 2 else Side.SELL
        for _ in range(50):
            venue.submit(account, OrderSpec(BTC, side, OrderType.MARKET, Decimal("0.01")))
            venue.cancel(venue.submit(account, limit(side, "50000" if number % 2 else "70000", "0.01")))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(trade, range(8)))
    fees = sum((fill.fee for fill in account.fills if fill.fee_asset == "BTC"), Decimal(0))
    assert len(account.fills) == 400
    assert account.balance("BTC").free == 10 - fees
    assert account.balance("BTC").locked == account.balance("USDT").locked == 0
    assert len({order.id for order in venue.journal}) == len(venue.journal) == 800
