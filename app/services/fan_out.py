"""One delivery for several brokers: an alert for each, sized by that broker's own rule and decided by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from app.domain.alerts import (
    SIZES,
    AlertStatus,
    Signal,
    StrategyPosition,
    signal_from_json,
    signal_to_json,
)
from app.domain.errors import OrderDenied
from app.domain.money import EXACT, plain
from app.domain.orders import Side
from app.models import Alert, SourceRoute

_ALL = Decimal(100)

#: What the alerts of one delivery have in common.
_SHARED = (
    *("user_id", "source_id", "body", "content_type", "headers", "sender", "fingerprint"),
    *("action", "symbol", "received_at", "expires_at"),
)


def further_alerts(first: Alert) -> Iterator[Alert]:
    """The alerts that a delivery makes besides its first, one for each further broker of its source."""
    for route in first.source.routes:
        if route.enabled:
            alert = Alert(
                **{name: getattr(first, name) for name in _SHARED},
                broker_id=route.broker_id,
                delivery=first,
                status=AlertStatus.RECEIVED,
                signal=first.signal,
            )
            alert.came_to(first.source, route.broker)
            _size(alert, first.signal or {}, route)
            yield alert


def _size(alert: Alert, signal: Mapping[str, Any], route: SourceRoute) -> None:
    """Give an alert the size of its broker; one whose size is another account's and cannot be turned is denied."""
    try:
        alert.signal = signal_to_json(sized(signal_from_json(signal), route.size))
    except OrderDenied as denied:
        alert.end(AlertStatus.DENIED, denied.message)


def sized(signal: Signal, own: Mapping[str, Decimal]) -> Signal:
    """A signal with the size of a further broker, by its name, where it has one of its own.

    A sale is of what is held there: an amount that counts for another account becomes the same share of it.

    Raises:
        OrderDenied: what share an amount is cannot be told.
    """
    if not own or signal.action.places is None:
        return signal
    if signal.action.places[0] is Side.BUY:
        return _resized(signal, own)
    if signal.size is None or signal.size[0] == "percent":
        return signal
    return _resized(signal, {"percent": _share_sold(signal)})


def _share_sold(signal: Signal) -> Decimal:
    """The percent of what its strategy held that an alert sells; all of it where the strategy is long no more."""
    if signal.market_position in (StrategyPosition.FLAT, StrategyPosition.SHORT):
        return _ALL
    left = signal.position_size
    if signal.market_position is None or signal.quantity is None or left is None or left <= 0:
        name, amount = signal.size or ("", Decimal(0))
        raise OrderDenied.because(
            "size",
            f"this broker has a size of its own, and what share of its position {name} {plain(amount)} is cannot be "
            "told: sell a percent, or a quantity with market_position and position_size",
        )
    return EXACT.divide(EXACT.multiply(signal.quantity, _ALL), EXACT.add(signal.quantity, left))


def _resized(signal: Signal, size: Mapping[str, Decimal]) -> Signal:
    sizes: dict[str, Any] = {**dict.fromkeys(SIZES), **size}
    return replace(signal, **sizes)
