"""Alerts that move, close, cancel and turn around, on every exchange: each does its work once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain.alerts import AlertStatus
from app.domain.orders import OrderDraft, OrderStatus, OrderType, Side
from app.extensions import db
from app.models import OrderOrigin, OrderRow, PositionStatus, utc_now
from app.services import execution, halts, orders
from app.services.alert_precedence import PATIENCE
from tests.services.signals import Signals
from tests.services.trader import BTC, PRICE, stop_at

ON_ONE = pytest.mark.parametrize("trader", ["binance"], indirect=True)
GUARDED = {"action": "BuyMarket", "quantity": "0.01", "sl": "58000"}


def held(signals: Signals) -> Decimal:
    return signals.trader.position().quantity


def is_open(signals: Signals) -> bool:
    return signals.trader.position().status is PositionStatus.OPEN


def rests(signals: Signals, alert_orders: list[OrderRow]) -> bool:
    return all(
        db.session.get_one(OrderRow, order.id, populate_existing=True).status is OrderStatus.OPEN
        for order in alert_orders
    )


def cancel_as_asked(found: list[OrderRow]) -> None:
    """What workers do with what an alert wants cancelled."""
    for order in found:
        if order.cancel_requested:
            execution.cancel(order.id)


def test_maj_moves_the_stop_loss_on_the_exchange(signals: Signals) -> None:
    signals.done(**GUARDED)

    alert = signals.done(action="MAJ", sl="59000")

    assert alert.reason == "move the stop-loss to 59000"
    [stop] = signals.trader.resting()
    assert Decimal(stop["trigger_price"]) == 59_000
    assert signals.trader.stopped() >= signals.trader.lot(held(signals))


def test_a_sale_of_all_that_is_held_makes_its_stop_loss_give_way(signals: Signals) -> None:
    """The stop-loss holds every coin: a plain sale would be turned down for lack of funds."""
    signals.done(**GUARDED)
    bought = held(signals)

    alert = signals.done(action="SellMarket", percent="100")

    assert not is_open(signals)
    assert signals.trader.resting() == []
    [sale] = signals.orders(alert)
    assert (sale.status, sale.side) == (OrderStatus.FILLED, Side.SELL)
    assert sale.filled_quantity == signals.trader.lot(bought)


def test_a_close_of_a_share_leaves_the_rest_guarded(signals: Signals) -> None:
    signals.done(**GUARDED)
    bought = held(signals)

    signals.done(action="CLOSE", percent="50")

    assert abs(held(signals) - bought / 2) < bought / 100
    assert signals.trader.stopped() >= signals.trader.lot(held(signals))


@pytest.mark.parametrize("action", ["CLOSE", "REVERSE"])
@ON_ONE
def test_a_close_and_a_reverse_sell_it_all_and_nothing_short(action: str, signals: Signals) -> None:
    signals.done(**GUARDED)

    signals.done(action=action)

    assert not is_open(signals)
    assert signals.trader.own() < signals.trader.lot(Decimal("0.01")) / 100
    denied = signals.send(action=action)
    assert (denied.status, denied.reason) == (AlertStatus.DENIED, "there is no open position in BTC/USDT")


@ON_ONE
def test_maj_sets_several_take_profits_and_a_trailing_stop(signals: Signals) -> None:
    signals.done(**GUARDED)

    alert = signals.done(action="MAJ", tp="63000:50|65000:50", trailing="2%")

    assert alert.reason == (
        "let the stop-loss follow at 2 % and move the stop-loss to 58800 and move the take-profit to "
        "63000 (50 %), 65000 (50 %)"
    )
    position = signals.trader.position()
    assert [(target.price, target.share) for target in position.targets] == [(63_000, 50), (65_000, 50)]
    assert (position.trailing_percent, position.stop_loss) == (2, 58_800)


@ON_ONE
def test_maj_to_the_wrong_side_of_the_market_is_denied_and_moves_nothing(signals: Signals) -> None:
    signals.done(**GUARDED)

    denied = signals.send(action="MAJ", sl=str(PRICE + 1))

    assert denied.status is AlertStatus.DENIED
    assert "would sell at once" in (denied.reason or "")
    assert signals.trader.position().stop_loss == 58_000


@pytest.mark.parametrize(
    "alert", [{"action": "CLOSE", "percent": "50"}, {"action": "MAJ", "sl": "59000"}], ids=["CLOSE", "MAJ"]
)
@ON_ONE
def test_an_alert_that_is_delivered_to_two_workers_acts_once(alert: dict[str, str], signals: Signals) -> None:
    """The same task run twice after Redis' visibility time-out."""
    signals.done(**GUARDED)
    bought = held(signals)
    alert_id = signals.store(**alert)

    signals.work(alert_id)
    after = held(signals), len(signals.trader.sandbox.orders(signals.trader.name, signals.trader.keys))
    signals.work(alert_id)

    assert after == (
        held(signals),
        len(signals.trader.sandbox.orders(signals.trader.name, signals.trader.keys)),
    )
    assert held(signals) > bought / 3


@ON_ONE
def test_two_closes_of_a_half_sell_a_half_of_what_the_first_left(signals: Signals) -> None:
    signals.done(**GUARDED)
    bought = held(signals)

    signals.done(action="CLOSE", percent="50")
    signals.done(action="CLOSE", percent="50")

    assert abs(held(signals) - bought / 4) < bought / 100


@ON_ONE
def test_a_close_and_a_reopening_that_race_within_350_ms_leave_what_was_reopened(signals: Signals) -> None:
    """The worker of the close is slow: the reopening is bought before the close is decided."""
    signals.done(**GUARDED)
    close = signals.store(action="CLOSE")
    signals.done(action="BuyMarket", quantity="0.02", sl="58000")

    signals.work(close)

    assert abs(held(signals) - Decimal("0.02")) < Decimal("0.0001")
    assert signals.trader.stopped() >= signals.trader.lot(held(signals))


@ON_ONE
def test_a_reopening_with_a_share_of_the_money_waits_for_what_the_close_frees(signals: Signals) -> None:
    signals.done(action="BuyMarket", percent="90")
    close = signals.store(action="CLOSE")
    reopening = signals.store(action="BuyMarket", percent="90")

    assert signals.work(reopening).status is AlertStatus.RECEIVED
    signals.work(close)
    assert signals.work(reopening).status is AlertStatus.PROCESSED

    worth = held(signals) * PRICE
    assert Decimal(85_000) < worth < Decimal(91_000)


@pytest.mark.parametrize("exit_", [{"action": "CLOSE"}, {"action": "sell"}, {"action": "MAJ", "sl": "59000"}])
@ON_ONE
def test_what_follows_a_purchase_on_its_heels_waits_until_it_is_known(
    exit_: dict[str, str], signals: Signals
) -> None:
    """An exit that finds nothing held yet must not be the last word of a position that is just being bought."""
    draft = OrderDraft(BTC, Side.BUY, OrderType.MARKET, quantity=Decimal("0.005"))
    by_hand = orders.place(signals.trader.broker, draft, OrderOrigin.TICKET)
    entry = signals.store(**GUARDED)
    follower = signals.store(**exit_)

    signals.work(entry)
    assert signals.work(follower).status is AlertStatus.RECEIVED, "the order is not placed yet"
    execution.submit(by_hand.id)
    assert signals.work(follower).status is AlertStatus.PROCESSED

    if "sl" not in exit_:
        assert not is_open(signals)


@ON_ONE
def test_what_follows_an_alert_that_buys_waits_until_that_is_decided(signals: Signals) -> None:
    entry = signals.store(**GUARDED)
    close = signals.store(action="CLOSE")

    assert signals.work(close).status is AlertStatus.RECEIVED
    signals.work(entry)
    assert signals.work(close).status is AlertStatus.PROCESSED
    assert not is_open(signals)


@ON_ONE
def test_an_exit_waits_no_longer_than_its_patience(signals: Signals) -> None:
    signals.store(**GUARDED)
    close = signals.store(action="CLOSE")
    signals.fresh(close).received_at -= PATIENCE
    db.session.commit()

    assert signals.work(close).status is AlertStatus.DENIED


@ON_ONE
def test_a_sale_of_more_than_the_position_holds_sells_the_position_and_not_what_is_kept_beside_it(
    signals: Signals,
) -> None:
    """What was bought less the fee is what is held: the strategy's own number is always a little too large."""
    signals.done(**GUARDED)

    signals.done(action="SellMarket", quantity="0.01")

    assert not is_open(signals)


@ON_ONE
def test_cancel_withdraws_the_waiting_entries_of_alerts_in_one_market_or_in_all(signals: Signals) -> None:
    limit = {"action": "BuyLimit", "price": "50000", "quantity": "0.001"}
    in_btc = signals.orders(signals.done(**limit))
    in_eth = signals.orders(signals.done(**limit | {"symbol": "ETHUSDT", "price": "1000", "quantity": "0.1"}))
    draft = OrderDraft(BTC, Side.BUY, OrderType.LIMIT, quantity=Decimal("0.001"), price=Decimal(40_000))
    by_hand = orders.place(signals.trader.broker, draft, OrderOrigin.TICKET)
    execution.submit(by_hand.id)

    alert = signals.done(action="CANCEL")
    cancel_as_asked([*in_btc, *in_eth])
    assert alert.reason == f"cancel what waits on BTC/USDT: #{in_btc[0].id}"
    assert in_btc[0].status is OrderStatus.CANCELED
    assert rests(signals, in_eth)

    signals.done(action="CANCEL", symbol=None)
    cancel_as_asked(in_eth)
    assert in_eth[0].status is OrderStatus.CANCELED
    assert rests(signals, [by_hand]), "what a person placed by hand is theirs"
    assert "nothing to do" in (signals.done(action="CANCEL").reason or "")


@ON_ONE
def test_stop_trading_leaves_no_doubt_that_exits_still_run(signals: Signals) -> None:
    signals.done(**GUARDED)
    halts.start(halts.only(signals.trader.broker), signals.trader.broker.user, "enough for today")

    denied = signals.send(action="BuyMarket", quantity="0.01")
    assert denied.status is AlertStatus.DENIED
    assert "exits still run" in (denied.reason or "")
    signals.done(action="MAJ", sl="59000")
    signals.done(action="CLOSE")

    assert not is_open(signals)


@ON_ONE
def test_a_position_taken_by_hand_is_closed_by_an_alert_as_well(signals: Signals) -> None:
    signals.trader.buy(**stop_at(58_000))

    signals.done(action="CLOSE")

    assert not is_open(signals)


@ON_ONE
@pytest.mark.parametrize("good_for", [{}, {"expires_in": 30}])
def test_an_alert_whose_time_is_an_hour_ago_expires_aloud_and_buys_nothing(
    good_for: dict[str, int], signals: Signals
) -> None:
    an_hour_ago = (utc_now() - timedelta(hours=1)).isoformat()

    stale = signals.send(action="buy", quantity="0.01", time=an_hour_ago, **good_for)

    assert stale.status is AlertStatus.EXPIRED
    assert signals.orders(stale) == []
    assert "s before it came" in (stale.reason or "")
    assert (stale.reason or "").endswith("in TradingView {{timenow}}, not {{time}}")
