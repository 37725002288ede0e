"""The main job end to end: through the webhook, the queue, a worker, the client and the sandbox's engine."""

from __future__ import annotations

import json
from decimal import Decimal

from app.domain.alerts import AlertStatus
from app.domain.orders import OrderStatus, OrderType, Side
from app.models import OrderRole
from tests.fixtures.stack import Stack

BTC_ALERT = {"action": "BuyMarket", "symbol": "BTCUSDT", "quantity": "0.01"}


def test_a_market_buy_ends_filled_with_both_exits_resting_on_the_exchange(stack: Stack) -> None:
    desk = stack.open_desk()
    answer = desk.send(json.dumps({**BTC_ALERT, "stop_loss": "2%", "take_profit": "5%"}))
    assert answer.status_code == 202

    orders = desk.await_orders(lambda found: len(found) == 4, "entry, pair and two legs")

    entry, pair, *legs = orders
    assert (entry.status, entry.filled_quantity) == (OrderStatus.FILLED, Decimal("0.01"))
    fee = sum(fill.fee for fill in entry.fills if fill.fee_asset == "BTC" and fill.fee is not None)
    assert fee > 0
    assert pair.parent_id == entry.id
    assert pair.quantity == Decimal("0.00999"), "the exits sell what the fee left, on the market's grid"
    assert {(leg.type, leg.side, leg.status) for leg in legs} == {
        (OrderType.STOP_LOSS, Side.SELL, OrderStatus.OPEN),
        (OrderType.TAKE_PROFIT, Side.SELL, OrderStatus.OPEN),
    }
    at_exchange = {order["client_order_id"]: order["state"] for order in desk.at_exchange()}
    assert set(at_exchange) == {entry.client_order_id, *(leg.client_order_id for leg in legs)}


def test_protection_in_percent_is_measured_from_the_price_the_entry_got(stack: Stack) -> None:
    desk = stack.open_desk()
    desk.send(json.dumps({**BTC_ALERT, "stop_loss": "2%"}))

    entry, stop = desk.await_orders(lambda found: len(found) == 2, "entry and stop")

    assert entry.average_price is not None
    assert stop.trigger_price is not None
    assert abs(stop.trigger_price - entry.average_price * Decimal("0.98")) < Decimal("0.01")
    assert stop.role is OrderRole.PROTECTION


def test_a_limit_order_in_key_value_form_rests_with_its_exits_attached(stack: Stack) -> None:
    desk = stack.open_desk()
    answer = desk.send("action=BuyLimit; symbol=BINANCE:ETHUSDT; quantity=0.5; price=1000; sl=900; tp=1200")
    assert answer.status_code == 202

    entry, *legs = desk.await_orders(lambda found: len(found) == 3, "entry and its two exits")

    assert (entry.status, entry.type, entry.price) == (OrderStatus.OPEN, OrderType.LIMIT, Decimal(1000))
    assert {leg.parent_id for leg in legs} == {entry.id}


def test_a_percent_is_taken_of_what_is_free_at_that_moment(stack: Stack) -> None:
    desk = stack.open_desk({"USDT": "1000"})
    desk.send(json.dumps({"action": "buy", "symbol": "BTC/USDT", "percent": 10}))

    (order,) = desk.await_orders(lambda found: bool(found), "the order")

    assert order.quote_quantity == Decimal(100)


def test_every_step_of_an_order_is_recorded_with_its_time(stack: Stack) -> None:
    desk = stack.open_desk()
    desk.send(json.dumps(BTC_ALERT))

    (order,) = desk.await_orders(lambda found: bool(found) and found[0].status.is_final, "the fill")

    assert [event.after for event in order.events] == [
        OrderStatus.PENDING,
        OrderStatus.SUBMITTED,
        OrderStatus.FILLED,
    ]
    stamps = [
        order.received_at,
        order.queued_at,
        order.created_at,
        order.picked_up_at,
        order.sent_at,
        order.acknowledged_at,
    ]
    assert None not in stamps
    assert stamps == sorted(stamps)  # type: ignore[type-var]


def test_the_same_alert_delivered_twice_leads_to_one_order(stack: Stack) -> None:
    desk = stack.open_desk()
    first = desk.send(json.dumps(BTC_ALERT)).json()
    second = desk.send(json.dumps(BTC_ALERT)).json()

    assert second["status"] == AlertStatus.DUPLICATE
    assert second["duplicate_of"] == first["id"]
    desk.await_orders(lambda found: bool(found) and found[0].status.is_final, "the fill")
    assert len(desk.at_exchange()) == 1


def test_the_same_id_leads_to_one_order_whatever_else_the_body_says(stack: Stack) -> None:
    desk = stack.open_desk()
    desk.send(json.dumps({**BTC_ALERT, "id": "bar-17"}))
    again = desk.send(json.dumps({**BTC_ALERT, "quantity": "0.02", "id": "bar-17"})).json()

    assert again["status"] == AlertStatus.DUPLICATE


def test_a_ping_proves_that_the_line_is_alive_and_orders_nothing(stack: Stack) -> None:
    desk = stack.open_desk()
    answer = desk.send("action=PING")

    assert (answer.status_code, answer.json()["status"]) == (202, AlertStatus.PROCESSED)
    assert desk.orders() == []


def test_the_pages_show_what_became_of_an_alert(stack: Stack) -> None:
    desk = stack.open_desk()
    alert_id = desk.send(json.dumps(BTC_ALERT)).json()["id"]
    (order,) = desk.await_orders(lambda found: bool(found) and found[0].status.is_final, "the fill")

    assert "Buy 0.01 BTC at the market" in desk.page(f"/webhooks/alerts/{alert_id}")
    assert "BTC/USDT" in desk.page("/orders")
    assert order.client_order_id in desk.page(f"/orders/{order.id}")
