"""The main job on each exchange that is registered; a new one joins by its line in the registry."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from app.domain.orders import OrderStatus, OrderType
from app.exchanges import NAMES, capabilities
from app.models import OrderRole, OrderRow
from tests.fixtures.stack import Stack


def _exits(orders: list[OrderRow]) -> list[OrderRow]:
    """The protective orders, a pair of them as its legs."""
    holders = {order.parent_id for order in orders if order.role is OrderRole.PROTECTION}
    return [order for order in orders if order.role is OrderRole.PROTECTION and order.id not in holders]


@pytest.mark.parametrize("name", NAMES)
def test_a_market_buy_is_filled_once_and_guarded_on_the_exchange(stack: Stack, name: str) -> None:
    desk = stack.open_desk(exchange=name)
    alert = {"action": "BuyMarket", "symbol": "BTCUSDT", "quote_quantity": "500"}
    desk.send(json.dumps({**alert, "stop_loss": "4%", "take_profit": "8%"}))
    able = capabilities(name)
    both = able.oco or OrderType.MARKET in able.attached_both
    wanted = 2 if both else 1

    def is_guarded(orders: list[OrderRow]) -> bool:
        return [exit_.status for exit_ in _exits(orders)] == [OrderStatus.OPEN] * wanted

    orders = desk.await_orders(is_guarded, f"{wanted} exits to rest")

    entry = orders[0]
    assert entry.status is OrderStatus.FILLED
    assert entry.filled_quantity
    assert entry.cost is not None
    assert Decimal(480) < entry.cost <= Decimal(500)
    assert {exit_.type for exit_ in _exits(orders)} & {OrderType.STOP_LOSS, OrderType.STOP_LIMIT}
    sold = max(exit_.quantity for exit_ in _exits(orders) if exit_.quantity is not None)
    assert sold <= entry.filled_quantity, "the exits never sell more than was bought"
    resting = [order for order in desk.at_exchange() if order["side"].upper() == "SELL"]
    assert len(resting) == wanted


@pytest.mark.parametrize("name", NAMES)
def test_a_limit_order_rests_and_is_cancelled_by_its_page(stack: Stack, name: str) -> None:
    desk = stack.open_desk(exchange=name)
    desk.send("action=BuyLimit; symbol=ETH/USDT; quantity=0.5; price=1000")
    (order,) = desk.await_orders(lambda found: bool(found) and found[0].status.is_live, "the order to rest")

    desk.press(f"/orders/{order.id}", f"/orders/{order.id}/cancel")

    desk.await_orders(lambda found: found[0].status is OrderStatus.CANCELED, "the cancellation")


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_lost_after_execution_leads_to_one_order(stack: Stack, name: str) -> None:
    desk = stack.open_desk(exchange=name)
    desk.fault("place_order", "reset_after", times=1)
    desk.send(json.dumps({"action": "SellMarket", "symbol": "BTCUSDT", "quantity": "0.01"}))

    (order,) = desk.await_orders(
        lambda found: bool(found) and found[0].status is OrderStatus.FILLED, "the fill to be found"
    )

    assert any("outcome unknown" in event.cause for event in order.events)
    assert len(desk.at_exchange()) == 1
