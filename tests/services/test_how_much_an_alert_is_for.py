"""Sizes that are shares: of what is free, of what is held, of what the account is worth, and of what may be lost."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.alerts import AlertAction, AlertStatus
from app.domain.orders import OrderType, PriceOrPercent
from app.extensions import redis
from app.services import catalog
from tests.services.signals import Signals
from tests.services.trader import BTC, PRICE

pytestmark = pytest.mark.parametrize("trader", ["binance"], indirect=True)


def worth(signals: Signals) -> Decimal:
    """The account in USDT: it holds nothing but USDT and BTC, which these tests price at `PRICE`."""
    held = signals.trader.sandbox.balances(signals.trader.name, signals.trader.keys)
    total = {
        asset: Decimal(held[asset]["free"]) + Decimal(held[asset]["locked"]) for asset in ("USDT", "BTC")
    }
    return total["USDT"] + total["BTC"] * PRICE


@pytest.mark.parametrize("action", ["BuyMarket", "BuyLimit"])
def test_risk_percent_loses_that_share_of_the_account_at_the_stop_loss(action: str, signals: Signals) -> None:
    signals.done(action="BuyMarket", quantity="0.5")  # part of the worth is in coins
    equity = worth(signals)

    [order] = signals.orders(signals.done(action=action, price=str(PRICE - 100), risk_percent="1%", sl="5%"))

    entry = PRICE if order.price is None else order.price
    assert order.stop_loss is not None
    assert order.quantity is not None
    lost = order.quantity * (entry - order.stop_loss)
    lot = Decimal("0.00001") * (entry - order.stop_loss)
    assert 0 <= equity / 100 - lost <= lot


def test_equity_percent_spends_that_share_of_the_account(signals: Signals) -> None:
    signals.done(action="BuyMarket", quantity="0.5")
    equity = worth(signals)

    [order] = signals.orders(signals.done(action="BuyMarket", equity_percent="10"))

    assert order.cost is not None
    assert abs(order.cost - equity / 10) < equity / 1000


def test_risk_percent_without_a_stop_loss_is_refused(signals: Signals) -> None:
    denied = signals.send(action="BuyMarket", risk_percent="1")

    assert denied.status is AlertStatus.DENIED
    assert denied.reason == "risk_percent needs a stop-loss below the entry price: there is none"


def test_a_share_of_a_worth_that_is_not_known_is_refused(signals: Signals) -> None:
    signals.done(action="BuyMarket", quantity="0.1")
    redis.flushdb()  # nobody knows a price of BTC any more

    denied = signals.send(action="BuyMarket", symbol="ETHUSDT", equity_percent="1")

    assert denied.status is AlertStatus.DENIED
    assert "what the account is worth is not known: there is no price of BTC" in (denied.reason or "")


def test_a_size_that_was_worked_out_here_is_not_sent_to_be_turned_down(signals: Signals) -> None:
    before = len(signals.trader.sandbox.orders(signals.trader.name, signals.trader.keys))

    denied = signals.send(action="BuyMarket", risk_percent="50", sl="1%")

    assert denied.status is AlertStatus.DENIED
    assert "USDT is free" in (denied.reason or "")
    assert len(signals.trader.sandbox.orders(signals.trader.name, signals.trader.keys)) == before


def test_a_share_of_a_sale_is_of_what_is_held_and_not_of_what_no_stop_loss_holds(signals: Signals) -> None:
    signals.done(action="BuyMarket", quantity="0.01", sl="58000")
    before = signals.trader.position().quantity

    signals.done(action="SellMarket", pour_cent="25")

    assert abs(signals.trader.position().quantity - before * 3 / 4) < before / 100


def test_without_a_position_a_share_of_a_sale_is_of_what_is_free(signals: Signals) -> None:
    sold_before = signals.trader.own()
    assert sold_before == 0

    denied = signals.send(action="SellMarket", percent="50")

    assert denied.status is AlertStatus.DENIED


def test_a_source_sizes_and_guards_the_entries_that_leave_it_out(signals: Signals) -> None:
    """No stop after a fill: nobody forgets it where the source says it."""
    signals.says(quote_quantity=Decimal(600), stop_loss=PriceOrPercent(percent=Decimal(2)))

    alert = signals.done(action="buy")

    [order] = signals.orders(alert)
    assert abs((order.cost or 0) - 600) < 10
    assert signals.trader.position().stop_loss == PRICE * Decimal("0.98")
    assert signals.trader.stopped() >= signals.trader.lot(signals.trader.position().quantity)


def test_what_an_alert_says_itself_goes_before_its_source(signals: Signals) -> None:
    signals.says(
        percent=Decimal(50), trailing_percent=Decimal(5), take_profit=PriceOrPercent(percent=Decimal(9))
    )

    signals.done(action="BuyMarket", quantity="0.01", sl="59000", tp="4%:50|8%:50")

    position = signals.trader.position()
    assert abs(position.bought - Decimal("0.01")) < Decimal("0.0001")
    assert (position.stop_loss, position.trailing_percent) == (59_000, None)
    assert [int(target.price) for target in position.targets] == [62_400, 64_800]


def test_a_sale_without_a_size_sells_the_position_and_takes_nothing_from_its_source(signals: Signals) -> None:
    signals.says(percent=Decimal(1), stop_loss=PriceOrPercent(percent=Decimal(2)))
    signals.done(action="buy", quantity="0.01")

    signals.done(action="sell")

    assert signals.trader.own() < Decimal("0.0001")
    assert signals.send(action="sell").status is AlertStatus.ERROR


def test_an_entry_that_nobody_gives_a_size_is_an_error(signals: Signals) -> None:
    refused = signals.send(action="BuyMarket")

    assert (refused.status, refused.reason) == (
        AlertStatus.ERROR,
        "the alert says no size, and neither does its source",
    )


@pytest.mark.parametrize(
    "written", ["BTCUSDT", "btc/usdt", "BINANCE:BTCUSDT", "BTC-USDT", "BTC_USDT", "XBT/USDT", " BTCUSDT "]
)
def test_a_symbol_that_works_by_hand_works_by_webhook(written: str, signals: Signals) -> None:
    by_hand = catalog.resolve(signals.trader.broker, written).symbol

    [order] = signals.orders(signals.done(action="BuyMarket", symbol=written, quantity="0.001"))

    assert order.symbol == by_hand == BTC


def test_a_source_maps_the_senders_spelling_to_a_market(signals: Signals) -> None:
    signals.says(symbol_map={"GOLDEN COIN": "BTC/USDT", "BTCUSD": "BTCUSDT"})

    for written in ("Golden Coin", "INDEX:BTCUSD"):
        [order] = signals.orders(signals.done(action="BuyMarket", symbol=written, quantity="0.001"))
        assert order.symbol == BTC


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("BTCUSDT.P", "BTCUSDT.P is a perpetual future; Practice trades spot"),
        ("BTCUSTD", "has no market BTCUSTD; did you mean BTC/USD, BTC/USDT"),
        ("DOGMOON", "has no market DOGMOON"),
    ],
)
@pytest.mark.parametrize("action", ["BuyMarket", "CLOSE", "CANCEL"])
def test_a_symbol_that_means_no_market_is_an_error_in_clear_words(
    written: str, said: str, action: str, signals: Signals
) -> None:
    size = {"quantity": "1"} if action == "BuyMarket" else {}

    refused = signals.send(action=action, symbol=written, **size)

    assert refused.status is AlertStatus.ERROR
    assert said in (refused.reason or "")


def test_a_plain_purchase_asks_for_no_balance_and_no_position(
    signals: Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty alerts a second: what the other sizes need is not looked up for it."""
    alert_id = signals.store(action="BuyMarket", quantity="0.001")
    asked = []
    monkeypatch.setattr("app.services.positions.open_at", lambda *_, **__: asked.append("position"))
    monkeypatch.setattr("app.services.alerts._ask", lambda *_: asked.append("account"))

    signals.work(alert_id)

    assert asked == []


def test_min_notional_lot_and_tick_are_refused_here_and_never_retried(signals: Signals) -> None:
    for size in ({"quantity": "0.00000001"}, {"quote_quantity": "0.5"}):
        denied = signals.send(action="BuyMarket", **size)
        assert denied.status is AlertStatus.DENIED, denied.reason
        assert signals.orders(denied) == []


@pytest.mark.parametrize(
    ("name", "size", "bought"),
    [("quantity", "0.01", "0.01"), ("equity_percent", "10", "0.1666"), ("risk_percent", "1", "0.3333")],
)
def test_a_source_may_give_any_size_where_an_alert_gives_none(
    name: str, size: str, bought: str, signals: Signals
) -> None:
    signals.says(stop_loss=PriceOrPercent(percent=Decimal(5)), **{name: Decimal(size)})

    signals.done(action="BuyMarket")

    assert abs(signals.trader.position().quantity / Decimal(bought) - 1) < Decimal("0.01")


@pytest.mark.parametrize("own", [{}, {"type": "market"}, {"action": "BuyMarket"}])
def test_a_plain_buy_without_a_type_is_what_its_source_says(own: dict[str, str], signals: Signals) -> None:
    signals.says(order_type=OrderType.LIMIT)

    done = signals.done(**{"action": "buy", "quantity": "0.01", "price": "50000", **own})

    [order] = signals.orders(done)
    limit = (OrderType.LIMIT, Decimal(50_000), AlertAction.BUY_LIMIT)
    assert (order.type, order.price, done.action) == (
        (OrderType.MARKET, None, AlertAction.BUY_MARKET) if own else limit
    )


def test_a_plain_buy_that_becomes_a_limit_order_needs_its_price(signals: Signals) -> None:
    signals.says(order_type=OrderType.LIMIT)

    refused = signals.send(action="buy", quantity="0.01")

    assert refused.status is AlertStatus.ERROR
    assert refused.reason == "the alert gives no price, and its source makes a limit order of it"
