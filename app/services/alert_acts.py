"""Doing what was decided about an alert, in two halves around the commit of the decision.

`write_down` makes it part of the transaction that decides, so that an alert that is delivered twice acts once. What it
returns is run after the commit, and brings it about; if nobody gets that far, the sweep does.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from app.models import Alert, OrderOrigin
from app.services import execution, orders, wishes
from app.services.alert_decisions import Act, Alter, Place, Withdraw


def write_down(act: Act, alert: Alert, *, queued_at: datetime | None = None) -> Callable[[], None]:
    """Keep an act of an alert in the session, without committing; returns what is to be run once that is done."""
    match act:
        case Place():
            return _place(act, alert, queued_at)
        case Alter():
            wishes.write(act.position, act.change, alert=alert)
            return lambda: execution.guard(act.position.id)
        case Withdraw():
            for order in act.orders:
                orders.want_cancelled(order)
            return lambda: _pursue(act)


def _pursue(act: Withdraw) -> None:
    for order in act.orders:
        orders.pursue_cancellation(order)


def _place(act: Place, alert: Alert, queued_at: datetime | None) -> Callable[[], None]:
    order = orders.record(
        alert.broker,
        act.draft,
        act.planned,
        OrderOrigin.ALERT,
        received_at=alert.received_at,
        expires_at=alert.expires_at,
        alert=alert,
    )
    claimed = execution.take(order, queued_at=queued_at)
    return lambda: execution.send(order) if claimed else None
