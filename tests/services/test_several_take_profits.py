"""Several take-profits, each of a share: what is left after one of them is still under its stop-loss."""

from __future__ import annotations

from decimal import Decimal

import pytest

from app.domain.errors import OrderDenied
from app.domain.markets import Ticker
from app.domain.orders import PriceOrPercent, TargetWish
from app.models import PositionStatus, TargetStatus
from app.services import execution, prices, wishes
from tests.services.trader import PRICE, Trader, stop_at

HALF = Decimal(50)


def halves(*prices: int) -> tuple[TargetWish, ...]:
    return tuple(TargetWish(PriceOrPercent(price=Decimal(price)), HALF) for price in prices)


def test_the_first_target_sells_its_half_and_the_rest_stays_guarded_until_the_second(
    trader: Trader,
) -> None:
    trader.buy(**stop_at(58_000), targets=halves(63_000, 65_000))
    bought = trader.position().quantity

    trader.price(63_100)
    trader.later()

    position = trader.position()
    assert [target.status for target in position.targets] == [TargetStatus.TAKEN, TargetStatus.WAITING]
    assert position.quantity == trader.own()
    assert abs(position.quantity - bought / 2) < bought / 100
    assert position.alarm is None
    assert trader.stopped() >= trader.lot(position.quantity)

    trader.price(65_100)
    trader.later()

    position = trader.position()
    assert position.status is PositionStatus.CLOSED
    assert position.realised > 0
    assert trader.resting() == []


def test_a_take_profit_is_added_to_a_position_under_a_stop_loss(trader: Trader) -> None:
    trader.buy(**stop_at(58_000))
    position = trader.position()

    wishes.move(position, take_profit=PriceOrPercent(price=Decimal(63_000)))
    execution.guard(position.id)
    assert trader.stopped() >= trader.lot(trader.position().quantity)
    trader.price(63_100)
    trader.later()

    assert trader.position().status is PositionStatus.CLOSED
    assert trader.position().realised > 0


def test_a_trailing_entry_has_its_stop_loss_at_once(trader: Trader) -> None:
    trader.buy(trailing_percent=Decimal(2))

    position = trader.position()
    assert position.trailing_percent == 2
    assert position.stop_loss == PRICE * Decimal("0.98")
    assert trader.stopped() >= trader.lot(position.quantity)


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ({"targets": halves(50_000)}, "must be above the entry price"),
        ({"targets": halves(63_000, 64_000, 65_000)}, "more than 100 percent"),
        ({"targets": halves(63_000), "take_profit": PriceOrPercent(price=Decimal(64_000))}, "not both"),
        (
            {"targets": (TargetWish(PriceOrPercent(percent=Decimal(5)), Decimal("0.01")),)},
            "less than the minimum order",
        ),
        ({"trailing_percent": Decimal(100)}, "below 100 percent"),
    ],
)
@pytest.mark.parametrize("trader", ["binance"], indirect=True)
def test_targets_that_cannot_be_meant_are_refused(
    trader: Trader,
    wish: dict[str, object],
    said: str,
) -> None:
    prices.remember(trader.broker.exchange, trader.broker.environment, [Ticker("BTC/USDT", PRICE)])
    with pytest.raises(OrderDenied, match=said):
        trader.buy(**wish)
