"""What an alert waits for: what came before it and is still under way.

Alerts that open and close may come within milliseconds of each other, and workers take them side by side. One that
closes must not find nothing held because the purchase before it is still on the wire; one that opens with a share of
the money must not find none because the sale before it is.
"""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import Exists, or_, select

from app.domain.alerts import AlertAction, AlertStatus
from app.domain.errors import OrderDenied
from app.domain.orders import OrderStatus, OrderType, Side
from app.extensions import db
from app.models import Alert, OrderRole, OrderRow, Position, PositionStatus, utc_now
from app.services.alert_facts import Case, concerns_position, depends_on_account, resolve

#: How long an alert waits at most, and how many seconds it is away each time.
PATIENCE = timedelta(seconds=10)
A_MOMENT = 0.25

_UNDER_WAY = (OrderStatus.PENDING, OrderStatus.SUBMITTED)
_BUYS = (AlertAction.BUY_MARKET,)
_SELLS = (AlertAction.CLOSE, AlertAction.REVERSE, AlertAction.SELL_MARKET)


def must_wait(alert: Alert, case: Case) -> bool:
    """Whether an alert shall be decided in a moment only; never a plain purchase, for which nothing is looked up."""
    holdings, shares = concerns_position(case.signal), depends_on_account(case.signal)
    if not (holdings or shares) or utc_now() - alert.received_at >= PATIENCE:
        return False
    before: list[Exists] = []
    if holdings:
        before += [_decided_before(alert, _BUYS), _bought(alert, case)]
    if shares or case.signal.market_position is not None:
        before += [_decided_before(alert, _SELLS), _to_be_sold(alert), _sold(alert)]
    return bool(db.session.scalar(select(or_(*before))))


def _decided_before(alert: Alert, actions: tuple[AlertAction, ...]) -> Exists:
    """An earlier alert of the broker that waits for a worker."""
    earlier = (Alert.broker_id == alert.broker_id, Alert.id < alert.id, Alert.action.in_(actions))
    return select(Alert.id).where(*earlier, Alert.status == AlertStatus.RECEIVED).exists()


def _bought(alert: Alert, case: Case) -> Exists:
    """An earlier purchase of this market whose outcome is not known yet."""
    try:
        market = resolve(case)
    except OrderDenied:
        market = None
    return (
        select(OrderRow.id)
        .where(
            OrderRow.broker_id == alert.broker_id,
            OrderRow.symbol == (None if market is None else market.symbol),
            OrderRow.role == OrderRole.ENTRY,
            OrderRow.side == Side.BUY,
            OrderRow.type == OrderType.MARKET,
            OrderRow.status.in_(_UNDER_WAY),
            OrderRow.received_at < alert.received_at,
        )
        .exists()
    )


def _to_be_sold(alert: Alert) -> Exists:
    """A part of a position whose sale is wished for, and not held up."""
    return (
        select(Position.id)
        .where(
            Position.broker_id == alert.broker_id,
            Position.status == PositionStatus.OPEN,
            Position.close_quantity.is_not(None),
            Position.alarm.is_(None),
        )
        .exists()
    )


def _sold(alert: Alert) -> Exists:
    """A sale at the market whose outcome is not known yet."""
    exits = (OrderRow.broker_id == alert.broker_id, OrderRow.role == OrderRole.EXIT)
    return select(OrderRow.id).where(*exits, OrderRow.status.in_(_UNDER_WAY)).exists()
