"""Writing the message of a TradingView alert, so that what its placeholders become is understood here.

Placeholders: https://www.tradingview.com/support/solutions/43000531021 (variables of alerts) and
https://www.tradingview.com/support/solutions/43000481368 (variables of strategies).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.alert_format import parse_alert
from app.domain.alerts import AlertAction, Signal

#: Which form of the message it is, so that a later reader knows what an old alert was written with.
VERSION = "switchyard-1"

_LIMITS = (AlertAction.BUY_LIMIT, AlertAction.SELL_LIMIT)

#: What a strategy says of its order, and of what it holds before and after it.
_OF_STRATEGY: Mapping[str, str] = {
    "market_position": "{{strategy.market_position}}",
    "prev_market_position": "{{strategy.prev_market_position}}",
    "position_size": "{{strategy.position_size}}",
}

#: What each placeholder may become; those of a strategy come beside these.
_CHART: Mapping[str, str] = {
    "{{ticker}}": "BTCUSDT",
    "{{close}}": "50000.5",
    "{{timenow}}": "2026-01-31T12:00:00Z",
}
_ORDERS: tuple[Mapping[str, str], ...] = (
    {
        "{{strategy.order.action}}": "buy",
        "{{strategy.order.contracts}}": "0.015",
        "{{strategy.order.id}}": "Long",
        "{{strategy.market_position}}": "long",
        "{{strategy.prev_market_position}}": "flat",
        "{{strategy.position_size}}": "0.015",
    },
    {
        "{{strategy.order.action}}": "sell",
        "{{strategy.order.contracts}}": "0.015",
        "{{strategy.order.id}}": "Close entry(s) order Long",
        "{{strategy.market_position}}": "flat",
        "{{strategy.prev_market_position}}": "long",
        "{{strategy.position_size}}": "0",
    },
)


class MessageSize(StrEnum):
    """How much a message asks for; by name as alerts write it, or left to the source or to the strategy."""

    PERCENT = "percent"
    QUOTE_QUANTITY = "quote_quantity"
    QUANTITY = "quantity"
    EQUITY_PERCENT = "equity_percent"
    RISK_PERCENT = "risk_percent"
    STRATEGY = "strategy"
    SOURCE = "source"


@dataclass(frozen=True, slots=True)
class MessageWish:
    """What an alert shall say, as a person types it. ``action`` is None for whatever a strategy orders.

    ``price`` is of a limit order, the chart's close where it is empty.
    """

    action: AlertAction | None = None
    size: MessageSize = MessageSize.SOURCE
    amount: str = ""
    price: str = ""
    stop_loss: str = ""
    take_profit: str = ""
    trailing_percent: str = ""


def compose(wish: MessageWish) -> str:
    """The message to paste into TradingView, as JSON."""
    return json.dumps({name: value for name, value in _pairs(wish) if value}, indent=2, ensure_ascii=False)


def understood(message: str) -> list[Signal]:
    """What a message will be taken for once its placeholders are filled: for a strategy its purchase, then its sale.

    Raises:
        AlertFault: it will not be understood.
    """
    orders = _ORDERS if "{{strategy." in message else _ORDERS[:1]
    return [parse_alert(filled(message, {**_CHART, **order})) for order in orders]


def filled(message: str, values: Mapping[str, str]) -> str:
    """A message with its placeholders replaced, as TradingView does it: as they are, wherever they stand."""
    for placeholder, value in values.items():
        message = message.replace(placeholder, value)
    return message


def _pairs(wish: MessageWish) -> Iterator[tuple[str, str]]:
    yield "version", VERSION
    yield "action", "{{strategy.order.action}}" if wish.action is None else wish.action.value
    if wish.action is AlertAction.PING:
        return
    yield "symbol", "{{ticker}}"
    if wish.action in _LIMITS:
        yield "price", wish.price or "{{close}}"
    yield from _size(wish)
    yield "stop_loss", wish.stop_loss
    yield "take_profit", wish.take_profit
    yield "trailing_percent", wish.trailing_percent
    yield "time", "{{timenow}}"
    if wish.action is None:
        yield from _OF_STRATEGY.items()
        yield "id", "{{ticker}} {{timenow}} {{strategy.order.action}} {{strategy.order.id}}"
    else:
        yield "id", f"{{{{ticker}}}} {{{{timenow}}}} {wish.action}"


def _size(wish: MessageWish) -> Iterator[tuple[str, str]]:
    if wish.size is MessageSize.STRATEGY:
        yield "quantity", "{{strategy.order.contracts}}"
    elif wish.size is not MessageSize.SOURCE:
        yield wish.size.value, wish.amount
