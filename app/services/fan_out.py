"""One delivery for several brokers: an alert for each, sized by that broker's own rule and decided by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from app.domain.alerts import SIZES, AlertStatus, signal_from_json, signal_to_json
from app.domain.orders import Side
from app.models import Alert, SourceRoute

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
                signal=_sized(first.signal or {}, route),
            )
            alert.came_to(first.source, route.broker)
            yield alert


def _sized(signal: Mapping[str, Any], route: SourceRoute) -> dict[str, Any]:
    """A signal with the size of a further broker, where it has one of its own; a sale is of what is held there."""
    told = signal_from_json(signal)
    if route.size and told.action.places is not None and told.action.places[0] is Side.BUY:
        sizes: dict[str, Any] = {**dict.fromkeys(SIZES), **route.size}
        told = replace(told, **sizes)
    return signal_to_json(told)
